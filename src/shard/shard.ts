/**
 * A shard: the only owner of its campaigns. It applies what edges report, answers once it is in the ledger,
 * and in its duty cycle refills allowances, runs the pacing controllers and lets time pass.
 *
 *   every 50 ms   accounts that edges touched: see what was taken, refill; accounts whose time has come
 *   every second  each account that is active: its pacing controller (spread over the second's 20 cycles)
 *
 * An account that nobody bids for and that has nothing in flight falls idle and costs nothing but a look at
 * its due time once a second.
 */
import { BREAKER_POSITIONS, type BreakerTransition, OPEN } from '../domain/breaker.ts';
import type { Campaign } from '../domain/campaign.ts';
import {
  BatchReader,
  type EdgeBatch,
  KIND_LOSS,
  KIND_RESERVE,
  KIND_SPEND,
  KIND_STATUS,
  OUTCOME_RELEASED,
  OUTCOME_SUCCESS,
  OUTCOME_TOO_LARGE,
  OUTCOME_UNKNOWN_BID,
  OUTCOME_UNKNOWN_CAMPAIGN,
} from '../messages/edge-shard.ts';
import { hashId, shardOf } from '../table/hash.ts';
import type { IdIndex } from '../table/id-index.ts';
import type { Meters } from '../table/meters.ts';
import type { OwnerTable } from '../table/pacing-table.ts';
import {
  SHARD_BREAKER_TRIPS,
  SHARD_DUPLICATES,
  SHARD_LATE_WIN_MICROS,
  SHARD_SPEND_REJECTED,
  SHARD_SPENDS,
} from '../table/thread-meters.ts';
import type { Log } from '../threads/log.ts';
import { Account, type AccountSettings, type Clock } from './account.ts';
import { decodeRecord } from './account-record.ts';
import { unitShiftFor } from './allowance.ts';
import { statusJson } from './budget-status.ts';
import { CurveCache } from './curve-cache.ts';
import { GroupCommitter, type SendOutcomes } from './group-committer.ts';
import { eventKey, type Ledger } from './ledger.ts';
import { PacingTick } from './pacing-tick.ts';
import { SlotPool } from './slot-pool.ts';

export const CYCLE_MS = 50;
const CYCLES_A_SECOND = 20;
/** An account falls idle after this long without a bid. */
const IDLE_MS = 60_000;
/** At midnight everything is due: it is spread over cycles. */
const DUE_A_CYCLE_MAX = 5_000;
/** Commits' worth of forgotten event ids that one sweep removes. */
const SWEEP_COMMITS_MAX = 32;

export interface ShardParts {
  readonly shard: number;
  readonly shards: number;
  readonly table: OwnerTable;
  readonly index: IdIndex;
  readonly ledger: Ledger;
  readonly meters: Meters;
  readonly log: Log;
  readonly reservationTtlMs: number;
  readonly breakerRecoveryMs: number;
  readonly breakerProbes: number;
  readonly readClock: () => Clock;
  readonly sendOutcomes: SendOutcomes;
  readonly sendStatus: (edge: number, ticket: number, body: string | null) => void;
}

/** What became of a campaign's change. */
export type ChangeListener = (result: 'done' | 'no_room' | 'not_written') => void;

export class Shard {
  readonly committer: GroupCommitter;
  private readonly parts: ShardParts;
  private readonly settings: AccountSettings;
  private readonly accounts = new Map<string, Account>();
  private readonly bySlot: (Account | undefined)[] = [];
  private readonly active = new Set<Account>();
  private readonly dueSoon = new Set<Account>();
  private readonly pacing: PacingTick;
  private readonly reader = new BatchReader();
  private readonly slots: SlotPool;
  private cycles = 0;
  private sweeping = false;

  /** Takes over what the ledger and, after a thread's death, the table hold of this shard's campaigns. */
  constructor(parts: ShardParts) {
    this.parts = parts;
    const { table, reservationTtlMs, breakerRecoveryMs, breakerProbes, ledger, meters, log, readClock } =
      parts;
    this.settings = {
      reservationTtlMs,
      breakerRecoveryMs,
      breakerProbes,
      table,
      curves: new CurveCache(),
      moved: (campaign, transition) => this.breakerMoved(campaign, transition),
    };
    this.committer = new GroupCommitter(ledger, meters, log, readClock, parts.sendOutcomes);
    this.pacing = new PacingTick(table, reservationTtlMs);
    const left = parts.index.recover(parts.shard);
    this.slots = new SlotPool(table.firstSlot, table.slotCount, new Set(left.values()));
    this.load(left);
  }

  /** Applies a batch of an edge's; its answers go out when their commit has ended. */
  receive(edge: number, batch: EdgeBatch): void {
    const { reader } = this;
    const clock = this.parts.readClock();
    const group = this.committer.open;
    reader.open(batch);
    while (reader.next()) {
      if (reader.kind === KIND_SPEND) this.spend(edge, clock);
      else if (reader.kind === KIND_RESERVE) this.findLoaded()?.name(reader.bidId, reader.micros, clock);
      else if (reader.kind === KIND_LOSS) group.answer(edge, reader.ticket, this.lose(clock));
      else if (reader.kind === KIND_STATUS) this.sendStatus(edge);
      else throw new Error('an edge sent a record of an unknown kind');
    }
    if (group.answerCount > 0) this.committer.schedule();
  }

  /** The body of a budget status, or null for an unknown campaign. */
  status(campaignId: string): string | null {
    return this.statusOf(this.find(-1, campaignId));
  }

  /** Takes in a campaign's newest version; the listener hears when every edge decides on it. */
  upsert(campaign: Campaign, listener: ChangeListener): void {
    const clock = this.parts.readClock();
    const known = this.accounts.get(campaign.id);
    if (known !== undefined && campaign.version <= known.campaign.version) {
      listener('done');
      return;
    }
    const account = known ?? this.adopt(campaign, this.slots.take(clock.steadyMs), clock);
    if (account === null) {
      listener('no_room');
      return;
    }
    known?.change(campaign, clock);
    const group = this.committer.open;
    group.campaigns.set(campaign.id, campaign);
    this.touch(account, clock);
    group.listeners.push((committed) => {
      if (committed && known === undefined) this.show(account);
      if (!committed && known === undefined) this.drop(account);
      // A known campaign's change holds without the ledger: its source is Postgres, which tells it again.
      listener(committed || known !== undefined ? 'done' : 'not_written');
    });
  }

  /** A turn of the duty cycle. */
  cycle(): void {
    const clock = this.parts.readClock();
    const phase = this.cycles % CYCLES_A_SECOND;
    this.cycles++;
    this.cycleTouched(clock);
    this.lookForDue(phase, clock);
    for (const account of this.active) {
      if (account.slot % CYCLES_A_SECOND === phase) this.tick(account, clock);
    }
    if (phase === 0 && this.parts.shard === 0) this.sweepEvents(clock);
  }

  /** Takes every allowance off the table and writes what is then in flight; edges must have ended before. */
  async end(): Promise<void> {
    const clock = this.parts.readClock();
    for (const account of this.accounts.values()) {
      account.withdraw(clock);
      this.committer.open.dirty.add(account);
    }
    await this.committer.flush();
  }

  private load(left: ReadonlyMap<string, number>): void {
    const { ledger, table, index, shard, shards } = this.parts;
    const clock = this.parts.readClock();
    for (const campaign of ledger.allCampaigns()) {
      if (shardOf(hashId(campaign.id), shards) !== shard || campaign.status === 'DELETED') continue;
      const standing = left.get(campaign.id);
      if (standing !== undefined) table.reclaim(standing);
      const account = this.adopt(campaign, standing ?? this.slots.take(clock.steadyMs), clock);
      if (account === null) throw new Error('CAMPAIGNS_MAX is below the number of campaigns in the ledger');
      if (standing === undefined) index.insert(campaign.id, account.slot);
      account.publish(clock);
      this.touch(account, clock);
    }
    for (const [id, slot] of left) {
      if (this.accounts.has(id)) continue;
      index.remove(id);
      this.slots.release(slot, clock.steadyMs);
    }
  }

  private adopt(campaign: Campaign, slot: number, clock: Clock): Account | null {
    if (slot < 0) return null;
    const { table, ledger, index } = this.parts;
    if (index.find(campaign.id) !== slot) table.prepare(slot, unitShiftFor(campaign.dailyBudgetMicros));
    const record = ledger.account(campaign.id);
    const account = new Account(
      campaign,
      slot,
      record === undefined ? null : decodeRecord(record),
      this.settings,
      clock,
    );
    this.pacing.begin(account);
    this.accounts.set(campaign.id, account);
    this.bySlot[slot - table.firstSlot] = account;
    this.pacing.run(account, clock);
    return account;
  }

  private show(account: Account): void {
    this.parts.index.insert(account.campaign.id, account.slot);
    account.publish(this.parts.readClock());
  }

  private drop(account: Account): void {
    const { table, index, readClock } = this.parts;
    this.accounts.delete(account.campaign.id);
    this.active.delete(account);
    this.dueSoon.delete(account);
    this.bySlot[account.slot - table.firstSlot] = undefined;
    index.remove(account.campaign.id);
    table.setGate(account.slot, 0);
    this.slots.release(account.slot, readClock().steadyMs);
  }

  /** The account of the record that the reader stands on, when it is loaded. */
  private findLoaded(): Account | undefined {
    const { slot, campaignId } = this.reader;
    return slot < 0 ? this.accounts.get(campaignId) : this.bySlot[slot - this.parts.table.firstSlot];
  }

  /** An account by slot or id; one that was deleted long ago comes back from the ledger. */
  private find(slot: number, campaignId: string): Account | undefined {
    const loaded = slot < 0 ? this.accounts.get(campaignId) : this.bySlot[slot - this.parts.table.firstSlot];
    if (loaded !== undefined || campaignId === '') return loaded;
    const campaign = this.parts.ledger.campaign(campaignId);
    if (campaign === undefined) return undefined;
    const clock = this.parts.readClock();
    const account = this.adopt(campaign, this.slots.take(clock.steadyMs), clock);
    if (account === null) return undefined;
    this.show(account);
    this.active.add(account);
    return account;
  }

  private sendStatus(edge: number): void {
    const { slot, campaignId, ticket } = this.reader;
    this.parts.sendStatus(edge, ticket, this.statusOf(this.find(slot, campaignId)));
  }

  private statusOf(account: Account | undefined): string | null {
    if (account === undefined) return null;
    const clock = this.parts.readClock();
    account.advance(clock);
    return statusJson(account, clock);
  }

  private spend(edge: number, clock: Clock): void {
    const { reader, committer } = this;
    const { meters, ledger } = this.parts;
    const group = committer.open;
    const account = this.find(reader.slot, reader.campaignId);
    if (account === undefined) {
      meters.add(SHARD_SPEND_REJECTED, 1);
      group.answer(edge, reader.ticket, OUTCOME_UNKNOWN_CAMPAIGN);
      return;
    }
    if (!account.canCount(reader.micros)) {
      group.answer(edge, reader.ticket, OUTCOME_TOO_LARGE);
      return;
    }
    if (reader.eventId !== '') {
      const key = eventKey(account.campaign.id, reader.eventId);
      if (committer.holds(key) || ledger.remembers(key, clock.wallMs)) {
        meters.add(SHARD_DUPLICATES, 1);
        group.answerDuplicate(edge, reader.ticket, key);
        return;
      }
      group.events.add(key);
    }
    const applied = account.spend(reader.micros, reader.impressions, reader.clicks, reader.bidId, clock);
    meters.add(SHARD_SPENDS, 1);
    meters.add(SHARD_LATE_WIN_MICROS, applied.lateMicros);
    group.spends.push(applied);
    group.answer(edge, reader.ticket, OUTCOME_SUCCESS);
    this.touch(account, clock);
  }

  private lose(clock: Clock): number {
    const account = this.findLoaded();
    if (account === undefined) return OUTCOME_UNKNOWN_BID;
    return account.lose(this.reader.bidId, clock) ? OUTCOME_RELEASED : OUTCOME_UNKNOWN_BID;
  }

  /** The account changed: it is written with the open group and paced from the next cycle on. */
  private touch(account: Account, clock: Clock): void {
    account.tally.touchedMs = clock.steadyMs;
    this.active.add(account);
    this.committer.open.dirty.add(account);
    this.committer.schedule();
  }

  private cycleTouched(clock: Clock): void {
    const { table } = this.parts;
    const words = table.slotCount / 32;
    for (let word = 0; word < words; word++) {
      let bits = table.takeActivity(word);
      while (bits !== 0) {
        const bit = 31 - Math.clz32(bits);
        bits ^= 1 << bit;
        const account = this.bySlot[word * 32 + bit];
        if (account === undefined) continue;
        account.tally.touchedMs = clock.steadyMs;
        this.active.add(account);
        account.cycle(clock);
        if (account.allowanceShort) this.touch(account, clock);
      }
    }
  }

  /** Looks at a twentieth of all accounts for those due within the next second, and lets the due ones advance. */
  private lookForDue(phase: number, clock: Clock): void {
    for (let at = phase; at < this.bySlot.length; at += CYCLES_A_SECOND) {
      const account = this.bySlot[at];
      if (account !== undefined && account.dueAtMs <= clock.wallMs + 1000) this.dueSoon.add(account);
    }
    let room = DUE_A_CYCLE_MAX;
    for (const account of this.dueSoon) {
      if (account.dueAtMs > clock.wallMs) continue;
      if (room-- === 0) return;
      this.dueSoon.delete(account);
      account.advance(clock);
      this.touch(account, clock);
    }
  }

  private tick(account: Account, clock: Clock): void {
    account.advance(clock);
    this.pacing.run(account, clock);
    if (account.allowanceShort) this.touch(account, clock);
    if (clock.steadyMs - account.tally.touchedMs < IDLE_MS || !account.atRest) return;
    this.active.delete(account);
    if (account.campaign.status === 'DELETED') this.drop(account);
  }

  private sweepEvents(clock: Clock): void {
    if (this.sweeping) return;
    this.sweeping = true;
    this.parts.ledger.sweep(clock.wallMs, SWEEP_COMMITS_MAX).then(
      () => {
        this.sweeping = false;
      },
      (error: unknown) => {
        this.sweeping = false;
        this.parts.log.warn({ err: error }, 'old event ids could not be removed; they are tried again');
      },
    );
  }

  private breakerMoved(campaign: Campaign, transition: BreakerTransition): void {
    const { from, to, reason } = transition;
    if (to === OPEN) this.parts.meters.add(SHARD_BREAKER_TRIPS, 1);
    this.parts.log.info(
      { campaign: campaign.id, from: BREAKER_POSITIONS[from], to: BREAKER_POSITIONS[to], reason },
      'breaker moved',
    );
  }
}
