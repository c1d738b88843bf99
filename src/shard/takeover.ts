/**
 * Campaigns that this pod's ledger has never seen and that are not new: a pod whose disk was lost, or one that
 * joins a fleet. What others have spent of them is asked of Postgres before the first bid, so that a day's budget
 * and a flight's are not spent twice. Without an answer such a campaign is not taken in, and is offered again.
 */
import { AppError } from '../domain/app-error.ts';
import { budgetDay, budgetDayStartMs } from '../domain/budget-day.ts';
import type { Campaign, CampaignTerms } from '../domain/campaign.ts';
import type { Clock } from '../domain/clock.ts';
import { type LocalDay, localDayAt, localHourStart } from '../domain/local-day.ts';
import type { EarlierSpend } from '../domain/pacing-settings.ts';
import type { PostgresAddress } from '../sinks/postgres/client.ts';
import { HistoryStore } from '../sinks/postgres/history-store.ts';
import type { KnownSpend } from '../sinks/redis/restore-spend.ts';

/** A campaign that was created so short a time ago was paced by nobody. */
const FRESH_MS = 5_000;

/** By campaign. */
export type EarlierSpends = ReadonlyMap<string, EarlierSpend>;
export const NOTHING_EARLIER: EarlierSpends = new Map();

export class Takeover {
  private readonly source: string;
  private readonly readClock: () => Clock;
  private store: HistoryStore | null = null;

  /** @param source this pod's own, which it counts itself */
  constructor(source: string, readClock: () => Clock) {
    this.source = source;
    this.readClock = readClock;
  }

  /** Where the history is; connects with the first question. */
  useDatabase(address: PostgresAddress): void {
    const before = this.store;
    this.store = new HistoryStore(address);
    before?.close().catch(() => undefined); // nothing is under way that matters
  }

  /** Those of the campaigns that others may have paced. */
  pacedBefore(unknown: readonly Campaign[]): Campaign[] {
    const { wallMs } = this.readClock();
    return unknown.filter(({ createdAt, status }) => {
      return status !== 'DELETED' && wallMs - Date.parse(createdAt) >= FRESH_MS;
    });
  }

  /** What others have spent of each. @throws AppError `unavailable` while the history cannot be read */
  async ask(campaigns: readonly CampaignTerms[]): Promise<EarlierSpends> {
    const earlier = new Map<string, { date: string; dayMicros: number; totalMicros: number }>();
    const { wallMs } = this.readClock();
    const spends = await this.spends(campaigns, wallMs);
    for (const { id, timezone } of campaigns) {
      const { date } = localDayAt(timezone, wallMs);
      earlier.set(id, { date, dayMicros: 0, totalMicros: 0 });
    }
    for (const { campaignId, source, dayMicros, totalMicros } of spends) {
      const sums = earlier.get(campaignId);
      if (sums === undefined || source === this.source) continue;
      sums.dayMicros += dayMicros;
      sums.totalMicros += totalMicros;
    }
    return earlier;
  }

  /** What each source has spent of each, this one included. @throws AppError `unavailable` as {@link ask} does */
  async spends(campaigns: readonly CampaignTerms[], wallMs = this.readClock().wallMs): Promise<KnownSpend[]> {
    if (this.store === null) throw new AppError('unavailable', 'the history is not there yet; try again');
    const days = new Map<string, string>();
    const questions = campaigns.map((campaign) => {
      const { id, timezone } = campaign;
      const day = localDayAt(timezone, wallMs);
      days.set(id, budgetDay(campaign, day.date));
      const hourStartMs = localHourStart(day, wallMs);
      return { campaignId: id, countedFromMs: countedFrom(campaign, day), hourStartMs };
    });
    const spends = await this.store.spentBySource(questions);
    return spends.map((spend) => ({ ...spend, day: days.get(spend.campaignId) ?? '' }));
  }

  async end(): Promise<void> {
    await this.store?.close();
  }
}

/** The hour that the day's counters began in: since a reset somewhat more is taken for spent than was. */
function countedFrom(campaign: CampaignTerms, day: LocalDay): number {
  const startMs = budgetDayStartMs(campaign, day);
  return startMs === day.startMs ? startMs : localHourStart(localDayAt(campaign.timezone, startMs), startMs);
}
