/** What a paced campaign is given, what is kept of it over a restart, and what its ticks take in and leave. */
import type { BreakerState } from './breaker.ts';
import type { PacingMode } from './campaign.ts';
import type { BreakerSettings } from './campaign-breaker.ts';
import type { ControllerMemory } from './controller-memory.ts';
import type { Counters } from './counters.ts';
import type { CurveCache } from './curve-cache.ts';
import type { TrafficHistory } from './day-traffic.ts';

export interface PacingSettings extends BreakerSettings {
  readonly reservationTtlMs: number;
  readonly curves: CurveCache;
  /** Null where nothing is learned. */
  readonly history: TrafficHistory | null;
  /** The fleet that shares the budgets, or null for a pod of its own. */
  readonly fleet: FleetConditions | null;
  /** An hour of a campaign is over, or goes on and is to be told so far. */
  readonly hourEnded: (hour: HourRecord) => void;
}

/** What holds for the whole pod at the moment; changed by its owner, read at each tick. */
export interface FleetConditions {
  /** Whether Redis answers. */
  connected: boolean;
  /** The throttle rate is at least this: 0, or more while Redis cannot be reached. */
  throttleFloor: number;
  /** A win was reported here for a bid that another pod may have allowed. */
  readonly wonElsewhere: (campaignId: string, bidId: string) => void;
}

/** What others had spent of a campaign before this pod knew it; micros. */
export interface EarlierSpend {
  /** The local day that `dayMicros` is of, `YYYY-MM-DD`. */
  readonly date: string;
  readonly dayMicros: number;
  readonly totalMicros: number;
}

/** What is known of a campaign before its first day; NaN when unknown. */
export interface Prior {
  readonly spendPerAllowed: number;
  /** What a day's traffic could spend, unthrottled, micros. */
  readonly potentialMicros: number;
}

export const NOTHING_KNOWN: Prior = { spendPerAllowed: Number.NaN, potentialMicros: Number.NaN };

/** One local hour of a campaign on this pod, for the history. */
export interface HourRecord {
  readonly campaignId: string;
  readonly hourStartMs: number;
  /** `YYYY-MM-DD`. */
  readonly localDate: string;
  /** 0–23. */
  readonly localHour: number;
  readonly spendMicros: number;
  readonly impressions: number;
  readonly clicks: number;
  readonly wins: number;
  readonly asks: number;
  /** Bids allowed. */
  readonly allowed: number;
  /** What the plan wanted to be spent in the hour by the whole fleet, and the day's budget that it was made of. */
  readonly plannedMicros: number;
  readonly budgetMicros: number;
  readonly pacingMode: PacingMode;
  readonly campaignVersion: number;
  readonly atMs: number;
}

/** What is kept of a paced campaign over a restart; amounts in micros, times in ms since the epoch. */
export interface CampaignRecord {
  readonly counters: Counters;
  /** At least what may be in flight. */
  readonly outstandingMicros: number;
  readonly planAnchorMs: number;
  readonly planAnchorMicros: number;
  readonly planBudgetMicros: number;
  readonly breaker: BreakerState;
  readonly memory: ControllerMemory;
}

/** What the last tick came to, for status and metrics. */
export interface Pace {
  passProbability: number;
  /** The share of bids that is held back, 0–1. */
  throttleRate: number;
}

/** Before the first tick everything passes. */
export const NEW_PACE: Readonly<Pace> = { passProbability: 1, throttleRate: 0 };

/** What edges, or whoever decides, were asked for since the last tick. */
export interface AskCounts {
  asks: number;
  askedMicros: number;
  /** Bids allowed. */
  allowed: number;
  /** The largest bid ever asked for, before a bid cap. */
  largestMicros: number;
}
