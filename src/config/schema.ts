/**
 * Every option of the pacer, once. Types, defaults, checks at start, `--help` and the README's table are
 * all derived from this object.
 */
import { apiTokens, sharedToken } from './api-tokens.ts';
import {
  flag,
  integer,
  integerOrAuto,
  number,
  oneOf,
  optionalText,
  origins,
  secretHeaders,
  secretKey,
  secretUrl,
  text,
} from './option.ts';
import { SOCKET_PATH_BYTES_MAX } from './socket-paths.ts';

const HOST_PATTERN = /^[A-Za-z0-9.:_-]{1,253}$/;

export const schema = {
  host: text(
    { variable: 'HOST', group: 'Listening', describe: 'address of the core service that bidders call' },
    'a host name or an IP address',
    HOST_PATTERN,
    '127.0.0.1',
  ),
  port: integer(
    { variable: 'PORT', group: 'Listening', describe: 'port of the core service' },
    1,
    65535,
    8080,
  ),
  unixSocket: optionalText(
    {
      variable: 'UNIX_SOCKET',
      group: 'Listening',
      describe:
        'path of a unix domain socket where the core service is served as well, for bidders in the same pod; with several edges the first one there, edge n at the path with .n behind it; empty = none',
    },
    `a path of at most ${SOCKET_PATH_BYTES_MAX} bytes`,
    /^[^\0]+$/,
  ),
  apiHost: text(
    { variable: 'API_HOST', group: 'Listening', describe: 'address of the management API' },
    'a host name or an IP address',
    HOST_PATTERN,
    '127.0.0.1',
  ),
  apiPort: integer(
    { variable: 'API_PORT', group: 'Listening', describe: 'port of the management API' },
    1,
    65535,
    8000,
  ),
  allowUnauthenticated: flag({
    variable: 'ALLOW_UNAUTHENTICATED',
    group: 'Listening',
    describe:
      'allow HOST without EDGE_TOKEN, and API_HOST without API_TOKENS, to be something other than loopback',
  }),
  edgeToken: sharedToken({
    variable: 'EDGE_TOKEN',
    group: 'Listening',
    describe:
      'token that bidders send as Authorization: Bearer; empty = nobody is asked. /health* and /metrics stay open',
  }),
  apiTokens: apiTokens({
    variable: 'API_TOKENS',
    group: 'Listening',
    describe:
      'who may use the management API: name:role:token, comma separated; a viewer reads, an operator changes as well; empty = nobody is asked',
  }),
  corsOrigins: origins({
    variable: 'CORS_ORIGINS',
    group: 'Listening',
    describe: 'web origins whose pages may call the management API from a browser, comma separated',
  }),
  decisionsPerSecondMax: integer(
    {
      variable: 'MAX_QPS',
      group: 'Listening',
      describe:
        'decisions a second over all edges of the pod, those above get 429; 0 = no limit. Spend and losses are never refused for it',
    },
    0,
    2_000_000,
    0,
  ),
  bodyBytesMax: integer(
    { variable: 'MAX_BODY_BYTES', group: 'Listening', describe: 'largest request body, bytes' },
    1024,
    64 * 1024 * 1024,
    1_048_576,
  ),
  headerBytesMax: integer(
    {
      variable: 'MAX_HEADER_BYTES',
      group: 'Listening',
      describe: 'largest request line with its headers, bytes',
    },
    2048,
    65_536,
    8192,
  ),
  connectionsMax: integer(
    {
      variable: 'MAX_CONNECTIONS',
      group: 'Listening',
      describe: 'connections to the core service at once, over all edges of the pod; more are closed at once',
    },
    1,
    1_000_000,
    10_000,
  ),
  apiConnectionsMax: integer(
    {
      variable: 'API_MAX_CONNECTIONS',
      group: 'Listening',
      describe:
        'connections to the management API at once, those of the WebSocket too; more are closed at once',
    },
    1,
    100_000,
    1000,
  ),
  apiKeepAliveMs: integer(
    {
      variable: 'API_KEEP_ALIVE_MS',
      group: 'Listening',
      describe:
        'how long the management API keeps an idle connection; longer than a load balancer before it does. The core service keeps one for 10 seconds',
    },
    1000,
    3_600_000,
    75_000,
  ),
  dataDir: text(
    {
      variable: 'DATA_DIR',
      group: 'Storage',
      describe: 'folder of the ledger and of the embedded Postgres; one pod each',
    },
    'a path',
    /^[^\0]+$/,
    './data',
  ),
  databaseUrl: optionalText(
    {
      variable: 'DATABASE_URL',
      group: 'Storage',
      describe: 'Postgres of the campaigns; empty = embedded Postgres',
    },
    'a URL that begins with postgres:// or postgresql://',
    /^postgres(ql)?:\/\/\S+$/,
  ),
  nodeId: text(
    {
      variable: 'NODE_ID',
      group: 'Fleet',
      describe: 'name of this pod in its fleet, one each; auto = the host name',
    },
    'auto or 1 to 64 characters of A-Z a-z 0-9 . _ -',
    /^[A-Za-z0-9._-]{1,64}$/,
    'auto',
  ),
  redisUrl: optionalText(
    {
      variable: 'REDIS_URL',
      group: 'Fleet',
      describe:
        'Redis that pods share budgets through, redis://[user:password@]host:port[/database], rediss:// for TLS; empty = one pod of its own',
    },
    'a URL that begins with redis:// or rediss://',
    /^rediss?:\/\/\S+$/,
  ),
  redisAddr: optionalText(
    { variable: 'REDIS_ADDR', group: 'Fleet', describe: 'the same as host:port' },
    'host:port',
    /^\S+$/,
  ),
  redisSentinels: optionalText(
    {
      variable: 'REDIS_SENTINELS',
      group: 'Fleet',
      describe: 'Sentinels that know the Redis master, host:port, comma separated',
    },
    'host:port, several separated by commas',
    /^\S+$/,
  ),
  redisMasterName: optionalText(
    {
      variable: 'REDIS_MASTER_NAME',
      group: 'Fleet',
      describe: 'name of the master that the Sentinels watch',
    },
    'a name without spaces',
    /^\S+$/,
  ),
  redisClusterNodes: optionalText(
    {
      variable: 'REDIS_CLUSTER_NODES',
      group: 'Fleet',
      describe: 'some nodes of a Redis Cluster, host:port, comma separated',
    },
    'host:port, several separated by commas',
    /^\S+$/,
  ),
  redisFlushMs: integer(
    {
      variable: 'REDIS_FLUSH_MS',
      group: 'Fleet',
      describe: 'how often a pod shares its totals and renews its leases',
    },
    10,
    10_000,
    100,
  ),
  degradedThrottle: number(
    {
      variable: 'DEGRADED_THROTTLE',
      group: 'Fleet',
      describe: 'least share of bids that is held back while Redis cannot be reached',
    },
    0,
    1,
    0.5,
  ),
  postgresFlushMs: integer(
    { variable: 'POSTGRES_FLUSH_MS', group: 'Storage', describe: 'how often history is written to Postgres' },
    100,
    600_000,
    1000,
  ),
  ledgerSync: oneOf(
    {
      variable: 'LEDGER_SYNC',
      group: 'Storage',
      describe:
        'commit = a spend is answered when it is on stable storage; interval = when the operating system has it, flushed right after (a power loss may cost the last moments)',
    },
    ['commit', 'interval'],
    'commit',
  ),
  edgeThreads: integerOrAuto(
    {
      variable: 'EDGE_THREADS',
      group: 'Threads',
      describe:
        'threads that answer bidders; auto = all cores it may use but one, CPU limits of its container included, at most 16',
    },
    1,
    64,
  ),
  shards: integerOrAuto(
    {
      variable: 'SHARDS',
      group: 'Threads',
      describe: 'threads that own campaigns; auto = one for four edges',
    },
    1,
    64,
  ),
  campaignsMax: integer(
    { variable: 'CAMPAIGNS_MAX', group: 'Threads', describe: 'campaigns that fit the pacing table' },
    1,
    4_194_304,
    131_072,
  ),
  reservationTtlMs: integer(
    {
      variable: 'RESERVATION_TTL_MS',
      group: 'Pacing',
      describe: 'how long an allowed bid is reserved when neither win nor loss is reported',
    },
    100,
    86_400_000,
    120_000,
  ),
  breakerRecoveryMs: integer(
    { variable: 'BREAKER_RECOVERY_MS', group: 'Pacing', describe: 'how long a tripped breaker stays open' },
    100,
    86_400_000,
    300_000,
  ),
  breakerProbes: integer(
    { variable: 'BREAKER_PROBES', group: 'Pacing', describe: 'bids that a half-open breaker lets through' },
    1,
    1000,
    2,
  ),
  alertWebhookUrl: secretUrl({
    variable: 'ALERT_WEBHOOK_URL',
    group: 'Observing',
    describe: 'where alerts are sent when they are raised and when they are resolved; empty = nowhere',
  }),
  alertWebhookSecret: secretKey(
    {
      variable: 'ALERT_WEBHOOK_SECRET',
      group: 'Observing',
      describe: 'key that signs what is sent there, HMAC-SHA256; empty = it is not signed',
    },
    16,
    256,
  ),
  webSocketIntervalMs: integer(
    {
      variable: 'WS_INTERVAL_MS',
      group: 'Observing',
      describe: 'least time between two updates of the WebSocket',
    },
    50,
    60_000,
    250,
  ),
  webSocketClientsMax: integer(
    {
      variable: 'WS_MAX_CLIENTS',
      group: 'Observing',
      describe: 'clients of the WebSocket at once',
    },
    1,
    100_000,
    256,
  ),
  webSocketClientsPerTokenMax: integer(
    {
      variable: 'WS_MAX_CLIENTS_PER_TOKEN',
      group: 'Observing',
      describe: 'those of one token of API_TOKENS',
    },
    1,
    100_000,
    64,
  ),
  metricsCampaigns: integer(
    {
      variable: 'METRICS_CAMPAIGNS',
      group: 'Observing',
      describe: 'campaigns with series of their own in /metrics, the largest budgets first',
    },
    0,
    100_000,
    1000,
  ),
  otlpEndpoint: secretUrl({
    variable: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    group: 'Observing',
    describe:
      'OpenTelemetry collector that traces go to over OTLP/HTTP, such as http://localhost:4318; empty = nothing is traced',
  }),
  otlpHeaders: secretHeaders({
    variable: 'OTEL_EXPORTER_OTLP_HEADERS',
    group: 'Observing',
    describe: 'headers that are sent there, such as the key of an account',
  }),
  otlpServiceName: text(
    {
      variable: 'OTEL_SERVICE_NAME',
      group: 'Observing',
      describe: 'name of the service in traces',
    },
    '1 to 128 visible ASCII characters',
    /^[\x21-\x7e]{1,128}$/,
    'budget-pacer',
  ),
  otlpSampleRatio: number(
    {
      variable: 'OTEL_TRACES_SAMPLER_ARG',
      group: 'Observing',
      describe: 'share of traces that is kept; one that began at a caller is kept when the caller keeps it',
    },
    0,
    1,
    1,
  ),
  logLevel: oneOf(
    { variable: 'LOG_LEVEL', group: 'Observing', describe: 'least severe log line that is written' },
    ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
    'info',
  ),
} as const;
