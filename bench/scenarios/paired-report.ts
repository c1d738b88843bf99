/** Turns paired rounds into a table, ratios, and a word on what limited them. */
import { median, type Spread, spreadOf } from '../report/statistics.ts';
import { fixed, percent, whole } from '../report/table.ts';
import { PACER, type Run, ratiosOf } from './paired-rounds.ts';
import { type Bench, goalNote, type Report } from './scenario.ts';

/** A server whose busiest thread neither ran nor waited for this share of the time was not the limit. */
const SATURATED = 0.9;
/** Programs outside the bench that used more than this share of the machine make figures doubtful. */
const OTHERS_MAX = 0.1;

const NONE: Spread = { median: Number.NaN, min: Number.NaN, max: Number.NaN };
const NO_RATIO = { throughput: NONE, busiestThread: NONE };

const COLUMNS = [
  'server',
  'requests/s',
  'p50 ms',
  'p95 ms',
  'p99 ms',
  'p99.9 ms',
  'busiest thread',
  'its µs/request',
  'server µs/request',
];

/** What the subject is held against. */
export interface Against {
  /** The other target's name. */
  readonly name: string;
  /** The median ratio that must be reached; absent = none is set. */
  readonly atLeast?: number;
}

export interface PairedFindings {
  readonly title: string;
  readonly runs: readonly Run[];
  readonly against: readonly Against[];
  /** Decisions or spends in a request, where it is not one. */
  readonly batch?: { readonly size: number; readonly unit: string };
  readonly notes: readonly string[];
  readonly problems: readonly string[];
}

export function pairedReport(bench: Bench, findings: PairedFindings): Report {
  const { runs, against, batch } = findings;
  const targets = [...new Set(runs.map((run) => run.target))].sort();
  const ratios = against.map(({ name }) => ({
    name,
    throughput: spreadOf(ratiosOf(runs, PACER, name)),
    busiestThread: spreadOf(ratiosOf(runs, PACER, name, requestsPerBusySecond)),
  }));
  return {
    title: `${findings.title} (driver ${bench.driver.name}, ${roundsText(bench)})`,
    columns: batch === undefined ? COLUMNS : [...COLUMNS, batch.unit],
    rows: targets.map((target) => {
      const row = rowOf(target, runs);
      return batch === undefined ? row : [...row, whole(batch.size * throughputOf(target, runs))];
    }),
    notes: [
      ...ratios.flatMap(({ name, throughput, busiestThread }) => [
        `${PACER} / ${name}: ${spreadText(throughput)}`,
        ...(Number.isFinite(busiestThread.median)
          ? [`the same by processor time of the busiest thread: ${spreadText(busiestThread)}`]
          : []),
      ]),
      ...against.flatMap(({ name, atLeast }, at) => {
        if (atLeast === undefined) return [];
        const { throughput, busiestThread } = ratios[at] ?? NO_RATIO;
        const goal = `at least ${atLeast} of: ${name}`;
        const byTime = Number.isFinite(busiestThread.median)
          ? `, by processor time ${fixed(busiestThread.median, 3)}`
          : '';
        const measured = `${fixed(throughput.median, 3)}${byTime}`;
        return goalNote(bench, goal, judged(runs, throughput, busiestThread) >= atLeast, measured);
      }),
      ...findings.notes,
      ...limitNotes(targets, runs),
    ],
    problems: findings.problems,
    figures: { driver: bench.driver.name, against, ratios, runs },
  };
}

export function roundsText(bench: Bench): string {
  return `${bench.rounds} rounds of ${bench.roundSeconds} s`;
}

/**
 * The ratio that a goal is held against: of throughput; where other programs disturbed most runs, the lesser of that and
 * the one by processor time, so that what they took from the reference is not the subject's merit.
 */
export function judged(runs: readonly Run[], throughput: Spread, busiestThread: Spread): number {
  if (disturbedOf(runs) < runs.length / 2 || Number.isNaN(busiestThread.median)) return throughput.median;
  return Math.min(throughput.median, busiestThread.median);
}

function disturbedOf(runs: readonly Run[]): number {
  return runs.filter((run) => (run.cpu?.othersShare ?? 0) > OTHERS_MAX).length;
}

/** Requests for a second of the busiest thread's processor time: what it could do had it a core of its own. */
export function requestsPerBusySecond(run: Run): number {
  return run.result.requests / (run.cpu?.busiestThreadSeconds ?? Number.NaN);
}

/** Requests a second, the median of the rounds. */
export function throughputOf(target: string, runs: readonly Run[]): number {
  return median(runs.filter((run) => run.target === target).map((run) => run.requestsPerSecond));
}

/** A target's line of the table. */
export function rowOf(target: string, runs: readonly Run[]): string[] {
  const own = runs.filter((run) => run.target === target);
  const of = (figure: (run: Run) => number, digits: number): string => fixed(median(own.map(figure)), digits);
  const micros = (seconds: (run: Run) => number | undefined): string =>
    of((run) => ((seconds(run) ?? Number.NaN) * 1e6) / run.result.requests, 2);
  return [
    target,
    whole(throughputOf(target, runs)),
    of((run) => run.result.latency.p50Ms, 2),
    of((run) => run.result.latency.p95Ms, 2),
    of((run) => run.result.latency.p99Ms, 2),
    of((run) => run.result.latency.p999Ms, 2),
    percent(median(own.map((run) => run.cpu?.busiestThreadBusy ?? Number.NaN))),
    micros((run) => run.cpu?.busiestThreadSeconds),
    micros((run) => run.cpu?.serverSeconds),
  ];
}

/** What was not a server's limit, and what disturbed the runs. */
export function limitNotes(targets: readonly string[], runs: readonly Run[]): string[] {
  const notes: string[] = [];
  const disturbed = disturbedOf(runs);
  for (const target of targets) {
    const own = runs.filter((run) => run.target === target);
    const ready = median(
      own.map((run) => (run.cpu === null ? 1 : run.cpu.busiestThreadBusy + run.cpu.busiestThreadWaiting)),
    );
    if (ready >= SATURATED) continue;
    notes.push(`${target}: its busiest thread was idle ${percent(1 - ready)} of the time`);
    const isCalm = disturbed < runs.length / 2;
    if (
      isCalm &&
      target !== PACER &&
      own.every((run) => run.counted === null && (run.cpu?.processes ?? 1) === 1)
    ) {
      notes.push(`the driver was the limit of ${target}: the ratio to it is too good`);
    }
  }
  if (disturbed > 0) {
    const share = percent(median(runs.map((run) => run.cpu?.othersShare ?? Number.NaN)));
    notes.push(
      `in ${disturbed} of ${runs.length} runs other programs used over ${percent(OTHERS_MAX)} of the machine (median ${share}): the ratios by processor time are then the better ones`,
    );
  }
  return notes;
}

export function spreadText({ median: middle, min, max }: Spread, digits = 3): string {
  return `median ${fixed(middle, digits)} (${fixed(min, digits)}–${fixed(max, digits)})`;
}
