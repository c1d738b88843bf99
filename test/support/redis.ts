/**
 * A real Redis for a test: its own folder, a free port, gone afterwards. The same program is a Sentinel or a
 * node of a cluster by its settings.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { RedisLogin, RedisTarget } from '../../src/sinks/redis/redis-target.ts';
import { YOUNG_SECONDS } from '../../src/sinks/redis/server-memory.ts';
import { killAtEnd } from './end-of-tests.ts';
import { until } from './pod-wait.ts';
import { ensureTool } from './system-tool.ts';

const START_DEADLINE_MS = 30_000;
const START_ATTEMPTS = 5;
const HOST = '127.0.0.1';

export interface TestRedisOptions {
  /** Lines of redis.conf beside port and folder; it keeps nothing unless they say so. */
  readonly settings?: readonly string[];
  readonly sentinel?: boolean;
  readonly password?: string;
}

export class TestRedis {
  readonly #folder: string;
  readonly #options: TestRedisOptions;
  #port = 0;
  #server: ChildProcess | null = null;
  #admin: Redis | null = null;
  readonly #spareAtEnd: () => void;

  private constructor(folder: string, options: TestRedisOptions) {
    this.#folder = folder;
    this.#options = options;
    this.#spareAtEnd = killAtEnd(() => this.#server?.kill('SIGKILL'));
  }

  /** A new, empty server, ready for connections. */
  static async start(options: TestRedisOptions = {}): Promise<TestRedis> {
    await ensureTool('redis-server', 'redis-server');
    const server = new TestRedis(await mkdtemp(join(tmpdir(), 'pacer-test-redis-')), options);
    for (let attempt = 1; ; attempt++) {
      try {
        server.#port = await freePort();
        await server.resume();
        return server;
      } catch (error) {
        // The port may have been taken in the meantime.
        if (attempt === START_ATTEMPTS) throw error;
      }
    }
  }

  get port(): number {
    return this.#port;
  }

  get node(): { readonly host: string; readonly port: number } {
    return { host: HOST, port: this.#port };
  }

  get login(): RedisLogin {
    return { username: null, password: this.#options.password ?? null, database: 0, tls: false };
  }

  get target(): RedisTarget {
    return { kind: 'single', node: this.node, login: this.login };
  }

  /** A client to look into the server with. */
  get admin(): Redis {
    this.#admin ??= quiet(
      new Redis({ ...this.node, ...(this.#options.password ? { password: this.#options.password } : {}) }),
    );
    return this.#admin;
  }

  /** Starts the stopped server again, on its port and with the data that it saved. */
  async resume(): Promise<void> {
    if (this.#server !== null) return;
    const { settings = [], sentinel = false, password } = this.#options;
    const lines = [`port ${this.#port}`, `dir ${this.#folder}`, `bind ${HOST}`];
    if (!sentinel) lines.push('save ""', 'appendonly no');
    lines.push(...settings);
    if (password !== undefined) lines.push(`requirepass ${password}`, `masterauth ${password}`);
    const path = join(this.#folder, 'redis.conf');
    await writeFile(path, `${lines.join('\n')}\n`);
    const server = spawn('redis-server', [path, ...(sentinel ? ['--sentinel'] : [])], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await untilReady(server);
    // Its log is not read on.
    server.stdout?.resume();
    this.#server = server;
  }

  /** Waits until clients that never spoke to it do not take it for one that was just restarted. */
  async aged(): Promise<void> {
    await until('the server is not young', async () => {
      return Number(/uptime_in_seconds:(\d+)/.exec(await this.admin.info('server'))?.[1]) >= YOUNG_SECONDS;
    });
  }

  /** `SIGTERM` shuts down, `SIGKILL` is a crash. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    this.#admin?.disconnect();
    this.#admin = null;
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    const gone = new Promise<void>((resolve) => server.once('exit', () => resolve()));
    server.kill(signal);
    await gone;
  }

  /** It keeps its connections and answers nothing, until it goes on. */
  freeze(): void {
    this.#server?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#server?.kill('SIGCONT');
  }

  /** Ends the server and removes its folder. */
  async remove(): Promise<void> {
    await this.stop('SIGKILL');
    this.#spareAtEnd();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** A cluster of masters that has formed. */
export async function startCluster(masters: number): Promise<TestRedis[]> {
  const settings = ['cluster-enabled yes', 'cluster-node-timeout 1000', 'cluster-require-full-coverage no'];
  const nodes = await Promise.all(Array.from({ length: masters }, () => TestRedis.start({ settings })));
  return removedOnFailure(nodes, () => form(nodes));
}

async function form(nodes: readonly TestRedis[]): Promise<void> {
  const slots = Math.ceil(16_384 / nodes.length);
  for (const [at, { admin }] of nodes.entries()) {
    await admin.cluster('ADDSLOTSRANGE', at * slots, Math.min(16_384, (at + 1) * slots) - 1);
    await admin.cluster('SET-CONFIG-EPOCH', at + 1);
    for (const { port } of nodes) await admin.cluster('MEET', HOST, port);
  }
  for (const { admin } of nodes) {
    await until('the cluster forms', async () => {
      const state = await admin.cluster('INFO');
      return state.includes('cluster_state:ok') && state.includes(`cluster_known_nodes:${nodes.length}`);
    });
  }
}

/** Sentinels that watch a master and know each other and its replica. */
export async function startSentinels(count: number, master: TestRedis, name: string): Promise<TestRedis[]> {
  const settings = [
    `sentinel monitor ${name} ${HOST} ${master.port} ${Math.floor(count / 2) + 1}`,
    ...(master.login.password === null ? [] : [`sentinel auth-pass ${name} ${master.login.password}`]),
    `sentinel down-after-milliseconds ${name} 500`,
    `sentinel failover-timeout ${name} 2000`,
  ];
  const start = () => TestRedis.start({ sentinel: true, settings });
  const sentinels = await Promise.all(Array.from({ length: count }, start));
  return removedOnFailure(sentinels, async () => {
    for (const { admin } of sentinels) {
      await until('the sentinels know each other', async () => {
        const state = String(await admin.call('SENTINEL', 'MASTER', name));
        return state.includes(`num-other-sentinels,${count - 1}`) && state.includes('num-slaves,1');
      });
    }
  });
}

/** Servers that could not be made ready together leave nothing behind. */
async function removedOnFailure(servers: TestRedis[], ready: () => Promise<void>): Promise<TestRedis[]> {
  try {
    await ready();
    return servers;
  } catch (error) {
    await Promise.all(servers.map((server) => server.remove()));
    throw error;
  }
}

function untilReady(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(() => server.kill('SIGKILL'), START_DEADLINE_MS);
    let output = '';
    server.stdout?.on('data', (bytes: Buffer) => {
      output = (output + bytes.toString()).slice(-4096);
      if (!/eady to accept connections|\+monitor master/.test(output)) return;
      clearTimeout(deadline);
      resolve();
    });
    server.once('error', reject);
    server.once('exit', () => {
      clearTimeout(deadline);
      reject(new Error(`redis-server did not start: ${output}`));
    });
  });
}

/** Servers come and go under it: its owner sees that by what it asks. */
function quiet(client: Redis): Redis {
  return client.on('error', () => {});
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, HOST, () => {
      const { port } = probe.address() as AddressInfo;
      // A node of a cluster also takes the port 10,000 above.
      probe.close(() => (port > 55_000 ? freePort().then(resolve, reject) : resolve(port)));
    });
  });
}
