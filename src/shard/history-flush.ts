/**
 * Writes a shard's history to Postgres: hours that ended, breaker moves and alerts from the ledger's outbox, and
 * the running hour of each campaign that changed. All of it states what is, never what changed, so a write may be
 * repeated; what Postgres has not confirmed stays in the ledger, and nothing is queued twice. Nothing is told
 * that the ledger does not have: after a crash Postgres must not know of spend that was never answered.
 *
 * Spend and settings are told with the next flush. Campaigns that were only bid for, which may be all of them each
 * second, take turns over several, and a plan is written when it is another one: else a pod that decides ten thousand bids
 * a second would have Postgres write thousands of rows a second in which nobody finds anything new.
 */
import { BREAKER_POSITIONS } from '../domain/breaker.ts';
import type { HourRecord } from '../domain/pacing-settings.ts';
import type {
  Alert,
  AlertResolution,
  BreakerEvent,
  HourTotals,
  PlannedHour,
} from '../sinks/postgres/history-rows.ts';
import type { HistoryStore } from '../sinks/postgres/history-store.ts';
import type { Meters } from '../table/meters.ts';
import { SHARD_HISTORY_PENDING, SHARD_HISTORY_SINCE_MS } from '../table/thread-meters.ts';
import type { Log } from '../threads/log.ts';
import { type Tracing, traced } from '../threads/tracing.ts';
import type { Account } from './account.ts';
import { AskedAccounts } from './asked-accounts.ts';
import { ChangedAccounts } from './changed-accounts.ts';
import type { Ledger, OutboxEntry } from './ledger.ts';

/** Of one flush: entries, campaigns that changed, and campaigns that were only bid for. */
const FLUSH_MAX = 2_000;
/** Campaigns that are told in one statement: their rows are garbage before V8 moves them to where what lives long is. */
const PAGE = 250;
/** Flushes over which campaigns that were only bid for take turns. */
const ASKED_FLUSHES = 10;
const RETRY_MS_MAX = 10_000;

export interface HistoryParts {
  readonly ledger: Ledger;
  /** Resolves with whether all that was applied until now is in the ledger. */
  readonly commit: () => Promise<boolean>;
  readonly store: HistoryStore;
  /** All that the shard has. */
  readonly accounts: () => Iterable<Account>;
  /** By its place among the shard's slots, of which there are so many. */
  readonly accountAt: (place: number) => Account | undefined;
  readonly placesMax: number;
  /** Who counted: belongs to one ledger. */
  readonly source: string;
  readonly shard: number;
  /** Shards that there were when the pod had more, whose outboxes it empties as well. */
  readonly formerShards: readonly number[];
  readonly flushMs: number;
  readonly meters: Meters;
  readonly log: Log;
  readonly tracing?: Tracing | null;
}

export class HistoryFlush {
  private readonly parts: HistoryParts;
  /** Whose spend or settings are to be told. */
  private readonly changed = new ChangedAccounts();
  /** Who was bid for, and nothing else. */
  private readonly asked: AskedAccounts;
  /** So many of them are told with each flush. */
  private askedShare = 0;
  /** Shards whose outboxes may have something. */
  private outboxes: readonly number[];
  private failures = 0;
  private timer: NodeJS.Timeout | undefined;
  private flushing: Promise<void> = Promise.resolve();
  private ended = false;

  constructor(parts: HistoryParts) {
    this.parts = parts;
    this.asked = new AskedAccounts(parts.placesMax);
    this.outboxes = [parts.shard, ...parts.formerShards];
    this.tellPlans(); // this database may have none of them
    this.schedule();
  }

  /** The account's running hour is to be told with the next flush. */
  mark(account: Account, nowMs: number): void {
    this.changed.add(account, nowMs);
  }

  /** The account was bid for: that is told when its turn comes, unless more is to be told of it. */
  markAsked(account: Account): void {
    this.asked.add(account.place);
  }

  /** Tries once more to write everything, and closes the connection; what fails stays in the ledger. */
  async end(): Promise<void> {
    this.ended = true;
    clearTimeout(this.timer);
    await this.flushing;
    await this.flush();
    await this.parts.store.close();
  }

  private schedule(): void {
    const { flushMs } = this.parts;
    const waitMs = this.failures === 0 ? flushMs : Math.min(flushMs * 2 ** this.failures, RETRY_MS_MAX);
    this.timer = setTimeout(() => {
      this.flushing = this.flush().finally(() => {
        if (!this.ended) this.schedule();
      });
    }, waitMs);
  }

  /** One flush. Never rejects: a failure is logged once and tried again later. */
  async flush(): Promise<void> {
    const { log } = this.parts;
    const changed = this.changed.take(FLUSH_MAX);
    for (const account of changed) this.asked.delete(account.place);
    const accounts = changed.concat(this.takeAsked());
    this.showWaiting();
    try {
      for (let at = 0; at < accounts.length; at += PAGE) await this.tellHours(accounts.slice(at, at + PAGE));
      await this.tellOutboxes();
      for (const account of changed) this.changed.told(account);
      if (this.failures > 0) {
        log.info('history is written to Postgres again');
        this.tellPlans(); // it may have been restored to what it was an hour ago
      }
      this.failures = 0;
    } catch (error) {
      if (this.failures === 0)
        log.warn({ err: error }, 'history waits in the ledger: Postgres cannot be written');
      this.failures++;
      for (const account of accounts) {
        this.asked.add(account.place);
        account.paced.planIsNews = true;
      }
      for (const account of changed) this.changed.putBack(account);
    }
    this.showWaiting();
  }

  /** Tells the running hours of accounts as they are now. */
  private async tellHours(accounts: readonly Account[]): Promise<void> {
    const nowMs = Date.now();
    const hours = accounts.map((account) => account.paced.hourRecord(nowMs));
    const plans = hours.filter((_, at) => takePlan(accounts[at] as Account));
    await this.commit();
    await this.tracedWrite([], hours, plans);
  }

  private async tellOutboxes(): Promise<void> {
    const { shard, ledger } = this.parts;
    await this.commit();
    let entries: ReturnType<Ledger['outbox']>;
    do {
      entries = this.outboxes.flatMap((of) => ledger.outbox(of, FLUSH_MAX));
      await this.tracedWrite(entries, [], []);
      await ledger.removeFromOutbox(entries.map(({ key }) => key));
    } while (entries.length >= FLUSH_MAX && !this.ended);
    if (entries.length < FLUSH_MAX) this.outboxes = [shard];
  }

  private async commit(): Promise<void> {
    if (!(await this.parts.commit())) throw new Error('the ledger cannot be written');
  }

  /** Has the plan of each account's running hour told when the account is. */
  private tellPlans(): void {
    for (const { paced } of this.parts.accounts()) paced.planIsNews = true;
  }

  private showWaiting(): void {
    const { meters } = this.parts;
    meters.set(SHARD_HISTORY_SINCE_MS, this.changed.sinceMs);
    meters.set(SHARD_HISTORY_PENDING, this.changed.size);
  }

  /** Those whose turn it is; at the end, as many as a flush takes. */
  private takeAsked(): Account[] {
    const { asked } = this;
    // Does not shrink with those that wait: else the last of them would wait for long.
    this.askedShare = asked.size === 0 ? 0 : Math.max(this.askedShare, Math.ceil(asked.size / ASKED_FLUSHES));
    const count = Math.min(FLUSH_MAX, this.ended ? asked.size : this.askedShare);
    const { accountAt } = this.parts;
    return asked.take(count).flatMap((place) => accountAt(place) ?? []);
  }

  private async tracedWrite(
    entries: readonly { readonly value: OutboxEntry }[],
    running: readonly HourRecord[],
    runningPlans: readonly HourRecord[],
  ): Promise<void> {
    if (entries.length + running.length === 0) return;
    const attributes = { 'pacer.entries': entries.length, 'pacer.campaigns': running.length };
    const write = () => this.write(entries, running, runningPlans);
    await traced(this.parts.tracing ?? null, 'flush to Postgres', attributes, write);
  }

  private async write(
    entries: readonly { readonly value: OutboxEntry }[],
    running: readonly HourRecord[],
    runningPlans: readonly HourRecord[],
  ): Promise<void> {
    const { store, source } = this.parts;
    const hours = [...running];
    const plans = [...runningPlans];
    const events: BreakerEvent[] = [];
    const alerts: Alert[] = [];
    const resolutions: AlertResolution[] = [];
    for (const { value } of entries) {
      if (value.kind === 'hour') {
        hours.push(value.hour);
        plans.push(value.hour);
      } else if (value.kind === 'breaker') events.push(breakerEvent(value, source));
      else if (value.kind === 'alert') alerts.push(value.alert);
      else resolutions.push(...value.resolutions);
    }
    if (hours.length > 0) await store.writeHours(hours.map((hour) => totalsOf(hour, source)));
    if (plans.length > 0) await store.writePlans(plans.map(planOf));
    if (events.length > 0) await store.writeBreakerEvents(events);
    if (alerts.length > 0) await store.writeAlerts(alerts);
    if (resolutions.length > 0) await store.resolveAlerts(resolutions);
  }
}

/** @returns whether the plan of its hour is to be told */
function takePlan({ paced }: Account): boolean {
  const isNews = paced.planIsNews;
  paced.planIsNews = false;
  return isNews;
}

function totalsOf(hour: HourRecord, source: string): HourTotals {
  const { campaignId, hourStartMs, localDate, localHour } = hour;
  const { spendMicros, impressions, clicks, wins, asks, allowed } = hour;
  return {
    campaignId,
    hourStartMs,
    localDate,
    localHour,
    source,
    spendMicros,
    impressions,
    clicks,
    wins,
    asks: Math.round(asks),
    allowed: Math.round(allowed),
  };
}

function planOf(hour: HourRecord): PlannedHour {
  const { campaignId, hourStartMs, localDate, localHour, atMs } = hour;
  const { plannedMicros, budgetMicros, pacingMode, campaignVersion } = hour;
  return {
    campaignId,
    hourStartMs,
    localDate,
    localHour,
    plannedMicros,
    budgetMicros,
    pacingMode,
    campaignVersion,
    plannedAtMs: atMs,
  };
}

function breakerEvent(entry: OutboxEntry & { readonly kind: 'breaker' }, source: string): BreakerEvent {
  const { from, to, reason, atMs } = entry.transition;
  return {
    campaignId: entry.campaignId,
    source,
    atMs,
    from: BREAKER_POSITIONS[from],
    to: BREAKER_POSITIONS[to],
    reason,
  };
}
