/** Reads the table for metrics: no decision and no owner waits for it. */
import { GATE_VACANT } from '../domain/gate.ts';
import {
  GAUGES,
  PROBABILITY_ONE,
  SLOT_WORDS,
  type TableMemory,
  WORD_BREAKER,
  WORD_GATE,
  WORD_THROTTLE,
} from './layout.ts';

export class TableReader {
  private readonly slots: Int32Array;
  private readonly gauges: Float64Array;

  constructor(memory: TableMemory) {
    this.slots = new Int32Array(memory.slots);
    this.gauges = new Float64Array(memory.gauges);
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
}
