/**
 * What a decision can come to: one code list for the gate word, the reply's `reason` and the counters.
 * A gate code other than OPEN and HALF_OPEN is the reason with which every bid is denied.
 */

export const GATE_VACANT = 0;
export const GATE_OPEN = 1;
export const GATE_HALF_OPEN = 2;

export const REASONS = [
  'campaign_not_found',
  'within_budget',
  'probe',
  'campaign_paused',
  'outside_flight',
  'outside_daypart',
  'circuit_breaker_open',
  'budget_exhausted',
  'total_budget_exhausted',
  'budget_reserved',
  'throttled',
] as const;

export const REASON_NOT_FOUND = 0;
export const REASON_WITHIN_BUDGET = 1;
export const REASON_PROBE = 2;
export const REASON_PAUSED = 3;
export const REASON_OUTSIDE_FLIGHT = 4;
export const REASON_OUTSIDE_DAYPART = 5;
export const REASON_BREAKER_OPEN = 6;
export const REASON_BUDGET_EXHAUSTED = 7;
export const REASON_TOTAL_BUDGET_EXHAUSTED = 8;
export const REASON_BUDGET_RESERVED = 9;
export const REASON_THROTTLED = 10;

/** Whether a reason is one with which a bid was allowed. */
export function isAllowed(reason: number): boolean {
  return reason === REASON_WITHIN_BUDGET || reason === REASON_PROBE;
}
