/** The subject: the built server as its own process, on free loopback ports, stopped by SIGTERM. */
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { RunningServer } from './reference.ts';
import type { ServerProcess } from './server-process.ts';
import type { Workshop } from './workshop.ts';

const READY_DEADLINE_MS = 60_000;
const READY_POLL_MS = 5;
/** A free port may be taken before the server has it. */
const ATTEMPTS = 3;

export interface PacerLaunch {
  /** The entry file, absolute. */
  readonly entry: string;
  readonly dataDir: string;
  /** Options of the server, by their environment variables. */
  readonly options?: Readonly<Record<string, string>>;
}

export interface Pacer extends RunningServer {
  readonly apiUrl: string;
  /** From the start of the process until /health/ready answered 200. */
  readonly readyMs: number;
  /** What it logged at LOG_LEVEL=warn, the last of it. */
  readonly logTail: () => string;
}

export async function startPacer(workshop: Workshop, launch: PacerLaunch): Promise<Pacer> {
  for (let attempt = 1; ; attempt++) {
    const [port, apiPort] = [await freePort(), await freePort()];
    const startedAtMs = performance.now();
    const server = workshop.launch({
      name: 'the pacer',
      args: [launch.entry],
      env: {
        DATA_DIR: launch.dataDir,
        PORT: String(port),
        API_PORT: String(apiPort),
        LOG_LEVEL: 'warn',
        EDGE_THREADS: '1',
        // As in the image (docker/Dockerfile).
        MALLOC_ARENA_MAX: '2',
        MALLOC_TRIM_THRESHOLD_: '131072',
        ...launch.options,
      },
    });
    const url = `http://127.0.0.1:${port}`;
    if (!(await isReady(server, url, workshop.signal))) {
      if (attempt < ATTEMPTS && server.logTail.includes('PORT')) continue;
      throw server.failure('did not become ready');
    }
    return {
      url,
      apiUrl: `http://127.0.0.1:${apiPort}`,
      pid: server.pid,
      pids: [server.pid],
      readyMs: performance.now() - startedAtMs,
      logTail: () => server.logTail,
      stop: () => server.stop(),
    };
  }
}

async function isReady(server: ServerProcess, url: string, signal: AbortSignal): Promise<boolean> {
  const deadlineMs = performance.now() + READY_DEADLINE_MS;
  while (server.end === null && performance.now() < deadlineMs) {
    const ready = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(1000) }).then(
      async (response) => {
        await response.arrayBuffer();
        return response.ok;
      },
      () => false,
    );
    if (ready) return true;
    await pause(READY_POLL_MS, undefined, { signal });
  }
  return false;
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
