/** A file system of its own for a folder, which can be filled to the last byte without harm to anybody else. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmdirSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Whether this user may mount one. */
export function canMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'pacer-test-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder]);
    return true;
  } catch {
    return false;
  } finally {
    rmdirSync(folder);
  }
}

export class SmallDisk {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async mount(folder: string, bytes: number): Promise<SmallDisk> {
    mkdirSync(folder, { recursive: true });
    await run('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder]);
    return new SmallDisk(folder);
  }

  /** Leaves no room. */
  async fill(): Promise<void> {
    const chunk = Buffer.alloc(4096);
    for (let full = false; !full; ) {
      await writeFile(this.#filler, chunk, { flag: 'a' }).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOSPC') throw error;
        full = true;
      });
    }
  }

  /** Makes room again. */
  async empty(): Promise<void> {
    await rm(this.#filler, { force: true });
  }

  async unmount(): Promise<void> {
    await run('umount', [this.#folder]);
  }

  get #filler(): string {
    return join(this.#folder, 'filler');
  }
}
