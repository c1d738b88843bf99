/** What a campaign has spent: of its local day, of the hour, and in all. Amounts in micros, times in ms. */
export interface Counters {
  dayStartMs: number;
  spentDayMicros: number;
  hourStartMs: number;
  spentHourMicros: number;
  impressionsDay: number;
  clicksDay: number;
  winsDay: number;
  spentTotalMicros: number;
  /** Spend whose reservation had expired when it was reported. */
  lateWinTotalMicros: number;
  /** Spend past the day's budget. */
  overspentDayMicros: number;
  overspentTotalMicros: number;
}

export function newCounters(): Counters {
  return {
    dayStartMs: 0,
    spentDayMicros: 0,
    hourStartMs: 0,
    spentHourMicros: 0,
    impressionsDay: 0,
    clicksDay: 0,
    winsDay: 0,
    spentTotalMicros: 0,
    lateWinTotalMicros: 0,
    overspentDayMicros: 0,
    overspentTotalMicros: 0,
  };
}

/** The day's counters begin anew. */
export function beginDay(counters: Counters, dayStartMs: number): void {
  counters.dayStartMs = dayStartMs;
  counters.spentDayMicros = 0;
  counters.impressionsDay = 0;
  counters.clicksDay = 0;
  counters.winsDay = 0;
  counters.overspentDayMicros = 0;
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
}

/** Counts a spend; `budgetMicros` is the day's, before and after the same. */
export function countSpend(counters: Counters, applied: AppliedSpend, budgetMicros: number): void {
  counters.spentDayMicros += applied.spendMicros;
  counters.spentHourMicros += applied.spendMicros;
  counters.spentTotalMicros += applied.spendMicros;
  counters.impressionsDay += applied.impressions;
  counters.clicksDay += applied.clicks;
  counters.winsDay += 1;
  counters.lateWinTotalMicros += applied.lateMicros;
  const overspentMicros = Math.max(0, counters.spentDayMicros - budgetMicros);
  counters.overspentTotalMicros += Math.max(0, overspentMicros - counters.overspentDayMicros);
  counters.overspentDayMicros = Math.max(overspentMicros, counters.overspentDayMicros);
}

/** Takes a spend back that could not be recorded: it was not answered and will be reported again. */
export function uncountSpend(counters: Counters, applied: AppliedSpend): void {
  counters.spentDayMicros = Math.max(0, counters.spentDayMicros - applied.spendMicros);
  counters.spentHourMicros = Math.max(0, counters.spentHourMicros - applied.spendMicros);
  counters.spentTotalMicros -= applied.spendMicros;
  counters.impressionsDay = Math.max(0, counters.impressionsDay - applied.impressions);
  counters.clicksDay = Math.max(0, counters.clicksDay - applied.clicks);
  counters.winsDay = Math.max(0, counters.winsDay - 1);
  counters.lateWinTotalMicros -= applied.lateMicros;
}
