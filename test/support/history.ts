/** Rows of the history for tests, with the fields given changed. */
import type { Alert, BreakerEvent, HourTotals, PlannedHour } from '../../src/sinks/postgres/history-rows.ts';

export const HOUR_START_MS = Date.parse('2026-03-01T09:00:00Z');

export function someHour(changes: Partial<HourTotals> = {}): HourTotals {
  return {
    campaignId: 'camp-001',
    hourStartMs: HOUR_START_MS,
    source: 'pod-a',
    localDate: '2026-03-01',
    localHour: 9,
    spendMicros: 1_500_000,
    impressions: 10,
    clicks: 2,
    wins: 10,
    asks: 400,
    allowed: 40,
    ...changes,
  };
}

export function somePlan(changes: Partial<PlannedHour> = {}): PlannedHour {
  return {
    campaignId: 'camp-001',
    hourStartMs: HOUR_START_MS,
    localDate: '2026-03-01',
    localHour: 9,
    plannedMicros: 2_000_000,
    budgetMicros: 48_000_000,
    pacingMode: 'EVEN',
    campaignVersion: 1,
    plannedAtMs: HOUR_START_MS,
    ...changes,
  };
}

export function someBreakerEvent(changes: Partial<BreakerEvent> = {}): BreakerEvent {
  return {
    campaignId: 'camp-001',
    source: 'pod-a',
    atMs: HOUR_START_MS + 1,
    from: 'CLOSED',
    to: 'OPEN',
    reason: 'threshold',
    ...changes,
  };
}

export function someAlert(changes: Partial<Alert> = {}): Alert {
  return {
    dedupeKey: 'breaker:camp-001:2026-03-01',
    campaignId: 'camp-001',
    alertType: 'circuit_breaker',
    severity: 'critical',
    thresholdPercentage: 95,
    message: 'camp-001 has spent 95% of its daily budget',
    circuitBreakerState: 'OPEN',
    createdAtMs: HOUR_START_MS,
    resolvedAtMs: null,
    ...changes,
  };
}
