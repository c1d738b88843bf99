/**
 * A pod in the simulation: the production shard, ledger and fleet client in one thread, under clocks of its own that
 * run a little fast or slow. Edges decide on its table as in a process. It can stand still, be cut off from Redis,
 * be killed at any moment of a commit, and start again from its ledger.
 */
import { join } from 'node:path';
import { pino } from 'pino';
import { budgetDay } from '../../../src/domain/budget-day.ts';
import type { Campaign } from '../../../src/domain/campaign.ts';
import type { Clock } from '../../../src/domain/clock.ts';
import { MICROS_PER_CENT } from '../../../src/domain/money.ts';
import type { OutcomeBatch } from '../../../src/messages/edge-shard.ts';
import { BatchWriter, KIND_LOSS, KIND_RESERVE, KIND_SPEND } from '../../../src/messages/edge-shard.ts';
import type { Account } from '../../../src/shard/account.ts';
import { CYCLE_MS } from '../../../src/shard/duty-cycle.ts';
import { FleetSync } from '../../../src/shard/fleet-sync.ts';
import { LEASE_MS } from '../../../src/shard/lease-asks.ts';
import { Ledger } from '../../../src/shard/ledger.ts';
import { Shard } from '../../../src/shard/shard.ts';
import { FleetRedis } from '../../../src/sinks/redis/fleet-redis.ts';
import type { ReleasedBid } from '../../../src/sinks/redis/released-bids.ts';
import { allocateEdgeTurns, EdgeTurns } from '../../../src/table/edge-turns.ts';
import { IdIndex } from '../../../src/table/id-index.ts';
import { allocateTable, type TableMemory } from '../../../src/table/layout.ts';
import { allocateMeters, Meters } from '../../../src/table/meters.ts';
import { type Decision, EdgeTable, OwnerTable } from '../../../src/table/pacing-table.ts';
import { SHARD_METERS } from '../../../src/table/thread-meters.ts';
import { type HeardFlush, PodLink, type PodLinkParts } from './pod-link.ts';
import type { Timeline } from './timeline.ts';

const LOG = pino({ level: 'silent' });
const NOWHERE = {
  kind: 'single',
  node: { host: '127.0.0.1', port: 1 },
  login: { username: null, password: null, database: 0, tls: false },
} as const;
const CAMPAIGNS_MAX = 8;
const NEVER = new Promise<never>(() => undefined);

export interface PodParts {
  readonly name: string;
  readonly folder: string;
  readonly timeline: Timeline;
  readonly reservationTtlMs: number;
  readonly flushMs: number;
  /** Of its steady clock: 1 is exact. */
  readonly clockRate: number;
  /** Its wall clock at the simulation's beginning, ms since the epoch. */
  readonly epochMs: number;
  readonly link: Omit<PodLinkParts, 'timeline' | 'deliver' | 'signature' | 'isCut' | 'heard'> & {
    readonly heard: (pod: string, flush: HeardFlush) => void;
  };
}

export class SimulatedPod {
  readonly name: string;
  cut = false;
  /** Its process runs. */
  up = false;
  /** What becomes of the commits that begin now: `lost` ones are not written, `silent` ones not answered. */
  disk: 'works' | 'lost' | 'silent' = 'works';
  private readonly parts: PodParts;
  /** Counts its processes: what comes to one that has ended is none. */
  private life = 0;
  private standsUntilMs = 0;
  private waiting: (() => void)[] = [];
  private flushing = false;
  private flushedAtMs = 0;
  private tickets = 0;
  private readonly answers = new Map<number, (outcome: number) => void>();
  private readonly writer = new BatchWriter();
  private readonly decision: Decision = {
    reason: 0,
    maxBidMicros: 0,
    takenMicros: 0,
    throttleRate: 0,
    degraded: false,
  };
  private memory: TableMemory = allocateTable(CAMPAIGNS_MAX, 1, 1);
  private index = new IdIndex(this.memory);
  private edge = new EdgeTable(this.memory, 0);
  private ledger: Ledger | null = null;
  private shard: Shard | null = null;
  private sync: FleetSync | null = null;

  constructor(parts: PodParts) {
    this.name = parts.name;
    this.parts = parts;
  }

  readonly readClock = (): Clock => {
    const { timeline, epochMs, clockRate } = this.parts;
    return {
      wallMs: Math.floor(epochMs + timeline.nowMs),
      steadyMs: 1_000 + timeline.nowMs * clockRate,
    };
  };

  /** The name of the budget's day that it counts on; empty when it is down. */
  dayOf(campaignId: string): string {
    const account = this.up ? this.account(campaignId) : undefined;
    return account === undefined ? '' : budgetDay(account.campaign, account.paced.day.date);
  }

  get standsStill(): boolean {
    return this.parts.timeline.nowMs < this.standsUntilMs;
  }

  /** Starts its process, with what its ledger holds. */
  async start(): Promise<void> {
    const { timeline, reservationTtlMs, folder, name, link: linkParts } = this.parts;
    this.life++;
    this.memory = allocateTable(CAMPAIGNS_MAX, 1, 1);
    this.index = new IdIndex(this.memory);
    this.edge = new EdgeTable(this.memory, 0);
    this.writer.finish();
    this.answers.clear();
    this.waiting = [];
    this.standsUntilMs = 0;
    this.disk = 'works';
    this.flushing = false;
    const ledger = this.openLedger(join(folder, name));
    const table = new OwnerTable(this.memory, 0);
    const meters = new Meters(SHARD_METERS, allocateMeters(SHARD_METERS));
    const conditions = {
      connected: false,
      throttleFloor: 0.5,
      wonElsewhere: (campaignId: string, bidId: string) => this.sync?.won(campaignId, bidId),
    };
    const { readClock } = this;
    this.sync = null;
    const shard = new Shard({
      shard: 0,
      shards: 1,
      table,
      index: this.index,
      ledger,
      meters,
      log: LOG,
      reservationTtlMs,
      breakerRecoveryMs: 300_000,
      breakerProbes: 2,
      readClock,
      turns: new EdgeTurns(allocateEdgeTurns(1)),
      takePosted: () => [],
      sendOutcomes: (_edge, writer) => this.settle(writer.finish()),
      sendStatus: () => undefined,
      fleet: conditions,
      fleetEvents: null,
      refresh: (account, known) => (this.sync === null ? known() : this.sync.refresh(account, known)),
      changed: (account, clock) => this.sync?.mark(account, clock.wallMs),
      asked: (account, clock) => this.sync?.mark(account, clock.wallMs),
    });
    this.shard = shard;
    this.up = true;
    await shard.committer.flush(false);
    const link = new PodLink({
      ...linkParts,
      timeline,
      signature: `${name}-${this.life}`,
      deliver: this.deliverer(),
      isCut: () => this.cut,
      heard: (flush) => linkParts.heard(name, flush),
    });
    const client = new FleetRedis(NOWHERE, {
      source: name,
      leaseMs: LEASE_MS,
      reservationTtlMs,
      nowMs: () => readClock().wallMs,
      pipeline: link,
      onUp: () => undefined,
      onDown: () => undefined,
    });
    link.connect(client);
    this.sync = new FleetSync({
      redis: link,
      conditions,
      flushMs: this.parts.flushMs,
      degradedThrottle: 0.5,
      meters,
      log: LOG,
      readClock,
      commit: () => shard.committer.flush(false),
      record: (account) => shard.committer.open.dirty.add(account),
      accountAt: (place) => shard.accountAt(place),
      places: () => shard.places,
      showDegraded: (degraded) => table.setDegraded(degraded),
    });
  }

  /** The process is killed: what is not in the ledger is gone. */
  async kill(): Promise<void> {
    this.up = false;
    this.life++;
    this.sync = null;
    this.shard = null;
    await this.parts.timeline.settled();
    await this.ledger?.close();
  }

  /** The process ends in order, as shard-thread.ts does. */
  async end(): Promise<void> {
    const { shard, sync } = this;
    if (shard === null || sync === null) return;
    const { timeline } = this.parts;
    while (this.flushing) await timeline.passTo(timeline.nowMs + CYCLE_MS);
    let left = false;
    const leave = async () => {
      await shard.end();
      await sync.end(shard.allAccounts());
      left = true;
    };
    const leaving = leave();
    while (!left) await timeline.passTo(timeline.nowMs + CYCLE_MS);
    await leaving;
    await this.kill();
  }

  /** Its threads stand still: edges go on with the table, everything else waits. */
  standStill(ms: number): void {
    this.standsUntilMs = this.parts.timeline.nowMs + ms;
  }

  /** A turn of the shard's duty cycle, and a flush when one is due. */
  turn(): void {
    if (!this.up || this.standsStill) return;
    for (const happen of this.waiting.splice(0)) happen();
    this.shard?.cycle();
    const { timeline, flushMs } = this.parts;
    if (this.sync === null || this.flushing || timeline.nowMs - this.flushedAtMs < flushMs) return;
    const { life } = this;
    this.flushing = true;
    void this.sync.flush().then(() => {
      if (life !== this.life) return;
      this.flushing = false;
      this.flushedAtMs = timeline.nowMs;
    });
  }

  /** The connection to Redis failed. */
  lostRedis(): void {
    this.deliverer()(() => this.sync?.lost());
  }

  tell(campaign: Campaign): void {
    this.deliverer()(() => this.shard?.upsert(campaign, () => undefined));
  }

  hearReleased(released: readonly ReleasedBid[]): void {
    this.deliverer()(() => {
      for (const { campaignId, bidId } of released) this.shard?.wonElsewhere(campaignId, bidId);
    });
  }

  /** Decides a bid. @returns the most it may cost; 0 when it was denied */
  decide(campaignId: string, bidMicros: number, bidId: string): number {
    const slot = this.index.find(campaignId);
    this.edge.decide(slot, bidMicros, () => 0, this.decision);
    const { takenMicros, maxBidMicros } = this.decision;
    if (bidId !== '' && takenMicros > 0) {
      this.writer.add(KIND_RESERVE, -1, slot, campaignId, takenMicros, 0, 0, bidId, '');
      this.post(() => undefined);
    }
    return maxBidMicros;
  }

  /** @param answered with the outcome, and the day that the spend was counted on */
  spend(
    campaignId: string,
    micros: number,
    bidId: string,
    eventId: string,
    answered: (outcome: number, day: string) => void,
  ): void {
    let day = '';
    const taken = (): void => {
      day = this.dayOf(campaignId);
    };
    this.ask(KIND_SPEND, campaignId, micros, bidId, eventId, (outcome) => answered(outcome, day), taken);
  }

  lose(campaignId: string, bidId: string): void {
    this.ask(KIND_LOSS, campaignId, 0, bidId, '', () => undefined);
  }

  /** What its status says was spent in all by the fleet, micros. */
  totalSpent(campaignId: string, told: (micros: number) => void): void {
    this.shard?.status(campaignId, false, (body) => {
      const status = JSON.parse(body ?? '{}') as { readonly total_spent_cents: number };
      told(Math.round(status.total_spent_cents * MICROS_PER_CENT));
    });
  }

  account(campaignId: string): Account | undefined {
    if (this.shard === null) return undefined;
    for (const account of this.shard.allAccounts()) if (account.campaign.id === campaignId) return account;
    return undefined;
  }

  /** Micros on the table now, whatever its owner has seen of it. */
  onTableMicros(campaignId: string): number {
    const owner = new OwnerTable(this.memory, 0);
    const slot = this.index.find(campaignId);
    return slot < 0 ? 0 : owner.allowance(slot) * 2 ** owner.unitShift(slot);
  }

  private ask(
    kind: number,
    campaignId: string,
    micros: number,
    bidId: string,
    eventId: string,
    answered: (outcome: number) => void,
    taken: () => void = () => undefined,
  ): void {
    const ticket = this.tickets++;
    this.answers.set(ticket, answered);
    this.writer.add(kind, ticket, this.index.find(campaignId), campaignId, micros, 1, 0, bidId, eventId);
    this.post(taken);
  }

  /** Posts the edge's batch. */
  private post(taken: () => void): void {
    const batch = this.writer.finish();
    this.deliverer()(() => {
      this.shard?.reports.receive([{ edge: 0, batch }]);
      taken();
    });
  }

  private settle({ numbers }: OutcomeBatch): void {
    for (let at = 0; at < numbers.length; at += 2) {
      const ticket = numbers[at] as number;
      this.answers.get(ticket)?.(numbers[at + 1] as number);
      this.answers.delete(ticket);
    }
  }

  /** For what comes to the process that runs now: waits while it stands still, and is lost when it has ended. */
  private deliverer(): (happen: () => void) => void {
    const { life } = this;
    return (happen) => {
      if (life !== this.life) return;
      if (this.standsStill) this.waiting.push(happen);
      else happen();
    };
  }

  private openLedger(folder: string): Ledger {
    const { timeline } = this.parts;
    const { life } = this;
    const ledger = new Ledger(folder, 0, 'interval');
    const commit = ledger.commit.bind(ledger);
    ledger.commit = async (change, nowMs) => {
      if (life !== this.life || this.disk === 'lost') await NEVER;
      await timeline.during(commit(change, nowMs));
      if (life !== this.life || this.disk === 'silent') await NEVER;
    };
    this.ledger = ledger;
    return ledger;
  }
}
