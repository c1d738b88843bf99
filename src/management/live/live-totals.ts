/** The pod in a few figures, as each live update carries them. */
import type { JsonObject } from '../request-body.ts';
import type { ShownSummary } from '../shown-status.ts';

export function liveTotals(summary: ShownSummary): JsonObject {
  return {
    qps: summary.decisions_per_second,
    throttled_per_second: summary.throttled_per_second,
    spend_cents: summary.total_spend_today_cents,
    active_campaigns: summary.active_campaigns,
    avg_pacing_accuracy: summary.avg_pacing_accuracy,
    total_circuit_trips: summary.total_circuit_trips,
    degraded: summary.degraded,
  };
}
