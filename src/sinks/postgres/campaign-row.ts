/** A row of the campaigns table, and the campaign it holds. */

import type { DayReset, ZoneChange } from '../../domain/budget-day.ts';
import type {
  Campaign,
  CampaignStatus,
  Daypart,
  HourMultiplier,
  PacingLever,
  PacingMode,
} from '../../domain/campaign.ts';
import { micros } from '../../domain/money.ts';

export interface CampaignRow {
  id: string;
  name: string;
  daily_budget_micros: number;
  total_budget_micros: number | null;
  start_date: string | null;
  end_date: string | null;
  timezone: string;
  pacing_mode: PacingMode;
  pacing_lever: PacingLever;
  status: CampaignStatus;
  breaker_threshold: number;
  confidence_gate: boolean;
  day_reset: DayReset | null;
  zone_change: ZoneChange | null;
  dayparts: Daypart[] | null;
  hour_multipliers: HourMultiplier[] | null;
  targeting: unknown;
  creative: unknown;
  version: number;
  created_at: Date;
  updated_at: Date;
}

export function campaignOf(row: CampaignRow): Campaign {
  return {
    id: row.id,
    name: row.name,
    dailyBudgetMicros: micros(row.daily_budget_micros),
    totalBudgetMicros: row.total_budget_micros === null ? null : micros(row.total_budget_micros),
    startDate: row.start_date,
    endDate: row.end_date,
    timezone: row.timezone,
    pacingMode: row.pacing_mode,
    pacingLever: row.pacing_lever,
    status: row.status,
    breakerThreshold: row.breaker_threshold,
    confidenceGate: row.confidence_gate,
    dayReset: row.day_reset,
    zoneChange: row.zone_change,
    dayparts: row.dayparts,
    hourMultipliers: row.hour_multipliers,
    targeting: row.targeting,
    creative: row.creative,
    version: row.version,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}

/** JSON text for a column, or null: cast from text in the statement, so that no driver reshapes it. */
export function jsonText(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value);
}
