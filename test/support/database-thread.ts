/** The embedded database's thread, from the compiled entry file: `npm run build` comes first. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { DatabaseThreadReport } from '../../src/sinks/postgres/embedded/database-messages.ts';

const ENTRY = new URL('../../dist/sinks/postgres/embedded/database-thread.js', import.meta.url);
const READY_DEADLINE_MS = 60_000;

export class TestDatabaseThread {
  readonly socketPath: string;
  readonly #worker: Worker;
  readonly #exited: Promise<number>;

  private constructor(socketPath: string, worker: Worker, exited: Promise<number>) {
    this.socketPath = socketPath;
    this.#worker = worker;
    this.#exited = exited;
  }

  /** Resolves when the thread accepts connections; rejects with what it reports instead. */
  static start(dataDir: string): Promise<TestDatabaseThread> {
    if (!existsSync(fileURLToPath(ENTRY))) throw new Error('dist/ is missing: npm run build');
    const worker = new Worker(ENTRY, { workerData: { dataDir } });
    const exited = new Promise<number>((resolve) => worker.once('exit', resolve));
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(
        () => reject(new Error('the database thread did not get ready')),
        READY_DEADLINE_MS,
      );
      worker.once('error', reject);
      worker.on('message', (report: DatabaseThreadReport) => {
        clearTimeout(deadline);
        if (report.type === 'ready') resolve(new TestDatabaseThread(report.socketPath, worker, exited));
        else reject(new Error(report.message));
      });
    });
  }

  /** Asks the thread to end and returns its exit code. */
  stop(): Promise<number> {
    this.#worker.postMessage({ type: 'stop' });
    return this.#exited;
  }
}
