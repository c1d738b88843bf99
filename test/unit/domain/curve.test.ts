import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PACING_MODES } from '../../../src/domain/campaign.ts';
import {
  buildCurve,
  type CurveSource,
  DEFAULT_SHAPE,
  densityAt,
  isInDaypart,
  nextGateChange,
  shareAt,
} from '../../../src/domain/curve.ts';
import {
  firstInstantAtWall,
  HOUR_MS,
  localDayAt,
  localHourAt,
  wallMidnight,
} from '../../../src/domain/local-day.ts';

const at = (iso: string): number => Date.parse(iso);
const dayOf = (zone: string, date: string) =>
  localDayAt(zone, firstInstantAtWall(zone, wallMidnight(date) ?? Number.NaN));
const monday = dayOf('UTC', '2026-03-02');

function curveOf(changes: Partial<CurveSource> = {}) {
  return buildCurve({
    mode: 'EVEN',
    day: monday,
    multipliers: null,
    dayparts: null,
    flightStartMs: Number.NEGATIVE_INFINITY,
    flightEndMs: Number.POSITIVE_INFINITY,
    shape: null,
    ...changes,
  });
}

/** Share planned between two hours of Monday. */
function shareBetween(curve: ReturnType<typeof curveOf>, fromHour: number, toHour: number): number {
  return (
    shareAt(curve, monday.startMs + toHour * HOUR_MS) - shareAt(curve, monday.startMs + fromHour * HOUR_MS)
  );
}

describe('the target curve', () => {
  test('EVEN wants the same every second', () => {
    const curve = curveOf();
    expect(shareAt(curve, monday.startMs + 6 * HOUR_MS)).toBeCloseTo(0.25, 12);
    expect(densityAt(curve, monday.startMs + 1234)).toBeCloseTo(1 / 86_400, 15);
  });

  test.each([
    ['2026-03-29', 92, 82_800],
    ['2026-03-30', 96, 86_400],
    ['2026-10-25', 100, 90_000],
  ])('in Berlin on %s has %i buckets over %i seconds', (date, buckets, seconds) => {
    const day = dayOf('Europe/Berlin', date);
    const curve = curveOf({ day });
    expect(curve.bucketCount).toBe(buckets);
    expect(densityAt(curve, day.startMs)).toBeCloseTo(1 / seconds, 15);
  });

  test('FRONT_LOADED wants 70% in the first half of the day', () => {
    const curve = curveOf({ mode: 'FRONT_LOADED' });
    expect(shareBetween(curve, 0, 12)).toBeCloseTo(0.7, 12);
    expect(shareBetween(curve, 0, 6)).toBeCloseTo(0.35, 12);
  });

  test('ADAPTIVE follows the learned shape, and the default one before there is any', () => {
    const shape = Array.from({ length: 24 }, (_, hour) => (hour === 20 ? 3 : hour === 8 ? 1 : 0));
    expect(shareBetween(curveOf({ mode: 'ADAPTIVE', shape }), 20, 21)).toBeCloseTo(0.75, 12);
    const total = DEFAULT_SHAPE.reduce((sum, weight) => sum + weight, 0);
    for (const unusable of [
      null,
      new Array<number>(24).fill(0),
      [1, 2],
      new Array<number>(24).fill(Number.NaN),
    ]) {
      const curve = curveOf({ mode: 'ADAPTIVE', shape: unusable });
      expect(shareBetween(curve, 11, 12)).toBeCloseTo(2 / total, 12);
    }
  });

  test('ASAP reports the EVEN target', () => {
    expect(curveOf({ mode: 'ASAP' })).toEqual(curveOf());
  });

  test('a multiplier of the weekday wins over one of every day, whatever their order', () => {
    const general = { hour: 9, multiplier: 0 };
    const mondays = { hour: 9, multiplier: 25, dayOfWeek: 1 };
    const tuesdays = { hour: 9, multiplier: 7, dayOfWeek: 2 };
    for (const multipliers of [
      [general, mondays, tuesdays],
      [tuesdays, mondays, general],
    ]) {
      expect(shareBetween(curveOf({ multipliers }), 9, 10)).toBeCloseTo(25 / 48, 12);
    }
    expect(shareBetween(curveOf({ multipliers: [general, tuesdays] }), 9, 10)).toBe(0);
  });

  test('is zero before and after a flight that cuts buckets, and whole within it', () => {
    const flightStartMs = at('2026-03-02T10:07:00Z');
    const flightEndMs = at('2026-03-02T12:22:30Z');
    const curve = curveOf({ flightStartMs, flightEndMs });
    expect(shareAt(curve, flightStartMs)).toBe(0);
    expect(densityAt(curve, flightStartMs - 1)).toBe(0);
    expect(shareAt(curve, flightEndMs)).toBe(1);
    expect(densityAt(curve, flightEndMs)).toBe(0);
    const seconds = (flightEndMs - flightStartMs) / 1000;
    for (const tMs of [flightStartMs, flightEndMs - 1])
      expect(densityAt(curve, tMs)).toBeCloseTo(1 / seconds, 12);
    expect(shareAt(curve, flightStartMs + 1000)).toBeCloseTo(1 / seconds, 12);
  });

  test.each([
    ['a flight on another day', { flightStartMs: at('2026-03-03T00:00:00Z') }],
    ['a flight that is over', { flightEndMs: at('2026-03-01T00:00:00Z') }],
    ['dayparts of other days', { dayparts: [{ dayOfWeek: 0, startHour: 0, endHour: 24 }] }],
    [
      'multipliers that are all zero',
      { multipliers: DEFAULT_SHAPE.map((_, hour) => ({ hour, multiplier: 0 })) },
    ],
  ])('plans nothing with %s', (_, changes) => {
    const curve = curveOf(changes);
    expect(curve.planned).toBe(false);
    for (const hour of [-1, 0, 13.3, 24, 30]) {
      expect(shareAt(curve, monday.startMs + hour * HOUR_MS)).toBe(0);
      expect(densityAt(curve, monday.startMs + hour * HOUR_MS)).toBe(0);
    }
  });

  const sources = fc.record({
    mode: fc.constantFrom(...PACING_MODES),
    day: fc.constantFrom(
      monday,
      dayOf('Europe/Berlin', '2026-03-29'),
      dayOf('Europe/Berlin', '2026-10-25'),
      dayOf('Australia/Lord_Howe', '2026-04-05'),
      dayOf('Africa/Cairo', '2026-04-24'),
    ),
    multipliers: fc.array(
      fc.record({ hour: fc.nat(23), multiplier: fc.double({ min: 0, max: 100, noNaN: true }) }),
    ),
    dayparts: fc.constantFrom(null, [], [{ startHour: 8, endHour: 20 }], [{ startHour: 2, endHour: 3 }]),
    flightStartMinute: fc.integer({ min: -100, max: 1500 }),
    flightMinutes: fc.integer({ min: 0, max: 3000 }),
  });

  test('climbs from 0 to 1, never falls, stands still outside dayparts, and its density is its slope', () => {
    fc.assert(
      fc.property(sources, fc.double({ min: 0, max: 1, noNaN: true }), (source, where) => {
        const { day } = source;
        const flightStartMs = day.startMs + source.flightStartMinute * 60_000;
        const flightEndMs = flightStartMs + source.flightMinutes * 60_000;
        const curve = curveOf({ ...source, flightStartMs, flightEndMs });
        expect(shareAt(curve, day.startMs)).toBe(0);
        expect(shareAt(curve, day.endMs)).toBe(curve.planned ? 1 : 0);
        const tMs = Math.floor(day.startMs + where * (day.endMs - day.startMs - 60_000));
        const before = shareAt(curve, tMs);
        let gained = 0;
        for (let second = 0; second < 60; second++) gained += densityAt(curve, tMs + second * 1000 + 500);
        const after = shareAt(curve, tMs + 60_000);
        expect(after).toBeGreaterThanOrEqual(before);
        const cutsBucket = Math.floor((tMs - day.startMs) / 60_000) % 15 === 14;
        if (!cutsBucket && (tMs > flightEndMs || tMs + 60_000 < flightStartMs)) expect(gained).toBe(0);
        if (!cutsBucket && Math.min(Math.abs(tMs - flightStartMs), Math.abs(tMs - flightEndMs)) > 60_000) {
          expect(after - before).toBeCloseTo(gained, 9);
        }
        if (!isInDaypart(source.dayparts, day.dayOfWeek, localHourAt(day, tMs)))
          expect(densityAt(curve, tMs)).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});

describe('dayparts and gates', () => {
  test('a daypart holds from its first hour to before its last, on its day', () => {
    const parts = [
      { startHour: 8, endHour: 10 },
      { dayOfWeek: 6, startHour: 22, endHour: 24 },
    ];
    expect([7, 8, 9, 10].map((hour) => isInDaypart(parts, 1, hour))).toEqual([false, true, true, false]);
    expect(isInDaypart(parts, 6, 23)).toBe(true);
    expect(isInDaypart(parts, 5, 23)).toBe(false);
    expect(isInDaypart(null, 1, 3) && isInDaypart([], 1, 3)).toBe(true);
  });

  test('the next gate is the nearest of hour, flight bound and day end, always later than now', () => {
    const parts = [{ startHour: 8, endHour: 10 }];
    const now = at('2026-03-02T10:20:00Z');
    const open = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;
    expect(nextGateChange(monday, parts, ...open, now)).toBe(at('2026-03-02T11:00:00Z'));
    expect(nextGateChange(monday, null, ...open, now)).toBe(monday.endMs);
    expect(nextGateChange(monday, parts, at('2026-03-02T10:30:00Z'), Infinity, now)).toBe(
      at('2026-03-02T10:30:00Z'),
    );
    expect(nextGateChange(monday, null, -Infinity, at('2026-03-02T10:20:00Z'), now)).toBe(monday.endMs);
    expect(nextGateChange(monday, parts, ...open, at('2026-03-02T11:00:00Z'))).toBe(
      at('2026-03-02T12:00:00Z'),
    );
  });
});
