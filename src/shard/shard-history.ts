/**
 * What a shard has to tell the history of its campaigns: hours that ended, breakers that moved, alerts. Each piece goes
 * into the open group of the ledger, with its account, and from there to Postgres (history-flush.ts): it is neither lost
 * nor counted twice, whatever is killed between.
 */
import { BREAKER_POSITIONS, type BreakerTransition, CLOSED } from '../domain/breaker.ts';
import type { CampaignTerms } from '../domain/campaign.ts';
import type { Clock } from '../domain/clock.ts';
import type { HourRecord } from '../domain/pacing-settings.ts';
import type { Alert, AlertResolution } from '../sinks/postgres/history-rows.ts';
import type { Meters } from '../table/meters.ts';
import { BREAKER_REASONS, SHARD_BREAKERS_MOVED } from '../table/thread-meters.ts';
import type { Log } from '../threads/log.ts';
import type { Account } from './account.ts';
import { breakerClosed, breakerTripped } from './alerts.ts';
import type { GroupCommitter } from './group-committer.ts';
import type { OutboxEntry } from './ledger.ts';

export interface ShardHistoryParts {
  readonly shard: number;
  /** The ledger's id: alerts say where they come from. */
  readonly source: string;
  readonly meters: Meters;
  readonly log: Log;
  readonly readClock: () => Clock;
  readonly committer: () => GroupCommitter;
  readonly account: (campaignId: string) => Account | undefined;
}

export class ShardHistory {
  private readonly parts: ShardHistoryParts;

  constructor(parts: ShardHistoryParts) {
    this.parts = parts;
  }

  /** Has an alert written. */
  raise(alert: Alert): void {
    this.tell(alert.createdAtMs, `${alert.dedupeKey}/alert`, { kind: 'alert', alert });
  }

  /** Has alerts resolved. @param whose names them within the millisecond */
  resolve(resolutions: readonly AlertResolution[], whose: string, atMs: number): void {
    this.tell(atMs, `${whose}/resolved`, { kind: 'resolved', resolutions });
  }

  /** An hour is history; its account is written with it. */
  hourEnded(hour: HourRecord): void {
    if (isEmpty(hour)) return;
    this.tell(hour.hourStartMs, `${hour.campaignId}/hour`, { kind: 'hour', hour });
    const account = this.parts.account(hour.campaignId);
    if (account !== undefined) this.parts.committer().open.dirty.add(account);
  }

  /** The running hour of a deleted campaign, which no start will open again to tell it. */
  lastHour(account: Account): readonly [string, OutboxEntry] | null {
    if (account.campaign.status !== 'DELETED') return null;
    const hour = account.paced.hourRecord(this.parts.readClock().wallMs);
    if (isEmpty(hour)) return null;
    return [this.key(hour.hourStartMs, `${hour.campaignId}/hour`), { kind: 'hour', hour }];
  }

  breakerMoved(campaign: CampaignTerms, transition: BreakerTransition): void {
    const { from, to, reason, atMs } = transition;
    this.tell(atMs, `${campaign.id}/breaker-${to}`, {
      kind: 'breaker',
      campaignId: campaign.id,
      transition,
    });
    this.alertOfBreaker(campaign, transition);
    this.parts.meters.add(SHARD_BREAKERS_MOVED + BREAKER_REASONS.indexOf(reason), 1);
    this.parts.log.info(
      { campaign: campaign.id, from: BREAKER_POSITIONS[from], to: BREAKER_POSITIONS[to], reason },
      'breaker moved',
    );
  }

  /** An opened breaker is one alert until it closes, whatever happens to it between. */
  private alertOfBreaker(campaign: CampaignTerms, transition: BreakerTransition): void {
    const { from, to, atMs } = transition;
    const { source, account } = this.parts;
    if (to === CLOSED) {
      this.resolve(breakerClosed(campaign.id, atMs, source), campaign.id, atMs);
    } else if (from === CLOSED) {
      const paced = account(campaign.id)?.paced;
      const since = paced?.counters.countedFromMs ?? 0; // with a reset the day begins to count again
      const afterReset = since > (paced?.day.startMs ?? 0) ? `:${since}` : '';
      const budget = `${paced?.day.date ?? ''}:${paced?.budgetMicros ?? 0}${afterReset}`;
      this.raise(breakerTripped(campaign, transition, source, budget));
    }
  }

  private tell(atMs: number, what: string, entry: OutboxEntry): void {
    const committer = this.parts.committer();
    committer.open.outbox.set(this.key(atMs, what), entry);
    committer.schedule();
  }

  private key(atMs: number, what: string): string {
    return `${this.parts.shard}/${String(atMs).padStart(14, '0')}/${what}`;
  }
}

function isEmpty({ asks, wins }: HourRecord): boolean {
  return asks === 0 && wins === 0;
}
