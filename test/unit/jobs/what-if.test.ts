import { describe, expect, test } from 'vitest';
import type { Campaign } from '../../../src/domain/campaign.ts';
import { micros } from '../../../src/domain/money.ts';
import type { TrafficModel } from '../../../src/jobs/bid-stream.ts';
import { asksPerBid, type SimulatedRun, simulate, type WhatIf } from '../../../src/jobs/what-if.ts';
import { someCampaign } from '../../support/campaigns.ts';

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 2, 2);
const BUDGET = 100_000_000;
const WIN_RATE = 0.2;

/** Traffic that could spend so many budgets a day, in 20,000 asks. */
function traffic(
  supply: number,
  asksPerDay = 20_000,
  hours: (hour: number) => number = () => 1,
): TrafficModel {
  const week = (of: (hour: number) => number) =>
    Array.from({ length: 7 }, () => Array.from({ length: 24 }, (_, hour) => of(hour)));
  return {
    asks: week((hour) => (asksPerDay / 24) * hours(hour)),
    winRate: week(() => WIN_RATE),
    winMicros: week(() => (supply * BUDGET) / (asksPerDay * WIN_RATE)),
  };
}

function whatIf(changes: Partial<WhatIf> = {}, campaign: Partial<Campaign> = {}): WhatIf {
  const model = changes.traffic ?? traffic(4);
  return {
    campaigns: [someCampaign({ dailyBudgetMicros: micros(BUDGET), breakerThreshold: 1, ...campaign })],
    earlier: null,
    startMs: START_MS,
    endMs: START_MS + 24 * HOUR_MS,
    traffic: model,
    known: model.asks,
    slotMs: HOUR_MS,
    seed: 1,
    reservationTtlMs: 120_000,
    breakerRecoveryMs: 300_000,
    breakerProbes: 2,
    ...changes,
  };
}

function run(changes: Partial<WhatIf> = {}, campaign: Partial<Campaign> = {}): SimulatedRun {
  const [first] = simulate(whatIf(changes, campaign));
  if (first === undefined) throw new Error('no run');
  return first;
}

describe('a what-if', () => {
  test('of ample traffic spends each hour what the plan wants, and holds the rest back', () => {
    const { slots, spentMicros, overspentMicros, days } = run();
    expect(slots).toHaveLength(24);
    expect(overspentMicros).toBe(0);
    expect(spentMicros / BUDGET).toBeGreaterThan(0.98);
    expect(days).toEqual([expect.objectContaining({ localDate: '2026-03-02', exhaustionMs: null })]);
    for (const slot of slots.slice(1, 23)) {
      expect(slot.plannedMicros / BUDGET).toBeCloseTo(1 / 24, 5);
      expect(Math.abs(slot.spentMicros - slot.plannedMicros)).toBeLessThan(0.2 * slot.plannedMicros);
      expect(slot.throttleRate).toBeGreaterThan(0.5);
    }
  });

  test('of too little traffic spends what there is and throttles nothing', () => {
    const { spentMicros, throttleRate } = run({ traffic: traffic(0.5) });
    expect(spentMicros / BUDGET).toBeCloseTo(0.5, 1);
    expect(throttleRate).toBeLessThan(0.05);
  });

  test('of ASAP says when the budget is exhausted', () => {
    const { days, slots } = run({}, { pacingMode: 'ASAP' });
    const exhaustionMs = days[0]?.exhaustionMs ?? 0;
    expect(exhaustionMs).toBeGreaterThan(START_MS + 4 * HOUR_MS);
    expect(exhaustionMs).toBeLessThan(START_MS + 16 * HOUR_MS);
    expect(slots.at(-1)).toMatchObject({ spentMicros: 0, throttleRate: 1 });
  });

  test('runs each variant on the same bids', () => {
    const [even, asap, large] = simulate({
      ...whatIf(),
      campaigns: [
        someCampaign({ dailyBudgetMicros: micros(BUDGET) }),
        someCampaign({ dailyBudgetMicros: micros(BUDGET), pacingMode: 'ASAP' }),
        someCampaign({ dailyBudgetMicros: micros(2 * BUDGET) }),
      ],
    });
    expect(asap?.slots.map(({ bids }) => bids)).toEqual(even?.slots.map(({ bids }) => bids));
    expect(asap?.slots[0]?.spentMicros).toBeGreaterThan(2 * (even?.slots[0]?.spentMicros ?? 0));
    expect((large?.spentMicros ?? 0) / (even?.spentMicros ?? 1)).toBeCloseTo(2, 1);
  });

  test('has the same answer for the same seed, and another for another', () => {
    expect(run({ seed: 5 })).toEqual(run({ seed: 5 }));
    expect(run({ seed: 6 }).bids).not.toBe(run({ seed: 5 }).bids);
  });

  test('goes on from what was spent of the day and of the total budget', () => {
    const noon = { startMs: START_MS + 12 * HOUR_MS, endMs: START_MS + 24 * HOUR_MS };
    const earlier = { date: '2026-03-02', dayMicros: 0.8 * BUDGET, totalMicros: 0.8 * BUDGET };
    const day = run({ ...noon, earlier });
    expect(day.spentMicros / BUDGET).toBeLessThanOrEqual(0.2);
    expect(day.slots[0]?.spentMicros).toBe(0); // ahead of its plan until four
    const total = run({ ...noon, earlier }, { totalBudgetMicros: micros(0.9 * BUDGET) });
    expect(total.spentMicros / BUDGET).toBeLessThanOrEqual(0.1);
  });

  test('spends ADAPTIVE along the traffic it knows', () => {
    const model = traffic(4, 20_000, (hour) => (hour < 12 ? 0.5 : 1.5));
    const { slots } = run({ traffic: model, known: model.asks }, { pacingMode: 'ADAPTIVE' });
    const spent = (from: number, to: number) =>
      slots.slice(from, to).reduce((sum, slot) => sum + slot.spentMicros, 0);
    expect(spent(0, 12) / spent(0, 24)).toBeCloseTo(0.25, 1);
  });

  test('has every hour of a day on which the clocks change, and each day of several its own end', () => {
    const zone = { timezone: 'Europe/Berlin' };
    const spring = Date.UTC(2026, 2, 28, 23);
    const { slots, days } = run({ startMs: spring, endMs: spring + 47 * HOUR_MS }, zone);
    expect(days.map(({ localDate }) => localDate)).toEqual(['2026-03-29', '2026-03-30']);
    const hours = slots
      .filter(({ localDate }) => localDate === '2026-03-29')
      .map(({ localHour }) => localHour);
    expect(hours).toHaveLength(23);
    expect(hours).not.toContain(2);
    for (const { spentMicros } of days) expect(spentMicros / BUDGET).toBeGreaterThan(0.97);
  });

  test('thins out what is too much to simulate, and keeps its money', () => {
    const asksPerDay = 50_000_000;
    const model = traffic(4, asksPerDay);
    expect(asksPerBid(whatIf({ traffic: model }))).toBeGreaterThan(300);
    const { spentMicros, bids } = run({ traffic: model });
    expect(bids).toBeLessThan(160_000);
    expect(spentMicros / BUDGET).toBeGreaterThan(0.98);
  });

  test('of a budget of nothing and of no traffic at all is empty', () => {
    expect(run({}, { dailyBudgetMicros: micros(0) })).toMatchObject({ spentMicros: 0, overspentMicros: 0 });
    expect(run({ traffic: traffic(4, 0) })).toMatchObject({ bids: 0, spentMicros: 0 });
  });
});
