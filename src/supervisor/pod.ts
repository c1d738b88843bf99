/**
 * The pod: one process, its threads and the ports between them. The supervisor decides nothing about bids;
 * it allocates the shared memory, starts the threads, connects each pair anew whenever one of the two
 * starts, and ends them in the order that loses nothing.
 *
 *   start   database ─▶ management ─▶ campaigns loaded        shards, edges beside it
 *   stop    edges (finish what they hold) ─▶ management ─▶ shards (flush, close the ledger) ─▶ database;
 *           all at once while the campaigns are not loaded yet
 */
import { MessageChannel } from 'node:worker_threads';
import type { Config } from '../config/config.ts';
import type { EdgeStart, ManagementStart, PodMemory, ShardStart } from '../messages/supervision.ts';
import type { PostgresAddress } from '../sinks/postgres/client.ts';
import type { DatabaseThreadReport } from '../sinks/postgres/embedded/database-messages.ts';
import { allocateDecisionLimit } from '../table/decision-limit.ts';
import { allocateEdgeTurns } from '../table/edge-turns.ts';
import { allocateTable } from '../table/layout.ts';
import { allocateMeters } from '../table/meters.ts';
import { allocatePodState, PHASE_SERVING, PHASE_STOPPING, PodState } from '../table/pod-state.ts';
import { EDGE_METERS, SHARD_METERS } from '../table/thread-meters.ts';
import type { Log } from '../threads/log.ts';
import { SupervisedThread, type ThreadSpec } from './supervised-thread.ts';

/** With half of it an edge makes a hundredth less of the decisions. */
const EDGE_YOUNG_MB_MAX = 6;

const range = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

export class Pod {
  private readonly config: Config;
  private readonly isDemo: boolean;
  private readonly log: Log;
  private readonly memory: PodMemory;
  private readonly state: PodState;
  private readonly edges: readonly SupervisedThread[];
  private readonly shards: readonly SupervisedThread[];
  private readonly management: SupervisedThread;
  private readonly database: SupervisedThread | null;
  private databaseAddress: PostgresAddress | null;
  private readonly failed: (message: string) => void;
  private hasFailed = false;

  /**
   * @param isDemo whether the traffic is simulated; the dashboard says so
   * @param failed called when a thread says that the pod cannot run
   */
  constructor(config: Config, isDemo: boolean, log: Log, failed: (message: string) => void) {
    this.config = config;
    this.isDemo = isDemo;
    this.log = log;
    this.failed = failed;
    this.memory = {
      table: allocateTable(config.campaignsMax, config.shards, config.edgeThreads),
      state: allocatePodState(Date.now()),
      edgeTurns: allocateEdgeTurns(config.edgeThreads),
      decisionLimit: allocateDecisionLimit(),
      edgeMeters: range(config.edgeThreads).map(() => allocateMeters(EDGE_METERS)),
      shardMeters: range(config.shards).map(() => allocateMeters(SHARD_METERS)),
      managementLag: new SharedArrayBuffer(8),
    };
    this.state = new PodState(this.memory.state);
    this.databaseAddress = config.databaseUrl === null ? null : { url: config.databaseUrl };
    this.shards = range(config.shards).map((shard) => this.shardThread(shard));
    this.edges = range(config.edgeThreads).map((edge) => this.edgeThread(edge));
    this.management = this.managementThread();
    this.database = config.databaseUrl === null ? this.databaseThread() : null;
  }

  start(): void {
    for (const thread of this.threads()) thread.start();
  }

  /** Ends every thread, bidders' first; resolves when the last has ended. */
  async stop(): Promise<void> {
    this.state.phase = PHASE_STOPPING;
    if (!this.state.campaignsLoaded) {
      // No bid was answered yet, so there is no order to keep; and threads that start are slow to hear that they are to end.
      await Promise.all(this.threads().map((thread) => thread.stop()));
      return;
    }
    await Promise.all(this.edges.map((edge) => edge.stop()));
    await this.management.stop();
    await Promise.all(this.shards.map((shard) => shard.stop()));
    await this.database?.stop();
  }

  private threads(): SupervisedThread[] {
    const database = this.database === null ? [] : [this.database];
    return [...database, ...this.shards, this.management, ...this.edges];
  }

  private readonly threadChanged = (): void => {
    const down = this.threads().filter((thread) => !thread.ready).length;
    this.state.threadsDown = down;
    if (down > 0 || this.state.phase === PHASE_STOPPING) return;
    if (this.state.phase !== PHASE_SERVING) {
      const { host, port, apiHost, apiPort, unixSocket } = this.config;
      const addresses = { bidders: `http://${host}:${port}`, operators: `http://${apiHost}:${apiPort}` };
      this.log.info(unixSocket === null ? addresses : { ...addresses, unixSocket }, 'serving');
    }
    this.state.phase = PHASE_SERVING;
  };

  private thread(
    name: string,
    entry: string,
    workerData: unknown,
    connect: () => void,
    more: Pick<ThreadSpec, 'received' | 'mayBeCutOff' | 'youngMbMax'> = {},
  ): SupervisedThread {
    const url = new URL(entry, import.meta.url);
    const spec: ThreadSpec = {
      name,
      entry: url,
      workerData,
      connect,
      changed: this.threadChanged,
      fatal: (message) => this.fail(message),
      ...more,
    };
    return new SupervisedThread(spec, this.log);
  }

  private fail(message: string): void {
    if (this.hasFailed) return;
    this.hasFailed = true;
    this.failed(message);
  }

  private shardThread(shard: number): SupervisedThread {
    const start: ShardStart = { config: this.config, memory: this.memory, shard };
    return this.thread(`shard-${shard}`, '../shard/shard-thread.js', start, () => {
      range(this.config.edgeThreads).forEach((edge) => {
        this.connectEdgeAndShard(edge, shard);
      });
      this.connectManagementAndShard(shard);
      this.tellDatabase();
    });
  }

  private edgeThread(edge: number): SupervisedThread {
    const start: EdgeStart = { config: this.config, memory: this.memory, edge };
    const connect = () => {
      range(this.config.shards).forEach((shard) => {
        this.connectEdgeAndShard(edge, shard);
      });
      this.connectManagementAndEdge(edge);
    };
    return this.thread(`edge-${edge}`, '../edge/edge-thread.js', start, connect, {
      youngMbMax: EDGE_YOUNG_MB_MAX,
    });
  }

  private managementThread(): SupervisedThread {
    const start: ManagementStart = { config: this.config, isDemo: this.isDemo, memory: this.memory };
    return this.thread('management', '../management/management-thread.js', start, () => {
      range(this.config.shards).forEach((shard) => {
        this.connectManagementAndShard(shard);
      });
      range(this.config.edgeThreads).forEach((edge) => {
        this.connectManagementAndEdge(edge);
      });
      this.tellDatabase();
    });
  }

  private databaseThread(): SupervisedThread {
    const entry = '../sinks/postgres/embedded/database-thread.js';
    const start = { dataDir: this.config.dataDir };
    // Making a new database takes seconds in which its thread hears nothing; one that is half made is made anew.
    return this.thread('database', entry, start, () => undefined, {
      received: (message) => this.databaseSaid(message),
      mayBeCutOff: true,
    });
  }

  private databaseSaid(message: unknown): void {
    const said = message as DatabaseThreadReport;
    if (said.type === 'warning') this.log.warn(said.message);
    if (said.type === 'failed') this.log.error(`the embedded database: ${said.message}`);
    if (said.type !== 'ready') return;
    this.databaseAddress = { socketPath: said.socketPath };
    this.tellDatabase();
  }

  private tellDatabase(): void {
    if (this.databaseAddress === null) return;
    for (const thread of [this.management, ...this.shards]) {
      if (thread.running) thread.post({ type: 'database', address: this.databaseAddress });
    }
  }

  private connectEdgeAndShard(edge: number, shard: number): void {
    const edgeThread = this.edges[edge];
    const shardThread = this.shards[shard];
    if (!edgeThread?.running || !shardThread?.running) return;
    const { port1, port2 } = new MessageChannel();
    edgeThread.post({ type: 'shard-port', shard, port: port1 }, [port1]);
    shardThread.post({ type: 'edge-port', edge, port: port2 }, [port2]);
  }

  private connectManagementAndShard(shard: number): void {
    const shardThread = this.shards[shard];
    if (!this.management.running || !shardThread?.running) return;
    const { port1, port2 } = new MessageChannel();
    this.management.post({ type: 'shard-port', shard, port: port1 }, [port1]);
    shardThread.post({ type: 'management-port', port: port2 }, [port2]);
  }

  private connectManagementAndEdge(edge: number): void {
    const edgeThread = this.edges[edge];
    if (!this.management.running || !edgeThread?.running) return;
    const { port1, port2 } = new MessageChannel();
    this.management.post({ type: 'edge-port', edge, port: port1 }, [port1]);
    edgeThread.post({ type: 'management-port', port: port2 }, [port2]);
  }
}
