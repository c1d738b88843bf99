/**
 * One campaign's traffic: counts today's, hour by hour, and knows what the past says of it. A day that was not
 * watched from its beginning teaches nothing: its morning would look empty.
 */
import { DayTraffic, type KnownTraffic, type TrafficHistory } from './day-traffic.ts';
import type { LocalDay } from './local-day.ts';

/** A day is watched from its beginning when it is from within this. */
const BEGINNING_MS = 900_000;

export class CampaignTraffic {
  /** Null before any history. */
  known: KnownTraffic | null = null;
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

  /** Begins with a day, or goes on with it after a restart. */
  begin(day: LocalDay, timezone: string, meanWinMicros: number, nowMs: number): void {
    const kept = this.history?.kept(this.campaignId) ?? null;
    const before = kept === null ? null : DayTraffic.decode(kept, timezone);
    if (before?.startMs === day.startMs) {
      this.today = before;
      this.whole = true;
    }
    const ended = before !== null && before.startMs < day.startMs ? before : null;
    this.expect(ended, day, meanWinMicros);
    if (nowMs - day.startMs <= BEGINNING_MS) this.whole = true;
  }

  /** What happened in an hour of today. */
  count(day: LocalDay, hour: number, asks: number, allowedMicros: number, spentMicros: number): void {
    if (!this.whole || this.history === null) return;
    this.today ??= new DayTraffic(day.startMs, day.dayOfWeek);
    this.today.count(hour, asks, allowedMicros, spentMicros);
  }

  /** An hour is over, or the process ends: what was counted is kept over a restart. */
  keep(): void {
    if (this.today !== null) this.history?.keep(this.campaignId, this.today.encode());
  }

  /** `day` begins, or has begun while nobody watched. */
  turn(day: LocalDay, meanWinMicros: number, nowMs: number): void {
    if (this.today?.startMs === day.startMs) return;
    const ended = this.today;
    this.today = null;
    this.whole = nowMs - day.startMs <= BEGINNING_MS;
    this.expect(ended, day, meanWinMicros);
  }

  /** The history has learned from elsewhere. */
  relearn(day: LocalDay, meanWinMicros: number): void {
    this.expect(null, day, meanWinMicros);
  }

  /** The hours of today so far are of another clock now: they teach nothing. */
  changeClock(): void {
    this.today = null;
    this.whole = false;
  }

  private expect(ended: DayTraffic | null, day: LocalDay, meanWinMicros: number): void {
    if (this.history === null) return;
    this.known = this.history.turn(this.campaignId, ended, day.dayOfWeek, meanWinMicros);
  }
}
