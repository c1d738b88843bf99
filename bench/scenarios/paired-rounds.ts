/**
 * The heart of every comparison: the subject and its references take turns within one run, the order turned
 * round every time, and what counts is the ratio within a round. Machines, and how busy they are, then
 * matter as little as they can. Everything a run could hide is looked for: refusals, socket errors, denials.
 */
import type { Load, LoadResult } from '../drivers/load.ts';
import { type CpuUse, cpuBetween, readCpu } from '../report/cpu-time.ts';
import { type Counters, countedBetween, readCounters } from '../servers/counters.ts';
import type { RunningServer } from '../servers/reference.ts';
import type { Bench } from './scenario.ts';

export type Role = 'subject' | 'reference' | 'constant';

export interface Target {
  readonly role: Role;
  readonly server: RunningServer;
}

export interface PairedLoad {
  readonly path: string;
  readonly connections: number;
  /** @param run a name of its own for each run, so that no id of an earlier run comes again */
  readonly bodies: (run: string) => readonly string[];
}

export interface Run {
  readonly role: Role;
  readonly round: number;
  readonly result: LoadResult;
  readonly requestsPerSecond: number;
  /** Null where the system keeps no such account. */
  readonly cpu: CpuUse | null;
  /** What the server says it did in this run; null for a reference. */
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
  const runs: Run[] = [];
  for (let round = 1; round <= bench.rounds; round++) {
    const first = (round - 1) % targets.length;
    for (const target of [...targets.slice(first), ...targets.slice(0, first)]) {
      runs.push(await runOnce(bench, target, load, round));
    }
  }
  return runs;
}

async function runOnce(bench: Bench, target: Target, load: PairedLoad, round: number): Promise<Run> {
  const { role, server } = target;
  const isSubject = role === 'subject';
  const countersBefore = isSubject ? await readCounters(server.url) : null;
  const cpuBefore = await readCpu(server.pid);
  const result = await bench.driver.run(
    loadFor(target, load, `r${round}`, bench.roundSeconds),
    bench.workshop.signal,
  );
  const cpu = cpuBetween(cpuBefore, await readCpu(server.pid));
  const counted =
    countersBefore === null ? null : countedBetween(countersBefore, await readCounters(server.url));
  return {
    role,
    round,
    result,
    requestsPerSecond: result.seconds > 0 ? result.requests / result.seconds : 0,
    cpu,
    counted,
  };
}

function loadFor(target: Target, load: PairedLoad, run: string, durationSeconds: number): Load {
  const { path, connections, bodies } = load;
  return { url: target.server.url + path, connections, durationSeconds, bodies: bodies(run) };
}

/** What makes a run's figures worthless, in words. */
export function problemsOf(run: Run): string[] {
  const { role, round, result } = run;
  const where = `${role}, round ${round}`;
  return [
    ...(result.requests === 0 ? [`${where}: no request was answered`] : []),
    ...(result.refused > 0 ? [`${where}: ${result.refused} answers were not 2xx`] : []),
    ...(result.socketErrors > 0 ? [`${where}: ${result.socketErrors} socket errors`] : []),
  ];
}
