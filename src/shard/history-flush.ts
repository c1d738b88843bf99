/**
 * Writes a shard's history to Postgres: hours that ended, breaker moves and alerts from the ledger's outbox, and
 * the running hour of each campaign that changed. All of it states what is, never what changed, so a write may be
 * repeated; what Postgres has not confirmed stays in the ledger, and nothing is queued twice. Nothing is told
 * that the ledger does not have: after a crash Postgres must not know of spend that was never answered.
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
import type { Ledger, OutboxEntry } from './ledger.ts';

/** Entries and campaigns of one flush. */
const FLUSH_MAX = 2_000;
const RETRY_MS_MAX = 10_000;

export interface HistoryParts {
  readonly ledger: Ledger;
  /** Resolves with whether all that was applied until now is in the ledger. */
  readonly commit: () => Promise<boolean>;
  readonly store: HistoryStore;
  /** Who counted: belongs to one ledger. */
  readonly source: string;
  /** The shards whose outboxes it empties: its own, and those there were when the pod had more. */
  readonly outboxes: readonly number[];
  readonly flushMs: number;
  readonly meters: Meters;
  readonly log: Log;
  readonly tracing?: Tracing | null;
}

export class HistoryFlush {
  private readonly parts: HistoryParts;
  private readonly changed = new Set<Account>();
  private failures = 0;
  private sinceMs = 0;
  private timer: NodeJS.Timeout | undefined;
  private flushing: Promise<void> = Promise.resolve();
  private ended = false;

  constructor(parts: HistoryParts) {
    this.parts = parts;
    this.schedule();
  }

  /** The account's running hour is to be told. */
  mark(account: Account, nowMs: number): void {
    if (this.sinceMs === 0) this.sinceMs = nowMs;
    this.changed.add(account);
    this.parts.meters.set(SHARD_HISTORY_SINCE_MS, this.sinceMs);
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

  /** Never rejects: a failure is logged once and tried again later. */
  private async flush(): Promise<void> {
    const { ledger, outboxes, commit, meters, log } = this.parts;
    const accounts = this.takeChanged();
    const nowMs = Date.now();
    const hours = accounts.map((account) => account.paced.hourRecord(nowMs));
    try {
      if (!(await commit())) throw new Error('the ledger cannot be written');
      let entries: ReturnType<Ledger['outbox']>;
      do {
        entries = outboxes.flatMap((shard) => ledger.outbox(shard, FLUSH_MAX));
        await this.tracedWrite(entries, hours);
        await ledger.removeFromOutbox(entries.map(({ key }) => key));
        hours.length = 0;
      } while (entries.length >= FLUSH_MAX && !this.ended);
      if (this.failures > 0) log.info('history is written to Postgres again');
      this.failures = 0;
      if (this.changed.size === 0) this.sinceMs = 0;
    } catch (error) {
      if (this.failures === 0)
        log.warn({ err: error }, 'history waits in the ledger: Postgres cannot be written');
      this.failures++;
      for (const account of accounts) this.changed.add(account);
    }
    meters.set(SHARD_HISTORY_SINCE_MS, this.sinceMs);
    meters.set(SHARD_HISTORY_PENDING, this.changed.size);
  }

  private takeChanged(): Account[] {
    const taken: Account[] = [];
    for (const account of this.changed) {
      if (taken.length === FLUSH_MAX) break;
      this.changed.delete(account);
      taken.push(account);
    }
    return taken;
  }

  private async tracedWrite(
    entries: readonly { readonly value: OutboxEntry }[],
    running: readonly HourRecord[],
  ): Promise<void> {
    if (entries.length + running.length === 0) return;
    const attributes = { 'pacer.entries': entries.length, 'pacer.campaigns': running.length };
    const write = () => this.write(entries, running);
    await traced(this.parts.tracing ?? null, 'flush to Postgres', attributes, write);
  }

  private async write(
    entries: readonly { readonly value: OutboxEntry }[],
    running: readonly HourRecord[],
  ): Promise<void> {
    const { store, source } = this.parts;
    const hours = [...running];
    const events: BreakerEvent[] = [];
    const alerts: Alert[] = [];
    const resolutions: AlertResolution[] = [];
    for (const { value } of entries) {
      if (value.kind === 'hour') hours.push(value.hour);
      else if (value.kind === 'breaker') events.push(breakerEvent(value, source));
      else if (value.kind === 'alert') alerts.push(value.alert);
      else resolutions.push(...value.resolutions);
    }
    if (hours.length > 0) {
      await store.writeHours(hours.map((hour) => totalsOf(hour, source)));
      await store.writePlans(hours.map(planOf));
    }
    if (events.length > 0) await store.writeBreakerEvents(events);
    if (alerts.length > 0) await store.writeAlerts(alerts);
    if (resolutions.length > 0) await store.resolveAlerts(resolutions);
  }
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
