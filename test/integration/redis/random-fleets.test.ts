/**
 * Random histories of a fleet that shares one campaign through a real Redis: bids within leases, wins, losses,
 * lost and late messages, restarts, silence past the hold, changed budgets, midnight, and a Redis that is wiped.
 * The sources keep to the rules of a pod; no step may bring the fleet over its budget.
 */
import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openRedis, type RedisClient } from '../../../src/sinks/redis/connection.ts';
import { LeasePipeline } from '../../../src/sinks/redis/lease-pipeline.ts';
import type { LeaseReply, LeaseRequest } from '../../../src/sinks/redis/lease-request.ts';
import { GRACE_MS } from '../../../src/sinks/redis/lease-script.ts';
import { TestRedis } from '../../support/redis.ts';
import { HOLD_MS, LEASE_MS, newCampaignId, replyOf, someRequest } from '../../support/redis-fleet.ts';

const BUDGET_MICROS = 1_000;
const TOTAL_MICROS = 1_200;
/** Midnights and resets. */
const DAYS = ['2026-11-22', '2026-11-22.0001', '2026-11-22.0002', '2026-11-23', '2026-11-24'];
const SOURCES = ['a', 'b', 'c'];
const HISTORIES = 200;

const OFTEN = ['bid', 'bid', 'bid', 'win', 'win', 'loss', 'sync', 'sync', 'sync'] as const;
const SELDOM = [
  'reply lost',
  'heard late',
  'restart',
  'silence',
  'second',
  'wipe',
  'forget one',
  'midnight',
  'late to bed',
  'budget',
] as const;
type Kind = (typeof OFTEN)[number] | (typeof SELDOM)[number];

const step = fc.record({
  kind: fc.constantFrom<Kind[]>(...OFTEN, ...SELDOM),
  source: fc.nat(SOURCES.length - 1),
  micros: fc.integer({ min: 1, max: 400 }),
});

/** One pod's side of the campaign, by the rules that the lease script's proof rests on. */
class Source {
  readonly name: string;
  leaseMicros = 0;
  spentDayMicros = 0;
  spentTotalMicros = 0;
  inFlightMicros = 0;
  day = 0;
  version = 1;
  budgetMicros = BUDGET_MICROS;
  askedAtMs = 0;

  constructor(name: string) {
    this.name = name;
  }

  get floorMicros(): number {
    return this.spentDayMicros + this.inFlightMicros;
  }

  /** The most it can have spent today without asking again. */
  get exposureMicros(): number {
    return Math.max(this.leaseMicros, this.floorMicros);
  }

  bid(micros: number): void {
    if (this.floorMicros + micros <= this.leaseMicros) this.inFlightMicros += micros;
  }

  settle(micros: number, won: boolean): void {
    const settled = Math.min(micros, this.inFlightMicros);
    this.inFlightMicros -= settled;
    if (!won) return;
    this.spentDayMicros += settled;
    this.spentTotalMicros += settled;
  }

  /** A flush; from now on it keeps to its cap. An odd want also gives a part of the lease back. */
  ask(campaignId: string, wantMicros: number, nowMs: number): LeaseRequest {
    const { spentDayMicros, spentTotalMicros, floorMicros, leaseMicros, version } = this;
    const capMicros = floorMicros + (wantMicros % 2 === 1 ? 20 : wantMicros);
    this.leaseMicros = Math.min(leaseMicros, capMicros);
    this.askedAtMs = nowMs;
    const spends = { spentDayMicros, spentTotalMicros, heldMicros: leaseMicros, floorMicros, capMicros };
    const budgets = { version, dailyBudgetMicros: this.budgetMicros, totalBudgetMicros: TOTAL_MICROS };
    const day = DAYS[this.day] ?? '';
    return someRequest({
      campaignId,
      day,
      ...budgets,
      ...spends,
      wantMicros,
      largestBidMicros: 40,
    });
  }

  /** What is left of the old day's lease is what it holds of the new one's. */
  turnDay(day: number): void {
    this.leaseMicros = Math.max(0, this.leaseMicros - this.spentDayMicros);
    this.spentDayMicros = 0;
    this.day = day;
  }
}

class History {
  readonly sources = SOURCES.map((name) => new Source(name));
  private readonly campaignId = newCampaignId();
  private readonly pipeline: LeasePipeline;
  private readonly redis: Redis;
  private nowMs = 1_795_000_000_000;
  private sequence = 1;
  private day = 0;
  private version = 1;
  private budgetMicros = BUDGET_MICROS;
  private before = { exposedMicros: 0, totalMicros: 0 };
  private late: (() => Promise<unknown>) | null = null;

  constructor(pipeline: LeasePipeline, redis: Redis) {
    this.pipeline = pipeline;
    this.redis = redis;
  }

  /** The first flushes find nothing on record, as after a wipe. */
  async begin(): Promise<void> {
    for (const source of this.sources) await this.sync(source, 0);
    this.nowMs += GRACE_MS;
  }

  async take(kind: Kind, source: Source, micros: number): Promise<void> {
    switch (kind) {
      case 'bid':
        return source.bid(micros);
      case 'win':
        return source.settle(micros, true);
      case 'loss':
        return source.settle(micros, false);
      case 'sync':
        return this.sync(source, micros);
      case 'reply lost':
        return void (await this.flush(source, micros)());
      case 'heard late':
        this.late = this.flush(source, micros);
        return;
      case 'restart':
        // The ledger knows what was in flight or on the table, not what else was leased.
        source.leaseMicros = source.floorMicros;
        return;
      case 'silence':
        return this.fallSilent(source);
      case 'second':
        return this.passSecond();
      case 'wipe':
        await this.redis.flushall();
        return this.claimAll(source, micros);
      case 'forget one':
        await this.redis.hdel(`budget:lease:{${this.campaignId}}:${DAYS[source.day]}`, source.name);
        return this.claimAll(source, micros);
      case 'midnight':
        this.day = Math.min(this.day + 1, DAYS.length - 1);
        return this.sync(source, micros);
      case 'late to bed':
        // Its clock says that it is still the old day, if others have begun a new one.
        source.leaseMicros = replyOf(await this.flush(source, micros)()).leaseMicros;
        return;
      case 'budget':
        return this.changeBudget(source, micros);
    }
  }

  /** Nothing may have been added to what is over the budget. */
  check(): void {
    const now = { exposedMicros: 0, totalMicros: 0 };
    for (const { day, spentDayMicros, spentTotalMicros, exposureMicros } of this.sources) {
      const heldMicros = exposureMicros - spentDayMicros;
      now.totalMicros += spentTotalMicros + heldMicros;
      // What a source holds of the old day can still be won today.
      now.exposedMicros += day === this.day ? exposureMicros : heldMicros;
    }
    expect(now.exposedMicros).toBeLessThanOrEqual(Math.max(this.budgetMicros, this.before.exposedMicros));
    expect(now.totalMicros).toBeLessThanOrEqual(Math.max(TOTAL_MICROS, this.before.totalMicros));
    this.before = now;
  }

  private async sync(source: Source, micros: number): Promise<void> {
    if (source.day !== this.day) source.turnDay(this.day);
    source.leaseMicros = replyOf(await this.flush(source, micros)()).leaseMicros;
    // One that was given up before is heard only now: of the same source it must change nothing.
    const late = this.late;
    this.late = null;
    await late?.();
  }

  /** A flush as it was when it was made, to be heard whenever it is called. */
  private flush(source: Source, micros: number): () => Promise<LeaseReply | Error | undefined> {
    const request = source.ask(this.campaignId, micros, this.nowMs);
    this.sequence += 1;
    const head = { source: source.name, sequence: this.sequence, holdMs: HOLD_MS };
    return async () => (await this.pipeline.run({ ...head, nowMs: this.nowMs }, [request]))[0];
  }

  /** One source is not heard for its whole hold; the others are. All it had in flight ends unseen. */
  private async fallSilent(silent: Source): Promise<void> {
    await this.sync(silent, 0);
    silent.inFlightMicros = 0;
    silent.leaseMicros = silent.spentDayMicros;
    for (let part = 0; part < 4; part++) {
      this.nowMs += HOLD_MS / 4;
      for (const source of this.sources) if (source !== silent) await this.sync(source, 60);
    }
  }

  /** Leases end by themselves; whoever has one is heard in time. */
  private async passSecond(): Promise<void> {
    this.nowMs += 1_000;
    for (const source of this.sources) {
      const silentMs = this.nowMs - source.askedAtMs;
      if (silentMs >= LEASE_MS) source.leaseMicros = Math.min(source.leaseMicros, source.floorMicros);
      if (silentMs >= 3 * LEASE_MS) await this.sync(source, 0);
    }
  }

  /** Something was forgotten: each source is heard before the grace is over, `first` before the others. */
  private async claimAll(first: Source, micros: number): Promise<void> {
    for (const source of [first, ...this.sources, ...this.sources]) {
      await this.sync(source, micros);
      for (const other of this.sources) other.bid(30);
      this.check();
    }
    this.nowMs += GRACE_MS;
  }

  private async changeBudget(source: Source, micros: number): Promise<void> {
    this.version += 1;
    this.budgetMicros = 600 + micros;
    source.version = this.version;
    source.budgetMicros = this.budgetMicros;
    await this.sync(source, micros);
  }
}

let server: TestRedis;
let client: RedisClient;

beforeAll(async () => {
  server = await TestRedis.start();
  await server.aged();
  client = openRedis(server.target, { onUp: () => {}, onDown: () => {} });
  await client.connect();
});
afterAll(async () => {
  client.disconnect();
  await server.remove();
});

it('no history of a fleet brings it over its budget', async () => {
  const pipeline = new LeasePipeline(client);
  const history = async (steps: readonly { kind: Kind; source: number; micros: number }[]) => {
    const fleet = new History(pipeline, server.admin);
    await fleet.begin();
    for (const { kind, source, micros } of steps) {
      const [first] = fleet.sources;
      await fleet.take(kind, fleet.sources[source] ?? (first as Source), micros);
      fleet.check();
    }
  };
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 80 }), history), {
    numRuns: HISTORIES,
  });
}, 120_000);

it('a fleet that only spends reaches its whole budget, to the last bid', async () => {
  const pipeline = new LeasePipeline(client);
  const fleet = new History(pipeline, server.admin);
  await fleet.begin();
  for (let round = 0; round < 200; round++) {
    for (const source of fleet.sources) {
      await fleet.take('sync', source, 200);
      source.bid(40);
      source.settle(40, true);
    }
    await fleet.take('second', fleet.sources[0] as Source, 0);
    fleet.check();
  }
  expect(fleet.sources.reduce((sum, { spentDayMicros }) => sum + spentDayMicros, 0)).toBe(BUDGET_MICROS);
});
