/**
 * The embedded database's folder: one process at a time, and never half made. PGlite itself guards against
 * neither: two processes on one folder corrupt it, and a first start that is killed leaves a folder that
 * does not open.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, realpath, rename, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { PGlite } from '@electric-sql/pglite';

const FOLDER = 'postgres';
const UNFINISHED_FOLDER = 'postgres.new';
const PID_FILE = 'postmaster.pid';

/** How long to wait for the process before us, which may be shutting down. */
const LOCK_WAIT_MS = 5_000;
const LOCK_RETRY_MS = 50;

/** Small on purpose: there is no checkpointer here, so the log is bounded by maintenance, see database-thread. */
const SETTINGS = ['-c', 'shared_buffers=32MB', '-c', 'max_wal_size=64MB', '-c', 'min_wal_size=32MB'];

export class DataFolder {
  readonly #dataDir: string;
  readonly #lock: Server | null;

  private constructor(dataDir: string, lock: Server | null) {
    this.#dataDir = dataDir;
    this.#lock = lock;
  }

  /**
   * Makes the data folder when it is missing and claims it for this process.
   * @throws Error when another process still holds it after a short wait.
   */
  static async claim(dataDir: string): Promise<DataFolder> {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    const path = await realpath(dataDir);
    return new DataFolder(path, process.platform === 'linux' ? await lockFolder(path) : null);
  }

  /** Opens the database; the first time it is made beside its place and moved there when it is whole. */
  async open(): Promise<PGlite> {
    const folder = join(this.#dataDir, FOLDER);
    if (!existsSync(folder)) {
      const unfinished = join(this.#dataDir, UNFINISHED_FOLDER);
      await rm(unfinished, { recursive: true, force: true });
      await (await openPGlite(unfinished)).close();
      await rename(unfinished, folder);
    }
    // What a killed process leaves. The claim has shown that it is gone.
    await rm(join(folder, PID_FILE), { force: true });
    return openPGlite(folder);
  }

  async release(): Promise<void> {
    const lock = this.#lock;
    if (lock !== null) await new Promise<void>((resolve) => lock.close(() => resolve()));
  }
}

function openPGlite(folder: string): Promise<PGlite> {
  return PGlite.create({ dataDir: folder, startParams: [...PGlite.defaultStartParams, ...SETTINGS] });
}

/**
 * A socket in Linux's abstract namespace, named after the folder: the kernel frees it the moment its process
 * ends, however it ends, so it is never stale as a lock file would be.
 */
async function lockFolder(path: string): Promise<Server> {
  const name = `\0budget-pacer-${createHash('sha256').update(path).digest('hex')}`;
  const deadline = Date.now() + LOCK_WAIT_MS;
  for (;;) {
    const server = await listenAlone(name);
    if (server !== null) return server;
    if (Date.now() >= deadline) throw new Error(`another process uses the database in ${path}`);
    await wait(LOCK_RETRY_MS);
  }
}

/** null when somebody else listens under the name. */
function listenAlone(name: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(null);
      else reject(error);
    });
    server.listen(name, () => resolve(server));
  });
}
