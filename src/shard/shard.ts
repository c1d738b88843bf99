/**
 * A shard: the only owner of its campaigns. It applies what edges report, answers once it is in the ledger, and
 * keeps its accounts supplied and paced (duty-cycle.ts).
 */
import { budgetStatus } from '../domain/budget-status.ts';
import { briefOf, type Campaign, type CampaignBrief } from '../domain/campaign.ts';
import type { Clock } from '../domain/clock.ts';
import { CurveCache } from '../domain/curve-cache.ts';
import { explain } from '../domain/explanation.ts';
import { keptCampaign } from '../domain/kept-campaign.ts';
import type { EarlierSpend, FleetConditions } from '../domain/pacing-settings.ts';
import { FLEET_SHAPE_ID, type StoredTraffic } from '../domain/stored-traffic.ts';
import {
  BatchReader,
  type EdgeBatch,
  KIND_LOSS,
  KIND_RESERVE,
  KIND_SPEND,
  KIND_STATUS,
  KIND_STATUS_EXPLAINED,
  OUTCOME_DUPLICATE,
  OUTCOME_RELEASED,
  OUTCOME_SUCCESS,
  OUTCOME_TOO_LARGE,
  OUTCOME_UNKNOWN_BID,
  OUTCOME_UNKNOWN_CAMPAIGN,
} from '../messages/edge-shard.ts';
import type { EdgeTurns } from '../table/edge-turns.ts';
import { hashId, shardOf } from '../table/hash.ts';
import type { IdIndex } from '../table/id-index.ts';
import type { Meters } from '../table/meters.ts';
import type { OwnerTable } from '../table/pacing-table.ts';
import {
  SHARD_DUPLICATES,
  SHARD_EVENTS_UNCHECKED,
  SHARD_LATE_WIN_MICROS,
  SHARD_SPEND_REJECTED,
  SHARD_SPENDS,
} from '../table/thread-meters.ts';
import type { Log } from '../threads/log.ts';
import type { Account, AccountSettings } from './account.ts';
import { AccountBook } from './account-book.ts';
import { DutyCycle } from './duty-cycle.ts';
import { EarlySettlements } from './early-settlements.ts';
import { EventClaims, type FleetEvents } from './event-claims.ts';
import { GroupCommitter, type SendOutcomes } from './group-committer.ts';
import { eventKey, type Ledger } from './ledger.ts';
import { LedgerPruning } from './ledger-pruning.ts';
import { LedgerTraffic } from './ledger-traffic.ts';
import { ShardHistory } from './shard-history.ts';

/** Accounts that take in a learned shape before others get their turn. */
const RELEARNED_A_TURN = 200;
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
  readonly turns: EdgeTurns;
  /** Takes what stands in the edges' ports. */
  readonly takePosted: () => PostedBatch[];
  readonly sendOutcomes: SendOutcomes;
  readonly sendStatus: (edge: number, ticket: number, body: string | null) => void;
  /** The fleet that shares the budgets, or null for a pod of its own. */
  readonly fleet: FleetConditions | null;
  /** What the fleet has counted; null for a pod of its own. */
  readonly fleetEvents: FleetEvents | null;
  /** Calls back when the account knows what its whole fleet has spent by now, or when that cannot be known. */
  readonly refresh: (account: Account, known: () => void) => void;
  /** Something of the account changed that others are to be told. */
  readonly changed: (account: Account, clock: Clock) => void;
  /** The account was bid for, and nothing else. */
  readonly asked: (account: Account, clock: Clock) => void;
}

/** A batch and the number of the line (edge-lines.ts) that an edge posted it over, which its answers go back by. */
export interface PostedBatch {
  readonly edge: number;
  readonly batch: EdgeBatch;
  /** Its wins and losses have waited for their reservations. */
  readonly waited?: boolean;
  /** Its spends' events are this pod's to count. */
  readonly claimed?: boolean;
}

/** What became of a campaign's change. */
export type ChangeListener = (result: 'done' | 'no_room' | 'not_written') => void;

export class Shard {
  readonly committer: GroupCommitter;
  readonly history: ShardHistory;
  private readonly parts: ShardParts;
  private readonly accounts: AccountBook;
  private readonly duty: DutyCycle;
  private readonly reader = new BatchReader();
  private sweeping = false;
  private readonly early: EarlySettlements;
  private readonly traffic: LedgerTraffic;
  private readonly claims: EventClaims | null;
  private readonly pruning: LedgerPruning;

  /** Takes over what the ledger and, after a thread's death, the table hold of this shard's campaigns. */
  constructor(parts: ShardParts) {
    this.parts = parts;
    const { table, reservationTtlMs, breakerRecoveryMs, breakerProbes, ledger, meters, log, readClock } =
      parts;
    this.traffic = new LedgerTraffic(ledger, log);
    this.history = new ShardHistory({
      shard: parts.shard,
      source: ledger.id,
      meters,
      log,
      readClock,
      committer: () => this.committer,
      account: (campaignId) => this.accounts.get(campaignId),
    });
    const settings: AccountSettings = {
      reservationTtlMs,
      breakerRecoveryMs,
      breakerProbes,
      table,
      dueAtMs: new Float64Array(table.slotCount),
      curves: new CurveCache(),
      history: this.traffic,
      fleet: parts.fleet,
      hourEnded: (hour) => this.history.hourEnded(hour),
      moved: (campaign, transition) => this.history.breakerMoved(campaign, transition),
    };
    const { sendOutcomes, fleetEvents } = parts;
    this.committer = new GroupCommitter({
      ledger,
      meters,
      log,
      readClock,
      send: sendOutcomes,
      eventsEnded: (events, committed) => fleetEvents?.eventsEnded(events, committed),
      historyOf: (account) => this.history.lastHour(account),
    });
    this.claims = fleetEvents === null ? null : this.claimsOf(fleetEvents);
    this.early = new EarlySettlements(parts.turns, () => this.receiveHeld());
    this.accounts = new AccountBook(parts.shard, parts.index, ledger, settings);
    this.duty = new DutyCycle({
      table,
      accounts: this.accounts,
      asked: parts.asked,
      touch: (account, clock) => this.touch(account, clock),
      record: (account) => this.record(account),
      close: (account, clock) => this.close(account, clock),
    });
    this.pruning = new LedgerPruning({ ledger, mayForget: (id) => this.isClosedHere(id), log });
    this.load();
  }

  /**
   * Applies what edges have posted; answers go out when their commit has ended. A win may have been posted by
   * another edge than its bid's reservation and stand before it here, or be here before it is posted:
   * reservations are applied first, and a win that has none waits until none can be on its way.
   * @param outstanding the edges' turns before their ports were emptied into `posted`: what was posted by then is in it
   */
  receive(posted: readonly PostedBatch[], outstanding = this.outstandingTurns()): void {
    const clock = this.parts.readClock();
    for (const { batch } of posted) this.reserve(batch, clock);
    for (const each of posted) this.settle(each, outstanding, clock);
    if (this.committer.open.answerCount > 0) this.committer.schedule();
  }

  /** Takes what edges have posted meanwhile, and then what has waited for it. */
  private receiveHeld(): void {
    const { readClock, takePosted } = this.parts;
    const outstanding = this.outstandingTurns();
    const ready = this.early.take(readClock());
    this.receive([...takePosted(), ...ready], outstanding);
  }

  /** The edges' turns whose reservations may not be posted yet, or null: to be read before the ports are emptied. */
  outstandingTurns(): readonly number[] | null {
    return this.parts.turns.outstanding();
  }

  private reserve(batch: EdgeBatch, clock: Clock): void {
    const { reader } = this;
    reader.open(batch);
    while (reader.next()) {
      if (reader.kind === KIND_RESERVE) this.find()?.name(reader.bidId, reader.micros, clock);
    }
  }

  private settle(posted: PostedBatch, outstanding: readonly number[] | null, clock: Clock): void {
    const { edge, batch, waited = false, claimed = false } = posted;
    const { reader } = this;
    const group = this.committer.open;
    reader.open(batch);
    while (reader.next()) {
      if (reader.kind === KIND_RESERVE) continue;
      if (!waited && outstanding !== null && this.isEarly()) {
        this.early.hold(edge, reader, outstanding, clock);
      } else if (reader.kind === KIND_SPEND) {
        if (claimed || !this.claim(edge, clock)) this.spend(edge, clock);
      } else if (reader.kind === KIND_LOSS) group.answer(edge, reader.ticket, this.lose(clock));
      else if (reader.kind === KIND_STATUS) this.sendStatus(edge, false);
      else if (reader.kind === KIND_STATUS_EXPLAINED) this.sendStatus(edge, true);
      else throw new Error('an edge sent a record of an unknown kind');
    }
  }

  /** Holds a spend until its event is known to be this pod's to count. @returns false when that need not be asked */
  private claim(edge: number, clock: Clock): boolean {
    const { claims, reader, committer } = this;
    if (claims === null || reader.eventId === '') return false;
    const account = this.find();
    if (account === undefined) return false;
    const key = eventKey(account.campaign.id, reader.eventId);
    if (committer.holds(key) || this.parts.ledger.remembers(key, clock.wallMs)) return false;
    if (!claims.mayHold) {
      this.parts.meters.add(SHARD_EVENTS_UNCHECKED, 1);
      return false;
    }
    claims.hold(edge, reader, key, clock);
    return true;
  }

  private claimsOf(events: FleetEvents): EventClaims {
    const { readClock, meters } = this.parts;
    return new EventClaims({
      events,
      readClock,
      take: (ready) => this.receive(ready),
      answer: (edge, ticket, outcome) => {
        if (outcome === OUTCOME_DUPLICATE) meters.add(SHARD_DUPLICATES, 1);
        this.committer.open.answer(edge, ticket, outcome);
        this.committer.schedule();
      },
      unchecked: (count) => meters.add(SHARD_EVENTS_UNCHECKED, count),
    });
  }

  /** Whether the reader's record is about a reservation that is not here. */
  private isEarly(): boolean {
    const { bidId } = this.reader;
    if (bidId === '' || !this.early.mayHold) return false;
    const account = this.find();
    return account !== undefined && !account.paced.reservations.has(bidId);
  }

  /** Sends the body of a budget status, with its explanation when asked for, or null for an unknown campaign. */
  status(campaignId: string, explained: boolean, send: (body: string | null) => void): void {
    this.freshStatus(this.accounts.get(campaignId), explained, send);
  }

  /** What is known of campaigns beside their money; those that are not known are left out. */
  describe(campaignIds: readonly string[]): CampaignBrief[] {
    return campaignIds.flatMap((id) => {
      const campaign = this.accounts.get(id) === undefined ? undefined : this.parts.ledger.campaign(id);
      return campaign === undefined ? [] : [briefOf(campaign)];
    });
  }

  /** Another pod counts the win of a bid that this one may have allowed. */
  wonElsewhere(campaignId: string, bidId: string): void {
    this.accounts.get(campaignId)?.wonElsewhere(bidId, this.parts.readClock());
  }

  /** By its place among the shard's slots. */
  accountAt(place: number): Account | undefined {
    return this.accounts.at(place);
  }

  /** Places that may hold an account: 0 … places − 1. */
  get places(): number {
    return this.accounts.places;
  }

  allAccounts(): IterableIterator<Account> {
    return this.accounts.all();
  }

  /** Whether neither this shard nor the ledger has ever had the campaign. */
  isNew(campaignId: string): boolean {
    return (
      this.accounts.get(campaignId) === undefined && this.parts.ledger.campaign(campaignId) === undefined
    );
  }

  /**
   * Takes in a campaign's newest version; the listener hears when every edge decides on it.
   * @param earlier for a campaign that {@link isNew} here and was paced by others before
   */
  upsert(campaign: Campaign, listener: ChangeListener, earlier?: EarlierSpend): void {
    const clock = this.parts.readClock();
    const known = this.accounts.get(campaign.id);
    if (known !== undefined && campaign.version <= known.campaign.version) {
      listener('done');
      return;
    }
    if (known === undefined && campaign.status === 'DELETED') {
      listener('done');
      return;
    }
    const account = known ?? this.open(campaign, clock);
    if (account === null) {
      listener('no_room');
      return;
    }
    if (known !== undefined) known.change(keptCampaign(campaign), clock);
    else if (earlier !== undefined) account.paced.takeOver(earlier, clock);
    if (known !== undefined || earlier !== undefined) this.duty.pace(account, clock);
    const group = this.committer.open;
    group.campaigns.set(campaign.id, campaign);
    this.touch(account, clock);
    group.listeners.push((committed) => {
      if (known === undefined) this.opened(account, committed);
      // A known campaign's change holds without the ledger: its source is Postgres, which tells it again.
      if (known !== undefined) listener('done');
      else if (!committed) listener('not_written');
      else this.parts.refresh(account, () => listener('done')); // in a fleet, once it has a lease
    });
  }

  /** Takes in what was learned from the history of all pods, without a jump in any plan. */
  async learn(shapes: readonly StoredTraffic[]): Promise<void> {
    const taken = await this.traffic.take(shapes);
    const accounts = taken.some(({ campaignId }) => campaignId === FLEET_SHAPE_ID)
      ? [...this.accounts.all()].filter(({ paced }) => paced.knowsNoSupply)
      : [];
    for (const { campaignId } of taken) {
      const account = this.accounts.get(campaignId);
      if (account !== undefined) accounts.push(account);
    }
    for (let at = 0; at < accounts.length; at += RELEARNED_A_TURN) {
      const clock = this.parts.readClock();
      for (const account of accounts.slice(at, at + RELEARNED_A_TURN)) this.relearn(account, clock);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** A turn of the duty cycle. */
  cycle(): void {
    const clock = this.parts.readClock();
    const secondBegan = this.duty.turn(clock);
    if (!secondBegan) return;
    if (this.parts.shard === 0) this.sweepEvents(clock);
    this.pruning.turn(clock);
  }

  /** Takes every allowance off the table and writes what is then in flight; edges must have ended before. */
  async end(): Promise<void> {
    // A commit under way would put allowance out once more when it ends, and write the last records as if others followed.
    await this.committer.atRest();
    const clock = this.parts.readClock();
    for (const account of this.accounts.all()) {
      account.withdraw(clock);
      account.paced.keepTraffic();
      this.committer.open.dirty.add(account);
    }
    await this.committer.flush(true);
  }

  private relearn(account: Account, clock: Clock): void {
    if (this.accounts.get(account.campaign.id) !== account) return; // closed meanwhile
    account.paced.relearn(clock);
    this.committer.open.dirty.add(account);
    this.committer.schedule();
  }

  private load(): void {
    const clock = this.parts.readClock();
    const { shard, shards } = this.parts;
    // All before any is written: a shard that has no room for them ends with nothing under way.
    for (const { account, olderForm } of [...this.accounts.load(shard, shards, clock)]) {
      this.duty.begin(account, clock);
      account.publish(clock);
      this.touch(account, clock);
      // With its record, so that a release that reads neither stops at the campaign and misreads no money.
      if (olderForm !== null) this.committer.open.campaigns.set(olderForm.id, olderForm);
    }
  }

  private open(campaign: Campaign, clock: Clock): Account | null {
    const account = this.accounts.open(campaign, clock);
    if (account !== null) this.duty.begin(account, clock);
    return account;
  }

  /**
   * The account, for the record the reader stands on, of a deleted campaign that was closed since; undefined when
   * there never was one. An edge may have found the slot just before: it keeps its id until it is given out again.
   */
  private reopen(clock: Clock): Account | undefined {
    const { slot, campaignId } = this.reader;
    const id = slot < 0 ? campaignId : this.parts.index.idOf(slot);
    const reopened = this.accounts.get(id);
    if (reopened !== undefined) return reopened;
    const account = this.accounts.reopen(id, clock);
    if (account !== undefined) this.duty.begin(account, clock);
    return account;
  }

  /** A new campaign's commit ended: edges may find it, or it is as if it had never come. */
  private opened(account: Account, committed: boolean): void {
    const clock = this.parts.readClock();
    if (!committed) {
      this.close(account, clock);
      return;
    }
    this.accounts.show(account);
    account.publish(clock);
  }

  /** Whether a campaign is of this shard and has no account. */
  private isClosedHere(campaignId: string): boolean {
    const { shard, shards } = this.parts;
    return shardOf(hashId(campaignId), shards) === shard && this.accounts.get(campaignId) === undefined;
  }

  private close(account: Account, clock: Clock): void {
    this.duty.forget(account);
    this.accounts.close(account, clock);
  }

  /** The account of the record that the reader stands on. */
  private find(): Account | undefined {
    return this.accounts.find(this.reader.slot, this.reader.campaignId);
  }

  private sendStatus(edge: number, explained: boolean): void {
    const { ticket } = this.reader;
    this.freshStatus(this.find(), explained, (body) => this.parts.sendStatus(edge, ticket, body));
  }

  private freshStatus(
    account: Account | undefined,
    explained: boolean,
    send: (body: string | null) => void,
  ): void {
    if (account === undefined) send(null);
    else this.parts.refresh(account, () => send(this.statusOf(account, explained)));
  }

  private statusOf(account: Account, explained: boolean): string {
    const clock = this.parts.readClock();
    account.advance(clock);
    const status = budgetStatus(account.paced, clock);
    return JSON.stringify(explained ? { ...status, explain: explain(account.paced, clock) } : status);
  }

  private spend(edge: number, clock: Clock): void {
    const { reader, committer } = this;
    const { meters, ledger } = this.parts;
    const group = committer.open;
    const account = this.find() ?? this.reopen(clock);
    if (account === undefined) {
      meters.add(SHARD_SPEND_REJECTED, 1);
      group.answer(edge, reader.ticket, OUTCOME_UNKNOWN_CAMPAIGN);
      return;
    }
    if (!account.paced.canCount(reader.micros)) {
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
    group.spends.push({ account, applied });
    group.answer(edge, reader.ticket, OUTCOME_SUCCESS);
    this.touch(account, clock);
  }

  private lose(clock: Clock): number {
    const account = this.find();
    if (account === undefined) return OUTCOME_UNKNOWN_BID;
    return account.lose(this.reader.bidId, clock) ? OUTCOME_RELEASED : OUTCOME_UNKNOWN_BID;
  }

  /** The account changed: it is written with the open group and paced from the next cycle on. */
  private touch(account: Account, clock: Clock): void {
    this.duty.woken(account, clock);
    this.record(account);
    this.parts.changed(account, clock);
  }

  private record(account: Account): void {
    this.committer.open.dirty.add(account);
    this.committer.schedule();
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
}
