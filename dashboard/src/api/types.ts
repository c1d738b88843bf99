/** What the management API answers, as it stands on the wire: money in cents, times in ISO 8601. */
import type { CampaignStatus, PacingLever, PacingMode } from '../../../src/domain/campaign.ts';

export type { CampaignStatus, PacingLever, PacingMode };

export interface WireDaypart {
  readonly day_of_week?: number;
  readonly start_hour: number;
  readonly end_hour: number;
}

export interface Campaign {
  readonly id: string;
  readonly name: string;
  readonly daily_budget_cents: number;
  readonly total_budget_cents: number | null;
  readonly start_date: string | null;
  readonly end_date: string | null;
  readonly timezone: string;
  readonly pacing_mode: PacingMode;
  readonly pacing_lever: PacingLever;
  readonly status: CampaignStatus;
  readonly breaker_threshold: number;
  readonly confidence_gate: boolean;
  readonly dayparts: readonly WireDaypart[] | null;
  readonly targeting: unknown;
  readonly creative: unknown;
  readonly version: number;
  readonly created_at: string;
  readonly updated_at: string;
}

export type BreakerState = 'CLOSED' | 'OPEN' | 'HALF_OPEN';

export interface BudgetStatus {
  readonly campaign_id: string;
  readonly daily_budget_cents: number;
  readonly daily_spent_cents: number;
  readonly hourly_spent_cents: number;
  readonly total_budget_cents: number | null;
  readonly total_spent_cents: number;
  readonly reserved_cents: number;
  readonly remaining_cents: number;
  readonly pace_percentage: number;
  readonly target_spent_cents: number;
  readonly throttle_rate: number;
  readonly circuit_breaker_state: BreakerState;
  readonly circuit_breaker_reason: string | null;
  readonly pacing_mode: PacingMode;
  readonly status: CampaignStatus;
  readonly timezone: string;
  readonly local_day: string;
  readonly degraded: boolean;
  readonly projected_spend_cents: number | null;
  readonly projected_exhaustion_at: string | null;
}

/** The controller's terms, as `?explain=true` gives them. */
export interface Explanation {
  readonly gate: string;
  readonly because: string;
  readonly budget_cents: number;
  readonly spent_cents: number;
  readonly reserved_cents: number;
  readonly free_cents: number;
  readonly effective_spent_cents: number;
  readonly target_cents: number;
  readonly target_cents_per_second: number;
  readonly wanted_spend_cents_per_second: number;
  readonly spend_per_allowed: number;
  readonly allow_cents_per_second: number;
  readonly asked_cents_per_second: number;
  readonly mean_bid_cents: number;
  readonly mean_win_cents: number;
  readonly notice_delay_seconds: number;
  readonly pass_probability: number;
  readonly throttle_rate: number;
  readonly bid_cap_cents: number | null;
  readonly breaker_guarded: boolean;
  /** Where the day ends, with the range that four days in five end in; null while too little is known. */
  readonly projection: {
    readonly spend_cents: number;
    readonly low_cents: number;
    readonly high_cents: number;
  } | null;
}

export interface Alert {
  readonly id: number;
  readonly campaign_id: string | null;
  readonly alert_type: string;
  readonly severity: 'info' | 'warning' | 'critical';
  readonly threshold_percentage: number | null;
  readonly message: string;
  readonly circuit_breaker_state: BreakerState | null;
  readonly created_at: string;
  readonly resolved_at: string | null;
}

export interface PerformanceRow {
  readonly date: string;
  readonly hour: number;
  readonly planned_spend_cents: number;
  readonly actual_spend_cents: number;
  readonly pacing_accuracy: number | null;
  readonly impressions: number;
  readonly clicks: number;
}

/** Bids of some minutes, of all pods. */
export interface TrafficSlot {
  readonly start: string;
  readonly seconds: number;
  readonly asks: number;
  readonly allowed: number;
  readonly throttle_rate: number;
  /** Of the local day, by the end of the slot. */
  readonly spent_cents: number;
}

export interface AuditEntry {
  readonly id: number;
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly campaign_id: string;
  readonly version: number;
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
  readonly reason: string | null;
}

export interface HourConfig {
  readonly hour: number;
  readonly multiplier: number;
  readonly day_of_week?: number;
}

export interface Summary {
  readonly active_campaigns: number;
  readonly total_spend_today_cents: number;
  readonly avg_pacing_accuracy: number | null;
  readonly total_circuit_trips: number;
  readonly decisions_per_second: number;
  readonly throttled_per_second: number;
  readonly degraded: boolean;
}

export interface TrafficShape {
  readonly source: 'learned' | 'fleet' | 'default';
  readonly shape: readonly { readonly day_of_week: number; readonly hours: readonly number[] }[];
}
