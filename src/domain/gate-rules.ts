/** Whether a campaign may bid at all right now: the first of these that denies gives its reason. */

import { type BreakerState, HALF_OPEN, OPEN } from './breaker.ts';
import type { CampaignTerms } from './campaign.ts';
import { isInDaypart } from './curve.ts';
import type { FlightBounds } from './flight.ts';
import {
  GATE_HALF_OPEN,
  GATE_OPEN,
  GATE_VACANT,
  REASON_BREAKER_OPEN,
  REASON_BUDGET_EXHAUSTED,
  REASON_OUTSIDE_DAYPART,
  REASON_OUTSIDE_FLIGHT,
  REASON_PAUSED,
  REASON_TOTAL_BUDGET_EXHAUSTED,
} from './gate.ts';
import { type LocalDay, localHourAt } from './local-day.ts';

/** Whether a gate word lets any bid through. */
export function isOpen(gate: number): boolean {
  return gate === GATE_OPEN || gate === GATE_HALF_OPEN;
}

/** The gate by status, flight and dayparts: what only time and changes of the campaign move. */
export function scheduleGate(
  campaign: CampaignTerms,
  flight: FlightBounds,
  day: LocalDay,
  wallMs: number,
): number {
  if (campaign.status === 'DELETED') return GATE_VACANT;
  if (campaign.status === 'PAUSED') return REASON_PAUSED;
  if (campaign.status === 'ENDED') return REASON_OUTSIDE_FLIGHT;
  if (wallMs < flight.startMs || wallMs >= flight.endMs) return REASON_OUTSIDE_FLIGHT;
  const { dayparts } = campaign;
  const allowed = dayparts === null || isInDaypart(dayparts, day.dayOfWeek, localHourAt(day, wallMs));
  return allowed ? GATE_OPEN : REASON_OUTSIDE_DAYPART;
}

/** What a campaign has spent, micros. */
export interface Spent {
  readonly spentDayMicros: number;
  readonly spentTotalMicros: number;
}

/** The gate by budget and breaker, for a campaign whose schedule is open. */
export function budgetGate(campaign: CampaignTerms, spent: Spent, breaker: BreakerState): number {
  const { dailyBudgetMicros, totalBudgetMicros } = campaign;
  if (totalBudgetMicros !== null && spent.spentTotalMicros >= totalBudgetMicros) {
    return REASON_TOTAL_BUDGET_EXHAUSTED;
  }
  if (spent.spentDayMicros >= dailyBudgetMicros) return REASON_BUDGET_EXHAUSTED;
  if (breaker.position === OPEN) return REASON_BREAKER_OPEN;
  return breaker.position === HALF_OPEN ? GATE_HALF_OPEN : GATE_OPEN;
}
