/** What each kind of thread counts. The position in a list is the field's number in shared memory. */
import { RELIEF_REASONS, TRIP_REASONS } from '../domain/breaker.ts';
import { REASONS } from '../domain/gate.ts';
import type { MeterLayout } from './meters.ts';

/** The core service's endpoints, in the order of their histograms. */
export const ENDPOINTS = [
  { endpoint: '/pacing/decision', method: 'POST' },
  { endpoint: '/pacing/decisions', method: 'POST' },
  { endpoint: '/spend/track', method: 'POST' },
  { endpoint: '/spend/batch', method: 'POST' },
  { endpoint: '/bid/lost', method: 'POST' },
  { endpoint: '/budget/status', method: 'GET' },
] as const;
export const ENDPOINT_DECISION = 0;
export const ENDPOINT_DECISIONS = 1;
export const ENDPOINT_SPEND = 2;
export const ENDPOINT_SPEND_BATCH = 3;
export const ENDPOINT_LOSS = 4;
export const ENDPOINT_STATUS = 5;

/** Decisions by reason first, then the rest. */
export const EDGE_METERS: MeterLayout = {
  counters: [
    ...REASONS,
    'event_loop_lag_seconds',
    'requests_refused',
    'unauthorized',
    'limited',
    'connections',
    'connections_refused',
  ],
  histograms: [...ENDPOINTS.map((endpoint) => endpoint.endpoint), 'gc_pause_seconds'],
};
/** Behind the endpoints' histograms. */
export const EDGE_GC_PAUSES = ENDPOINTS.length;
export const EDGE_LAG = REASONS.length;
export const EDGE_REFUSED = REASONS.length + 1;
/** Requests without the token of EDGE_TOKEN. */
export const EDGE_UNAUTHORIZED = REASONS.length + 2;
/** Requests above MAX_QPS. */
export const EDGE_LIMITED = REASONS.length + 3;
/** Connections that are open now. */
export const EDGE_CONNECTIONS = REASONS.length + 4;
/** Those above MAX_CONNECTIONS. */
export const EDGE_CONNECTIONS_REFUSED = REASONS.length + 5;

/** Why breakers move, in the order of their counters. */
export const BREAKER_REASONS = [
  ...TRIP_REASONS.filter((reason) => reason !== 'none'),
  ...RELIEF_REASONS,
] as const;

export const SHARD_METERS: MeterLayout = {
  counters: [
    'event_loop_lag_seconds',
    'spend_rejected',
    'late_win_micros',
    'pending_commits',
    'spends',
    'duplicates',
    'waiting_since_ms',
    'history_since_ms',
    'redis_up',
    'redis_since_ms',
    'degraded_since_ms',
    'redis_pending',
    'history_pending',
    'events_unchecked',
    'ledger_failing',
    ...BREAKER_REASONS,
  ],
  histograms: ['ledger_commit_seconds', 'gc_pause_seconds'],
};
export const SHARD_LAG = 0;
export const SHARD_SPEND_REJECTED = 1;
export const SHARD_LATE_WIN_MICROS = 2;
export const SHARD_PENDING = 3;
export const SHARD_SPENDS = 4;
export const SHARD_DUPLICATES = 5;
/** When the oldest change that is not in the ledger yet came, ms since the epoch; 0 = none waits. */
export const SHARD_WAITING_SINCE_MS = 6;
/** The same of history that is not in Postgres yet. */
export const SHARD_HISTORY_SINCE_MS = 7;
/** 1 while Redis answers; only with a fleet. */
export const SHARD_REDIS_UP = 8;
/** When the oldest change that is not in Redis yet came; 0 = none waits. */
export const SHARD_REDIS_SINCE_MS = 9;
/** Since when this shard goes on without Redis, ms since the epoch; 0 = it does not. */
export const SHARD_DEGRADED_SINCE_MS = 10;
/** Campaigns whose newest state Redis does not have yet. */
export const SHARD_REDIS_PENDING = 11;
/** The same of Postgres. */
export const SHARD_HISTORY_PENDING = 12;
/** Spends that were counted without an answer of Redis whether another pod had. */
export const SHARD_EVENTS_UNCHECKED = 13;
/** 1 while the ledger cannot be written. */
export const SHARD_LEDGER_FAILING = 14;
/** Transitions of breakers: a counter for each of {@link BREAKER_REASONS} from here on. */
export const SHARD_BREAKERS_MOVED = 15;
export const SHARD_COMMIT_SECONDS = 0;
export const SHARD_GC_PAUSES = 1;

/** The management thread renders /metrics itself, and needs no shared memory for what it counts. */
export const MANAGEMENT_METERS: MeterLayout = { counters: [], histograms: ['gc_pause_seconds'] };
export const MANAGEMENT_GC_PAUSES = 0;
