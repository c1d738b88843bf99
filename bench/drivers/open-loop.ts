/**
 * The driver for open-loop load: requests are sent when they are due, whether or not earlier ones were answered.
 * (autocannon's overallRate waits for answers, and wrk2 is in few distributions.) It runs in a process of its own.
 */
import { fork } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type ContentType, type Latency, OVERTIME_MS, type Post } from './load.ts';

const entry = fileURLToPath(new URL('./open-loop-process.js', import.meta.url));

export interface OpenPost extends Post {
  /** Requests of one kind have a histogram of their own. */
  readonly kind: string;
}

export interface OpenLoad {
  /** The server's origin. */
  readonly url: string;
  readonly connections: number;
  readonly durationSeconds: number;
  /** Requests a second, evenly spaced. */
  readonly rate: number;
  /** Sent in turn. */
  readonly requests: readonly OpenPost[];
  readonly contentType?: ContentType;
  /**
   * Whether it has a lower priority than the server: it polls, and on cores that they share the server would wait for its
   * time slices. Not where others of low priority are measured beside it, which would take the processor from the driver.
   */
  readonly givesWay?: boolean;
}

export interface KindResult {
  readonly answered: number;
  /** From when a request was due until its answer was read. */
  readonly latency: Latency;
  /** The same from when it was sent: without what the driver itself was late. */
  readonly fromSending: Latency;
  readonly maxMs: number;
}

export interface OpenResult {
  readonly kinds: Readonly<Record<string, KindResult>>;
  readonly seconds: number;
  /** Answers with a status other than 200. */
  readonly refused: number;
  readonly socketErrors: number;
  /** Requests that were due and had no answer when the run was given up. */
  readonly unanswered: number;
  /** How much later than due requests were sent, median and 99.9th percentile: the driver's own part. */
  readonly sentLateMs: { readonly p50Ms: number; readonly p999Ms: number };
  /** Processor time of the driver, of one core. */
  readonly driverBusy: number;
}

export type OpenReport =
  | { readonly ok: true; readonly result: OpenResult; readonly message?: never }
  | { readonly ok: false; readonly message: string };

/** With V8's 16 MB it collects some times a second, with four helpers beside the server, and sends late meanwhile. */
const DRIVER_OPTIONS = ['--max-semi-space-size=128'];

export const OPEN_LOOP = 'open-loop (node:net)';

export function runOpenLoad(load: OpenLoad, signal: AbortSignal): Promise<OpenResult> {
  const timeout = load.durationSeconds * 1000 + OVERTIME_MS;
  return new Promise((resolve, reject) => {
    let report: OpenReport | undefined;
    const child = fork(entry, {
      execArgv: DRIVER_OPTIONS,
      signal,
      timeout,
      killSignal: 'SIGKILL',
      stdio: ['ignore', 2, 2, 'ipc'],
    });
    child.on('message', (message: OpenReport) => {
      report = message;
    });
    child.on('error', reject);
    child.on('exit', (code, killedBy) => {
      if (report?.ok) resolve(report.result);
      else reject(new Error(`the open loop ended (${killedBy ?? code}): ${report?.message ?? 'no report'}`));
    });
    if (load.givesWay === true && child.pid !== undefined) {
      setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
    }
    child.send(load, (error) => {
      if (error !== null) reject(error);
    });
  });
}
