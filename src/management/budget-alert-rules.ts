/**
 * When a campaign's spend is worth an alert: at 50, 80, 90, 95 and 100 percent of its daily budget. Pure: what
 * stands and what is spent are arguments.
 */
import { centsFromMicros, MICROS_PER_CENT } from '../domain/money.ts';
import type { Alert } from '../sinks/postgres/history-rows.ts';

export const BUDGET_ALERT = 'budget_threshold';

/** Percent of the daily budget, ascending. */
export const THRESHOLDS = [50, 80, 90, 95, 100] as const;

const SEVERITY: Readonly<Record<(typeof THRESHOLDS)[number], Alert['severity']>> = {
  50: 'info',
  80: 'warning',
  90: 'warning',
  95: 'critical',
  100: 'critical',
};
const CENTS_A_DOLLAR = 100;

/** What is known of a campaign at a moment; money in micros. */
export interface DaySpend {
  readonly campaignId: string;
  /** Its local day, `YYYY-MM-DD`. */
  readonly day: string;
  readonly spentMicros: number;
  readonly budgetMicros: number;
  /** Spent in all before the day's counters began: a reset within the day is a count of its own. */
  readonly spentBeforeMicros: number;
  readonly breaker: Alert['circuitBreakerState'];
}

/** The highest threshold that spend has reached, percent; 0 below the first, and while there is no budget. */
export function levelOf(spentMicros: number, budgetMicros: number): number {
  if (!(budgetMicros > 0)) return 0;
  let level = 0;
  for (const threshold of THRESHOLDS) if (100 * spentMicros >= threshold * budgetMicros) level = threshold;
  return level;
}

/** The alerts of the thresholds above one that were reached, up to the spend. */
export function alertsAbove(told: number, spend: DaySpend, nowMs: number): Alert[] {
  const level = levelOf(spend.spentMicros, spend.budgetMicros);
  return THRESHOLDS.filter((threshold) => threshold > told && threshold <= level).map((threshold) => ({
    dedupeKey: `${dayKey(spend)}${spend.budgetMicros}:${spend.spentBeforeMicros}:${threshold}`,
    campaignId: spend.campaignId,
    alertType: BUDGET_ALERT,
    severity: SEVERITY[threshold],
    thresholdPercentage: threshold,
    message: `${spend.campaignId} has spent ${threshold}% of its daily budget of ${dollars(spend.budgetMicros)} on ${spend.day}`,
    circuitBreakerState: spend.breaker,
    createdAtMs: nowMs,
    resolvedAtMs: null,
  }));
}

/** Whether a standing alert still says what is: of the campaign's present day, and of a share that is spent. */
export function stillHolds(
  alert: { readonly dedupeKey: string; readonly thresholdPercentage: number },
  spend: DaySpend,
): boolean {
  const level = levelOf(spend.spentMicros, spend.budgetMicros);
  return alert.dedupeKey.startsWith(dayKey(spend)) && alert.thresholdPercentage <= level;
}

function dayKey({ campaignId, day }: DaySpend): string {
  return `${BUDGET_ALERT}:${campaignId}:${day}:`;
}

/** An amount for people. */
export function dollars(amountMicros: number): string {
  const cents = centsFromMicros(amountMicros);
  const places = amountMicros % MICROS_PER_CENT === 0 ? 2 : 6;
  return `$${(cents / CENTS_A_DOLLAR).toFixed(places)}`;
}
