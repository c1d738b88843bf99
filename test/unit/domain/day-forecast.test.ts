import { describe, expect, test } from 'vitest';
import type { Daypart, PacingMode } from '../../../src/domain/campaign.ts';
import { buildCurve } from '../../../src/domain/curve.ts';
import { type DayForecast, forecastDay } from '../../../src/domain/day-forecast.ts';
import { localDayAt } from '../../../src/domain/local-day.ts';
import { startPlan } from '../../../src/domain/plan.ts';
import { trafficShape } from '../../../src/domain/supply-guard.ts';

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 2, 2);
const BUDGET = 1_000_000;

interface Case {
  readonly mode?: PacingMode;
  /** Potential of the day over the budget. */
  readonly supply: number;
  readonly hours?: (hour: number) => number;
  readonly atHour?: number;
  readonly spent?: number;
  readonly guarded?: boolean;
  readonly floor?: number;
  readonly dayparts?: readonly Daypart[];
}

function forecast(of: Case): DayForecast {
  const { mode = 'EVEN', supply, hours = () => 1, atHour = 0, spent = 0, guarded = false, floor = 0 } = of;
  const curve = buildCurve({
    mode,
    day: localDayAt('UTC', START_MS),
    multipliers: null,
    dayparts: of.dayparts ?? null,
    flightStartMs: Number.NEGATIVE_INFINITY,
    flightEndMs: Number.POSITIVE_INFINITY,
    shape: null,
  });
  const shape = trafficShape(
    curve,
    Array.from({ length: 24 }, (_, hour) => hours(hour)),
  );
  if (shape === null) throw new Error('a shape of nothing');
  return forecastDay({
    plan: startPlan(curve, BUDGET, START_MS),
    mode,
    nowMs: START_MS + atHour * 3_600_000,
    spentMicros: spent,
    budgetMicros: BUDGET,
    potentialMicros: supply * BUDGET,
    shape,
    guarded,
    throttleFloor: floor,
  });
}

describe('the forecast of a day', () => {
  test.each(['EVEN', 'FRONT_LOADED', 'ADAPTIVE'] as const)(
    'that can carry its %s plan ends on it',
    (mode) => {
      const { spentMicros, exhaustionMs } = forecast({ mode, supply: 20 });
      expect(spentMicros).toBeCloseTo(BUDGET, 3);
      expect(exhaustionMs).toBeNull();
    },
  );

  test('spends what there is when that is less than the budget', () => {
    expect(forecast({ supply: 0.6 }).spentMicros).toBeCloseTo(0.6 * BUDGET, 3);
    expect(forecast({ supply: 0.6, atHour: 12, spent: 200_000 }).spentMicros).toBeCloseTo(500_000, 3);
  });

  test('catches up at no more than twice the plan, unless the rest of the day needs more', () => {
    const { spentMicros } = forecast({ supply: 20, atHour: 18, spent: 0 });
    expect(spentMicros).toBeCloseTo(BUDGET, 3);
  });

  test('spends ahead of a short evening when its shape is known', () => {
    const hours = (hour: number): number => (hour < 18 ? 1.25 : 0.25);
    const blind = forecast({ supply: 2, hours });
    const guarded = forecast({ supply: 2, hours, guarded: true });
    expect(blind.spentMicros).toBeCloseTo(0.875 * BUDGET, 3);
    expect(guarded.spentMicros).toBeGreaterThan(0.98 * BUDGET);
  });

  test('of ASAP is exhausted after its throttle steps', () => {
    const { spentMicros, exhaustionMs } = forecast({ mode: 'ASAP', supply: 4 });
    const share = (0.8 + 0.1 / 0.8 + 0.05 / 0.5 + 0.05 / 0.1) / 4;
    expect(spentMicros).toBe(BUDGET);
    expect(exhaustionMs).toBeCloseTo(START_MS + share * DAY_MS, -1);
  });

  test('of ASAP with little traffic spends that', () => {
    const { spentMicros, exhaustionMs } = forecast({ mode: 'ASAP', supply: 0.5, atHour: 12, spent: 10_000 });
    expect(spentMicros).toBeCloseTo(260_000, 3);
    expect(exhaustionMs).toBeNull();
  });

  test('takes a plan that ends with its dayparts for kept, not for exhausted early', () => {
    const { spentMicros, exhaustionMs } = forecast({ supply: 20, dayparts: [{ startHour: 8, endHour: 18 }] });
    expect(spentMicros).toBeCloseTo(BUDGET, 3);
    expect(exhaustionMs).toBeNull();
  });

  test('spends only what the throttle floor leaves', () => {
    expect(forecast({ supply: 2, floor: 0.9 }).spentMicros).toBeCloseTo(0.2 * BUDGET, 3);
    expect(forecast({ supply: 2, floor: 1 }).spentMicros).toBe(0);
    expect(forecast({ mode: 'ASAP', supply: 2, floor: 1 }).spentMicros).toBe(0);
  });

  test('wants nothing more of a budget that is spent', () => {
    expect(forecast({ supply: 5, atHour: 6, spent: BUDGET }).spentMicros).toBe(BUDGET);
  });
});
