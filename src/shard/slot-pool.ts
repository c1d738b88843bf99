/** The shard's slots: which are free. A vacated one rests before it is given out again (layout.ts says why). */
import { SLOT_REST_MS } from '../table/layout.ts';

export class SlotPool {
  private readonly free: number[] = [];
  private readonly resting: { readonly slot: number; readonly untilMs: number }[] = [];

  /** @param taken slots that campaigns of an earlier owner thread hold */
  constructor(firstSlot: number, slotCount: number, taken: ReadonlySet<number>) {
    for (let slot = firstSlot + slotCount - 1; slot >= firstSlot; slot--)
      if (!taken.has(slot)) this.free.push(slot);
  }

  /** @returns a vacant slot, or −1 when there is none */
  take(steadyMs: number): number {
    for (
      let oldest = this.resting[0];
      oldest !== undefined && oldest.untilMs <= steadyMs;
      oldest = this.resting[0]
    ) {
      this.free.push(oldest.slot);
      this.resting.shift();
    }
    return this.free.pop() ?? -1;
  }

  release(slot: number, steadyMs: number): void {
    this.resting.push({ slot, untilMs: steadyMs + SLOT_REST_MS });
  }
}
