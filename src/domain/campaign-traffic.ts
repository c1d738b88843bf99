/**
 * One campaign's traffic: counts today's, hour by hour, and knows what the past says of it. A day that was not
 * watched from its beginning teaches nothing: its morning would look empty.
 */
import { DAY_TRAFFIC_BYTES, DayTraffic, type KnownTraffic, type TrafficHistory } from './day-traffic.ts';
import type { LocalDay } from './local-day.ts';

/** A day is watched from its beginning when it is from within this. */
const BEGINNING_MS = 900_000;
/** What is kept of a day, for the moment: when an hour ends, all campaigns keep theirs. */
const kept = new Uint8Array(DAY_TRAFFIC_BYTES);

export class CampaignTraffic {
  /** Said in place of a history; null when nothing was. */
  told: KnownTraffic | null = null;
  private today: DayTraffic | null = null;
  /** Whether today may be learned from. */
  private whole = false;
  private readonly campaignId: string;
  private readonly history: TrafficHistory | null;

  /** @param history null where nothing is learned */
  constructor(campaignId: string, history: TrafficHistory | null) {
    this.campaignId = campaignId;
    this.history = history;
  }

  /** Begins with a day, or goes on with it after a restart; returns what to expect of it. */
  begin(day: LocalDay, timezone: string, meanWinMicros: number, nowMs: number): KnownTraffic | null {
    const bytes = this.history?.kept(this.campaignId) ?? null;
    const before = bytes === null ? null : DayTraffic.decode(bytes, timezone);
    if (before?.startMs === day.startMs) {
      this.today = before;
      this.whole = true;
    }
    const ended = before !== null && before.startMs < day.startMs ? before : null;
    if (nowMs - day.startMs <= BEGINNING_MS) this.whole = true;
    return this.learn(ended, day, meanWinMicros);
  }

  /**
   * What to expect of a day, or null before any history. It is asked of the history each time: kept of many campaigns, it
   * would take as much memory as the rest of their plans.
   */
  known(day: LocalDay, meanWinMicros: number): KnownTraffic | null {
    return this.learn(null, day, meanWinMicros);
  }

  /** What happened in an hour of today. */
  count(day: LocalDay, hour: number, asks: number, allowedMicros: number, spentMicros: number): void {
    if (!this.whole || this.history === null) return;
    this.today ??= new DayTraffic(day.startMs, day.dayOfWeek);
    this.today.count(hour, asks, allowedMicros, spentMicros);
  }

  /** An hour is over, or the process ends: what was counted is kept over a restart. */
  keep(): void {
    if (this.today !== null) this.history?.keep(this.campaignId, this.today.encode(kept));
  }

  /** `day` begins, or has begun while nobody watched; returns what to expect of it. */
  turn(day: LocalDay, meanWinMicros: number, nowMs: number): KnownTraffic | null {
    if (this.today?.startMs === day.startMs) return this.known(day, meanWinMicros);
    const ended = this.today;
    this.today = null;
    this.whole = nowMs - day.startMs <= BEGINNING_MS;
    return this.learn(ended, day, meanWinMicros);
  }

  /** The hours of today so far are of another clock now: they teach nothing. */
  changeClock(): void {
    this.today = null;
    this.whole = false;
  }

  private learn(ended: DayTraffic | null, day: LocalDay, meanWinMicros: number): KnownTraffic | null {
    if (this.history === null) return this.told;
    return this.history.turn(this.campaignId, ended, day.dayOfWeek, meanWinMicros);
  }
}
