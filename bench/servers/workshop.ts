/**
 * Owns what a run of the bench leaves on the machine: temporary folders and the server processes. All of
 * it is gone when the run ends, fails or is interrupted; what an orderly end misses dies with this process.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServerProcess } from './server-process.ts';

/** Linux' file system in memory. */
const MEMORY = '/dev/shm';

export interface Launch {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export class Workshop {
  readonly folder: string;
  /** Aborted when the bench is interrupted. */
  readonly signal: AbortSignal;
  private readonly folders: string[] = [];
  private readonly running = new Set<ChildProcess>();
  private readonly clearUp = (): void => {
    for (const child of this.running) child.kill('SIGKILL');
    for (const folder of this.folders) rmSync(folder, { recursive: true, force: true });
  };

  private constructor(folder: string, signal: AbortSignal) {
    this.folder = folder;
    this.folders.push(folder);
    this.signal = signal;
    process.once('exit', this.clearUp);
  }

  static async open(signal: AbortSignal): Promise<Workshop> {
    return new Workshop(await mkdtemp(join(tmpdir(), 'pacer-bench-')), signal);
  }

  /** A new folder of its own. */
  subfolder(name: string): Promise<string> {
    return mkdtemp(join(this.folder, `${name}-`));
  }

  /** A new folder in memory, where flushing a file costs nothing. */
  async memoryFolder(): Promise<string> {
    const folder = await mkdtemp(join(MEMORY, 'pacer-bench-'));
    this.folders.push(folder);
    return folder;
  }

  /** Starts a node process that sees nothing of this one's environment but where to find programs. */
  launch({ name, args, env }: Launch): ServerProcess {
    this.signal.throwIfAborted();
    const { PATH = '', HOME = '' } = process.env;
    const child = spawn(process.execPath, args, {
      // The server reads `.env` in its working folder: there is none here.
      cwd: this.folder,
      env: { PATH, HOME, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.running.add(child);
    child.once('exit', () => this.running.delete(child));
    return new ServerProcess(name, child);
  }

  /** Ends what still runs and removes the folder. */
  async close(): Promise<void> {
    const ends = [...this.running].map(
      (child) =>
        new Promise((resolve) => {
          child.once('exit', resolve);
          child.kill('SIGKILL');
        }),
    );
    await Promise.all(ends);
    for (const folder of this.folders) await rm(folder, { recursive: true, force: true });
    process.off('exit', this.clearUp);
  }
}
