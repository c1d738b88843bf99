/**
 * What the soak was told: money of answered spends by campaign, answers by kind, latencies, and whatever was answered
 * that must not be. All in micros, so that books and servers can be compared exactly.
 */
import { build, type Histogram } from 'hdr-histogram-js';
import { MICROS_PER_CENT } from '../../src/domain/money.ts';

const PROBLEMS_MAX = 100;
const US_A_MS = 1000;

export interface Tally {
  answers: number;
  decisions: number;
  allowed: number;
  spends: number;
  duplicates: number;
  losses: number;
  reads: number;
  changes: number;
  simulations: number;
  frames: number;
  /** Answers of 503 with Retry-After, where they are allowed. */
  refused: number;
  /** Requests that a pod that was killed, or was not there, did not answer. */
  cutOff: number;
}

export class Books {
  readonly tally: Tally = {
    answers: 0,
    decisions: 0,
    allowed: 0,
    spends: 0,
    duplicates: 0,
    losses: 0,
    reads: 0,
    changes: 0,
    simulations: 0,
    frames: 0,
    refused: 0,
    cutOff: 0,
  };
  /** What must not have been answered, in words. */
  readonly problems: string[] = [];
  /** Latencies of decisions, microseconds, since they were last taken. */
  #latency: Histogram = build({ numberOfSignificantValueDigits: 2 });
  readonly #answeredMicros = new Map<string, number>();

  /** Micros of a campaign's spends that were answered as counted. */
  answeredMicros(campaignId: string): number {
    return this.#answeredMicros.get(campaignId) ?? 0;
  }

  get totalMicros(): number {
    let sum = 0;
    for (const amount of this.#answeredMicros.values()) sum += amount;
    return sum;
  }

  counted(campaignId: string, spentMicros: number): void {
    this.tally.spends++;
    this.#answeredMicros.set(campaignId, this.answeredMicros(campaignId) + spentMicros);
  }

  latency(ms: number): void {
    this.#latency.recordValue(Math.max(1, Math.round(ms * US_A_MS)));
  }

  /** Latencies of decisions in ms since they were last asked for. */
  takeLatencies(): { readonly p50: number; readonly p99: number; readonly max: number } {
    const latency = this.#latency;
    this.#latency = build({ numberOfSignificantValueDigits: 2 });
    const at = (percentile: number): number => latency.getValueAtPercentile(percentile) / US_A_MS;
    return { p50: at(50), p99: at(99), max: latency.maxValue / US_A_MS };
  }

  problem(what: string): void {
    if (this.problems.length < PROBLEMS_MAX) this.problems.push(`${new Date().toISOString()} ${what}`);
  }
}

/** An amount on the wire from micros. */
export function centsOf(micros: number): number {
  return micros / MICROS_PER_CENT;
}

/** Micros of an amount on the wire. */
export function microsOf(cents: number): number {
  return Math.round(cents * MICROS_PER_CENT);
}
