import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildCurve, type CurveSource } from '../../../src/domain/curve.ts';
import { HOUR_MS, localDayAt } from '../../../src/domain/local-day.ts';
import { replan, startPlan, targetAt, targetRateAt } from '../../../src/domain/plan.ts';

const day = localDayAt('UTC', Date.parse('2026-03-02T00:00:00Z'));
const at = (hour: number): number => day.startMs + hour * HOUR_MS;

function curveOf(changes: Partial<CurveSource> = {}) {
  const none = {
    multipliers: null,
    dayparts: null,
    flightStartMs: -Infinity,
    flightEndMs: Infinity,
    shape: null,
  };
  return buildCurve({ mode: 'EVEN', day, ...none, ...changes });
}

describe('the plan', () => {
  test('of a whole day wants the curve’s share of the budget', () => {
    const plan = startPlan(curveOf(), 86_400e6, day.startMs - 5000);
    expect(targetAt(plan, at(0))).toBe(0);
    expect(targetAt(plan, at(6))).toBeCloseTo(21_600e6, 0);
    expect(targetAt(plan, at(24))).toBe(86_400e6);
    expect(targetRateAt(plan, at(6))).toBeCloseTo(1e6, 3);
  });

  test('of a late start spreads the whole budget over the rest of the day', () => {
    const plan = startPlan(curveOf(), 9000, at(15));
    expect(targetAt(plan, at(15))).toBe(0);
    expect(targetAt(plan, at(19.5))).toBeCloseTo(4500, 6);
    expect(targetAt(plan, at(24))).toBe(9000);
    expect(targetRateAt(plan, at(16)) * 9 * 3600).toBeCloseTo(9000, 6);
  });

  test('wants nothing more when the curve has nothing left', () => {
    const curve = curveOf({ dayparts: [{ startHour: 8, endHour: 12 }] });
    const plan = startPlan(curve, 1000, at(13));
    expect([targetAt(plan, at(14)), targetAt(plan, at(24)), targetRateAt(plan, at(14))]).toEqual([0, 0, 0]);
    const empty = startPlan(curveOf({ flightEndMs: day.startMs }), 1000, at(0));
    expect([targetAt(empty, at(14)), targetRateAt(empty, at(14))]).toEqual([0, 0]);
  });

  test('after a lower budget than the target stays at that budget', () => {
    const lowered = replan(startPlan(curveOf(), 1000, at(0)), { budgetMicros: 300 }, at(12));
    expect([targetAt(lowered, at(12)), targetAt(lowered, at(20))]).toEqual([300, 300]);
    expect(targetRateAt(lowered, at(13))).toBe(0);
  });

  test('a change of budget or curve makes no jump in the target, and still ends at the budget', () => {
    const curves = [curveOf(), curveOf({ mode: 'FRONT_LOADED' }), curveOf({ mode: 'ADAPTIVE' })] as const;
    const changes = fc.record({
      hour: fc.double({ min: 0, max: 23.9, noNaN: true }),
      curve: fc.constantFrom(...curves),
      budgetMicros: fc.integer({ min: 0, max: 1e9 }),
    });
    fc.assert(
      fc.property(fc.array(changes, { minLength: 1, maxLength: 5 }), fc.nat(1e9), (steps, budget) => {
        let plan = startPlan(curves[0], budget, day.startMs);
        for (const { hour, curve, budgetMicros } of steps.toSorted((a, b) => a.hour - b.hour)) {
          const before = targetAt(plan, at(hour));
          plan = replan(plan, { curve, budgetMicros }, at(hour));
          expect(targetAt(plan, at(hour))).toBeCloseTo(Math.min(before, budgetMicros), 3);
          expect(targetRateAt(plan, at(hour))).toBeGreaterThanOrEqual(0);
        }
        expect(targetAt(plan, day.endMs)).toBeCloseTo(plan.budgetMicros, 3);
      }),
    );
  });

  test('a replan that changes nothing changes nothing', () => {
    const plan = startPlan(curveOf({ mode: 'FRONT_LOADED' }), 1e9, at(3));
    const again = replan(plan, {}, at(9));
    for (const hour of [9, 11, 13, 20, 24]) {
      expect(targetAt(again, at(hour))).toBeCloseTo(targetAt(plan, at(hour)), 3);
      expect(targetRateAt(again, at(hour))).toBeCloseTo(targetRateAt(plan, at(hour)), 6);
    }
  });
});
