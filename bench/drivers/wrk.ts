/**
 * The driver of choice where it is installed: wrk is several times cheaper per request than a driver in
 * JavaScript, so the server, not the driver, is what the run measures. A Lua script carries the requests.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Driver, type Load, type LoadResult, OVERTIME_MS } from './load.ts';
import { REPORT_MARK, wrkRequests, wrkScript } from './wrk-script.ts';

const execute = promisify(execFile);
const REQUEST_TIMEOUT_SECONDS = 5;

/** What the script's done() writes, microseconds. */
interface WrkReport {
  readonly requests: number;
  readonly durationMicros: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
  readonly status: number;
  readonly socket: number;
}

/** Whether wrk is on the PATH. */
export async function isWrkInstalled(): Promise<boolean> {
  return execute('wrk', ['--version']).then(
    () => true,
    // It prints its version and exits with 1.
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT' && error.code !== 'EACCES',
  );
}

export const wrkDriver: Driver = {
  name: 'wrk',
  async run(load: Load, signal: AbortSignal): Promise<LoadResult> {
    const folder = await mkdtemp(join(tmpdir(), 'pacer-bench-wrk-'));
    try {
      const script = join(folder, 'load.lua');
      const requests = join(folder, 'requests');
      await writeFile(requests, wrkRequests(load));
      await writeFile(script, wrkScript(load, requests));
      // One thread: more would make two threads' serials meet, and take cores from a small machine's server.
      const args = [
        '--threads=1',
        `--connections=${load.connections}`,
        `--duration=${Math.ceil(load.durationSeconds)}s`,
      ];
      args.push(`--timeout=${REQUEST_TIMEOUT_SECONDS}s`, `--script=${script}`, load.url);
      const timeout = load.durationSeconds * 1000 + OVERTIME_MS;
      const { stdout } = await execute('wrk', args, { signal, timeout, killSignal: 'SIGKILL' });
      return resultOf(stdout);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

function resultOf(stdout: string): LoadResult {
  const line = stdout.split('\n').find((each) => each.startsWith(REPORT_MARK));
  if (line === undefined) throw new Error(`wrk gave no report: ${stdout.slice(-500)}`);
  const report = JSON.parse(line.slice(REPORT_MARK.length)) as WrkReport;
  return {
    requests: report.requests,
    seconds: report.durationMicros / 1e6,
    latency: {
      p50Ms: report.p50 / 1000,
      p95Ms: report.p95 / 1000,
      p99Ms: report.p99 / 1000,
      p999Ms: report.p999 / 1000,
    },
    refused: report.status,
    socketErrors: report.socket,
  };
}
