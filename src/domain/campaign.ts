/**
 * A campaign as every thread knows it: plain data, replaced whole when it changes, never edited in place.
 * `version` grows by one with each change; an older version never overwrites a newer one.
 */
import type { DayReset, ZoneChange } from './budget-day.ts';
import type { Micros } from './money.ts';

export const PACING_MODES = ['EVEN', 'ASAP', 'FRONT_LOADED', 'ADAPTIVE'] as const;
export type PacingMode = (typeof PACING_MODES)[number];

export const PACING_LEVERS = ['THROTTLE', 'BID'] as const;
export type PacingLever = (typeof PACING_LEVERS)[number];

export const CAMPAIGN_STATUSES = ['ACTIVE', 'PAUSED', 'ENDED', 'DELETED'] as const;
export type CampaignStatus = (typeof CAMPAIGN_STATUSES)[number];

/** Hours of the campaign's local day in which it may bid; a campaign without dayparts always may. */
export interface Daypart {
  /** 0 = Sunday … 6 = Saturday; absent = every day. */
  readonly dayOfWeek?: number;
  /** First hour, 0–23. */
  readonly startHour: number;
  /** Hour it ends before, 1–24, greater than `startHour`. */
  readonly endHour: number;
}

/** Weight of an hour of the local day in the target curve. */
export interface HourMultiplier {
  /** 0–23. */
  readonly hour: number;
  /** 0–100; 0 plans nothing for the hour, 1 is neutral. */
  readonly multiplier: number;
  /** 0 = Sunday … 6 = Saturday; absent = every day. An entry with a day wins over one without. */
  readonly dayOfWeek?: number;
}

export interface Campaign {
  readonly id: string;
  readonly name: string;
  readonly dailyBudgetMicros: Micros;
  /** Budget of the whole flight, or null for none. */
  readonly totalBudgetMicros: Micros | null;
  /** `YYYY-MM-DD` (from the local midnight that begins it) or an ISO 8601 instant; null = no bound. */
  readonly startDate: string | null;
  /** `YYYY-MM-DD` (to the local midnight that ends it) or an ISO 8601 instant; null = no bound. */
  readonly endDate: string | null;
  /** IANA zone in which the campaign's days begin and end. */
  readonly timezone: string;
  readonly pacingMode: PacingMode;
  readonly pacingLever: PacingLever;
  readonly status: CampaignStatus;
  /** Share of the daily budget at which the breaker trips, 0–1. */
  readonly breakerThreshold: number;
  readonly dayparts: readonly Daypart[] | null;
  readonly hourMultipliers: readonly HourMultiplier[] | null;
  /** Gate what is in flight by what is likely to be won instead of by all of it (confidence-gate.ts). */
  readonly confidenceGate: boolean;
  /** The last time its day's counters began anew, or null. */
  readonly dayReset: DayReset | null;
  /** The last change of zone that brought its local date back, or null. */
  readonly zoneChange: ZoneChange | null;
  /** Any JSON; kept and returned, never read by the pacer. */
  readonly targeting: unknown;
  /** Any JSON; kept and returned, never read by the pacer. */
  readonly creative: unknown;
  readonly version: number;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  /** ISO 8601, UTC. */
  readonly updatedAt: string;
}

/** What pacing goes by: all but what is only kept and returned. */
export type CampaignTerms = Omit<Campaign, 'name' | 'targeting' | 'creative' | 'updatedAt'>;

/** What is shown of a campaign beside its money. */
export type CampaignBrief = Pick<
  Campaign,
  | 'id'
  | 'name'
  | 'status'
  | 'pacingMode'
  | 'timezone'
  | 'dailyBudgetMicros'
  | 'totalBudgetMicros'
  | 'breakerThreshold'
  | 'version'
>;

export function briefOf(campaign: Campaign): CampaignBrief {
  const { id, name, status, pacingMode, timezone, dailyBudgetMicros, totalBudgetMicros } = campaign;
  const { breakerThreshold, version } = campaign;
  return {
    id,
    name,
    status,
    pacingMode,
    timezone,
    dailyBudgetMicros,
    totalBudgetMicros,
    breakerThreshold,
    version,
  };
}

export const CAMPAIGN_ID_LENGTH_MAX = 128;
export const ID_PATTERN = /^[A-Za-z0-9._:-]{1,128}$/;

/** Whether a value is an id as the contract allows it: 1–128 characters of `A-Z a-z 0-9 . _ : -`. */
export function isId(value: unknown): value is string {
  return typeof value === 'string' && ID_PATTERN.test(value);
}

/** What a bad id's error message says is accepted. */
export const ID_ACCEPTED = '1 to 128 characters of A-Z a-z 0-9 . _ : -';
