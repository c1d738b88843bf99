/** Entry of a shard worker: opens the ledger, connects the ports, turns the duty cycle, and on `stop` writes and closes. */
import { join } from 'node:path';
import type { MessagePort } from 'node:worker_threads';
import { AppError } from '../domain/app-error.ts';
import type { Clock } from '../domain/clock.ts';
import type {
  ManagementToShard,
  ShardAnswer,
  ShardRequest,
  ShardToManagement,
} from '../messages/management-shard.ts';
import type { ShardStart, SupervisorToThread } from '../messages/supervision.ts';
import type { PostgresAddress } from '../sinks/postgres/client.ts';
import { HistoryStore } from '../sinks/postgres/history-store.ts';
import { redisTargetOf } from '../sinks/redis/redis-target.ts';
import { EdgeTurns } from '../table/edge-turns.ts';
import { IdIndex } from '../table/id-index.ts';
import { Meters } from '../table/meters.ts';
import { OwnerTable } from '../table/pacing-table.ts';
import { SHARD_GC_PAUSES, SHARD_LAG, SHARD_METERS } from '../table/thread-meters.ts';
import { observeGcPauses } from '../threads/gc-pauses.ts';
import { sampleLag } from '../threads/lag-sampler.ts';
import { createLog } from '../threads/log.ts';
import { supervised } from '../threads/supervised.ts';
import { endTraced, openTracing } from '../threads/tracing.ts';
import { CampaignIntake } from './campaign-intake.ts';
import { CYCLE_MS } from './duty-cycle.ts';
import { EdgeLines } from './edge-lines.ts';
import { FleetMember } from './fleet-member.ts';
import { HistoryFlush } from './history-flush.ts';
import { Ledger } from './ledger.ts';
import { Shard } from './shard.ts';
import { Takeover } from './takeover.ts';

/** As many as SHARDS may ever be. */
const SHARDS_MAX = 64;

const thread = supervised<ShardStart>();
const { config, memory, shard: shardNumber } = thread.start;
const log = createLog(config.logLevel, `shard-${shardNumber}`);
const meters = new Meters(SHARD_METERS, memory.shardMeters[shardNumber] as SharedArrayBuffer);
const tracing = await openTracing(config, `shard-${shardNumber}`, log);
const edges = new EdgeLines();
let management: MessagePort | null = null;
let history: HistoryFlush | null = null;

function readClock(): Clock {
  return { wallMs: Date.now(), steadyMs: performance.now() };
}

const ledger = new Ledger(join(config.dataDir, 'ledger'), shardNumber, config.ledgerSync);
const ownerTable = new OwnerTable(memory.table, shardNumber);
const takeover = new Takeover(`${config.nodeId}-${ledger.id}`, readClock);
const fleet = openFleet();
const shard = openShard();

/** Null for a pod of its own. */
function openFleet(): FleetMember | null {
  const target = redisTargetOf(config);
  if (target === null) return null;
  return new FleetMember(target, {
    config,
    shard: shardNumber,
    ledger,
    table: ownerTable,
    meters,
    log,
    tracing,
    readClock,
    spends: (campaigns) => takeover.spends(campaigns),
    refused: (message) => thread.tell({ type: 'fatal', message }),
  });
}

/** Null when the pod cannot run with this configuration: the supervisor is told, and ends it. */
function openShard(): Shard | null {
  try {
    return new Shard({
      shard: shardNumber,
      shards: config.shards,
      table: ownerTable,
      index: new IdIndex(memory.table),
      ledger,
      meters,
      log,
      reservationTtlMs: config.reservationTtlMs,
      breakerRecoveryMs: config.breakerRecoveryMs,
      breakerProbes: config.breakerProbes,
      readClock,
      turns: new EdgeTurns(memory.edgeTurns),
      takePosted: () => edges.takePosted(),
      sendOutcomes: (edge, writer) => edges.send(edge, writer.finish()),
      sendStatus: (edge, ticket, body) => edges.send(edge, { type: 'status', ticket, body }),
      fleet: fleet?.conditions ?? null,
      fleetEvents: fleet,
      refresh: (account, known) => (fleet === null ? known() : fleet.refresh(account, known)),
      changed: (account, clock) => {
        history?.mark(account, clock.wallMs);
        fleet?.changed(account, clock.wallMs);
      },
      asked: (account, clock) => {
        history?.markAsked(account);
        fleet?.changed(account, clock.wallMs);
      },
    });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const message = `CAMPAIGNS_MAX="${config.campaignsMax}" is not accepted: ${error.message}`;
    thread.tell({ type: 'fatal', message });
    return null;
  }
}

const NO_ROOM: ShardAnswer = {
  ok: false,
  code: 'campaign_limit',
  message: `the pacing table is full: CAMPAIGNS_MAX is ${config.campaignsMax}`,
};
const NOT_WRITTEN: ShardAnswer = { ok: false, code: 'unavailable', message: 'the ledger cannot be written' };

/** @param answer of the thread that asked: one that was started anew numbers its own requests from the same beginning */
function serveManagement(
  owner: Shard,
  intake: CampaignIntake,
  request: ShardRequest,
  answer: (value: ShardAnswer) => void,
): void {
  if (request.type === 'status') {
    owner.status(request.campaignId, request.explained, (body) => answer({ ok: true, body, refused: 0 }));
    return;
  }
  if (request.type === 'describe') {
    const body = JSON.stringify(owner.describe(request.campaignIds));
    answer({ ok: true, body, refused: 0 });
    return;
  }
  if (request.type === 'learn') {
    void owner.learn(request.shapes).then(() => answer({ ok: true, body: null, refused: 0 }));
    return;
  }
  if (request.type === 'announce') {
    const announced = fleet?.announce(request.campaign) ?? Promise.resolve();
    void announced.then(() => answer({ ok: true, body: null, refused: 0 }));
    return;
  }
  const one = request.type === 'upsert';
  intake.take(one ? [request.campaign] : request.campaigns).then(
    ({ refused, written }) => {
      if (!written) answer(NOT_WRITTEN);
      else answer(one && refused > 0 ? NO_ROOM : { ok: true, body: null, refused });
    },
    (error: unknown) => {
      if (!(error instanceof AppError)) throw error;
      answer({ ok: false, code: 'unavailable', message: error.message });
    },
  );
}

function connectEdge(owner: Shard, port: MessagePort): void {
  edges.connect(port, (posted) => {
    const outstanding = owner.reports.outstandingTurns();
    owner.reports.receive([posted, ...edges.takePosted()], outstanding);
  });
}

function connectManagement(owner: Shard, port: MessagePort): void {
  management = port;
  const intake = new CampaignIntake(owner, takeover);
  port.on('message', ({ number, request }: ManagementToShard) => {
    serveManagement(owner, intake, request, (value) => {
      const message: ShardToManagement = { number, answer: value };
      port.postMessage(message);
    });
  });
}

/** The database is there, or, embedded, was started anew at another address. */
function connectDatabase(owner: Shard, address: PostgresAddress): void {
  const before = history?.end() ?? Promise.resolve();
  before.catch((error: unknown) =>
    log.warn({ err: error }, 'the last connection to the history did not end'),
  );
  history = new HistoryFlush({
    ledger,
    commit: () => owner.committer.flush(false),
    store: new HistoryStore(address),
    accounts: () => owner.allAccounts(),
    accountAt: (place) => owner.accountAt(place),
    placesMax: ownerTable.slotCount,
    source: `${config.nodeId}-${ledger.id}`,
    shard: shardNumber,
    formerShards: formerShards(shardNumber, config.shards),
    flushMs: config.postgresFlushMs,
    meters,
    log,
    tracing,
  });
  takeover.useDatabase(address);
  // What was spent before may not be told yet, and nothing else says so.
  for (const account of owner.allAccounts()) {
    if (account.paced.counters.winsHour > 0) history.mark(account, Date.now());
  }
}

/** Those that the first shard speaks for: there are no more such shards. */
function formerShards(own: number, shards: number): number[] {
  return own === 0 ? Array.from({ length: SHARDS_MAX - shards }, (_, at) => shards + at) : [];
}

let cycle: NodeJS.Timeout | undefined;

async function end(): Promise<void> {
  clearInterval(cycle);
  await shard?.end();
  await fleet?.leave(shard?.allAccounts() ?? []);
  await Promise.all([history?.end(), takeover.end()]);
  edges.close();
  management?.close();
  await ledger.close();
  await tracing?.close();
  thread.tell({ type: 'stopped' });
  thread.close();
  endTraced(tracing);
}

thread.onMessage((message: SupervisorToThread) => {
  if (message.type === 'stop') {
    end().catch((error: unknown) => {
      log.fatal({ err: error }, 'the ledger could not be written at the end; what was answered is in it');
      process.exit(1);
    });
  } else if (shard !== null && message.type === 'database') connectDatabase(shard, message.address);
  else if (shard !== null && message.type === 'edge-port') connectEdge(shard, message.port);
  else if (shard !== null && message.type === 'management-port') connectManagement(shard, message.port);
});

process.on('unhandledRejection', (error) => {
  // lmdb rejects a failed commit more than once: for the write, which the committer answers, and for itself
  // with the system's error number.
  if (error instanceof Error && (error.message.startsWith('Commit failed') || isErrorNumber(error))) {
    log.debug({ err: error }, 'a ledger commit failed');
    return;
  }
  throw error;
});

function isErrorNumber(error: Error): boolean {
  return 'code' in error && typeof error.code === 'number';
}

sampleLag((seconds) => meters.set(SHARD_LAG, seconds));
observeGcPauses((seconds) => meters.observe(SHARD_GC_PAUSES, seconds));
if (shard !== null) {
  await shard.committer.flush(false);
  fleet?.join(shard);
  cycle = setInterval(() => shard.cycle(), CYCLE_MS);
  thread.tell({ type: 'ready' });
}
