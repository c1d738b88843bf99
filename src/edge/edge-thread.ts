/**
 * Entry of an edge thread. A thread that holds an open uWebSockets.js app cannot be ended from outside
 * without aborting the process, so this one always ends itself: on `stop`, and after a bug, it closes its
 * listening sockets, lets what waits be answered, closes the app and its ports, and runs out.
 */
import { App, type us_listen_socket, us_listen_socket_close } from 'uWebSockets.js';
import { socketPath } from '../config/socket-paths.ts';
import type { EdgeStart, SupervisorToThread } from '../messages/supervision.ts';
import { DecisionLimit } from '../table/decision-limit.ts';
import { EdgeTurn } from '../table/edge-turns.ts';
import { IdIndex } from '../table/id-index.ts';
import { Meters } from '../table/meters.ts';
import { EdgeTable } from '../table/pacing-table.ts';
import { PodState } from '../table/pod-state.ts';
import { EDGE_GC_PAUSES, EDGE_LAG, EDGE_METERS, SHARD_METERS } from '../table/thread-meters.ts';
import { observeGcPauses } from '../threads/gc-pauses.ts';
import { sampleLag } from '../threads/lag-sampler.ts';
import { createLog } from '../threads/log.ts';
import { supervised } from '../threads/supervised.ts';
import { Connections } from './connections.ts';
import { CoreService } from './core-service.ts';
import { EdgeToken } from './edge-token.ts';
import { MetricsRelay } from './metrics-relay.ts';
import { ShardLinks } from './shard-links.ts';
import { UnixListener } from './unix-listener.ts';

/** How long an ending edge waits for requests that wait for shards. */
const DRAIN_MS = 3_000;
const DRAIN_POLL_MS = 10;

const thread = supervised<EdgeStart>();
const { config, memory, edge } = thread.start;
const log = createLog(config.logLevel, `edge-${edge}`);
const meters = new Meters(EDGE_METERS, memory.edgeMeters[edge] as SharedArrayBuffer);
const links = new ShardLinks(config.shards, new EdgeTurn(memory.edgeTurns, edge));
const metrics = new MetricsRelay();
const app = App();
let listening: us_listen_socket | undefined;
let unixListener: UnixListener | null = null;
let ending = false;

function end(): void {
  if (ending) return;
  ending = true;
  if (listening !== undefined) us_listen_socket_close(listening);
  unixListener?.close();
  const deadline = performance.now() + DRAIN_MS;
  const drain = setInterval(() => {
    if (links.waitingCount > 0 && performance.now() < deadline) return;
    clearInterval(drain);
    app.close();
    links.close();
    metrics.close();
    thread.tell({ type: 'stopped' });
    thread.close();
  }, DRAIN_POLL_MS);
}

process.on('uncaughtException', (error) => {
  log.error({ err: error }, 'the edge met a bug; it finishes what it holds and is started anew');
  end();
});

thread.onMessage((message: SupervisorToThread) => {
  if (message.type === 'shard-port') links.connect(message.shard, message.port);
  else if (message.type === 'management-port') metrics.connect(message.port);
  else if (message.type === 'stop') end();
});

app.filter(
  new Connections(
    meters,
    memory.edgeMeters.map((edgeMemory) => new Meters(EDGE_METERS, edgeMemory)),
    config.connectionsMax,
  ).changed,
);

new CoreService({
  config,
  table: new EdgeTable(memory.table, edge),
  index: new IdIndex(memory.table),
  state: new PodState(memory.state),
  meters,
  shardMeters: memory.shardMeters.map((shardMemory) => new Meters(SHARD_METERS, shardMemory)),
  links,
  metrics,
  token: config.edgeToken === null ? null : new EdgeToken(config.edgeToken),
  limit:
    config.decisionsPerSecondMax === 0
      ? null
      : new DecisionLimit(memory.decisionLimit, config.decisionsPerSecondMax),
}).mount(app);

sampleLag((seconds) => meters.set(EDGE_LAG, seconds));
observeGcPauses((seconds) => meters.observe(EDGE_GC_PAUSES, seconds));

function refuse(what: string): void {
  thread.tell({ type: 'fatal', message: `cannot listen on ${what}` });
  end();
}

/** @returns whether it listens there, or need not */
function listenUnix(): boolean {
  if (config.unixSocket === null) return true;
  const path = socketPath(config.unixSocket, edge);
  unixListener = UnixListener.open(app, path);
  if (unixListener === null) refuse(`UNIX_SOCKET=${JSON.stringify(path)}`);
  return unixListener !== null;
}

app.listen(config.host, config.port, (socket) => {
  if (socket === false) {
    refuse(`${config.host}:${config.port}`);
    return;
  }
  listening = socket;
  if (listenUnix()) thread.tell({ type: 'ready' });
});
