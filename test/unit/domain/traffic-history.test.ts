import { describe, expect, test } from 'vitest';
import { DEFAULT_SHAPE } from '../../../src/domain/curve.ts';
import { DAY_MS, wallMidnight } from '../../../src/domain/local-day.ts';
import { seededRandom } from '../../../src/domain/seeded-random.ts';
import {
  daysOf,
  fleetPriors,
  type HistoryDay,
  type HistoryHour,
  largestError,
  learnTraffic,
  priorsOf,
} from '../../../src/domain/traffic-history.ts';

const TODAY = '2026-03-30'; // a Monday; the clocks of Europe changed on the day before
const NO_FLEET = priorsOf(null);
const diurnal = (hour: number): number => 1 + 0.6 * Math.cos(((hour - 13) / 12) * Math.PI);
const evening = (hour: number): number => 1 + 0.9 * Math.cos(((hour - 21) / 12) * Math.PI);

function dateBefore(days: number): string {
  return new Date((wallMidnight(TODAY) ?? 0) - days * DAY_MS).toISOString().slice(0, 10);
}

/** A day of a campaign: so many asks an hour, every tenth allowed and every fifth of those won at a cent. */
function hoursOf(date: string, asks: (hour: number) => number): HistoryHour[] {
  return Array.from({ length: 24 }, (_, hour) => {
    const allowed = asks(hour) / 10;
    return {
      date,
      hour,
      asks: asks(hour),
      allowed,
      wins: allowed / 5,
      spentMicros: (allowed / 5) * 10_000,
    };
  });
}

function dayBefore(days: number, asks: (hour: number) => number): HistoryDay {
  const [day] = daysOf(hoursOf(dateBefore(days), asks));
  if (day === undefined) throw new Error('no day');
  return day;
}

/** The last days, the oldest first. */
function lastDays(count: number, asks: (hour: number, date: string) => number): HistoryDay[] {
  return Array.from({ length: count }, (_, at) => {
    const date = dateBefore(count - at);
    return dayBefore(count - at, (hour) => asks(hour, date));
  });
}

function shares(of: (hour: number) => number): number[] {
  const weights = Array.from({ length: 24 }, (_, hour) => of(hour));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

describe('a learned shape', () => {
  test('is the shape that four weeks had, of each weekday its own', () => {
    const isWeekend = (date: string): boolean => [0, 6].includes(new Date(date).getUTCDay());
    const learned = learnTraffic(
      lastDays(28, (hour, date) => 1000 * (isWeekend(date) ? evening(hour) : diurnal(hour))),
      NO_FLEET,
      TODAY,
    );
    expect(learned?.wholeDays).toBe(28);
    for (const weekday of [1, 2, 3, 4, 5]) {
      expect(largestError(learned?.asks[weekday] ?? [], shares(diurnal))).toBeLessThan(0.03);
    }
    for (const weekday of [0, 6]) {
      expect(largestError(learned?.asks[weekday] ?? [], shares(evening))).toBeLessThan(0.06);
    }
    expect(learned?.backtest?.meanError).toBeLessThan(0.06);
    expect(learned?.backtest?.defaultError).toBeGreaterThan(0.1);
  });

  test('of noisy days is nearer to their shape than yesterday was', () => {
    const random = seededRandom(3);
    const days = lastDays(28, (hour) => 100 * diurnal(hour) * (0.5 + random()));
    const learned = learnTraffic(days, NO_FLEET, TODAY);
    const yesterday = days.at(-1)?.asks ?? [];
    const error = largestError(learned?.asks[1] ?? [], shares(diurnal));
    expect(error).toBeLessThan(largestError(yesterday, shares(diurnal)));
    expect(error).toBeLessThan(0.03);
  });

  test('with a single day leans towards the fleet, and with four weeks hardly does', () => {
    const fleet = priorsOf(Array.from({ length: 7 }, () => shares(evening)));
    const distance = (days: number): number => {
      const learned = learnTraffic(
        lastDays(days, (hour) => diurnal(hour)),
        fleet,
        TODAY,
      );
      return largestError(learned?.asks[1] ?? [], shares(diurnal));
    };
    const [one, month] = [distance(1), distance(28)];
    expect(one).toBeGreaterThan(0.03);
    expect(month).toBeLessThan(0.02);
  });

  test('of supply follows what an hour spends by the ask, not how many asks it has', () => {
    const days = lastDays(14, () => 1000).map((day) => ({
      ...day,
      spentMicros: day.spentMicros.map((spent, hour) => (hour < 12 ? spent : 3 * spent)),
    }));
    const supply = learnTraffic(days, NO_FLEET, TODAY)?.supply[1] ?? [];
    expect((supply[18] ?? 0) / (supply[6] ?? 1)).toBeCloseTo(3, 0);
  });

  test('takes the hour that the clocks skipped, and the one they showed twice, as they were counted', () => {
    const plain = lastDays(28, (hour) => 1000 * diurnal(hour));
    const skipped = plain.map((day) =>
      day.date === '2026-03-29'
        ? { ...day, asks: day.asks.map((asks, hour) => (hour === 2 ? 0 : asks)) }
        : day,
    );
    const twice = plain.map((day) =>
      day.date === '2026-03-29'
        ? { ...day, asks: day.asks.map((asks, hour) => (hour === 2 ? 2 * asks : asks)) }
        : day,
    );
    for (const days of [skipped, twice]) {
      const learned = learnTraffic(days, NO_FLEET, TODAY);
      expect(largestError(learned?.asks[0] ?? [], shares(diurnal))).toBeLessThan(0.03);
    }
  });

  test('forgets: two weeks of another shape outweigh the two before them', () => {
    const days = lastDays(28, (hour, date) => (date < dateBefore(14) ? evening(hour) : diurnal(hour)));
    const learned = learnTraffic(days, NO_FLEET, TODAY)?.asks[3] ?? [];
    expect(largestError(learned, shares(diurnal))).toBeLessThan(largestError(learned, shares(evening)));
  });

  test('is of the days before today only, and nothing without any', () => {
    expect(learnTraffic([], NO_FLEET, TODAY)).toBeNull();
    expect(
      learnTraffic(
        lastDays(3, () => 0),
        NO_FLEET,
        TODAY,
      ),
    ).toBeNull();
    const learned = learnTraffic(lastDays(1, diurnal), NO_FLEET, TODAY);
    expect(learned).toMatchObject({ wholeDays: 1, throughDate: dateBefore(1), backtest: null });
    expect(learned?.days).toBeCloseTo(0.97, 1);
  });

  test('stands on less the longer ago its days are', () => {
    const old = [20, 21, 22].map((days) => dayBefore(days, diurnal)).reverse();
    const fresh = [1, 2, 3].map((days) => dayBefore(days, diurnal)).reverse();
    const daysOfOld = learnTraffic(old, NO_FLEET, TODAY)?.days ?? 0;
    const daysOfFresh = learnTraffic(fresh, NO_FLEET, TODAY)?.days ?? 0;
    expect(daysOfOld).toBeLessThan(0.6 * daysOfFresh);
  });
});

describe('the fleet’s shape', () => {
  test('is the default multipliers without campaigns', () => {
    const [sunday] = fleetPriors([], TODAY);
    expect(largestError(sunday?.shares ?? [], DEFAULT_SHAPE)).toBeLessThan(1e-9);
  });

  test('is the mean of its campaigns’ days, however large each is', () => {
    const campaigns = Array.from({ length: 20 }, (_, at) =>
      lastDays(7, (hour) => (at === 0 ? 1_000_000 * evening(hour) : diurnal(hour))),
    );
    const [, monday] = fleetPriors(campaigns, TODAY);
    expect(largestError(monday?.shares ?? [], shares(diurnal))).toBeLessThan(0.04);
  });
});

describe('the backtest', () => {
  test('tells each of the last seven days from those before it', () => {
    const days = lastDays(10, (hour, date) => (date === dateBefore(1) ? evening(hour) : diurnal(hour)));
    const { backtest } = learnTraffic(days, NO_FLEET, TODAY) ?? {};
    expect(backtest?.date).toBe(dateBefore(1));
    expect(backtest?.days).toBe(7);
    expect(backtest?.error).toBeGreaterThan(0.2);
    expect(backtest?.meanError).toBeLessThan(0.1);
  });

  test('measures the largest part of a day that came at another time', () => {
    expect(largestError([1, 1, 0, 0], [0, 0, 1, 1])).toBe(1);
    expect(largestError([1, 1, 1, 1], [2, 2, 2, 2])).toBe(0);
    expect(largestError([1, 1, 1, 1], [0, 2, 2, 0])).toBeCloseTo(0.25);
  });
});
