/** What a soak says: a line for each period, and at its end the verdict with its figures. */
import type { Tally } from './books.ts';
import type { Comparison } from './conservation.ts';
import type { Period } from './gauges.ts';
import { fitLine, type LineFit } from './line-fit.ts';

/** A slope is judged when it was watched for so many periods after the warm-up. */
const JUDGED_PERIODS = 15;
/** Heaps, caches and pools have grown to their size by then, and at the earliest after a third of the run. */
const WARM_UP_PERIODS = 6;
/** Megabytes an hour that the slope must be above, by two of its errors, to be called a leak. */
const LEAK_MB_AN_HOUR = 12;
/** Descriptors that may be open in the last third of the run beyond those of the first. */
const DESCRIPTORS_MORE = 10;

export interface PeriodRecord {
  readonly number: number;
  readonly endedAtMs: number;
  readonly seconds: number;
  readonly fault: string;
  /** What happened in this period alone. */
  readonly tally: Tally;
  readonly spentCents: number;
  readonly decisionMs: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly comparison: Comparison;
  /** Of each pod. */
  readonly pods: readonly Period[];
  readonly redisMb: number;
  readonly problems: readonly string[];
}

export interface Verdict {
  readonly failures: readonly string[];
  readonly periods: number;
  readonly conserved: number;
  readonly answers: number;
  readonly spends: number;
  readonly spentCents: number;
  readonly faults: number;
  readonly slowestAgreementMs: number;
  /** MB an hour of the first pod, after the warm-up; null when too short. */
  readonly residentSlope: LineFit | null;
  readonly anonymousSlope: LineFit | null;
  /** The most that were open in the first and in the last third; null when too short. */
  readonly descriptors: { readonly first: number; readonly last: number } | null;
  readonly lagMsMax: number;
}

export function periodLine(record: PeriodRecord): string {
  const { tally, comparison, decisionMs, pods, seconds } = record;
  const memory = pods.map(({ residentMb }) => residentMb.toFixed(0)).join('/');
  const descriptors = pods.map(({ descriptorsMax }) => descriptorsMax).join('/');
  const lag = Math.max(...pods.map(({ lagMsMax }) => lagMsMax));
  return [
    `${new Date(record.endedAtMs).toISOString().slice(11, 19)} ${String(record.number).padStart(4)}`,
    isGood(record) ? 'ok    ' : 'FAILED',
    `${record.fault.padEnd(16)}`,
    `${(tally.answers / seconds).toFixed(0)}/s, ${tally.spends} spends $${(record.spentCents / 100).toFixed(2)}`,
    `all agree after ${(comparison.agreedAfterMs / 1000).toFixed(1)} s`,
    `p50 ${decisionMs.p50.toFixed(1)} p99 ${decisionMs.p99.toFixed(1)} ms`,
    `${memory} MB, ${descriptors} fds, lag ${lag.toFixed(0)} ms`,
  ].join('  ');
}

export function isGood({ comparison, problems }: PeriodRecord): boolean {
  return problems.length + comparison.differences.length + comparison.overspent.length === 0;
}

export function verdictOf(records: readonly PeriodRecord[]): Verdict {
  const settled = records.slice(Math.max(WARM_UP_PERIODS, Math.floor(records.length / 3)));
  const slopeOf = (of: (pod: Period) => number): LineFit | null =>
    fitLine(settled.map(({ endedAtMs, pods }) => [endedAtMs / 3_600_000, pods[0] ? of(pods[0]) : 0]));
  const third = Math.ceil(settled.length / 3);
  const descriptorsIn = (some: readonly PeriodRecord[]): number =>
    Math.max(0, ...some.map(({ pods }) => pods[0]?.descriptorsMax ?? 0));
  const conserved = records.filter(({ comparison }) => comparison.differences.length === 0).length;
  const anonymousSlope = slopeOf(({ anonymousMb }) => anonymousMb);
  const descriptors = {
    first: descriptorsIn(settled.slice(0, third)),
    last: descriptorsIn(settled.slice(-third)),
  };
  const isJudged = settled.length >= JUDGED_PERIODS;
  const isLeaking =
    anonymousSlope !== null && anonymousSlope.slope - 2 * anonymousSlope.error > LEAK_MB_AN_HOUR;
  const sum = (of: (record: PeriodRecord) => number): number =>
    records.reduce((total, record) => total + of(record), 0);
  const failures = [
    ...(records.length === 0 ? ['no period was finished'] : []),
    ...records.flatMap(({ number, comparison, problems }) =>
      [...comparison.differences, ...comparison.overspent, ...problems].map((what) => `${number}: ${what}`),
    ),
    ...overspentOf(records),
    ...(isJudged && isLeaking ? ['memory grows'] : []),
    ...(isJudged && descriptors.last > descriptors.first + DESCRIPTORS_MORE ? ['descriptors grow'] : []),
  ];
  return {
    failures,
    periods: records.length,
    conserved,
    answers: sum(({ tally }) => tally.answers),
    spends: sum(({ tally }) => tally.spends),
    spentCents: sum(({ spentCents }) => spentCents),
    faults: records.filter(({ fault }) => fault !== '-').length,
    slowestAgreementMs: Math.max(0, ...records.map(({ comparison }) => comparison.agreedAfterMs)),
    residentSlope: isJudged ? slopeOf(({ residentMb }) => residentMb) : null,
    anonymousSlope: isJudged ? anonymousSlope : null,
    descriptors: isJudged ? descriptors : null,
    lagMsMax: Math.max(0, ...records.flatMap(({ pods }) => pods.map(({ lagMsMax }) => lagMsMax))),
  };
}

function overspentOf(records: readonly PeriodRecord[]): string[] {
  return records.flatMap(({ number, pods }) =>
    pods.flatMap(({ overspentCents }, at) =>
      overspentCents > 0 ? [`${number}: pod ${at} tells of ${overspentCents} cents overspent`] : [],
    ),
  );
}

export function verdictText(verdict: Verdict): string {
  const { descriptors, anonymousSlope, residentSlope } = verdict;
  const slope = (fit: LineFit): string => `${fit.slope.toFixed(1)} ± ${fit.error.toFixed(1)} MB/h`;
  const seconds = (verdict.slowestAgreementMs / 1000).toFixed(1);
  const growth =
    residentSlope === null || anonymousSlope === null || descriptors === null
      ? 'too short to tell whether memory or descriptors grow'
      : `first pod after the warm-up: resident memory ${slope(residentSlope)}, without mapped files ${slope(anonymousSlope)}; at most ${descriptors.first} descriptors in the first third, ${descriptors.last} in the last`;
  return [
    '',
    `${verdict.periods} periods, ${verdict.faults} faults, ${verdict.answers} answers, worst event-loop lag ${verdict.lagMsMax.toFixed(0)} ms`,
    `conserved in ${verdict.conserved} of ${verdict.periods}: ${verdict.spends} spends of $${(verdict.spentCents / 100).toFixed(2)}; all agreed after at most ${seconds} s`,
    growth,
    ...verdict.failures.map((failure) => `FAILED: ${failure}`),
    verdict.failures.length === 0 ? 'passed' : 'failed',
  ].join('\n');
}
