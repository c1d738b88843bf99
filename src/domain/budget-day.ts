/**
 * What a daily budget is spent over: a campaign's local day or, once its counters were reset, what is left of it. Each
 * has a name of its own, so that pods which have not heard of a reset yet still count on the day before it, as
 * pods do whose clock is not yet past midnight.
 */
import type { Campaign } from './campaign.ts';

/** The last reset of a campaign's counters. */
export interface DayReset {
  /** The local day that it was in, `YYYY-MM-DD`. */
  readonly date: string;
  /** Resets in that day, this one included. */
  readonly count: number;
  /** ISO 8601, UTC. */
  readonly at: string;
}

const RESET_DIGITS = 4;

type Resettable = Pick<Campaign, 'dayReset'>;

/** Resets of the campaign in a local day. */
export function resetsOn({ dayReset }: Resettable, date: string): number {
  return dayReset?.date === date ? dayReset.count : 0;
}

/** The name of the budget day in force on a local day, `YYYY-MM-DD` or `YYYY-MM-DD.0001`: in the order of time. */
export function budgetDay(campaign: Resettable, date: string): string {
  const resets = resetsOn(campaign, date);
  return resets === 0 ? date : `${date}.${String(resets).padStart(RESET_DIGITS, '0')}`;
}
