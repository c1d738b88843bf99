/**
 * The alerts that a shard raises: what happened, said once. They go to Postgres through the ledger's outbox, so
 * that a pod that dies, or a database that is away, loses none.
 */
import { BREAKER_POSITIONS, type BreakerTransition } from '../domain/breaker.ts';
import type { CampaignTerms } from '../domain/campaign.ts';
import type { Alert, AlertResolution } from '../sinks/postgres/history-rows.ts';

/** Reasons that come from the fleet's totals: every pod sees them, and they are one alert. */
const SEEN_BY_ALL: ReadonlySet<string> = new Set(['threshold', 'budget_spent']);

/** The pod's Redis is away since then, ms since the epoch. */
export function redisLost(nodeId: string, source: string, sinceMs: number): Alert {
  return {
    dedupeKey: `redis_lost:${source}:${sinceMs}`,
    campaignId: null,
    alertType: 'redis_lost',
    severity: 'critical',
    thresholdPercentage: null,
    message: `pod ${nodeId} cannot reach Redis: it goes on with the leases it has, and bids less`,
    circuitBreakerState: null,
    createdAtMs: sinceMs,
    resolvedAtMs: null,
  };
}

/** The pod has its Redis: whatever it said of missing it is over, also before a restart. */
export function redisFound(source: string, atMs: number): AlertResolution {
  return { campaignId: null, keyPrefix: `redis_lost:${source}:`, resolvedAtMs: atMs };
}

/** The pod has its Redis again: for the record, nothing is left to do. */
export function redisRecovered(nodeId: string, source: string, sinceMs: number, atMs: number): Alert {
  const seconds = Math.max(0, Math.round((atMs - sinceMs) / 1000));
  return {
    dedupeKey: `redis_recovered:${source}:${sinceMs}`,
    campaignId: null,
    alertType: 'redis_recovered',
    severity: 'info',
    thresholdPercentage: null,
    message: `pod ${nodeId} reaches Redis again, after ${seconds} s, and has told it what was spent meanwhile`,
    circuitBreakerState: null,
    createdAtMs: atMs,
    resolvedAtMs: atMs,
  };
}

/**
 * A closed breaker opened.
 * @param budget of what day and how large, for a trip that all pods see
 */
export function breakerTripped(
  campaign: CampaignTerms,
  transition: BreakerTransition,
  source: string,
  budget: string,
): Alert {
  const { reason, atMs, to } = transition;
  const shared = SEEN_BY_ALL.has(reason);
  return {
    dedupeKey: `${keyPrefix(campaign.id, shared ? '' : source)}${reason}:${shared ? budget : atMs}`,
    campaignId: campaign.id,
    // What ran away is worth a type of its own: it is not the budget that was reached.
    alertType: reason === 'velocity' ? 'velocity_anomaly' : 'circuit_breaker',
    severity: shared ? 'warning' : 'critical',
    thresholdPercentage: Math.round(campaign.breakerThreshold * 10_000) / 100,
    message: `the circuit breaker of ${campaign.id} opened: ${MEANING[reason] ?? reason}`,
    circuitBreakerState: BREAKER_POSITIONS[to],
    createdAtMs: atMs,
    resolvedAtMs: null,
  };
}

/** A breaker closed: what this pod, or all of them, said of its opening is over. */
export function breakerClosed(campaignId: string, atMs: number, source: string): AlertResolution[] {
  return ['', source].map((who) => ({
    campaignId,
    keyPrefix: keyPrefix(campaignId, who),
    resolvedAtMs: atMs,
  }));
}

const MEANING: Readonly<Record<string, string>> = {
  threshold: 'the day has spent as much of its budget as breaker_threshold allows',
  budget_spent: 'all of the budget is spent',
  breach: 'a spend was not covered by what was reserved',
  velocity: 'the spend runs away from the plan',
  failures: 'spends could not be recorded',
};

function keyPrefix(campaignId: string, source: string): string {
  return `circuit_breaker:${campaignId}:${source}:`;
}
