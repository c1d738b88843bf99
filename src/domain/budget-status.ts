/** The body of `GET /budget/status/{id}`: a campaign's money now, in the contract's fields. */
import { BREAKER_POSITIONS, CLOSED, TRIP_REASONS } from './breaker.ts';
import type { Clock } from './clock.ts';
import { centsFromMicros } from './money.ts';
import type { PacedCampaign } from './paced-campaign.ts';
import { targetAt } from './plan.ts';
import { projectDay } from './projection.ts';

const RATE_STEPS = 10_000;
const SHARE_STEPS = 100;

/** The status as the contract's JSON object. */
export function budgetStatus(paced: PacedCampaign, clock: Clock): Record<string, unknown> {
  const { breaker, campaign, counters, pace } = paced;
  const { dailyBudgetMicros, totalBudgetMicros } = campaign;
  const throttleRate = Math.round(pace.throttleRate * RATE_STEPS) / RATE_STEPS;
  const reserved = paced.reservations.totalMicros;
  const remaining = Math.max(0, paced.budgetMicros - paced.spentDayMicros - reserved);
  const pace100 = dailyBudgetMicros === 0 ? 0 : (100 * paced.spentDayMicros) / dailyBudgetMicros;
  const projection = projectDay(paced, clock);
  const exhaustionMs = projection?.exhaustionMs ?? null;
  return {
    campaign_id: campaign.id,
    daily_budget_cents: centsFromMicros(dailyBudgetMicros),
    daily_spent_cents: centsFromMicros(paced.spentDayMicros),
    hourly_spent_cents: centsFromMicros(
      Math.max(0, counters.spentHourMicros - counters.hourBeforeResetMicros) +
        (paced.fleet?.othersHourMicros ?? 0),
    ),
    total_budget_cents: totalBudgetMicros === null ? null : centsFromMicros(totalBudgetMicros),
    total_spent_cents: centsFromMicros(paced.spentTotalMicros),
    reserved_cents: centsFromMicros(reserved),
    remaining_cents: centsFromMicros(remaining),
    pace_percentage: Math.round(pace100 * SHARE_STEPS) / SHARE_STEPS,
    target_spent_cents: centsFromMicros(Math.round(targetAt(paced.plan, clock.wallMs))),
    should_throttle: throttleRate > 0,
    throttle_rate: throttleRate,
    circuit_breaker_open: breaker.position !== CLOSED,
    circuit_breaker_state: BREAKER_POSITIONS[breaker.position],
    circuit_breaker_reason: breaker.position === CLOSED ? null : (TRIP_REASONS[breaker.reason] ?? null),
    pacing_mode: campaign.pacingMode,
    status: campaign.status,
    timezone: campaign.timezone,
    local_day: paced.day.date,
    degraded: paced.degraded,
    projected_spend_cents: projection === null ? null : centsFromMicros(projection.spendMicros),
    projected_exhaustion_at: exhaustionMs === null ? null : new Date(exhaustionMs).toISOString(),
  };
}
