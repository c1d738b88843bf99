/**
 * Entry of the management thread: opens the campaign database, brings it up to date, hands the campaigns to
 * the shards, serves the API for operators and renders the metrics. Decisions and spend go on without it.
 */
import type { MessagePort } from 'node:worker_threads';
import { isInFleet, isLoopback } from '../config/config.ts';
import { hostTimezone } from '../demo/sample-campaigns.ts';
import { seedDemo } from '../demo/seed-demo.ts';
import { AppError } from '../domain/app-error.ts';
import { JobPool } from '../jobs/job-pool.ts';
import type { EdgeToManagement, ManagementToEdge } from '../messages/edge-management.ts';
import type { ManagementStart, SupervisorToThread } from '../messages/supervision.ts';
import { AlertChanges } from '../sinks/postgres/alert-changes.ts';
import { AlertStore } from '../sinks/postgres/alert-store.ts';
import { AuditStore } from '../sinks/postgres/audit-store.ts';
import { CampaignStore } from '../sinks/postgres/campaign-store.ts';
import { type ChangeHorizon, readHorizon } from '../sinks/postgres/changed-campaigns.ts';
import {
  answered,
  closePostgres,
  describeAddress,
  openPostgres,
  type PostgresAddress,
  type Sql,
} from '../sinks/postgres/client.ts';
import { DeliveryQueue } from '../sinks/postgres/delivery-queue.ts';
import { HistoryStore } from '../sinks/postgres/history-store.ts';
import { LearnedShapeStore } from '../sinks/postgres/learned-shape-store.ts';
import { MigrationError, migrate } from '../sinks/postgres/migrate.ts';
import { PerformanceStore } from '../sinks/postgres/performance-store.ts';
import { TrafficStore } from '../sinks/postgres/traffic-store.ts';
import { CampaignSlots } from '../table/campaign-slots.ts';
import { readHealth } from '../table/health.ts';
import { IdIndex } from '../table/id-index.ts';
import { Meters } from '../table/meters.ts';
import { PodState } from '../table/pod-state.ts';
import { SHARD_METERS } from '../table/thread-meters.ts';
import { sampleLag } from '../threads/lag-sampler.ts';
import { createLog } from '../threads/log.ts';
import { collectStartupGarbage } from '../threads/startup-garbage.ts';
import { supervised } from '../threads/supervised.ts';
import { giveWay } from '../threads/thread-priority.ts';
import { endTraced, openTracing, traced } from '../threads/tracing.ts';
import { AlertRounds } from './alerts/alert-rounds.ts';
import { CampaignLook } from './alerts/campaign-look.ts';
import { ClockWatch } from './alerts/clock-watch.ts';
import { BudgetAlerts } from './budget-alerts.ts';
import { feedCampaigns } from './campaign-feed.ts';
import { CampaignWatch } from './campaign-watch.ts';
import { Learning } from './learning.ts';
import { AlertWatch } from './live/alert-watch.ts';
import { CampaignCatalog, CatalogingShards } from './live/campaign-catalog.ts';
import { LiveRows } from './live/live-rows.ts';
import { liveTotals } from './live/live-totals.ts';
import { LiveUpdates } from './live/live-updates.ts';
import { Metrics } from './metrics.ts';
import { MetricsSummary } from './metrics-summary.ts';
import { OrderedShards } from './ordered-shards.ts';
import { buildManagementServer } from './server.ts';
import { ShardClient } from './shard-client.ts';
import { Simulations } from './simulations.ts';
import { TableLook } from './table-look.ts';
import { TrafficWatch } from './traffic-watch.ts';
import { AlertWebhook } from './webhook/alert-webhook.ts';
import { WebhookSender } from './webhook/webhook-sender.ts';

const RETRY_MS = 500;
/** What other pods learned reaches this one's shards within this. */
const LEARNING_LOOK_MS = 30_000;
/** Drawings are not worth waiting for, least of all when the pod stops. */
const TRAFFIC_TIMEOUT_MS = 2_000;
const PING_MS = 2_000;
const LOOK_MS = 1_000;
const PING_TIMEOUT_MS = 2_000;
/** How long an ending API waits for requests under way. */
const DRAIN_MS = 1_500;

const thread = supervised<ManagementStart>();
const { config, isDemo, memory } = thread.start;
const log = createLog(config.logLevel, 'management');
const tracing = await openTracing(config, 'management', log);
const state = new PodState(memory.state);
const index = new IdIndex(memory.table);
const shardMeters = memory.shardMeters.map((shardMemory) => new Meters(SHARD_METERS, shardMemory));
const shardClient = new ShardClient(config.shards);
/** Of all that walk over the table here. */
const campaignSlots = new CampaignSlots(memory.table);
const catalog = new CampaignCatalog(memory.table);
const shards = new CatalogingShards(new OrderedShards(shardClient), catalog);
const metrics = new Metrics(config, memory, campaignSlots);
const summary = new MetricsSummary(memory, campaignSlots);
const live = new LiveUpdates({
  rows: new LiveRows(memory.table, catalog),
  shards,
  totals: () => liveTotals(summary.read(performance.now()), summary.decisions(performance.now())),
  intervalMs: config.webSocketIntervalMs,
  clientsMax: config.webSocketClientsMax,
  clientsPerTokenMax: config.webSocketClientsPerTokenMax,
  log,
});
const edges = new Map<number, MessagePort>();
const lag = new Float64Array(memory.managementLag);
let serving: { readonly address: string; readonly end: () => Promise<void> } | null = null;
let stopping = false;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Migrates and feeds; tries until the database answers. The ledger's campaigns serve in the meantime.
 * Returns what was certainly seen by then, or null when the thread ends first.
 */
async function load(address: PostgresAddress, sql: Sql, store: CampaignStore): Promise<ChangeHorizon | null> {
  for (let failures = 0; !stopping; failures++) {
    try {
      const applied = await migrate(sql);
      if (applied.length > 0) log.info({ applied }, 'database brought up to date');
      const horizon = await readHorizon(sql);
      const seedTraffic = isDemo ? await seedDemo(address, sql, hostTimezone(), Date.now()) : null;
      const fed = await feedCampaigns(store, shards);
      state.postgresUp = true;
      state.campaignsLoaded = true;
      log.info(fed, 'campaigns loaded');
      collectStartupGarbage();
      seedTraffic?.().catch((error: unknown) =>
        log.warn({ err: error }, 'the demo has no traffic of before'),
      );
      if (fed.refused > 0) log.error(fed, 'campaigns do not fit the pacing table: raise CAMPAIGNS_MAX');
      return horizon;
    } catch (error) {
      if (stopping) return null;
      if (error instanceof MigrationError) {
        thread.tell({ type: 'fatal', message: error.message });
        return null;
      }
      if (!(error instanceof AppError)) throw error;
      state.postgresUp = false;
      const known = shardMeters.some((_, shard) => index.count(shard) > 0);
      if (known) state.campaignsLoaded = true;
      if (failures === 0) log.error({ err: error, known }, 'campaigns cannot be loaded yet; trying on');
      await pause(RETRY_MS);
    }
  }
  return null;
}

function watchDatabase(sql: Sql): NodeJS.Timeout {
  return setInterval(() => {
    answered(sql`select 1`, PING_TIMEOUT_MS).then(
      () => {
        if (!state.postgresUp) log.info('the database answers');
        state.postgresUp = true;
      },
      (error: unknown) => {
        if (state.postgresUp) log.error({ err: error }, 'the database does not answer');
        state.postgresUp = false;
      },
    );
  }, PING_MS);
}

/**
 * Looks at the budgets on the table each second; the next look begins after the last one has ended.
 * @returns ends it
 */
function watchBudgets(address: PostgresAddress, alerts: AlertStore): () => Promise<void> {
  const table = new TableLook(memory.table, campaignSlots);
  const history = new HistoryStore(address);
  const budgets = new BudgetAlerts({
    look: () => table.budgets(),
    isShown: (id) => table.isShown(id),
    shards,
    alerts,
    history,
    log,
    nowMs: Date.now,
  });
  let timer: NodeJS.Timeout | undefined;
  const schedule = (): void => {
    timer = setTimeout(() => {
      budgets.turn().then(() => {
        if (!stopping) schedule();
      }, fail);
    }, LOOK_MS);
  };
  schedule();
  return () => {
    clearTimeout(timer);
    return history.close(); // a look under way finds it closed, and ends
  };
}

/** Null where none is wanted. */
function openWebhook(sql: Sql): AlertWebhook | null {
  const { alertWebhookUrl: url, alertWebhookSecret: secret } = config;
  if (url === null) return null;
  if (secret === null) log.warn('what is sent to ALERT_WEBHOOK_URL is not signed: set ALERT_WEBHOOK_SECRET');
  return new AlertWebhook(new DeliveryQueue(sql), new WebhookSender({ url, secret }), log);
}

/** Learning and simulations, and the pool that runs them. */
function knowledgeOf(address: PostgresAddress, sql: Sql, store: CampaignStore) {
  const pool = new JobPool({ trace: (name, work) => traced(tracing, `job ${name}`, {}, work) });
  const shapes = new LearnedShapeStore({ run: (statement) => answered(statement(sql)) });
  const learning = new Learning({
    pool,
    store: shapes,
    shards,
    address,
    pod: config.nodeId,
    log,
    nowMs: Date.now,
  });
  const { reservationTtlMs, breakerRecoveryMs, breakerProbes } = config;
  const pacing = { reservationTtlMs, breakerRecoveryMs, breakerProbes };
  const simulations = new Simulations({ pool, store, shapes, shards, pacing, nowMs: Date.now });
  return { pool, shapes, learning, simulations };
}

async function serve(address: PostgresAddress): Promise<void> {
  const sql = openPostgres(address);
  const store = new CampaignStore(sql);
  const alerts = new AlertStore(sql);
  const knowledge = knowledgeOf(address, sql, store);
  const trafficStore = new TrafficStore(address, { statementTimeoutMs: TRAFFIC_TIMEOUT_MS });
  const traffic = new TrafficWatch({
    memory: memory.table,
    slots: campaignSlots,
    store: trafficStore,
    source: config.nodeId,
    nowMs: Date.now,
    log,
  });
  const app = buildManagementServer({
    store,
    audit: new AuditStore(sql),
    apiTokens: config.apiTokens,
    corsOrigins: config.corsOrigins,
    inFleet: isInFleet(config),
    performance: new PerformanceStore(sql),
    traffic: trafficStore,
    alerts,
    shards,
    summary: () => summary.read(performance.now()),
    health: () => readHealth(state, index, shardMeters, isInFleet(config), Date.now()),
    live,
    knowledge,
    log,
    bodyBytesMax: config.bodyBytesMax,
    tracing,
    connections: {
      connectionsMax: config.apiConnectionsMax,
      keepAliveMs: config.apiKeepAliveMs,
      headerBytesMax: config.headerBytesMax,
    },
    isLocal: isLoopback(config.apiHost),
    isDemo,
  });
  let watch: NodeJS.Timeout | undefined;
  let changes: CampaignWatch | undefined;
  const webhook = openWebhook(sql);
  const roundsHistory = new HistoryStore(address);
  const rounds = new AlertRounds({
    look: new CampaignLook(memory.table, catalog, campaignSlots),
    clock: new ClockWatch(config.nodeId),
    alerts,
    history: roundsHistory,
    readClock: () => ({ wallMs: Date.now(), steadyMs: performance.now() }),
    log,
  });
  const alertWatch = new AlertWatch(new AlertChanges(sql), live, log);
  let endBudgets: (() => Promise<void>) | undefined;
  let learningTimer: NodeJS.Timeout | undefined;
  serving = {
    address: JSON.stringify(address),
    end: async () => {
      clearInterval(watch);
      clearTimeout(learningTimer);
      knowledge.learning.end();
      // What waits for a job is answered before the API ends.
      await knowledge.pool.close();
      // A client that never finishes its request must not hold up the shards' last commit.
      const cut = setTimeout(() => app.server.closeAllConnections(), DRAIN_MS);
      await app.close();
      clearTimeout(cut);
      alertWatch.close();
      rounds.close();
      // Together: a connection that cannot be made just now takes two seconds to be given up.
      await Promise.all([
        traffic.close(),
        roundsHistory.close(),
        changes?.close(),
        endBudgets?.(),
        webhook?.close().then(() => closePostgres(sql)) ?? closePostgres(sql),
      ]);
    },
  };
  log.info({ database: describeAddress(address) }, 'opening the campaign database');
  await app.listen({ host: config.apiHost, port: config.apiPort });
  giveWay();
  thread.tell({ type: 'ready' });
  watch = watchDatabase(sql);
  const horizon = await load(address, sql, store);
  if (horizon === null || stopping) return;
  endBudgets = watchBudgets(address, alerts);
  const learn = (): void => {
    knowledge.learning.turn().then(() => {
      if (!stopping) learningTimer = setTimeout(learn, LEARNING_LOOK_MS);
    }, fail);
  };
  learn();
  alertWatch.run(fail);
  rounds.run(fail);
  traffic.run(fail);
  webhook?.run(fail);
  if ('socketPath' in address) return;
  changes = new CampaignWatch({ address, store, shards, log, horizon });
  await changes.run();
}

async function end(): Promise<void> {
  stopping = true;
  await serving?.end();
  await tracing?.close();
  shardClient.close();
  for (const port of edges.values()) port.close();
  thread.tell({ type: 'stopped' });
  thread.close();
  endTraced(tracing);
}

function useDatabase(address: PostgresAddress): void {
  if (serving === null) {
    serve(address).catch(fail);
  } else if (serving.address !== JSON.stringify(address)) {
    // The embedded database was started anew elsewhere: so is this thread, by the supervisor.
    fail(new Error('the campaign database has moved'));
  }
}

function fail(error: unknown): void {
  log.error({ err: error }, 'management ends and is started anew');
  process.exit(1);
}

function connectEdge(edge: number, port: MessagePort): void {
  edges.set(edge, port);
  port.on('message', ({ ticket }: EdgeToManagement) => {
    metrics.render().then((body) => {
      const reply: ManagementToEdge = { type: 'metrics', ticket, contentType: metrics.contentType, body };
      port.postMessage(reply);
    }, fail);
  });
}

thread.onMessage((message: SupervisorToThread) => {
  if (message.type === 'shard-port') shardClient.connect(message.shard, message.port);
  else if (message.type === 'edge-port') connectEdge(message.edge, message.port);
  else if (message.type === 'database') useDatabase(message.address);
  else if (message.type === 'stop') end().catch(fail);
});

setInterval(() => summary.look(performance.now()), LOOK_MS).unref();

sampleLag((seconds) => {
  lag[0] = seconds;
});
