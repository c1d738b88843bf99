/** What a soak concludes from its figures. */
import { describe, expect, it } from 'vitest';
import { Books } from '../../../bench/soak/books.ts';
import type { Period } from '../../../bench/soak/gauges.ts';
import { fitLine } from '../../../bench/soak/line-fit.ts';
import { type PeriodRecord, verdictOf } from '../../../bench/soak/report.ts';

const POD: Period = {
  residentMb: 200,
  anonymousMb: 150,
  descriptorsMax: 80,
  lagMsMax: 5,
  cpuShare: 0.2,
  ledgerMb: 1,
  overspentCents: 0,
  lateWinCents: 0,
  uncheckedEvents: 0,
};

/** Half an hour, a record a minute. */
function records(pod: (minute: number) => Partial<Period> = () => ({})): PeriodRecord[] {
  return Array.from({ length: 30 }, (_, minute) => ({
    number: minute + 1,
    endedAtMs: minute * 60_000,
    seconds: 60,
    fault: '-',
    tally: { ...new Books().tally, answers: 100 },
    spentCents: 10,
    decisionMs: { p50: 1, p99: 2, max: 3 },
    comparison: { agreedAfterMs: 100, differences: [], overspent: [], lastToAgree: [] },
    pods: [{ ...POD, ...pod(minute) }],
    redisMb: 1,
    problems: [],
  }));
}

describe('a line through points', () => {
  it('has their slope, and an error that is as large as they scatter', () => {
    expect(
      fitLine([
        [0, 1],
        [1, 3],
        [2, 5],
      ]),
    ).toEqual({ slope: 2, error: 0 });
    const scattered = fitLine([0, 1, 2, 3, 4].map((x) => [x, 10 + 2 * x + (x % 2 === 0 ? 1 : -1)]));
    expect(scattered?.slope).toBeCloseTo(2, 10);
    expect(scattered?.error).toBeCloseTo(Math.sqrt(4.8 / 3 / 10), 10);
  });

  it('is none through fewer than three points, or through points above each other', () => {
    expect(fitLine([[0, 1]])).toBeNull();
    expect(fitLine([0, 1, 2].map((y) => [5, y]))).toBeNull();
  });
});

describe('the verdict of a soak', () => {
  it('passes what lost nothing and stayed as it was', () => {
    expect(verdictOf(records())).toMatchObject({ failures: [], periods: 30, conserved: 30, answers: 3000 });
  });

  it('fails on money that differs, on spend above a budget and on answers that must not be', () => {
    const [first, second, third, ...rest] = records();
    if (first === undefined || second === undefined || third === undefined) throw new Error('no records');
    const verdict = verdictOf([
      { ...first, comparison: { ...first.comparison, differences: ['a cent is missing'] } },
      { ...second, comparison: { ...second.comparison, overspent: ['above its budget'] } },
      { ...third, problems: ['a decision was answered 500'] },
      ...rest,
    ]);
    expect(verdict.failures).toEqual([
      '1: a cent is missing',
      '2: above its budget',
      '3: a decision was answered 500',
    ]);
    expect(verdict.conserved).toBe(29);
  });

  it('fails on memory and descriptors that grow, not on those that go up and down', () => {
    const up = verdictOf(records((minute) => ({ anonymousMb: 150 + minute })));
    expect(up.failures).toEqual(['memory grows']);
    expect(up.anonymousSlope?.slope).toBeCloseTo(60, 6);
    expect(verdictOf(records((minute) => ({ descriptorsMax: 80 + minute }))).failures).toEqual([
      'descriptors grow',
    ]);
    expect(verdictOf(records((minute) => ({ anonymousMb: 150 + (minute % 5) }))).failures).toEqual([]);
  });

  it('fails on overspend that a pod tells of, and on no period at all', () => {
    expect(verdictOf(records((minute) => ({ overspentCents: minute === 7 ? 1 : 0 }))).failures).toEqual([
      '8: pod 0 tells of 1 cents overspent',
    ]);
    expect(verdictOf([]).failures).toEqual(['no period was finished']);
  });
});
