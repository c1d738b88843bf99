/** The body of `GET /health`, from shared memory alone: any thread can answer it, and no dead one can block it. */
import { version } from '../config/version.ts';
import type { IdIndex } from './id-index.ts';
import type { Meters } from './meters.ts';
import { PHASE_SERVING, type PodState } from './pod-state.ts';
import {
  SHARD_DEGRADED_SINCE_MS,
  SHARD_HISTORY_PENDING,
  SHARD_LEDGER_FAILING,
  SHARD_PENDING,
  SHARD_REDIS_PENDING,
  SHARD_REDIS_UP,
} from './thread-meters.ts';

export interface HealthReport {
  readonly statusCode: 200 | 503;
  readonly body: string;
}

/**
 * @param shardMeters one for each shard
 * @param inFleet whether a Redis is configured
 * @param nowMs ms since the epoch
 */
export function readHealth(
  state: PodState,
  index: IdIndex,
  shardMeters: readonly Meters[],
  inFleet: boolean,
  nowMs: number,
): HealthReport {
  const running = state.phase === PHASE_SERVING && state.campaignsLoaded && state.threadsDown === 0;
  const ledgerWritten = shardMeters.every((meters) => meters.get(SHARD_LEDGER_FAILING) === 0);
  const unhealthy = !running || !ledgerWritten;
  const redisUp = shardMeters.every((meters) => meters.get(SHARD_REDIS_UP) === 1);
  const healthy = state.postgresUp && (redisUp || !inFleet);
  const status = unhealthy ? 'unhealthy' : healthy ? 'healthy' : 'degraded';
  const degradedSince = shardMeters
    .map((meters) => meters.get(SHARD_DEGRADED_SINCE_MS))
    .filter((ms) => ms > 0);
  let campaigns = 0;
  let pending = 0;
  shardMeters.forEach((meters, shard) => {
    campaigns += index.count(shard);
    // Campaigns that the ledger, Redis or Postgres is behind with; mostly the same ones.
    const behind = [SHARD_PENDING, SHARD_REDIS_PENDING, SHARD_HISTORY_PENDING].map((of) => meters.get(of));
    pending += Math.max(...behind);
  });
  const body = JSON.stringify({
    status,
    redis_healthy: inFleet ? redisUp : null,
    postgres_healthy: state.postgresUp,
    ledger_healthy: ledgerWritten,
    degraded_since: degradedSince.length === 0 ? null : new Date(Math.min(...degradedSince)).toISOString(),
    pending_flush: pending,
    campaigns,
    uptime_seconds: Math.floor((nowMs - state.startedAtMs) / 1000),
    version,
  });
  return { statusCode: unhealthy ? 503 : 200, body };
}
