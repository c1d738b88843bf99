/**
 * What a daily budget is spent over: a campaign's local day or, once its counters were reset, what is left of it. Each
 * has a name of its own, so that pods which have not heard of a reset yet still count on the day before it, as
 * pods do whose clock is not yet past midnight. Names are in the order of time, also when a change of zone brings the
 * local date back: the day it met then goes on, and those that follow on a date that had begun before it are named after
 * the change.
 */
import type { Campaign } from './campaign.ts';
import { type LocalDay, localDayAt } from './local-day.ts';

/** The last reset of a campaign's counters. */
export interface DayReset {
  /** The local day that it was in, `YYYY-MM-DD`. */
  readonly date: string;
  /** Resets in that day, this one included. */
  readonly count: number;
  /** ISO 8601, UTC. */
  readonly at: string;
}

/** The last change of zone that brought a campaign's local date back. */
export interface ZoneChange {
  /** The latest local date that had begun, `YYYY-MM-DD`. */
  readonly from: string;
  /** The local date in the new zone. */
  readonly to: string;
  /** Such changes of this `from`, this one included. */
  readonly count: number;
  /** The budget day that it met, which goes on until `to` is over. */
  readonly day: string;
  /** When that day began, ISO 8601, UTC. */
  readonly since: string;
}

const COUNT_DIGITS = 4;

type Named = Pick<Campaign, 'dayReset' | 'zoneChange'>;

/** Resets of the campaign in a local day. */
export function resetsOn({ dayReset }: Pick<Campaign, 'dayReset'>, date: string): number {
  return dayReset?.date === date ? dayReset.count : 0;
}

/**
 * The name of the budget day in force on a local day: `YYYY-MM-DD`, `YYYY-MM-DD.0001` after a reset, and
 * `YYYY-MM-DD~0001~YYYY-MM-DD` on a date that came back.
 */
export function budgetDay(campaign: Named, date: string): string {
  const { zoneChange } = campaign;
  const resets = resetsOn(campaign, date);
  const named = resets === 0 ? date : `${date}.${counted(resets)}`;
  if (zoneChange === null || date > zoneChange.from) return named;
  if (goesOn(campaign, date)) return zoneChange.day;
  return `${zoneChange.from}~${counted(zoneChange.count)}~${named}`;
}

/** Whether a budget day began with a reset. */
export function isRestOfDay(name: string): boolean {
  return name.includes('.');
}

/** When the count of the budget day began that is in force on a local day, ms since the epoch. */
export function budgetDayStartMs(campaign: Named, day: LocalDay): number {
  const { dayReset, zoneChange } = campaign;
  if (dayReset !== null && resetsOn(campaign, day.date) > 0) return Date.parse(dayReset.at);
  if (zoneChange !== null && goesOn(campaign, day.date)) return Date.parse(zoneChange.since);
  return day.startMs;
}

/** What else changes of a campaign with its zone: nothing where its local date goes on. */
export function movedDay(
  campaign: Pick<Campaign, 'timezone' | 'dayReset' | 'zoneChange'>,
  timezone: string,
  nowMs: number,
): Partial<Named> {
  const day = localDayAt(campaign.timezone, nowMs);
  const { date: to } = localDayAt(timezone, nowMs);
  const { zoneChange: last } = campaign;
  const again = last !== null && day.date <= last.from;
  const from = again ? last.from : day.date;
  if (to === day.date || to > from) return {};
  const since = new Date(budgetDayStartMs(campaign, day)).toISOString();
  const count = again ? last.count + 1 : 1;
  return { dayReset: null, zoneChange: { from, to, count, day: budgetDay(campaign, day.date), since } };
}

/** Whether, on a local day, the budget day goes on that the change of zone met. */
function goesOn(campaign: Named, date: string): boolean {
  return campaign.zoneChange !== null && date <= campaign.zoneChange.to && resetsOn(campaign, date) === 0;
}

function counted(count: number): string {
  return String(count).padStart(COUNT_DIGITS, '0');
}
