/**
 * A shard with its real ledger and table, driven in one thread under a clock of the test's: decisions are
 * made on the table as an edge makes them, spend arrives in batches as edges send it. `crash` forgets
 * everything but the ledger, as a killed process does; `restartThread` also keeps the table, as a thread's
 * death does.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { resetsOn } from '../../src/domain/budget-day.ts';
import type { Campaign, CampaignTerms } from '../../src/domain/campaign.ts';
import { micros } from '../../src/domain/money.ts';
import {
  BatchWriter,
  KIND_LOSS,
  KIND_RESERVE,
  KIND_SPEND,
  type OutcomeBatch,
} from '../../src/messages/edge-shard.ts';
import { CYCLE_MS } from '../../src/shard/duty-cycle.ts';
import type { PostedBatch } from '../../src/shard/edge-reports.ts';
import type { FleetEvents } from '../../src/shard/event-claims.ts';
import { HistoryFlush } from '../../src/shard/history-flush.ts';
import { Ledger } from '../../src/shard/ledger.ts';
import { Shard } from '../../src/shard/shard.ts';
import type { HistoryStore } from '../../src/sinks/postgres/history-store.ts';
import { allocateEdgeTurns, EdgeTurn, EdgeTurns } from '../../src/table/edge-turns.ts';
import { IdIndex } from '../../src/table/id-index.ts';
import { allocateTable, type TableMemory } from '../../src/table/layout.ts';
import { allocateMeters, Meters } from '../../src/table/meters.ts';
import { type Decision, EdgeTable, OwnerTable } from '../../src/table/pacing-table.ts';
import { SHARD_METERS } from '../../src/table/thread-meters.ts';

const NEVER = new Promise<never>(() => undefined);
/** The longest that a timer takes. */
const NEVER_MS = 2 ** 31 - 1;

export interface HarnessOptions {
  readonly reservationTtlMs?: number;
  readonly breakerRecoveryMs?: number;
  readonly startMs?: number;
  readonly campaignsMax?: number;
  readonly fleetEvents?: FleetEvents;
}

export interface BudgetStatus {
  readonly daily_budget_cents: number;
  readonly daily_spent_cents: number;
  readonly hourly_spent_cents: number;
  readonly total_spent_cents: number;
  readonly reserved_cents: number;
  readonly remaining_cents: number;
  readonly circuit_breaker_state: string;
  readonly throttle_rate: number;
  readonly local_day: string;
  readonly target_spent_cents: number;
  readonly explain?: Readonly<Record<string, number>> & { readonly because: string };
}

/** A campaign with the defaults of the API. */
export function campaignOf(id: string, dailyBudgetMicros: number, more: Partial<Campaign> = {}): Campaign {
  return {
    id,
    name: id,
    dailyBudgetMicros: micros(dailyBudgetMicros),
    totalBudgetMicros: null,
    startDate: null,
    endDate: null,
    timezone: 'UTC',
    pacingMode: 'ASAP',
    pacingLever: 'THROTTLE',
    status: 'ACTIVE',
    breakerThreshold: 1,
    confidenceGate: false,
    dayReset: null,
    zoneChange: null,
    dayparts: null,
    hourMultipliers: null,
    targeting: null,
    creative: null,
    version: 1,
    createdAt: '2026-03-02T00:00:00.000Z',
    updatedAt: '2026-03-02T00:00:00.000Z',
    ...more,
  };
}

/** The campaign of an account, as it could be told anew. */
function plainCampaign(terms: CampaignTerms): Campaign {
  const { id, dailyBudgetMicros, totalBudgetMicros, startDate, endDate, timezone, pacingMode } = terms;
  const { pacingLever, status, breakerThreshold, confidenceGate, dayReset, zoneChange, dayparts } = terms;
  const { hourMultipliers, version, createdAt } = terms;
  return campaignOf(id, dailyBudgetMicros, {
    totalBudgetMicros,
    startDate,
    endDate,
    timezone,
    pacingMode,
    pacingLever,
    status,
    breakerThreshold,
    confidenceGate,
    dayReset,
    zoneChange,
    dayparts,
    hourMultipliers,
    version,
    createdAt,
  });
}

export class ShardHarness {
  wallMs: number;
  steadyMs = 1000;
  readonly folder = mkdtempSync(join(tmpdir(), 'pacer-shard-'));
  readonly decision: Decision = {
    reason: 0,
    maxBidMicros: 0,
    takenMicros: 0,
    throttleRate: 0,
    degraded: false,
  };
  shard: Shard;
  private readonly options: HarnessOptions;
  private memory: TableMemory;
  private index: IdIndex;
  private edge: EdgeTable;
  private ledger: Ledger;
  private history: HistoryFlush | null = null;
  private readonly edgeTurns = allocateEdgeTurns(1);
  /** The edge's turn, which a test begins and ends itself when it matters. */
  readonly turn = new EdgeTurn(this.edgeTurns, 0);
  /** What stands in the edge's port and was not received yet. */
  readonly inPorts: PostedBatch[] = [];
  private readonly writer = new BatchWriter();
  private readonly waiting = new Map<number, (outcome: number) => void>();
  private tickets = 0;

  constructor(options: HarnessOptions = {}) {
    this.options = options;
    this.wallMs = options.startMs ?? Date.parse('2026-03-02T12:00:00Z');
    this.memory = allocateTable(options.campaignsMax ?? 64, 1, 1);
    this.index = new IdIndex(this.memory);
    this.edge = new EdgeTable(this.memory, 0);
    this.ledger = this.openLedger();
    this.shard = this.openShard();
  }

  /** What the ledger's next commits reject with, or null when they go through. */
  failure: Error | null = null;
  /** Counts the owners: a commit that one begins after its end is none. */
  private life = 0;
  /** While set, commits begin but do not end before it resolves. */
  disk: Promise<void> | null = null;

  private openLedger(): Ledger {
    const ledger = new Ledger(this.folder, 0, 'interval');
    const commit = ledger.commit.bind(ledger);
    const { life } = this;
    ledger.commit = async (change, nowMs) => {
      await this.disk;
      if (life !== this.life) await NEVER; // its owner is dead
      if (this.failure !== null) throw this.failure;
      await commit(change, nowMs);
    };
    return ledger;
  }

  private openShard(): Shard {
    return new Shard({
      shard: 0,
      shards: 1,
      table: new OwnerTable(this.memory, 0),
      index: this.index,
      ledger: this.ledger,
      meters: new Meters(SHARD_METERS, allocateMeters(SHARD_METERS)),
      log: pino({ level: 'silent' }),
      reservationTtlMs: this.options.reservationTtlMs ?? 10_000,
      breakerRecoveryMs: this.options.breakerRecoveryMs ?? 300_000,
      breakerProbes: 2,
      readClock: () => ({ wallMs: this.wallMs, steadyMs: this.steadyMs }),
      turns: new EdgeTurns(this.edgeTurns),
      takePosted: () => this.inPorts.splice(0),
      sendOutcomes: (_edge, writer) => this.settle(writer.finish()),
      sendStatus: () => undefined,
      fleet: null,
      fleetEvents: this.options.fleetEvents ?? null,
      refresh: (_account, known) => known(),
      changed: (account) => this.history?.mark(account, this.wallMs),
      asked: (account) => this.history?.markAsked(account),
    });
  }

  /** Has the shard tell its history, or another one that speaks for it; the test flushes. */
  tellHistory(store: HistoryStore, meters: Meters, teller = 0): HistoryFlush {
    const { shard, ledger } = this;
    const history = new HistoryFlush({
      shard: teller,
      formerShards: teller === 0 ? [] : [0],
      ledger,
      accounts: () => shard.allAccounts(),
      accountAt: (place) => shard.accountAt(place),
      placesMax: this.memory.slotsPerShard,
      commit: () => shard.committer.flush(false),
      store,
      source: ledger.id,
      flushMs: NEVER_MS,
      meters,
      log: pino({ level: 'silent' }),
    });
    this.history = history;
    return history;
  }

  /** Resolves with what became of the change. */
  upsert(campaign: Campaign): Promise<string> {
    return new Promise((resolve) => this.shard.upsert(campaign, resolve));
  }

  /** Resets the campaign's day, as a newer version of it; resolves with what became of that. */
  reset(campaignId: string): Promise<string> {
    const account = [...this.shard.allAccounts()].find(({ campaign }) => campaign.id === campaignId);
    if (account === undefined) throw new Error(`no campaign ${campaignId}`);
    const campaign = plainCampaign(account.campaign);
    const { date } = account.paced.day;
    const dayReset = { date, count: resetsOn(campaign, date) + 1, at: new Date(this.wallMs).toISOString() };
    return this.upsert({ ...campaign, version: campaign.version + 1, dayReset });
  }

  /** Decides on the table, and names the reservation when the bid has an id. */
  decide(campaignId: string, bidMicros: number, bidId = '', draw = 0): Decision {
    const slot = this.index.find(campaignId);
    this.edge.decide(slot, bidMicros, () => draw, this.decision);
    if (bidId !== '' && this.decision.takenMicros > 0) {
      this.writer.add(KIND_RESERVE, -1, slot, campaignId, this.decision.takenMicros, 0, 0, bidId, '');
    }
    return this.decision;
  }

  /** Reports a spend with the edge's next batch; resolves with its OUTCOME once that is sent and answered. */
  spend(campaignId: string, spendMicros: number, bidId = '', eventId = ''): Promise<number> {
    return this.report(KIND_SPEND, campaignId, spendMicros, bidId, eventId);
  }

  lose(campaignId: string, bidId: string): Promise<number> {
    return this.report(KIND_LOSS, campaignId, 0, bidId, '');
  }

  /** Posts what the edge has collected. */
  send(): void {
    if (!this.writer.empty) this.shard.reports.receive([this.posted()]);
  }

  /** Takes what the edge has collected, to be received with other batches. */
  posted(): PostedBatch {
    return { edge: 0, batch: this.writer.finish() };
  }

  /** Lets time pass, a duty cycle at a time, and commits come through. */
  async pass(ms: number): Promise<void> {
    this.send();
    for (let passed = 0; passed < ms; passed += CYCLE_MS) {
      this.wallMs += CYCLE_MS;
      this.steadyMs += CYCLE_MS;
      this.shard.cycle();
    }
    await this.committed();
  }

  /** Lets time pass in one leap, and then the second of cycles in which the shard sees it. */
  async leap(ms: number): Promise<void> {
    this.wallMs += ms;
    this.steadyMs += ms;
    await this.pass(1000);
  }

  /** Waits for the commits that are due. */
  async committed(): Promise<void> {
    this.send();
    await this.shard.committer.flush(false);
  }

  status(campaignId: string): BudgetStatus {
    return this.explained(campaignId, false);
  }

  /** The status with the reasons of the campaign's decisions, or without. */
  explained(campaignId: string, explained = true): BudgetStatus {
    let status: BudgetStatus | null = null;
    this.shard.status(campaignId, explained, (body) => {
      status = body === null ? null : (JSON.parse(body) as BudgetStatus);
    });
    if (status === null) throw new Error(`no status of ${campaignId}`);
    return status;
  }

  /** Units of the allowance on the table, as micros. */
  onTable(campaignId: string): number {
    const owner = new OwnerTable(this.memory, 0);
    const slot = this.index.find(campaignId);
    return slot < 0 ? 0 : owner.allowance(slot) * 2 ** owner.unitShift(slot);
  }

  /** The process is killed and started again: the table and all that was not in the ledger are gone. */
  async crash(): Promise<void> {
    this.memory = allocateTable(this.options.campaignsMax ?? 64, 1, 1);
    this.index = new IdIndex(this.memory);
    this.edge = new EdgeTable(this.memory, 0);
    this.writer.finish();
    await this.restartThread();
  }

  /** The shard's thread dies and is started again; the table stays, and edges go on. */
  async restartThread(): Promise<void> {
    this.waiting.clear();
    this.life++;
    await new Promise((resolve) => setImmediate(resolve));
    await this.ledger.close();
    this.ledger = this.openLedger();
    this.shard = this.openShard();
    await this.shard.committer.flush(false);
  }

  /** The pod ends in order and starts again. */
  async restart(): Promise<void> {
    this.send();
    await this.shard.end();
    await this.crash();
  }

  async close(): Promise<void> {
    await this.shard.committer.flush(false);
    await this.ledger.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private report(
    kind: number,
    campaignId: string,
    micros: number,
    bidId: string,
    eventId: string,
  ): Promise<number> {
    const ticket = this.tickets++;
    const slot = this.index.find(campaignId);
    this.writer.add(kind, ticket, slot, campaignId, micros, 1, 0, bidId, eventId);
    return new Promise((resolve) => this.waiting.set(ticket, resolve));
  }

  private settle({ numbers }: OutcomeBatch): void {
    for (let at = 0; at < numbers.length; at += 2) {
      const ticket = numbers[at] as number;
      const resolve = this.waiting.get(ticket);
      if (resolve === undefined) throw new Error('answered twice, or after a crash');
      this.waiting.delete(ticket);
      resolve(numbers[at + 1] as number);
    }
  }
}
