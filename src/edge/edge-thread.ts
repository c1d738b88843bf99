/**
 * Entry of an edge thread. A thread that holds an open uWebSockets.js app cannot be ended from outside
 * without aborting the process, so this one always ends itself: on `stop`, and after a bug, it closes its
 * listening socket, lets what waits be answered, closes the app and its ports, and runs out.
 */
import { App, type us_listen_socket, us_listen_socket_close } from 'uWebSockets.js';
import type { EdgeStart, SupervisorToThread } from '../messages/supervision.ts';
import { DecisionLimit } from '../table/decision-limit.ts';
import { EdgeTurn } from '../table/edge-turns.ts';
import { IdIndex } from '../table/id-index.ts';
import { Meters } from '../table/meters.ts';
import { EdgeTable } from '../table/pacing-table.ts';
import { PodState } from '../table/pod-state.ts';
import { EDGE_LAG, EDGE_METERS, SHARD_METERS } from '../table/thread-meters.ts';
import { sampleLag } from '../threads/lag-sampler.ts';
import { createLog } from '../threads/log.ts';
import { supervised } from '../threads/supervised.ts';
import { CoreService } from './core-service.ts';
import { EdgeToken } from './edge-token.ts';
import { MetricsRelay } from './metrics-relay.ts';
import { ShardLinks } from './shard-links.ts';

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
let ending = false;

function end(): void {
  if (ending) return;
  ending = true;
  if (listening !== undefined) us_listen_socket_close(listening);
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

app.listen(config.host, config.port, (socket) => {
  if (socket === false) {
    thread.tell({ type: 'fatal', message: `cannot listen on ${config.host}:${config.port}` });
    end();
    return;
  }
  listening = socket;
  thread.tell({ type: 'ready' });
});
