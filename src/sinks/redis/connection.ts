/**
 * The connection to Redis: opened lazily, reconnecting for ever, and failing fast. A command that cannot be
 * sent now, or is not answered in time, is rejected: whoever flushes holds the newer state anyway, so nothing
 * is queued here and nothing is sent twice. A server that accepts and never answers counts as down.
 */
import { createRequire } from 'node:module';
import type { Cluster, ClusterOptions, Redis, RedisOptions } from 'ioredis';
import { AppError } from '../../domain/app-error.ts';
import type { RedisLogin, RedisTarget } from './redis-target.ts';

export type RedisClient = Redis | Cluster;

export function isCluster(client: RedisClient): client is Cluster {
  return client.isCluster;
}

/** Told of changes only: up, down, up… `onDown` also when the very first attempt fails. */
export interface RedisEvents {
  readonly onUp: () => void;
  readonly onDown: (cause: Error) => void;
}

/** How long an answer may take, ms, when not said otherwise. */
export const COMMAND_TIMEOUT_MS = 1_000;

const CONNECT_TIMEOUT_MS = 1_000;
const RECONNECT_STEP_MS = 50;
/** Short beside the pause in which sources must be heard again: see lease-script.ts. */
const RECONNECT_MAX_MS = 500;
/** A connection that is given up is cut after this, also when the other side does not close it. */
const CUT_AFTER_MS = 50;
const KEEP_ALIVE_MS = 5_000;
const LOADING_RETRY_MS = 500;
const SLOTS_REFRESH_MS = 5_000;
/** A command follows a cluster that changes this often, 100 ms apart while a server is away. */
const REDIRECTIONS_MAX = 4;

/** Reply errors of a server that is there and cannot serve now. */
const CANNOT_SERVE =
  /^(?:READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|MOVED|ASK|TRYAGAIN|NOAUTH|WRONGPASS|OOM|MISCONF|NOREPLICAS|BUSY|UNKILLABLE) /;

/**
 * A client that connects with its first command, or by `connect()`.
 * @param commandTimeoutMs how long one answer may take
 */
export function openRedis(
  target: RedisTarget,
  events: RedisEvents,
  commandTimeoutMs = COMMAND_TIMEOUT_MS,
): RedisClient {
  const client = create(target, commandTimeoutMs);
  let up: boolean | null = null;
  let cause = new Error('the connection was closed');
  const down = () => {
    if (up === false) return;
    up = false;
    events.onDown(cause);
  };
  client.on('error', (error: Error) => {
    cause = error;
    // Sentinels that cannot be reached end no connection: there was none.
    if (client.status !== 'ready') down();
  });
  client.on('close', down);
  client.on('ready', () => {
    up = true;
    events.onUp();
  });
  return client;
}

/** Loaded with the first client: a pod without Redis is spared some megabytes in each shard. */
function loadIoredis(): typeof import('ioredis') {
  return createRequire(import.meta.url)('ioredis');
}

/** Cuts a connection whose server does not answer; the client connects again by itself. */
export function cutConnection(client: Redis): void {
  // While it is still looking for a server, a disconnect would end it for good.
  if (client.status === 'ready') client.disconnect(true);
}

/** Whether an error says "Redis cannot serve now", and not that the command was wrong. */
export function cannotServe(error: Error): boolean {
  return isConnectionFailure(error) || CANNOT_SERVE.test(error.message);
}

/** Whether a result is the failure of a connection, not an answer of the server. */
export function isConnectionFailure(result: unknown): boolean {
  return result instanceof Error && result.name !== 'ReplyError';
}

/** Whether a result is the failure that no answer came in time. */
export function isUnanswered(result: unknown): boolean {
  return result instanceof Error && result.message === 'Command timed out';
}

/** The failure that callers see, `unavailable`, whatever its cause. */
export function redisUnavailable(cause: unknown): AppError {
  return new AppError('unavailable', 'Redis cannot be reached; try again', undefined, cause);
}

function create(target: RedisTarget, commandTimeoutMs: number): RedisClient {
  const { Cluster, Redis } = loadIoredis();
  const common = commonOptions(target.login, commandTimeoutMs);
  switch (target.kind) {
    case 'single':
      return new Redis({ ...common, ...target.node, enableOfflineQueue: false });
    case 'sentinel':
      return new Redis({
        ...common,
        sentinels: target.sentinels.map((node) => ({ ...node })),
        name: target.masterName,
        enableOfflineQueue: false,
        sentinelRetryStrategy: backoff,
        sentinelCommandTimeout: commandTimeoutMs,
        failoverDetector: true,
        ...(target.login.tls ? { enableTLSForSentinelMode: true, sentinelTLS: {} } : {}),
      });
    case 'cluster':
      return new Cluster(
        target.nodes.map((node) => ({ ...node })),
        clusterOptions(common, commandTimeoutMs),
      );
  }
}

function commonOptions(login: RedisLogin, commandTimeoutMs: number): RedisOptions {
  return {
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: commandTimeoutMs,
    disconnectTimeout: CUT_AFTER_MS,
    keepAlive: KEEP_ALIVE_MS,
    retryStrategy: backoff,
    maxLoadingRetryTime: LOADING_RETRY_MS,
    // What was under way when a connection broke is rejected, never repeated behind the caller's back.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    // Channels are subscribed anew by their owner.
    autoResubscribe: false,
    // A master that became a replica: look for the new one.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
    disableClientInfo: true,
    db: login.database,
    ...(login.username === null ? {} : { username: login.username }),
    ...(login.password === null ? {} : { password: login.password }),
    ...(login.tls ? { tls: {} } : {}),
  };
}

function clusterOptions(common: RedisOptions, commandTimeoutMs: number): ClusterOptions {
  // Its nodes decide by themselves about reconnecting and queueing until the first connection.
  const { retryStrategy: _retry, lazyConnect, ...redisOptions } = common;
  return {
    redisOptions,
    lazyConnect: lazyConnect ?? true,
    enableOfflineQueue: false,
    clusterRetryStrategy: backoff,
    maxRedirections: REDIRECTIONS_MAX,
    slotsRefreshTimeout: commandTimeoutMs,
    slotsRefreshInterval: SLOTS_REFRESH_MS,
  };
}

function backoff(attempt: number): number {
  return Math.min(attempt * RECONNECT_STEP_MS, RECONNECT_MAX_MS);
}
