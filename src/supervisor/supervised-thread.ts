/**
 * One thread under supervision: started, watched, and started anew with a growing pause when it ends
 * without having been told to. Shards, management and the database hold nothing that outlives them but the
 * ledger and the shared memory; an edge always ends itself (edge-thread.ts says why).
 */
import { type TransferListItem, Worker } from 'node:worker_threads';
import type { SupervisorToThread, ThreadToSupervisor } from '../messages/supervision.ts';
import type { Log } from '../threads/log.ts';

const PAUSE_MIN_MS = 50;
const PAUSE_MAX_MS = 5_000;
/** A thread that ran this long is not in a crash loop. */
const STEADY_MS = 30_000;

export interface ThreadSpec {
  readonly name: string;
  readonly entry: URL;
  readonly workerData: unknown;
  /** Called at every start, before the thread is ready, to hand it its ports. */
  readonly connect: () => void;
  /** Called when it says that it is ready, and again when it no longer runs. */
  readonly changed: () => void;
  readonly fatal: (message: string) => void;
  /** Any other message of the thread's. */
  readonly received?: (message: unknown) => void;
  /** Whether its start may be cut off at any point, as a crash would, rather than waited for. */
  readonly mayBeCutOff?: boolean;
  /** Bound of the young generation, for one that allocates more than others, MB. */
  readonly youngMbMax?: number;
}

/**
 * V8 lets the young generation grow to 48 MB in each thread. Nearly all of what threads allocate is dead within an
 * event-loop turn, so collecting more often costs them little, and the pod takes 50 MB less.
 */
const YOUNG_MB_MAX = 3;

export class SupervisedThread {
  ready = false;
  private readonly spec: ThreadSpec;
  private readonly log: Log;
  private worker: Worker | null = null;
  private stopping = false;
  private pauseMs = PAUSE_MIN_MS;
  private ended: Promise<void> = Promise.resolve();

  constructor(spec: ThreadSpec, log: Log) {
    this.spec = spec;
    this.log = log;
  }

  start(): void {
    const { name, entry, workerData, youngMbMax = YOUNG_MB_MAX } = this.spec;
    const worker = new Worker(entry, {
      name,
      workerData,
      resourceLimits: { maxYoungGenerationSizeMb: youngMbMax },
    });
    const startedAtMs = performance.now();
    this.worker = worker;
    worker.on('message', (message: ThreadToSupervisor) => this.receive(message));
    worker.on('error', (error) => this.log.error({ err: error, name }, 'a thread died'));
    this.ended = new Promise((resolve) => {
      worker.once('exit', (code) => {
        this.worker = null;
        this.ready = false;
        this.spec.changed();
        resolve();
        if (!this.stopping) this.restart(code, performance.now() - startedAtMs);
      });
    });
    this.spec.connect();
  }

  /** Sends, when the thread runs. */
  post(message: SupervisorToThread, transfer: readonly TransferListItem[] = []): void {
    this.worker?.postMessage(message, transfer);
  }

  get running(): boolean {
    return this.worker !== null;
  }

  /** Tells the thread to end and waits until it has; it is not started again. */
  async stop(): Promise<void> {
    this.stopping = true;
    if (!this.ready && this.spec.mayBeCutOff === true) await this.worker?.terminate();
    else this.post({ type: 'stop' });
    await this.ended;
  }

  private restart(code: number, ranMs: number): void {
    if (ranMs > STEADY_MS) this.pauseMs = PAUSE_MIN_MS;
    this.log.error(
      { name: this.spec.name, code, pauseMs: this.pauseMs },
      'a thread ended; it is started anew',
    );
    setTimeout(() => {
      if (!this.stopping) this.start();
    }, this.pauseMs);
    this.pauseMs = Math.min(PAUSE_MAX_MS, this.pauseMs * 2);
  }

  private receive(message: ThreadToSupervisor): void {
    if (message.type === 'ready') {
      this.ready = true;
      this.spec.changed();
    } else if (message.type === 'fatal') {
      this.spec.fatal(message.message);
    }
    this.spec.received?.(message);
  }
}
