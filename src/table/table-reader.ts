/** Reads the table for metrics: no decision and no owner waits for it. */
import { GATE_VACANT } from '../domain/gate.ts';
import {
  GAUGES,
  LANE_ALLOWED,
  LANE_ASKS,
  LANE_FIELDS,
  lanesOf,
  PROBABILITY_ONE,
  SLOT_WORDS,
  slotWords,
  type TableMemory,
  WORD_BREAKER,
  WORD_GATE,
  WORD_THROTTLE,
} from './layout.ts';

export class TableReader {
  private readonly slots: Int32Array;
  private readonly gauges: Float64Array;
  private readonly lanes: readonly Float64Array[];

  constructor(memory: TableMemory) {
    this.slots = slotWords(memory);
    this.gauges = new Float64Array(memory.gauges);
    this.lanes = lanesOf(memory);
  }

  /** Whether a slot shows a campaign that is not deleted. */
  isShown(slot: number): boolean {
    return this.slots[slot * SLOT_WORDS + WORD_GATE] !== GATE_VACANT;
  }

  /** A GATE code, or the REASON why nothing may bid. */
  gate(slot: number): number {
    return this.slots[slot * SLOT_WORDS + WORD_GATE] as number;
  }

  /** @param gauge a GAUGE number */
  gauge(slot: number, gauge: number): number {
    return this.gauges[slot * GAUGES + gauge] as number;
  }

  /** 0 closed, 1 open, 2 half-open. */
  breaker(slot: number): number {
    return this.slots[slot * SLOT_WORDS + WORD_BREAKER] as number;
  }

  throttleRate(slot: number): number {
    return (this.slots[slot * SLOT_WORDS + WORD_THROTTLE] as number) / PROBABILITY_ONE;
  }

  /** Bids asked for, ever, of all campaigns that had the slot. */
  asks(slot: number): number {
    return this.sum(slot * LANE_FIELDS + LANE_ASKS);
  }

  /** Those that were let through. */
  allowed(slot: number): number {
    return this.sum(slot * LANE_FIELDS + LANE_ALLOWED);
  }

  private sum(at: number): number {
    let sum = 0;
    for (const lane of this.lanes) sum += lane[at] as number;
    return sum;
  }
}
