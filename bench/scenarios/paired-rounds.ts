/**
 * The heart of every comparison: the subject and its references take turns within one run, the order turned
 * round every time, and what counts is the ratio within a round. Machines, and how busy they are, then
 * matter as little as they can. Everything a run could hide is looked for: refusals, socket errors, denials.
 */
import { type ContentType, type Load, type LoadResult, postsTo } from '../drivers/load.ts';
import { type CpuUse, cpuBetween, readCpu } from '../report/cpu-time.ts';
import { type Counters, countedBetween, readSettledCounters } from '../servers/counters.ts';
import type { RunningServer } from '../servers/reference.ts';
import type { Bench } from './scenario.ts';

/** The subject's name in every table. */
export const PACER = 'pacer';

export interface Target {
  /** Its name in the table; one each. */
  readonly name: string;
  readonly server: RunningServer;
  /** Whether it counts what it does in its /metrics. */
  readonly isPacer: boolean;
  /** Its own load, where it differs from the others'. */
  readonly load?: PairedLoad;
  /** Whether it stands still (SIGSTOP) while others have their turns, for what it still does after a load is its own. */
  readonly stands?: boolean;
}

export interface PairedLoad {
  readonly path: string;
  readonly connections: number;
  /** @param run a name of its own for each run, so that no id of an earlier run comes again */
  readonly bodies: (run: string) => readonly string[];
  readonly contentType?: ContentType;
}

export interface Run {
  /** The target's name. */
  readonly target: string;
  readonly round: number;
  readonly result: LoadResult;
  readonly requestsPerSecond: number;
  /** Null where the system keeps no such account. */
  readonly cpu: CpuUse | null;
  /** What the server says it did in this run; null for one that is no pacer. */
  readonly counted: Counters | null;
}

/** Rounds of runs, in the order they were made. */
export async function pairedRounds(
  bench: Bench,
  targets: readonly Target[],
  load: PairedLoad,
): Promise<Run[]> {
  if (bench.warmUpSeconds > 0) {
    for (const target of targets) {
      await bench.driver.run(loadFor(target, load, 'warm', bench.warmUpSeconds), bench.workshop.signal);
    }
  }
  for (const target of targets) signal(target, 'SIGSTOP');
  try {
    return await roundsOf(bench, targets, load);
  } finally {
    for (const target of targets) signal(target, 'SIGCONT');
  }
}

async function roundsOf(bench: Bench, targets: readonly Target[], load: PairedLoad): Promise<Run[]> {
  const runs: Run[] = [];
  for (let round = 1; round <= bench.rounds; round++) {
    const first = (round - 1) % targets.length;
    for (const target of [...targets.slice(first), ...targets.slice(0, first)]) {
      await goOn(bench, target, load);
      runs.push(await runOnce(bench, target, load, round));
      signal(target, 'SIGSTOP');
    }
  }
  return runs;
}

function signal({ server, stands }: Target, name: 'SIGSTOP' | 'SIGCONT'): void {
  if (stands === true) for (const pid of server.pids) process.kill(pid, name);
}

/** What has fallen due while it stood still is done before its turn is measured. */
async function goOn(bench: Bench, target: Target, load: PairedLoad): Promise<void> {
  if (target.stands !== true) return;
  signal(target, 'SIGCONT');
  if (bench.warmUpSeconds === 0) return;
  await bench.driver.run(loadFor(target, load, 'again', bench.warmUpSeconds), bench.workshop.signal);
}

async function runOnce(bench: Bench, target: Target, load: PairedLoad, round: number): Promise<Run> {
  const { name, server, isPacer } = target;
  const countersBefore = isPacer ? await readSettledCounters(server.url) : null;
  const cpuBefore = await readCpu(server.pids);
  const result = await bench.driver.run(
    loadFor(target, load, `r${round}`, bench.roundSeconds),
    bench.workshop.signal,
  );
  const cpu = cpuBetween(cpuBefore, await readCpu(server.pids));
  const counted =
    countersBefore === null ? null : countedBetween(countersBefore, await readSettledCounters(server.url));
  return {
    target: name,
    round,
    result,
    requestsPerSecond: result.seconds > 0 ? result.requests / result.seconds : 0,
    cpu,
    counted,
  };
}

function loadFor(target: Target, shared: PairedLoad, run: string, durationSeconds: number): Load {
  const { path, connections, bodies, contentType = 'application/json' } = target.load ?? shared;
  const requests = postsTo(path, bodies(run));
  return { url: target.server.url, connections, durationSeconds, requests, contentType };
}

/** Of a figure: a target's over another's, round by round. */
export function ratiosOf(
  runs: readonly Run[],
  target: string,
  other: string,
  figure: (run: Run) => number = (run) => run.requestsPerSecond,
): number[] {
  return runs
    .filter((run) => run.target === target)
    .map((run) => {
      const paired = runs.find((each) => each.target === other && each.round === run.round);
      return paired === undefined ? Number.NaN : figure(run) / figure(paired);
    });
}

/** What makes a run's figures worthless, in words. */
export function problemsOf(run: Run): string[] {
  const { target, round, result } = run;
  const where = `${target}, round ${round}`;
  return [
    ...(result.requests === 0 ? [`${where}: no request was answered`] : []),
    ...(result.refused > 0 ? [`${where}: ${result.refused} answers were not 2xx`] : []),
    ...(result.socketErrors > 0 ? [`${where}: ${result.socketErrors} socket errors`] : []),
  ];
}
