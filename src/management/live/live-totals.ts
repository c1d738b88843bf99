/** The pod in a few figures, as each live update carries them. */
import type { DecisionFigures } from '../metrics-summary.ts';
import type { JsonObject } from '../request-body.ts';
import type { ShownSummary } from '../shown-status.ts';

export function liveTotals(summary: ShownSummary, decisions: DecisionFigures): JsonObject {
  return {
    qps: summary.decisions_per_second,
    throttled_per_second: summary.throttled_per_second,
    allowed_per_second: decisions.allowedPerSecond,
    decision_p50_ms: decisions.p50Ms,
    decision_p99_ms: decisions.p99Ms,
    spend: summary.total_spend_today_cents,
    active_campaigns: summary.active_campaigns,
    avg_pacing_accuracy: summary.avg_pacing_accuracy,
    total_circuit_trips: summary.total_circuit_trips,
    degraded: summary.degraded,
  };
}
