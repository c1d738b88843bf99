import { describe, expect, it } from 'vitest';
import type { TrafficSlot } from '../../../dashboard/src/api/types.ts';
import {
  allowedLine,
  askedLine,
  slotSpentLine,
  throttleLine,
} from '../../../dashboard/src/charts/traffic-series.ts';

const NOON = Date.parse('2026-03-03T12:00:00Z');
const MINUTE = 60_000;

const slot = (minute: number, asks: number, allowed: number): TrafficSlot => ({
  start: new Date(NOON + minute * MINUTE).toISOString(),
  seconds: 300,
  asks,
  allowed,
  throttle_rate: 0.25,
  spent_cents: 100 + minute,
});

describe('the lines of traffic', () => {
  it('have bids a minute in the middle of each slot, and the spend at its end', () => {
    const slots = [slot(0, 500, 400), slot(5, 1_000, 100)];
    const middle = (minute: number) => NOON + (minute + 2.5) * MINUTE;
    expect(askedLine(slots, [])).toEqual([
      [middle(0), 100],
      [middle(5), 200],
    ]);
    expect(allowedLine(slots, []).map(([, bids]) => bids)).toEqual([80, 20]);
    expect(throttleLine(slots, [])).toEqual([
      [middle(0), 0.25],
      [middle(5), 0.25],
    ]);
    expect(slotSpentLine(slots, [])).toEqual([
      [NOON + 5 * MINUTE, 100],
      [NOON + 10 * MINUTE, 105],
    ]);
  });

  it('are zero where nothing was asked for, which the throttle is not', () => {
    const slots = [slot(0, 500, 400), slot(30, 500, 400)];
    expect(askedLine(slots, []).slice(1, 3)).toEqual([
      [NOON + 5 * MINUTE, 0],
      [NOON + 30 * MINUTE, 0],
    ]);
    expect(throttleLine(slots, [])).toHaveLength(2);
  });

  it('take what the page saw itself where it saw something', () => {
    const seen = [
      [NOON + 6 * MINUTE, 7],
      [NOON + 11 * MINUTE, 9],
    ] as const;
    expect(askedLine([slot(0, 500, 400), slot(5, 500, 400)], seen)).toEqual([
      [NOON + 2.5 * MINUTE, 100],
      ...seen,
    ]);
  });
});
