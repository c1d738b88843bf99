/**
 * The slots that hold campaigns, for whoever walks over them again and again: the index is read only when a campaign
 * was inserted or removed since. Reading it takes a millisecond, however few campaigns there are.
 */
import { IdIndex } from './id-index.ts';
import type { TableMemory } from './layout.ts';

const NO_SLOTS = new Int32Array(0);

export class CampaignSlots {
  readonly #index: IdIndex;
  readonly #stamps: string[];
  readonly #slots: Int32Array[];

  constructor(memory: TableMemory) {
    this.#index = new IdIndex(memory);
    this.#stamps = new Array<string>(memory.shards).fill('');
    this.#slots = new Array<Int32Array>(memory.shards).fill(NO_SLOTS);
  }

  /** The slots of a shard's campaigns, in no order. */
  of(shard: number): Int32Array {
    // Read before the slots are: what changes meanwhile gives another stamp the next time.
    const stamp = this.#index.stampOf(shard);
    if (stamp !== this.#stamps[shard]) {
      this.#slots[shard] = Int32Array.from(this.#index.slotsOf(shard));
      this.#stamps[shard] = stamp;
    }
    return this.#slots[shard] ?? NO_SLOTS;
  }
}
