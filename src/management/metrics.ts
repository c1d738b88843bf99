/**
 * `GET /metrics`: every thread's figures in one page, read from shared memory at the scrape. Nothing is
 * counted twice and no thread is asked.
 */
import { statfsSync } from 'node:fs';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { type Config, isInFleet } from '../config/config.ts';
import { version } from '../config/version.ts';
import { REASONS } from '../domain/gate.ts';
import { centsFromMicros } from '../domain/money.ts';
import type { PodMemory } from '../messages/supervision.ts';
import type { CampaignSlots } from '../table/campaign-slots.ts';
import { IdIndex } from '../table/id-index.ts';
import {
  GAUGE_BUDGET,
  GAUGE_OVERSPENT_TOTAL,
  GAUGE_RESERVED,
  GAUGE_SPENT,
  GAUGE_SPENT_TOTAL,
  GAUGE_TARGET,
} from '../table/layout.ts';
import { allocateMeters, type HistogramReading, LATENCY_BOUNDS, Meters } from '../table/meters.ts';
import { PodState } from '../table/pod-state.ts';
import { TableReader } from '../table/table-reader.ts';
import {
  BREAKER_REASONS,
  EDGE_CONNECTIONS,
  EDGE_CONNECTIONS_REFUSED,
  EDGE_GC_PAUSES,
  EDGE_LAG,
  EDGE_LIMITED,
  EDGE_METERS,
  EDGE_REFUSED,
  EDGE_UNAUTHORIZED,
  ENDPOINTS,
  MANAGEMENT_GC_PAUSES,
  MANAGEMENT_METERS,
  SHARD_BREAKERS_MOVED,
  SHARD_COMMIT_SECONDS,
  SHARD_DEGRADED_SINCE_MS,
  SHARD_DUPLICATES,
  SHARD_EVENTS_UNCHECKED,
  SHARD_GC_PAUSES,
  SHARD_HISTORY_SINCE_MS,
  SHARD_LAG,
  SHARD_LATE_WIN_MICROS,
  SHARD_METERS,
  SHARD_REDIS_SINCE_MS,
  SHARD_REDIS_UP,
  SHARD_SPEND_REJECTED,
  SHARD_SPENDS,
  SHARD_WAITING_SINCE_MS,
} from '../table/thread-meters.ts';
import { observeGcPauses } from '../threads/gc-pauses.ts';

const SELECTION_MS = 10_000;

interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly reading: HistogramReading;
}

/** Where a shard's changes go, and the meter with the age of what waits for it. */
const SINKS = [
  ['ledger', SHARD_WAITING_SINCE_MS],
  ['postgres', SHARD_HISTORY_SINCE_MS],
  ['redis', SHARD_REDIS_SINCE_MS],
] as const;

/** A histogram whose buckets are kept elsewhere. */
class ReadHistogram extends Histogram<string> {
  private readonly metric: { readonly name: string; readonly help: string };
  private readonly readSeries: () => readonly Series[];

  constructor(
    registry: Registry,
    name: string,
    help: string,
    labelNames: string[],
    read: () => readonly Series[],
  ) {
    super({ name, help, labelNames, buckets: [...LATENCY_BOUNDS], registers: [registry] });
    this.metric = { name, help };
    this.readSeries = read;
  }

  /** What the registry asks for when it prints. */
  async getForPromString() {
    const values = this.readSeries().flatMap((series) => this.lines(series));
    return { ...this.metric, type: 'histogram', aggregator: 'sum', values };
  }

  private lines({ labels, reading }: Series) {
    const { name } = this.metric;
    let below = 0;
    const buckets = reading.buckets.map((bucket, at) => {
      below += bucket;
      const le = at < LATENCY_BOUNDS.length ? (LATENCY_BOUNDS[at] as number) : '+Inf';
      return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: below };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels: { ...labels }, value: reading.sum },
      { metricName: `${name}_count`, labels: { ...labels }, value: reading.count },
    ];
  }
}

function sumReadings(readings: readonly HistogramReading[]): HistogramReading {
  const buckets = LATENCY_BOUNDS.map((_, at) =>
    readings.reduce((sum, reading) => sum + (reading.buckets[at] ?? 0), 0),
  );
  const count = readings.reduce((sum, reading) => sum + reading.count, 0);
  const above = count - buckets.reduce((sum, bucket) => sum + bucket, 0);
  return {
    buckets: [...buckets, above],
    count,
    sum: readings.reduce((sum, reading) => sum + reading.sum, 0),
  };
}

/** So many of the slots, those with the largest budgets, in that order; without sorting a hundred thousand of them. */
function largestOf(slots: readonly number[], budget: (slot: number) => number, count: number): number[] {
  const rising = Float64Array.from(slots, budget).sort();
  const least = rising[Math.max(0, rising.length - count)] ?? 0;
  const above = slots.filter((slot) => budget(slot) > least);
  const equal = slots.filter((slot) => budget(slot) === least).slice(0, Math.max(0, count - above.length));
  return [...above, ...equal].sort((a, b) => budget(b) - budget(a)).slice(0, count);
}

export class Metrics {
  private readonly registry = new Registry();
  private readonly config: Config;
  private readonly memory: PodMemory;
  private readonly state: PodState;
  private readonly table: TableReader;
  private readonly index: IdIndex;
  private readonly slots: CampaignSlots;
  private readonly edges: readonly Meters[];
  private readonly shards: readonly Meters[];
  private readonly own = new Meters(MANAGEMENT_METERS, allocateMeters(MANAGEMENT_METERS));
  private selected: readonly { readonly id: string; readonly slot: number }[] = [];
  private selectedAtMs = Number.NEGATIVE_INFINITY;

  constructor(config: Config, memory: PodMemory, slots: CampaignSlots) {
    this.config = config;
    this.slots = slots;
    this.memory = memory;
    this.state = new PodState(memory.state);
    this.table = new TableReader(memory.table);
    this.index = new IdIndex(memory.table);
    this.edges = memory.edgeMeters.map((meters) => new Meters(EDGE_METERS, meters));
    this.shards = memory.shardMeters.map((meters) => new Meters(SHARD_METERS, meters));
    this.addDecisions();
    this.addSpend();
    this.addCampaigns();
    this.addHealth();
    this.addGcPauses();
    collectDefaultMetrics({ register: this.registry });
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  /** The page, Prometheus text format. */
  render(): Promise<string> {
    return this.registry.metrics();
  }

  private sum(meters: readonly Meters[], counter: number): number {
    return meters.reduce((total, each) => total + each.get(counter), 0);
  }

  private counter(name: string, help: string, read: () => number): void {
    new Counter({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }

  private gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }

  private addDecisions(): void {
    const { edges, registry } = this;
    const countOf = (reason: number): number => this.sum(edges, reason);
    new Counter({
      name: 'pacer_decisions_total',
      help: 'Decisions by reason.',
      labelNames: ['reason'],
      registers: [registry],
      collect() {
        this.reset();
        REASONS.forEach((reason, code) => {
          this.inc({ reason }, countOf(code));
        });
      },
    });
    this.counter('pacer_requests_refused_total', 'Requests refused for what they contained.', () =>
      this.sum(edges, EDGE_REFUSED),
    );
    this.counter('pacer_requests_unauthorized_total', 'Requests without the token of EDGE_TOKEN.', () =>
      this.sum(edges, EDGE_UNAUTHORIZED),
    );
    this.counter('pacer_requests_limited_total', 'Requests for decisions above MAX_QPS.', () =>
      this.sum(edges, EDGE_LIMITED),
    );
    this.counter(
      'pacer_connections_refused_total',
      'Connections to the core service above MAX_CONNECTIONS.',
      () => this.sum(edges, EDGE_CONNECTIONS_REFUSED),
    );
    this.gauge('pacer_connections', 'Connections to the core service that are open.', () =>
      this.sum(edges, EDGE_CONNECTIONS),
    );
    const help = 'Time from a request to its answer.';
    new ReadHistogram(registry, 'pacer_request_duration_seconds', help, ['endpoint', 'method'], () =>
      ENDPOINTS.map((labels, at) => ({
        labels,
        reading: sumReadings(edges.map((edge) => edge.histogram(at))),
      })),
    );
  }

  private addSpend(): void {
    const { shards, registry } = this;
    this.counter('pacer_spends_total', 'Spend events recorded.', () => this.sum(shards, SHARD_SPENDS));
    this.counter('pacer_spend_duplicates_total', 'Spend events not counted, since their event_id was.', () =>
      this.sum(shards, SHARD_DUPLICATES),
    );
    this.counter(
      'pacer_spend_unchecked_total',
      'Spend events counted without an answer of Redis whether another pod had counted them.',
      () => this.sum(shards, SHARD_EVENTS_UNCHECKED),
    );
    this.counter('pacer_spend_rejected_total', 'Spend events for campaigns that never existed.', () =>
      this.sum(shards, SHARD_SPEND_REJECTED),
    );
    this.counter(
      'pacer_late_win_cents_total',
      'Spend whose reservation had expired when it was reported.',
      () => centsFromMicros(this.sum(shards, SHARD_LATE_WIN_MICROS)),
    );
    const movedBy = (reason: number): number => this.sum(shards, SHARD_BREAKERS_MOVED + reason);
    new Counter({
      name: 'pacer_circuit_breaker_transitions_total',
      help: 'Moves of breakers by reason: threshold to failures opened one, recovery half-opened it, the rest closed it.',
      labelNames: ['reason'],
      registers: [registry],
      collect() {
        this.reset();
        BREAKER_REASONS.forEach((reason, at) => {
          this.inc({ reason }, movedBy(at));
        });
      },
    });
    new ReadHistogram(registry, 'pacer_ledger_commit_seconds', 'Time of one group commit.', [], () => [
      { labels: {}, reading: sumReadings(shards.map((shard) => shard.histogram(SHARD_COMMIT_SECONDS))) },
    ]);
    new Gauge({
      name: 'pacer_flush_lag_seconds',
      help: 'Age of the oldest change that a sink does not have yet.',
      labelNames: ['sink'],
      registers: [registry],
      collect() {
        for (const [sink, meter] of SINKS) {
          const waiting = shards.map((shard) => shard.get(meter)).filter((sinceMs) => sinceMs > 0);
          this.set({ sink }, (Date.now() - Math.min(...waiting, Date.now())) / 1000);
        }
      },
    });
  }

  /** The campaigns with the largest budgets; chosen anew every few seconds, since sorting all takes a while. */
  private largest(): readonly { readonly id: string; readonly slot: number }[] {
    if (performance.now() - this.selectedAtMs < SELECTION_MS && this.selected.length > 0)
      return this.selected;
    const { metricsCampaigns } = this.config;
    const budget = (slot: number): number => this.table.gauge(slot, GAUGE_BUDGET);
    const shown: number[] = [];
    for (const shard of this.shards.keys()) {
      for (const slot of this.slots.of(shard)) if (this.table.isShown(slot)) shown.push(slot);
    }
    this.selected = largestOf(shown, budget, metricsCampaigns).map((slot) => ({
      id: this.index.idOf(slot),
      slot,
    }));
    this.selectedAtMs = performance.now();
    return this.selected;
  }

  private perCampaign(
    kind: 'counter' | 'gauge',
    name: string,
    help: string,
    read: (slot: number) => number,
  ): void {
    const campaigns = (): readonly { readonly id: string; readonly slot: number }[] => this.largest();
    const options = { name, help, labelNames: ['campaign_id'], registers: [this.registry] };
    if (kind === 'gauge') {
      new Gauge({
        ...options,
        collect() {
          this.reset();
          for (const { id, slot } of campaigns()) this.set({ campaign_id: id }, read(slot));
        },
      });
      return;
    }
    new Counter({
      ...options,
      collect() {
        this.reset();
        for (const { id, slot } of campaigns()) this.inc({ campaign_id: id }, read(slot));
      },
    });
  }

  private addCampaigns(): void {
    const { table } = this;
    const ratio = (part: number, slot: number): number => {
      const budget = table.gauge(slot, GAUGE_BUDGET);
      return budget === 0 ? 0 : part / budget;
    };
    const error = (slot: number): number => table.gauge(slot, GAUGE_SPENT) - table.gauge(slot, GAUGE_TARGET);
    this.perCampaign(
      'gauge',
      'pacer_budget_utilization_percentage',
      'Spent today, % of the daily budget.',
      (slot) => 100 * ratio(table.gauge(slot, GAUGE_SPENT), slot),
    );
    this.perCampaign('gauge', 'pacer_circuit_breaker_state', '0 closed, 1 open, 2 half-open.', (slot) =>
      table.breaker(slot),
    );
    this.perCampaign('gauge', 'pacer_throttle_rate', 'Share of bids held back, 0 to 1.', (slot) =>
      table.throttleRate(slot),
    );
    this.perCampaign('counter', 'pacer_spend_cents_total', 'Spent since the campaign began.', (slot) =>
      centsFromMicros(table.gauge(slot, GAUGE_SPENT_TOTAL)),
    );
    this.perCampaign('counter', 'pacer_overspend_cents_total', 'Spent above a daily budget.', (slot) =>
      centsFromMicros(table.gauge(slot, GAUGE_OVERSPENT_TOTAL)),
    );
    this.perCampaign(
      'gauge',
      'pacer_pacing_error_ratio',
      'Spent minus planned by now, over the daily budget.',
      (slot) => ratio(error(slot), slot),
    );
    this.perCampaign('gauge', 'pacer_reserved_cents', 'Held by bids in flight.', (slot) =>
      centsFromMicros(table.gauge(slot, GAUGE_RESERVED)),
    );
  }

  /** Of the thread that makes this page by this object itself. */
  private addGcPauses(): void {
    const { edges, shards, own, registry } = this;
    observeGcPauses((seconds) => own.observe(MANAGEMENT_GC_PAUSES, seconds));
    const help = 'How long a thread stood still for one garbage collection.';
    new ReadHistogram(registry, 'pacer_gc_pause_seconds', help, ['thread'], () => [
      ...edges.map((edge, at) => ({
        labels: { thread: `edge-${at}` },
        reading: edge.histogram(EDGE_GC_PAUSES),
      })),
      ...shards.map((shard, at) => ({
        labels: { thread: `shard-${at}` },
        reading: shard.histogram(SHARD_GC_PAUSES),
      })),
      { labels: { thread: 'management' }, reading: own.histogram(MANAGEMENT_GC_PAUSES) },
    ]);
  }

  private addHealth(): void {
    const { state, memory, edges, shards, registry } = this;
    const inFleet = isInFleet(this.config);
    const redisUp = (): boolean => shards.every((shard) => shard.get(SHARD_REDIS_UP) === 1);
    this.gauge('pacer_redis_up', 'Whether Redis answers; NaN when none is configured.', () =>
      inFleet ? Number(redisUp()) : Number.NaN,
    );
    this.gauge('pacer_postgres_up', 'Whether Postgres answers.', () => (state.postgresUp ? 1 : 0));
    this.gauge('pacer_degraded', 'Whether decisions are made without the shared state.', () =>
      Number(shards.some((shard) => shard.get(SHARD_DEGRADED_SINCE_MS) > 0)),
    );
    new Gauge({
      name: 'pacer_event_loop_lag_seconds',
      help: 'The worst lag of a thread in the last seconds.',
      labelNames: ['thread'],
      registers: [registry],
      collect() {
        edges.forEach((edge, at) => {
          this.set({ thread: `edge-${at}` }, edge.get(EDGE_LAG));
        });
        shards.forEach((shard, at) => {
          this.set({ thread: `shard-${at}` }, shard.get(SHARD_LAG));
        });
        this.set({ thread: 'management' }, new Float64Array(memory.managementLag)[0] as number);
      },
    });
    const { dataDir } = this.config;
    this.gauge('pacer_data_disk_free_bytes', 'What a pod may still write to the disk of DATA_DIR.', () => {
      const { bavail, bsize } = statfsSync(dataDir);
      return bavail * bsize;
    });
    this.gauge('pacer_data_disk_size_bytes', 'Size of the disk of DATA_DIR.', () => {
      const { blocks, bsize } = statfsSync(dataDir);
      return blocks * bsize;
    });
    const build = { version, node: process.version };
    new Gauge({
      name: 'pacer_build_info',
      help: 'The build, always 1.',
      labelNames: ['version', 'node'],
      registers: [registry],
    }).set(build, 1);
  }
}
