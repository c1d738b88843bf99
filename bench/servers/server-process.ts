/** One server process of the bench: its last log lines, and its end, which must come soon and be orderly. */
import type { ChildProcess } from 'node:child_process';

const STOP_DEADLINE_MS = 15_000;
const LOG_TAIL_CHARS = 4096;

export class ServerProcess {
  readonly name: string;
  readonly pid: number;
  /** Why it ended, once it has. */
  end: string | null = null;
  private readonly child: ChildProcess;
  private readonly ended: Promise<void>;
  private log = '';

  constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.pid = child.pid ?? 0;
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (bytes: Buffer) => {
        this.log = (this.log + bytes.toString()).slice(-LOG_TAIL_CHARS);
      });
    }
    this.ended = new Promise((resolve) => {
      child.once('error', (error) => {
        this.end ??= error.message;
        resolve();
      });
      child.once('exit', (code, signal) => {
        this.end ??= signal ?? `exit code ${code}`;
        resolve();
      });
    });
  }

  /** The last lines it wrote: a server at LOG_LEVEL=warn that has something to say is worth reading. */
  get logTail(): string {
    return this.log.trim();
  }

  /** The first message it sends over IPC; rejects when it ends before. */
  async firstMessage(): Promise<unknown> {
    const message = new Promise((resolve) => this.child.once('message', resolve));
    const early = this.ended.then(() => {
      throw this.failure('ended before it was ready');
    });
    return Promise.race([message, early]);
  }

  failure(what: string): Error {
    return new Error(`${this.name} ${what}${this.end === null ? '' : ` (${this.end})`}: ${this.logTail}`);
  }

  /** SIGTERM, and an error when it does not end by itself with exit code 0. */
  async stop(): Promise<void> {
    let late = false;
    const deadline = setTimeout(() => {
      late = true;
      this.child.kill('SIGKILL');
    }, STOP_DEADLINE_MS);
    if (this.end === null) this.child.kill('SIGTERM');
    await this.ended;
    clearTimeout(deadline);
    if (late) throw this.failure('did not end in time');
    if (this.end !== 'exit code 0') throw this.failure('did not end in order');
  }
}
