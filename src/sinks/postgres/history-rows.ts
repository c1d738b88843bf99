/** What a pod writes to the history, and what it asks of it. Times in ms since the epoch, money in micros. */
import type { BREAKER_POSITIONS } from '../../domain/breaker.ts';
import type { PacingMode } from '../../domain/campaign.ts';

export type BreakerName = (typeof BREAKER_POSITIONS)[number];

/** An hour of a campaign's local day; two have the same date and hour where clocks are set back. */
export interface LocalHour {
  readonly campaignId: string;
  readonly hourStartMs: number;
  /** `YYYY-MM-DD`. */
  readonly localDate: string;
  /** 0–23. */
  readonly localHour: number;
}

/** What a source has counted of a campaign's local hour so far: absolute, it only grows. */
export interface HourTotals extends LocalHour {
  /**
   * Who counted. It belongs to one ledger: whoever starts with an empty one counts from 0 and must take
   * another name, or what it counts is not seen until it has passed what the old one had counted.
   */
  readonly source: string;
  readonly spendMicros: number;
  readonly impressions: number;
  readonly clicks: number;
  readonly wins: number;
  readonly asks: number;
  readonly allowed: number;
}

/** What the plan wants to be spent in a local hour. */
export interface PlannedHour extends LocalHour {
  /** What the target grows by within the hour, rounded. */
  readonly plannedMicros: number;
  /** The day's effective budget that the plan spreads. */
  readonly budgetMicros: number;
  readonly pacingMode: PacingMode;
  /** The version of the campaign that was planned for. */
  readonly campaignVersion: number;
  /** When the plan was made. */
  readonly plannedAtMs: number;
}

/** One move of a campaign's breaker on one pod. */
export interface BreakerEvent {
  readonly campaignId: string;
  readonly source: string;
  readonly atMs: number;
  readonly from: BreakerName;
  readonly to: BreakerName;
  readonly reason: string;
}

export interface Alert {
  /** What the alert is about, such as type, campaign, day and budget: the same is kept once. */
  readonly dedupeKey: string;
  /** null when it concerns a pod. */
  readonly campaignId: string | null;
  readonly alertType: string;
  readonly severity: 'info' | 'warning' | 'critical';
  readonly thresholdPercentage: number | null;
  readonly message: string;
  readonly circuitBreakerState: BreakerName | null;
  readonly createdAtMs: number;
  /** null while it stands; an alert that is written again with a time is resolved by that. */
  readonly resolvedAtMs: number | null;
}

/** Unresolved alerts of a campaign, or null of a pod, whose key begins so and that were raised by then are over. */
export interface AlertResolution {
  readonly campaignId: string | null;
  readonly keyPrefix: string;
  readonly resolvedAtMs: number;
}

/** A campaign, with the day and the hour that are running there: the database does not tell the time. */
export interface SpendQuestion {
  readonly campaignId: string;
  /** Hours from here on count as spent of the day. */
  readonly countedFromMs: number;
  readonly hourStartMs: number;
}

/** What one source has spent of a campaign's budgets, as far as the history knows. */
export interface SourceSpend {
  readonly campaignId: string;
  readonly source: string;
  readonly totalMicros: number;
  readonly dayMicros: number;
  readonly hourMicros: number;
}
