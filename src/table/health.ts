/** The body of `GET /health`, from shared memory alone: any thread can answer it, and no dead one can block it. */
import { version } from '../config/version.ts';
import type { IdIndex } from './id-index.ts';
import type { Meters } from './meters.ts';
import { PHASE_SERVING, type PodState } from './pod-state.ts';
import { SHARD_PENDING } from './thread-meters.ts';

export interface HealthReport {
  readonly statusCode: 200 | 503;
  readonly body: string;
}

/**
 * @param shardMeters one for each shard
 * @param nowMs ms since the epoch
 */
export function readHealth(
  state: PodState,
  index: IdIndex,
  shardMeters: readonly Meters[],
  nowMs: number,
): HealthReport {
  const unhealthy = state.phase !== PHASE_SERVING || !state.campaignsLoaded || state.threadsDown > 0;
  const status = unhealthy ? 'unhealthy' : state.postgresUp ? 'healthy' : 'degraded';
  let campaigns = 0;
  let pending = 0;
  shardMeters.forEach((meters, shard) => {
    campaigns += index.count(shard);
    pending += meters.get(SHARD_PENDING);
  });
  const body = JSON.stringify({
    status,
    redis_healthy: null,
    postgres_healthy: state.postgresUp,
    degraded_since: null,
    pending_flush: pending,
    campaigns,
    uptime_seconds: Math.floor((nowMs - state.startedAtMs) / 1000),
    version,
  });
  return { statusCode: unhealthy ? 503 : 200, body };
}
