/**
 * A small harness for micro-benchmarks: an operation is run so many times that a sample takes some milliseconds, and
 * the median of many samples counts. Each benchmark has a process of its own (micro-process.ts), so that none finds
 * code that another one has warmed up or spoilt.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Spread, spreadOf } from '../report/statistics.ts';

/** What is measured, ready to run. */
export interface Prepared {
  /** Runs the operation so many times. */
  readonly run: (times: number) => void | Promise<void>;
  /** Between two samples, outside the clock. */
  readonly between?: () => void;
  readonly close?: () => Promise<void>;
}

export interface MicroBenchmark {
  readonly name: string;
  readonly describe: string;
  /** @param folder an empty one of its own, on the disk that ledgers are kept on */
  readonly prepare: (folder: string) => Prepared | Promise<Prepared>;
}

export interface MicroStart {
  readonly name: string;
  readonly folder: string;
  readonly samples: number;
}

export interface MicroFigures {
  readonly name: string;
  readonly nanosEach: Spread;
  readonly samples: number;
  readonly timesASample: number;
}

const SAMPLE_MS = 5;
const WARM_UP_SAMPLES = 20;
/** A sample's size is found by the shortest of so many: one that met a collection would seem long enough. */
const SIZING_RUNS = 3;
const TIMES_MAX = 2 ** 24;
const TIMEOUT_MS = 120_000;

/** Measures in this process. */
export async function measure(
  { run, between }: Prepared,
  name: string,
  samples: number,
): Promise<MicroFigures> {
  let times = 1;
  for (;;) {
    let ms = Number.POSITIVE_INFINITY;
    for (let sizing = 0; sizing < SIZING_RUNS && ms >= SAMPLE_MS; sizing++) {
      between?.();
      ms = Math.min(ms, await timed(run, times));
    }
    if (ms >= SAMPLE_MS || times >= TIMES_MAX) break;
    times *= 2;
  }
  const nanos: number[] = [];
  for (let sample = -Math.min(WARM_UP_SAMPLES, samples); sample < samples; sample++) {
    between?.();
    const ms = await timed(run, times);
    if (sample >= 0) nanos.push((ms * 1e6) / times);
  }
  return { name, nanosEach: spreadOf(nanos), samples, timesASample: times };
}

async function timed(run: Prepared['run'], times: number): Promise<number> {
  const startedAt = process.hrtime.bigint();
  const done = run(times);
  if (done !== undefined) await done;
  return Number(process.hrtime.bigint() - startedAt) / 1e6;
}

/** Measures in a process of its own. */
export function measureApart(start: MicroStart, signal: AbortSignal): Promise<MicroFigures> {
  const entry = fileURLToPath(new URL('./micro-process.js', import.meta.url));
  return new Promise((resolve, reject) => {
    let figures: MicroFigures | undefined;
    const child = fork(entry, {
      signal,
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
      stdio: ['ignore', 2, 2, 'ipc'],
    });
    child.on('message', (message: MicroFigures) => {
      figures = message;
    });
    child.on('error', reject);
    child.on('exit', (code, killedBy) => {
      if (figures !== undefined) resolve(figures);
      else reject(new Error(`the micro-benchmark ${start.name} ended (${killedBy ?? code})`));
    });
    child.send(start, (error) => {
      if (error !== null) reject(error);
    });
  });
}
