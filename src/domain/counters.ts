/**
 * What a campaign has spent on this pod, and what was asked of it: of its local day, of the hour, and in all.
 * Amounts in micros, times in ms.
 */
export interface Counters {
  dayStartMs: number;
  spentDayMicros: number;
  hourStartMs: number;
  spentHourMicros: number;
  impressionsDay: number;
  clicksDay: number;
  winsDay: number;
  asksDay: number;
  askedDayMicros: number;
  allowedDayMicros: number;
  impressionsHour: number;
  clicksHour: number;
  winsHour: number;
  asksHour: number;
  /** Bids allowed in the hour. */
  allowedHour: number;
  spentTotalMicros: number;
  /** Spend whose reservation had expired when it was reported. */
  lateWinTotalMicros: number;
  /** Spend past a day's budget. */
  overspentTotalMicros: number;
  /** Spent by others of the day and in all, before this ledger knew the campaign, as the history had it. */
  earlierDayMicros: number;
  earlierTotalMicros: number;
  /** When the day's counters last began: with the day, or with a reset in it. */
  countedFromMs: number;
  /** Of the hour, spent and planned before the day's counters were reset in it. */
  hourBeforeResetMicros: number;
  plannedBeforeResetMicros: number;
}

/** A new campaign's. */
export const NEW_COUNTERS: Readonly<Counters> = {
  dayStartMs: 0,
  spentDayMicros: 0,
  hourStartMs: 0,
  spentHourMicros: 0,
  impressionsDay: 0,
  clicksDay: 0,
  winsDay: 0,
  asksDay: 0,
  askedDayMicros: 0,
  allowedDayMicros: 0,
  impressionsHour: 0,
  clicksHour: 0,
  winsHour: 0,
  asksHour: 0,
  allowedHour: 0,
  spentTotalMicros: 0,
  lateWinTotalMicros: 0,
  overspentTotalMicros: 0,
  earlierDayMicros: 0,
  earlierTotalMicros: 0,
  countedFromMs: 0,
  hourBeforeResetMicros: 0,
  plannedBeforeResetMicros: 0,
};

/** Those that stay 0 in nearly all campaigns. */
export const SELDOM_COUNTED = [
  'lateWinTotalMicros',
  'overspentTotalMicros',
  'earlierDayMicros',
  'earlierTotalMicros',
  'hourBeforeResetMicros',
  'plannedBeforeResetMicros',
] as const;

/** The day's counters begin anew. */
export function beginDay(counters: Counters, dayStartMs: number): void {
  counters.dayStartMs = dayStartMs;
  counters.countedFromMs = Math.max(dayStartMs, counters.countedFromMs + 1);
  beginDayCounters(counters);
}

/**
 * The day's counters begin anew within the day. Those of the hour and in all go on, since the history and the
 * total budget are made of them; what the hour had before is remembered beside it.
 * @param plannedMicros what the plan wanted to be spent in the hour until now
 */
export function resetDay(counters: Counters, plannedMicros: number, nowMs: number): void {
  counters.countedFromMs = Math.max(nowMs, counters.countedFromMs + 1);
  counters.hourBeforeResetMicros = counters.spentHourMicros;
  counters.plannedBeforeResetMicros += plannedMicros;
  beginDayCounters(counters);
}

function beginDayCounters(counters: Counters): void {
  counters.spentDayMicros = 0;
  counters.earlierDayMicros = 0;
  counters.impressionsDay = 0;
  counters.clicksDay = 0;
  counters.winsDay = 0;
  counters.asksDay = 0;
  counters.askedDayMicros = 0;
  counters.allowedDayMicros = 0;
}

/** The hour's counters begin anew. */
export function beginHour(counters: Counters, hourStartMs: number): void {
  counters.hourStartMs = hourStartMs;
  counters.spentHourMicros = 0;
  counters.impressionsHour = 0;
  counters.clicksHour = 0;
  counters.winsHour = 0;
  counters.asksHour = 0;
  counters.allowedHour = 0;
  counters.hourBeforeResetMicros = 0;
  counters.plannedBeforeResetMicros = 0;
}

/** What one reported spend changed. */
export interface AppliedSpend {
  readonly spendMicros: number;
  /** What its reservation held. */
  readonly releasedMicros: number;
  readonly impressions: number;
  readonly clicks: number;
  /** The spend, when its reservation had expired; else 0. */
  readonly lateMicros: number;
  /** The part of the spend that is past the day's budget. */
  readonly overspentMicros: number;
  /** In a fleet: the bid's id when another pod may have allowed it; else empty. */
  readonly elsewhereBidId: string;
  /** Which day's counters it is in: {@link Counters.countedFromMs}. */
  readonly countedFromMs: number;
}

export function countSpend(counters: Counters, applied: AppliedSpend): void {
  counters.spentDayMicros += applied.spendMicros;
  counters.spentHourMicros += applied.spendMicros;
  counters.spentTotalMicros += applied.spendMicros;
  counters.impressionsDay += applied.impressions;
  counters.clicksDay += applied.clicks;
  counters.winsDay += 1;
  counters.impressionsHour += applied.impressions;
  counters.clicksHour += applied.clicks;
  counters.winsHour += 1;
  counters.lateWinTotalMicros += applied.lateMicros;
  counters.overspentTotalMicros += applied.overspentMicros;
}

/** Takes a spend back that could not be recorded: it was not answered and will be reported again. */
export function uncountSpend(counters: Counters, applied: AppliedSpend): void {
  const { spendMicros, countedFromMs } = applied;
  if (countedFromMs === counters.countedFromMs) uncountDay(counters, applied);
  else counters.hourBeforeResetMicros = Math.max(0, counters.hourBeforeResetMicros - spendMicros);
  counters.spentHourMicros = Math.max(0, counters.spentHourMicros - spendMicros);
  counters.spentTotalMicros -= spendMicros;
  counters.impressionsHour = Math.max(0, counters.impressionsHour - applied.impressions);
  counters.clicksHour = Math.max(0, counters.clicksHour - applied.clicks);
  counters.winsHour = Math.max(0, counters.winsHour - 1);
  counters.lateWinTotalMicros -= applied.lateMicros;
  counters.overspentTotalMicros -= applied.overspentMicros;
}

function uncountDay(counters: Counters, applied: AppliedSpend): void {
  counters.spentDayMicros = Math.max(0, counters.spentDayMicros - applied.spendMicros);
  counters.impressionsDay = Math.max(0, counters.impressionsDay - applied.impressions);
  counters.clicksDay = Math.max(0, counters.clicksDay - applied.clicks);
  counters.winsDay = Math.max(0, counters.winsDay - 1);
}
