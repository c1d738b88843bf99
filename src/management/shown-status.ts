/** The bodies that shared memory and the shards make, as zod schemas: a budget's status, health, the summary. */
import { z } from 'zod';
import { TRIP_REASONS } from '../domain/breaker.ts';
import { CAMPAIGN_STATUSES, PACING_MODES } from '../domain/campaign.ts';
import { EXAMPLE_ID } from './examples.ts';
import { id } from './field-rules.ts';
import { shownBreaker, shownCents, shownCount, shownDate, shownRatio, shownTime } from './shown-fields.ts';

/** Every term of the controller, docs/pacing.md has the equations. */
const shownExplanation = z
  .looseObject({
    gate: z.string(),
    because: z.string().describe('One sentence that puts the terms together.'),
  })
  .meta({
    id: 'Explanation',
    description: 'Why decisions are what they are right now; for people, fields may change.',
  });

export const shownBudgetStatus = z
  .strictObject({
    campaign_id: id,
    daily_budget_cents: shownCents,
    daily_spent_cents: shownCents,
    hourly_spent_cents: shownCents.describe('Of the running hour of the local day.'),
    total_budget_cents: shownCents.nullable(),
    total_spent_cents: shownCents,
    reserved_cents: shownCents.describe('Held by bids in flight.'),
    remaining_cents: shownCents,
    pace_percentage: z.number().min(0).describe('Spent as a percentage of the daily budget.'),
    target_spent_cents: shownCents.describe('What the plan wants by now.'),
    should_throttle: z.boolean(),
    throttle_rate: shownRatio.describe('The probability with which bids are being held back right now.'),
    circuit_breaker_open: z.boolean(),
    circuit_breaker_state: shownBreaker,
    circuit_breaker_reason: z.enum(TRIP_REASONS).nullable(),
    pacing_mode: z.enum(PACING_MODES),
    status: z.enum(CAMPAIGN_STATUSES),
    timezone: z.string(),
    local_day: shownDate,
    degraded: z.boolean(),
    projected_spend_cents: shownCents
      .nullable()
      .describe('At the end of the day; null while there is too little to say.'),
    projected_exhaustion_at: shownTime.nullable().describe('null when the budget lasts the day.'),
    explain: shownExplanation.optional().describe('Only with `?explain=true`.'),
  })
  .meta({ id: 'BudgetStatus' });

export const BUDGET_STATUS_EXAMPLE: z.output<typeof shownBudgetStatus> = {
  campaign_id: EXAMPLE_ID,
  daily_budget_cents: 100_000,
  daily_spent_cents: 41_250.5,
  hourly_spent_cents: 3_100,
  total_budget_cents: null,
  total_spent_cents: 541_250.5,
  reserved_cents: 450,
  remaining_cents: 58_299.5,
  pace_percentage: 41.25,
  target_spent_cents: 41_666.6667,
  should_throttle: true,
  throttle_rate: 0.35,
  circuit_breaker_open: false,
  circuit_breaker_state: 'CLOSED',
  circuit_breaker_reason: null,
  pacing_mode: 'EVEN',
  status: 'ACTIVE',
  timezone: 'America/New_York',
  local_day: '2026-03-01',
  degraded: false,
  projected_spend_cents: 100_000,
  projected_exhaustion_at: null,
};

export const shownHealth = z
  .strictObject({
    status: z
      .enum(['healthy', 'degraded', 'unhealthy'])
      .describe('degraded: Postgres or Redis does not answer; decisions and spend go on.'),
    redis_healthy: z.boolean().nullable().describe('null when none is configured.'),
    postgres_healthy: z.boolean(),
    ledger_healthy: z.boolean(),
    degraded_since: shownTime.nullable(),
    pending_flush: shownCount.describe('Campaigns that the ledger, Redis or Postgres is behind with.'),
    campaigns: shownCount,
    uptime_seconds: shownCount,
    version: z.string(),
  })
  .meta({ id: 'Health' });

export const HEALTH_EXAMPLE: z.output<typeof shownHealth> = {
  status: 'healthy',
  redis_healthy: null,
  postgres_healthy: true,
  ledger_healthy: true,
  degraded_since: null,
  pending_flush: 0,
  campaigns: 3,
  uptime_seconds: 12,
  version: '0.1.0',
};

export const shownSummary = z
  .strictObject({
    active_campaigns: shownCount,
    total_spend_today_cents: shownCents.describe('Each campaign’s of its own local day.'),
    avg_pacing_accuracy: shownRatio.nullable().describe('null while nothing was planned or spent.'),
    total_circuit_trips: shownCount.describe('Since this pod started.'),
    decisions_per_second: z.number().min(0),
    throttled_per_second: z.number().min(0),
    degraded: z.boolean(),
  })
  .meta({
    id: 'MetricsSummary',
    description: 'Of this pod’s table and traffic; rates are of the last seconds.',
  });

export type ShownSummary = z.output<typeof shownSummary>;

export const SUMMARY_EXAMPLE: ShownSummary = {
  active_campaigns: 3,
  total_spend_today_cents: 123_456.7,
  avg_pacing_accuracy: 0.97,
  total_circuit_trips: 1,
  decisions_per_second: 5_120.4,
  throttled_per_second: 901.1,
  degraded: false,
};
