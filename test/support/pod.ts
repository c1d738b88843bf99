/**
 * A whole pod for a test: the built server as its own process on free loopback ports, with a folder of its
 * own that is both its working directory and its DATA_DIR's parent. `remove` leaves nothing behind.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { killAtEnd } from './end-of-tests.ts';
import { Bidder, HttpClient, type Reply } from './pod-http.ts';
import { calmZone, until } from './pod-wait.ts';
import { ROOT } from './repository.ts';

const MAIN = join(ROOT, 'dist/main.js');
/** A first start makes the embedded database. */
const READY_DEADLINE_MS = 90_000;
const EXIT_DEADLINE_MS = 30_000;
const OUTPUT_CHARACTERS_MAX = 1_000_000;
const CONNECTIONS = 16;

export interface PodOptions {
  /** Where it starts, absolute or below dist/; dist/main.js when absent. */
  readonly entry?: string;
  readonly env?: Readonly<Record<string, string | number>>;
  readonly nodeArguments?: readonly string[];
  /** The pod's own, such as `--demo`. */
  readonly arguments?: readonly string[];
  /** Sent by `core` and by bidders. */
  readonly edgeToken?: string;
  /** Sent by `api`. */
  readonly apiToken?: string;
}

export interface PodExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class TestPod {
  readonly folder: string;
  port = 0;
  apiPort = 0;
  /** Standard output and standard error of the present process. */
  output = '';
  #env: Readonly<Record<string, string | number>>;
  readonly #entry: string;
  readonly #nodeArguments: readonly string[];
  readonly #arguments: readonly string[];
  readonly #edgeToken: string | undefined;
  readonly #apiToken: string | undefined;
  #process: ChildProcess | null = null;
  #exited: Promise<PodExit> = Promise.resolve({ code: null, signal: null });
  #core: Bidder | null = null;
  #api: HttpClient | null = null;
  readonly #spareAtEnd: () => void;

  private constructor(folder: string, options: PodOptions) {
    this.folder = folder;
    this.#env = options.env ?? {};
    this.#entry = options.entry === undefined ? MAIN : resolve(dirname(MAIN), options.entry);
    this.#nodeArguments = options.nodeArguments ?? [];
    this.#arguments = options.arguments ?? [];
    this.#edgeToken = options.edgeToken;
    this.#apiToken = options.apiToken;
    this.#spareAtEnd = killAtEnd(() => this.#process?.kill('SIGKILL'));
  }

  /** A pod that is not started yet. */
  static async prepare(options: PodOptions = {}): Promise<TestPod> {
    if (!existsSync(MAIN)) throw new Error('dist/ is missing: npm run build');
    return new TestPod(await mkdtemp(join(tmpdir(), 'pacer-test-pod-')), options);
  }

  /** A pod that is ready on both ports. */
  static async start(options: PodOptions = {}): Promise<TestPod> {
    const pod = await TestPod.prepare(options);
    await pod.restart();
    return pod;
  }

  get dataDir(): string {
    return join(this.folder, 'data');
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  get exited(): Promise<PodExit> {
    return this.#exited;
  }

  /** Bidders' port, over some connections. */
  get core(): Bidder {
    if (this.#core === null) throw new Error('the pod has not been started');
    return this.#core;
  }

  /** Operators' port. */
  get api(): HttpClient {
    if (this.#api === null) throw new Error('the pod has not been started');
    return this.#api;
  }

  /** A bidder with a connection of its own, for the caller to close. */
  bidder(): Bidder {
    return new Bidder(this.port, 1, this.#edgeToken);
  }

  /** Starts the ended pod again on its folder and waits until it is ready. */
  async restart(env: Readonly<Record<string, string | number>> = {}): Promise<void> {
    await this.launch(env);
    await this.ready();
  }

  /**
   * Starts the process on new ports and waits for nothing.
   * @param apiPort one to use again, for clients that know it
   */
  async launch(env: Readonly<Record<string, string | number>> = {}, apiPort?: number): Promise<void> {
    if (this.#process !== null) throw new Error('the pod runs already');
    this.#env = { ...this.#env, ...env };
    [this.port, this.apiPort] = await freePorts();
    this.apiPort = apiPort ?? this.apiPort;
    this.#closeClients();
    this.#core = new Bidder(this.port, CONNECTIONS, this.#edgeToken);
    this.#api = new HttpClient(this.apiPort, CONNECTIONS, this.#apiToken);
    const own = { HOST: '127.0.0.1', PORT: this.port, API_HOST: '127.0.0.1', API_PORT: this.apiPort };
    this.spawn({ LOG_LEVEL: 'info', ...own, DATA_DIR: this.dataDir, ...this.#env });
  }

  /**
   * Starts the process with this environment and nothing of the test's own but the path. Its temporary files are in its
   * folder: a killed pod leaves the socket of its embedded database behind.
   */
  spawn(env: Readonly<Record<string, string | number>>): void {
    const { PATH = '', HOME = '' } = process.env;
    const texts = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, String(value)]));
    const child = spawn(process.execPath, [...this.#nodeArguments, this.#entry, ...this.#arguments], {
      cwd: this.folder,
      env: { PATH, HOME, TMPDIR: this.folder, ...texts },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output = (this.output + text).slice(-OUTPUT_CHARACTERS_MAX);
      });
    }
    this.#process = child;
    this.#exited = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.#process = null;
        resolve({ code, signal });
      });
    });
  }

  /** Waits until every thread runs and both ports answer. */
  async ready(): Promise<void> {
    await until(
      'the pod is ready',
      async () => {
        if (this.#process === null) throw new Error(`the pod ended: ${this.output.slice(-2000)}`);
        const core = await this.core.request('GET', '/health/ready').catch(() => null);
        if (core?.status !== 200) return false;
        return (await this.api.request('GET', '/health').catch(() => null))?.status !== undefined;
      },
      READY_DEADLINE_MS,
    );
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  /** Sends a signal and waits for the end; a pod that does not end is killed, and that fails the test. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<PodExit> {
    const child = this.#process;
    child?.kill(signal);
    const late = setTimeout(() => child?.kill('SIGKILL'), EXIT_DEADLINE_MS);
    const exit = await this.#exited;
    clearTimeout(late);
    this.#closeClients();
    return exit;
  }

  /** Ends it as a crash does. */
  async kill(): Promise<void> {
    await this.stop('SIGKILL');
  }

  /** Ends the process if it runs and removes its folder. */
  async remove(): Promise<void> {
    await this.kill();
    this.#spareAtEnd();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Creates a campaign: ASAP, and in a zone where no day ends during the test, unless told otherwise. */
  async createCampaign(fields: {
    readonly id: string;
    readonly daily_budget_cents: number;
    readonly [field: string]: unknown;
  }): Promise<void> {
    const body = { name: fields.id, pacing_mode: 'ASAP', timezone: calmZone(), ...fields };
    const { status, text } = await this.api.request('POST', '/campaigns', body);
    if (status !== 201) throw new Error(`the campaign was not created: ${status} ${text}`);
  }

  /** Changes fields of a campaign. */
  async patchCampaign(id: string, fields: object): Promise<Reply> {
    const reply = await this.api.request('PATCH', `/campaigns/${id}`, fields);
    if (reply.status !== 200) throw new Error(`the campaign was not changed: ${reply.status} ${reply.text}`);
    return reply;
  }

  #closeClients(): void {
    this.#core?.close();
    this.#api?.close();
  }
}

/** Two ports that are free now. */
export async function freePorts(): Promise<[number, number]> {
  const probes = [createServer(), createServer()];
  await Promise.all(
    probes.map((probe) => new Promise<void>((done) => probe.listen(0, '127.0.0.1', () => done()))),
  );
  const [first, second] = probes.map((probe) => (probe.address() as AddressInfo).port);
  await Promise.all(probes.map((probe) => new Promise((done) => probe.close(done))));
  return [first as number, second as number];
}
