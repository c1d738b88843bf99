/** Turns paired rounds into a table, ratios, and a word on what limited them. */
import { median, type Spread, spreadOf } from '../report/statistics.ts';
import { fixed, percent, whole } from '../report/table.ts';
import type { Role, Run } from './paired-rounds.ts';
import { type Bench, goalNote, type Report } from './scenario.ts';

/** A server whose busiest thread neither ran nor waited for this share of the time was not the limit. */
const SATURATED = 0.9;
/** Programs outside the bench that used more than this share of the machine make figures doubtful. */
const OTHERS_MAX = 0.1;

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

const NAMES: Readonly<Record<Role, string>> = {
  subject: 'pacer',
  reference: 'bare endpoint, parses',
  constant: 'bare endpoint, does not parse',
};

export interface PairedFindings {
  readonly title: string;
  readonly runs: readonly Run[];
  /** The median ratio of subject to parsing reference that must be reached; null = none is set. */
  readonly goalRatio: number | null;
  readonly notes: readonly string[];
  readonly problems: readonly string[];
}

export function pairedReport(bench: Bench, findings: PairedFindings): Report {
  const { runs, goalRatio } = findings;
  const roles = [...new Set(runs.map((run) => run.role))].sort();
  const ratio = spreadOf(ratios(runs, (run) => run.requestsPerSecond));
  const cost = ratios(runs, (run) => run.result.requests / (run.cpu?.busiestThreadSeconds ?? Number.NaN));
  const costRatio = spreadOf(cost);
  return {
    title: `${findings.title} (driver ${bench.driver.name}, ${bench.rounds} rounds of ${bench.roundSeconds} s)`,
    columns: COLUMNS,
    rows: roles.map((role) => rowOf(role, runs)),
    notes: [
      `pacer / bare parsing endpoint: ${spreadText(ratio)}`,
      ...(Number.isFinite(costRatio.median)
        ? [`the same by processor time of the busiest thread: ${spreadText(costRatio)}`]
        : []),
      ...(goalRatio === null
        ? []
        : goalNote(bench, `at least ${goalRatio} of the bare parsing endpoint`, ratio.median >= goalRatio)),
      ...findings.notes,
      ...limitNotes(roles, runs),
    ],
    problems: findings.problems,
    figures: { driver: bench.driver.name, goalRatio, ratio, busiestThreadRatio: costRatio, runs },
  };
}

/** Subject over reference, round by round. */
function ratios(runs: readonly Run[], figure: (run: Run) => number): number[] {
  return runs
    .filter((run) => run.role === 'subject')
    .map((run) => {
      const paired = runs.find((other) => other.role === 'reference' && other.round === run.round);
      return paired === undefined ? Number.NaN : figure(run) / figure(paired);
    });
}

function rowOf(role: Role, runs: readonly Run[]): string[] {
  const own = runs.filter((run) => run.role === role);
  const of = (figure: (run: Run) => number): number => median(own.map(figure));
  const micros = (seconds: (run: Run) => number | undefined): number =>
    of((run) => ((seconds(run) ?? Number.NaN) * 1e6) / run.result.requests);
  return [
    NAMES[role],
    whole(of((run) => run.requestsPerSecond)),
    fixed(
      of((run) => run.result.latency.p50Ms),
      2,
    ),
    fixed(
      of((run) => run.result.latency.p95Ms),
      2,
    ),
    fixed(
      of((run) => run.result.latency.p99Ms),
      2,
    ),
    fixed(
      of((run) => run.result.latency.p999Ms),
      2,
    ),
    percent(of((run) => run.cpu?.busiestThreadBusy ?? Number.NaN)),
    fixed(
      micros((run) => run.cpu?.busiestThreadSeconds),
      2,
    ),
    fixed(
      micros((run) => run.cpu?.serverSeconds),
      2,
    ),
  ];
}

function limitNotes(roles: readonly Role[], runs: readonly Run[]): string[] {
  const notes: string[] = [];
  for (const role of roles) {
    const own = runs.filter((run) => run.role === role);
    const ready = median(
      own.map((run) => (run.cpu === null ? 1 : run.cpu.busiestThreadBusy + run.cpu.busiestThreadWaiting)),
    );
    if (ready < SATURATED) {
      notes.push(`${NAMES[role]}: its busiest thread was idle ${percent(1 - ready)} of the time`);
      if (role === 'reference')
        notes.push('the driver was the limit of the reference: the ratio is too good');
    }
  }
  const disturbed = runs.filter((run) => (run.cpu?.othersShare ?? 0) > OTHERS_MAX).length;
  if (disturbed > 0) {
    notes.push(
      `in ${disturbed} of ${runs.length} runs other programs used over ${percent(OTHERS_MAX)} of the machine`,
    );
  }
  return notes;
}

function spreadText({ median: middle, min, max }: Spread): string {
  return `median ${fixed(middle, 3)} (${fixed(min, 3)}–${fixed(max, 3)})`;
}
