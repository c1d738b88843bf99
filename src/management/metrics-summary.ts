/**
 * `GET /metrics/summary`: the campaigns of this pod's table and its traffic in a few figures, from shared memory
 * alone. Rates are of the last seconds: the edges' counters are looked at once a second, and kept for a while.
 */

import { TRIP_REASONS } from '../domain/breaker.ts';
import {
  GATE_VACANT,
  REASON_OUTSIDE_FLIGHT,
  REASON_PAUSED,
  REASON_PROBE,
  REASON_THROTTLED,
  REASON_WITHIN_BUDGET,
  REASONS,
} from '../domain/gate.ts';
import { centsFromMicros } from '../domain/money.ts';
import { pacingAccuracy } from '../domain/pacing-accuracy.ts';
import type { PodMemory } from '../messages/supervision.ts';
import type { CampaignSlots } from '../table/campaign-slots.ts';
import { GAUGE_SPENT, GAUGE_TARGET } from '../table/layout.ts';
import { LATENCY_BOUNDS, Meters } from '../table/meters.ts';
import { TableReader } from '../table/table-reader.ts';
import {
  BREAKER_REASONS,
  EDGE_METERS,
  ENDPOINT_DECISION,
  ENDPOINT_DECISIONS,
  SHARD_BREAKERS_MOVED,
  SHARD_DEGRADED_SINCE_MS,
  SHARD_METERS,
} from '../table/thread-meters.ts';
import type { ShownSummary } from './shown-status.ts';

/** Looks that are kept: the rates are of so many seconds. */
const LOOKS = 6;
/** The table is not walked more often than this, however often it is asked. */
const FIGURES_MS = 500;
const ACCURACY_STEPS = 10_000;

interface Look {
  readonly steadyMs: number;
  readonly decisions: number;
  readonly throttled: number;
  readonly allowed: number;
  /** Of requests for decisions, in each latency bucket. */
  readonly latencies: readonly number[];
}

/** This pod's decisions of the last seconds, beside the summary's rates. */
export interface DecisionFigures {
  readonly allowedPerSecond: number;
  /** Median and 99th percentile of a request's time in the pod, ms; null without requests. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

interface Figures {
  readonly active: number;
  readonly spentMicros: number;
  readonly accuracy: number | null;
}

export class MetricsSummary {
  readonly #table: TableReader;
  readonly #slots: CampaignSlots;
  readonly #edges: readonly Meters[];
  readonly #shards: readonly Meters[];
  #looks: Look[] = [];
  #figures: Figures = { active: 0, spentMicros: 0, accuracy: null };
  #figuresAtMs = Number.NEGATIVE_INFINITY;

  constructor(memory: Pick<PodMemory, 'table' | 'edgeMeters' | 'shardMeters'>, slots: CampaignSlots) {
    this.#table = new TableReader(memory.table);
    this.#slots = slots;
    this.#edges = memory.edgeMeters.map((meters) => new Meters(EDGE_METERS, meters));
    this.#shards = memory.shardMeters.map((meters) => new Meters(SHARD_METERS, meters));
  }

  /** Once a second: what the edges have counted by now. */
  look(steadyMs: number): void {
    this.#looks.push(this.#counted(steadyMs));
    if (this.#looks.length > LOOKS) this.#looks.shift();
  }

  /** The answer. @param steadyMs now, by the clock of {@link look} */
  read(steadyMs: number): ShownSummary {
    if (steadyMs - this.#figuresAtMs >= FIGURES_MS) {
      this.#figures = this.#readTable();
      this.#figuresAtMs = steadyMs;
    }
    const { active, spentMicros, accuracy } = this.#figures;
    const now = this.#counted(steadyMs);
    const from = this.#looks[0] ?? now;
    const seconds = (now.steadyMs - from.steadyMs) / 1000;
    const rate = (count: number): number => (seconds > 0 ? Math.round((10 * count) / seconds) / 10 : 0);
    return {
      active_campaigns: active,
      total_spend_today_cents: centsFromMicros(spentMicros),
      avg_pacing_accuracy: accuracy,
      total_circuit_trips: this.#trips(),
      decisions_per_second: rate(now.decisions - from.decisions),
      throttled_per_second: rate(now.throttled - from.throttled),
      degraded: this.#shards.some((shard) => shard.get(SHARD_DEGRADED_SINCE_MS) > 0),
    };
  }

  /** @param steadyMs now, by the clock of {@link look} */
  decisions(steadyMs: number): DecisionFigures {
    const now = this.#counted(steadyMs);
    const from = this.#looks[0] ?? now;
    const seconds = (now.steadyMs - from.steadyMs) / 1000;
    const buckets = now.latencies.map((count, bucket) => count - (from.latencies[bucket] ?? 0));
    return {
      allowedPerSecond: seconds > 0 ? Math.round((10 * (now.allowed - from.allowed)) / seconds) / 10 : 0,
      p50Ms: quantileMs(buckets, 0.5),
      p99Ms: quantileMs(buckets, 0.99),
    };
  }

  #counted(steadyMs: number): Look {
    let decisions = 0;
    let throttled = 0;
    let allowed = 0;
    const latencies = LATENCY_BOUNDS.map(() => 0);
    latencies.push(0);
    for (const edge of this.#edges) {
      for (let reason = 0; reason < REASONS.length; reason++) decisions += edge.get(reason);
      throttled += edge.get(REASON_THROTTLED);
      allowed += edge.get(REASON_WITHIN_BUDGET) + edge.get(REASON_PROBE);
      for (const endpoint of [ENDPOINT_DECISION, ENDPOINT_DECISIONS]) {
        for (const [bucket, count] of edge.histogram(endpoint).buckets.entries()) {
          latencies[bucket] = (latencies[bucket] ?? 0) + count;
        }
      }
    }
    return { steadyMs, decisions, throttled, allowed, latencies };
  }

  #trips(): number {
    let trips = 0;
    BREAKER_REASONS.forEach((reason, at) => {
      if (!TRIP_REASONS.some((trip) => trip === reason)) return;
      for (const shard of this.#shards) trips += shard.get(SHARD_BREAKERS_MOVED + at);
    });
    return trips;
  }

  #readTable(): Figures {
    let active = 0;
    let spentMicros = 0;
    let accuracies = 0;
    let accuracySum = 0;
    for (let shard = 0; shard < this.#shards.length; shard++) {
      for (const slot of this.#slots.of(shard)) {
        const gate = this.#table.gate(slot);
        if (gate === GATE_VACANT) continue;
        const spent = this.#table.gauge(slot, GAUGE_SPENT);
        spentMicros += spent;
        if (gate === REASON_PAUSED || gate === REASON_OUTSIDE_FLIGHT) continue;
        active++;
        const accuracy = pacingAccuracy(spent, this.#table.gauge(slot, GAUGE_TARGET));
        if (accuracy === null) continue;
        accuracies++;
        accuracySum += accuracy;
      }
    }
    const mean = Math.round((ACCURACY_STEPS * accuracySum) / accuracies) / ACCURACY_STEPS;
    return { active, spentMicros, accuracy: accuracies === 0 ? null : mean };
  }
}

/** A quantile of a histogram, even inside a bucket; above all bounds the last of them. */
function quantileMs(buckets: readonly number[], share: number): number | null {
  const count = buckets.reduce((sum, bucket) => sum + bucket, 0);
  if (count === 0) return null;
  let below = 0;
  for (const [bucket, bound] of LATENCY_BOUNDS.entries()) {
    const inside = buckets[bucket] ?? 0;
    if (inside > 0 && below + inside >= share * count) {
      const from = LATENCY_BOUNDS[bucket - 1] ?? 0;
      return Math.round(1e6 * (from + ((bound - from) * (share * count - below)) / inside)) / 1000;
    }
    below += inside;
  }
  return 1000 * (LATENCY_BOUNDS.at(-1) ?? 0);
}
