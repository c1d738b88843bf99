/**
 * A shard: the only owner of its campaigns. It applies what edges report (edge-reports.ts) and how campaigns change, has
 * it committed, and keeps its accounts supplied and paced (duty-cycle.ts).
 */
import { budgetStatus } from '../domain/budget-status.ts';
import { briefOf, type Campaign, type CampaignBrief } from '../domain/campaign.ts';
import type { Clock } from '../domain/clock.ts';
import { CurveCache } from '../domain/curve-cache.ts';
import { explain } from '../domain/explanation.ts';
import { keptCampaign } from '../domain/kept-campaign.ts';
import type { EarlierSpend, FleetConditions } from '../domain/pacing-settings.ts';
import { FLEET_SHAPE_ID, type StoredTraffic } from '../domain/stored-traffic.ts';
import { hashId, shardOf } from '../table/hash.ts';
import type { IdIndex } from '../table/id-index.ts';
import type { OwnerTable } from '../table/pacing-table.ts';
import type { Log } from '../threads/log.ts';
import type { Account, AccountSettings } from './account.ts';
import { AccountBook } from './account-book.ts';
import { Allowances } from './allowance.ts';
import { DutyCycle } from './duty-cycle.ts';
import { EdgeReports, type ReportSources } from './edge-reports.ts';
import { GroupCommitter, type SendOutcomes } from './group-committer.ts';
import { LedgerPruning } from './ledger-pruning.ts';
import { LedgerTraffic } from './ledger-traffic.ts';
import { ShardHistory } from './shard-history.ts';

/** Accounts that take in a learned shape before others get their turn. */
const RELEARNED_A_TURN = 200;
/** Commits' worth of forgotten event ids that one sweep removes. */
const SWEEP_COMMITS_MAX = 32;

export interface ShardParts extends ReportSources {
  readonly shard: number;
  readonly shards: number;
  readonly table: OwnerTable;
  readonly index: IdIndex;
  readonly log: Log;
  readonly reservationTtlMs: number;
  readonly breakerRecoveryMs: number;
  readonly breakerProbes: number;
  readonly sendOutcomes: SendOutcomes;
  readonly sendStatus: (edge: number, ticket: number, body: string | null) => void;
  /** The fleet that shares the budgets, or null for a pod of its own. */
  readonly fleet: FleetConditions | null;
  /** Calls back when the account knows what its whole fleet has spent by now, or when that cannot be known. */
  readonly refresh: (account: Account, known: () => void) => void;
  /** Something of the account changed that others are to be told. */
  readonly changed: (account: Account, clock: Clock) => void;
  /** The account was bid for, and nothing else. */
  readonly asked: (account: Account, clock: Clock) => void;
}

/** What became of a campaign's change. */
export type ChangeListener = (result: 'done' | 'no_room' | 'not_written') => void;

export class Shard {
  readonly committer: GroupCommitter;
  readonly history: ShardHistory;
  readonly reports: EdgeReports;
  private readonly parts: ShardParts;
  private readonly accounts: AccountBook;
  private readonly duty: DutyCycle;
  private readonly traffic: LedgerTraffic;
  private readonly pruning: LedgerPruning;
  private sweeping = false;

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
      allowances: new Allowances(table),
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
    this.accounts = new AccountBook(parts.shard, parts.index, ledger, settings);
    this.duty = new DutyCycle({
      table,
      accounts: this.accounts,
      asked: parts.asked,
      touch: (account, clock) => this.touch(account, clock),
      record: (account) => this.record(account),
      close: (account, clock) => this.close(account, clock),
    });
    this.reports = new EdgeReports({
      ...parts,
      committer: this.committer,
      find: (slot, campaignId) => this.accounts.find(slot, campaignId),
      reopen: (slot, campaignId, at) => this.reopen(slot, campaignId, at),
      touch: (account, at) => this.touch(account, at),
      sendStatus: (edge, ticket, account, explained) =>
        this.freshStatus(account, explained, (body) => parts.sendStatus(edge, ticket, body)),
    });
    this.pruning = new LedgerPruning({ ledger, mayForget: (id) => this.isClosedHere(id), log });
    this.load();
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
   * The account of a deleted campaign that was closed since; undefined when there never was one. An edge may have found
   * the slot just before: it keeps its id until it is given out again.
   */
  private reopen(slot: number, campaignId: string, clock: Clock): Account | undefined {
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
