import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildCurve } from '../../../src/domain/curve.ts';
import {
  decodeShapeMemory,
  encodeShapeMemory,
  type LearnedDay,
  learnDay,
  learnedShape,
  newShapeMemory,
  SHAPE_MEMORY_BYTES,
  type ShapeMemory,
  trafficHours,
} from '../../../src/domain/learned-shape.ts';
import { localDayAt } from '../../../src/domain/local-day.ts';
import { seededRandom } from '../../../src/domain/seeded-random.ts';
import { trafficShape } from '../../../src/domain/supply-guard.ts';

const HOURS = Array.from({ length: 24 }, (_, hour) => hour);
const NOTHING = HOURS.map(() => 0);
const SUNDAY = 0;
const MONDAY = 1;
const SATURDAY = 6;

function memoryOf(...days: readonly (Partial<LearnedDay> & { asks: readonly number[] })[]): ShapeMemory {
  const memory = newShapeMemory();
  const plain = { dayOfWeek: MONDAY, spentMicros: NOTHING, allowedMicros: NOTHING, daysSinceLast: 1 };
  for (const day of days) learnDay(memory, { ...plain, ...day });
  return memory;
}

/** A day's asks that all come in one hour. */
const only = (hour: number, asks = 100): number[] => HOURS.map((at) => (at === hour ? asks : 0));
const shapeOf = (memory: ShapeMemory, dayOfWeek: number): number[] => learnedShape(memory, dayOfWeek) ?? [];
const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** Largest difference of two days' cumulative shapes. */
function cumulativeError(shape: readonly number[], other: readonly number[]): number {
  const [total, otherTotal] = [sumOf(shape), sumOf(other)];
  let ahead = 0;
  let largest = 0;
  for (const hour of HOURS) {
    ahead += (shape[hour] ?? 0) / total - (other[hour] ?? 0) / otherTotal;
    largest = Math.max(largest, Math.abs(ahead));
  }
  return largest;
}

/** The equations as they are written, over a list of days with their ages. */
function shapeByDefinition(days: readonly { dayOfWeek: number; asks: readonly number[]; age: number }[]) {
  const weekend = (dayOfWeek: number) => dayOfWeek % 6 === 0;
  return (dayOfWeek: number): number[] => {
    const blend = (prior: readonly number[], priorDays: number, counts: (day: number) => boolean) => {
      const chosen = days.filter((day) => counts(day.dayOfWeek) && sumOf(day.asks) > 0);
      const weights = chosen.map((day) => 0.5 ** (day.age / 21));
      return HOURS.map((hour) => {
        const parts = chosen.map((day, at) => ((weights[at] ?? 0) * (day.asks[hour] ?? 0)) / sumOf(day.asks));
        return (sumOf(parts) + priorDays * (prior[hour] ?? 0)) / (sumOf(weights) + priorDays);
      });
    };
    const flat = HOURS.map(() => 1 / 24);
    const any = blend(flat, 0.1, () => true);
    const group = blend(any, 0.5, (day) => weekend(day) === weekend(dayOfWeek));
    const own = blend(group, 1, (day) => day === dayOfWeek);
    const at = (hour: number) => own[(hour + 24) % 24] ?? 0;
    return HOURS.map((hour) => 0.97 * (at(hour - 1) / 4 + at(hour) / 2 + at(hour + 1) / 4) + 0.03 / 24);
  };
}

const anyDay = fc.record({
  dayOfWeek: fc.nat(6),
  asks: fc.array(fc.oneof(fc.nat(1e9), fc.constant(0)), { minLength: 24, maxLength: 24 }),
  spentMicros: fc.array(fc.maxSafeNat(), { minLength: 24, maxLength: 24 }),
  allowedMicros: fc.array(fc.maxSafeNat(), { minLength: 24, maxLength: 24 }),
  daysSinceLast: fc.oneof(fc.constant(1), fc.nat(400)),
});

describe('the learned shape', () => {
  test('is not known before any history, nor from days without asks', () => {
    expect(learnedShape(newShapeMemory(), MONDAY)).toBeNull();
    expect(trafficHours(newShapeMemory(), MONDAY)).toBeNull();
    const spent = HOURS.map(() => 5);
    const silent = memoryOf({ asks: NOTHING, spentMicros: spent, allowedMicros: spent });
    expect(learnedShape(silent, MONDAY)).toBeNull();
    expect(silent).toEqual(newShapeMemory());
  });

  test('is that of the equations, whatever the days, their order and the gaps between them', () => {
    fc.assert(
      fc.property(fc.array(anyDay, { minLength: 1, maxLength: 12 }), fc.nat(6), (days, dayOfWeek) => {
        let age = 1;
        const aged = days.toReversed().map((day) => {
          const withAge = { ...day, age };
          age += day.daysSinceLast;
          return withAge;
        });
        const shape = learnedShape(memoryOf(...days), dayOfWeek);
        if (days.every((day) => sumOf(day.asks) === 0)) expect(shape).toBeNull();
        else {
          const expected = shapeByDefinition(aged)(dayOfWeek);
          for (const hour of HOURS) expect(shape?.[hour]).toBeCloseTo(expected[hour] ?? Number.NaN, 5);
        }
      }),
    );
  });

  test('sums to 1, leaves no hour empty, and makes a traffic shape for the supply guard', () => {
    const day = localDayAt('UTC', Date.UTC(2026, 2, 2));
    const bounds = { flightStartMs: Number.NEGATIVE_INFINITY, flightEndMs: Number.POSITIVE_INFINITY };
    const curve = buildCurve({
      mode: 'EVEN',
      day,
      multipliers: null,
      dayparts: null,
      ...bounds,
      shape: null,
    });
    fc.assert(
      fc.property(fc.array(anyDay, { maxLength: 12 }), fc.nat(6), (days, dayOfWeek) => {
        const memory = memoryOf({ asks: only(3, 1) }, ...days);
        const shape = shapeOf(memory, dayOfWeek);
        expect(sumOf(shape)).toBeCloseTo(1, 9);
        expect(Math.min(...shape)).toBeGreaterThanOrEqual(0.03 / 24);
        for (const meanWinMicros of [0, 1e6]) {
          const hours = trafficHours(memory, dayOfWeek, meanWinMicros) ?? [];
          expect(hours.every((weight) => weight >= 0 && Number.isFinite(weight))).toBe(true);
          expect(trafficShape(curve, hours)).not.toBeNull();
        }
      }),
    );
  });

  test('counts each day alike, however many asks it had', () => {
    const memory = memoryOf({ asks: only(6, 1) }, { asks: only(18, 1_000_000), daysSinceLast: 0 });
    const shape = shapeOf(memory, MONDAY);
    expect(shape[6]).toBeCloseTo(shape[18] ?? Number.NaN, 6);
  });

  test('follows the newer day more, and the same weekday more than others', () => {
    const byAge = shapeOf(memoryOf({ asks: only(6) }, { asks: only(18), daysSinceLast: 21 }), MONDAY);
    expect((byAge[18] ?? 0) / (byAge[6] ?? 0)).toBeGreaterThan(1.9);
    const week = memoryOf(
      { dayOfWeek: SATURDAY, asks: only(20) },
      { dayOfWeek: MONDAY, asks: only(8) },
      { dayOfWeek: MONDAY + 1, asks: only(12) },
    );
    for (const [dayOfWeek, hour] of [
      [SUNDAY, 20],
      [SATURDAY, 20],
      [MONDAY, 8],
      [MONDAY + 1, 12],
    ] as const) {
      expect(Math.max(...shapeOf(week, dayOfWeek))).toBe(shapeOf(week, dayOfWeek)[hour]);
    }
  });

  test('does not learn from a day without asks, but ages', () => {
    const two = [{ asks: only(6) }, { asks: only(6) }];
    const idle = memoryOf(...two, { asks: NOTHING, daysSinceLast: 200 }, { asks: only(18) });
    const busy = memoryOf(...two, { asks: only(18) });
    expect(shapeOf(idle, MONDAY)[18]).toBeGreaterThan((shapeOf(busy, MONDAY)[18] ?? 0) * 1.5);
    expect(shapeOf(memoryOf(...two, { asks: NOTHING }), MONDAY)[6]).toBeGreaterThan(0.25);
  });

  test('ages nothing when the clock was set back', () => {
    const asks = only(6);
    const back = memoryOf({ asks }, { asks, daysSinceLast: -3 });
    expect(back).toEqual(memoryOf({ asks }, { asks, daysSinceLast: 0 }));
  });

  test('does not change with what the throttle held back', () => {
    const asks = HOURS.map((hour) => 1000 + 500 * Math.sin(hour));
    const allowed = HOURS.map(() => 1e9);
    const spent = HOURS.map((hour) => 2e8 + 1e7 * hour);
    const passed = HOURS.map((hour) => (hour < 12 ? 1 : 0.01));
    const free = memoryOf({ asks, allowedMicros: allowed, spentMicros: spent });
    const throttled = memoryOf({
      asks,
      allowedMicros: allowed.map((micros, hour) => micros * (passed[hour] ?? 0)),
      spentMicros: spent.map((micros, hour) => micros * (passed[hour] ?? 0)),
    });
    expect(learnedShape(throttled, MONDAY)).toEqual(learnedShape(free, MONDAY));
    const hours = trafficHours(throttled, MONDAY) ?? [];
    expect(cumulativeError(hours, trafficHours(free, MONDAY) ?? [])).toBeLessThan(1e-6);
  });

  test('of the Sundays after a change of the clocks is off by less than a hundredth of the day', () => {
    const random = seededRandom(3);
    const usual = Array.from({ length: 28 }, (_, at) => ({
      dayOfWeek: (at + 1) % 7,
      asks: dayOfAsks(random, at + 1),
    }));
    const unchanged = memoryOf(...usual);
    for (const times of [0, 2]) {
      const asks = (usual[27]?.asks ?? []).map((count, hour) => (hour === 2 ? count * times : count));
      const shifted = memoryOf(...usual.slice(0, 27), { dayOfWeek: SUNDAY, asks });
      expect(cumulativeError(shapeOf(shifted, SUNDAY), shapeOf(unchanged, SUNDAY))).toBeLessThan(0.01);
    }
  });
});

/** A day of a campaign that is busy at 13 h on weekdays and at 19 h on weekends, every hour some 12% off. */
function dayOfAsks(random: () => number, dayOfWeek: number): number[] {
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const [swing, peak] = dayOfWeek % 7 === SATURDAY || dayOfWeek % 7 === SUNDAY ? [0.5, 19] : [0.6, 13];
  const level = 800 * Math.exp(0.2 * normal());
  let drift = normal();
  return HOURS.map((hour) => {
    drift = 0.5 * drift + Math.sqrt(0.75) * normal();
    const mean = level * (1 + swing * Math.cos(((hour - peak) * Math.PI) / 12)) * Math.exp(0.12 * drift);
    return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()));
  });
}

/** Mean over seeds and weekdays of the largest error of the day after so many days of history. */
function nextDayError(historyDays: number): number {
  const errors: number[] = [];
  for (let seed = 1; seed <= 30; seed++) {
    const random = seededRandom(seed * 7919);
    for (let dayOfWeek = 0; dayOfWeek < 7; dayOfWeek++) {
      const days = Array.from({ length: historyDays }, (_, at) => {
        const weekday = (dayOfWeek + at + 7 - (historyDays % 7)) % 7;
        return { dayOfWeek: weekday, asks: dayOfAsks(random, weekday) };
      });
      const shape = learnedShape(memoryOf(...days), dayOfWeek) ?? HOURS.map(() => 1);
      errors.push(cumulativeError(shape, dayOfAsks(random, dayOfWeek)));
    }
  }
  return sumOf(errors) / errors.length;
}

describe('the next day’s cumulative shape', () => {
  test('is off by .033 after 7 days of history and by .028 after 28; without any by .14', () => {
    expect(nextDayError(0)).toBeGreaterThan(0.12);
    const afterWeek = nextDayError(7);
    const afterMonth = nextDayError(28);
    expect(afterWeek).toBeLessThan(0.037);
    expect(afterMonth).toBeLessThan(0.031);
    expect(afterMonth).toBeLessThan(0.95 * afterWeek);
  });
});

describe('the hourly potential spend', () => {
  const asks = HOURS.map(() => 100);
  const allowedMicros = HOURS.map((hour) => (hour === 5 ? 0 : 1000));
  const spentMicros = HOURS.map((hour) => (hour === 5 ? 0 : hour < 12 ? 100 : 300));

  test('is the shape times what each hour spends of what is allowed, and the mean where nothing was', () => {
    const hours = trafficHours(memoryOf({ asks, allowedMicros, spentMicros }), MONDAY) ?? [];
    expect((hours[20] ?? 0) / (hours[3] ?? 0)).toBeCloseTo(3, 5);
    const mean = (11 * 100 + 12 * 300) / 23;
    expect((hours[5] ?? 0) / (hours[3] ?? 0)).toBeCloseTo(mean / 100, 5);
  });

  test('forgets like the shape does', () => {
    const before = { asks, allowedMicros, spentMicros: HOURS.map(() => 100) };
    const after = { asks, allowedMicros, spentMicros: HOURS.map((hour) => (hour === 20 ? 400 : 100)) };
    const hours = trafficHours(memoryOf(before, { ...after, daysSinceLast: 21 }), MONDAY) ?? [];
    expect((hours[20] ?? 0) / (hours[3] ?? 0)).toBeCloseTo(3, 5);
  });

  test('is the shape alone as long as nothing was spent', () => {
    const silent = memoryOf({ asks, allowedMicros });
    expect(trafficHours(silent, MONDAY)).toEqual(learnedShape(silent, MONDAY));
    expect(trafficHours(memoryOf({ asks }), MONDAY)).toEqual(learnedShape(memoryOf({ asks }), MONDAY));
  });

  test('of few wins begins from the mean by three of them, so that no hour seems to have no supply', () => {
    const few = HOURS.map((hour) => (hour === 8 || hour === 20 ? 100 : 0));
    const allowed = HOURS.map((hour) => (hour === 8 ? 200 : 50));
    const memory = memoryOf({ asks, allowedMicros: allowed, spentMicros: few });
    expect((trafficHours(memory, MONDAY) ?? [])[3]).toBe(0);
    const hours = trafficHours(memory, MONDAY, 100) ?? [];
    const meanRho = 200 / (23 * 50 + 200);
    const yesterday = 0.5 ** (1 / 21);
    const silent = 300 / (300 / meanRho + 50 * yesterday);
    const winning = (300 + 100 * yesterday) / (300 / meanRho + 200 * yesterday);
    expect((hours[3] ?? 0) / (hours[8] ?? 0)).toBeCloseTo(silent / winning, 5);
  });
});

describe('an encoded shape memory', () => {
  test('is read back as it was', () => {
    fc.assert(
      fc.property(fc.array(anyDay, { maxLength: 8 }), fc.nat(7), (days, offset) => {
        const memory = memoryOf(...days);
        const bytes = encodeShapeMemory(memory);
        expect(bytes.length).toBe(SHAPE_MEMORY_BYTES);
        const within = new Uint8Array(bytes.length + offset);
        within.set(bytes, offset);
        expect(decodeShapeMemory(within.subarray(offset))).toEqual(memory);
      }),
    );
  });

  test('begins with its version and keeps its layout', () => {
    const bytes = encodeShapeMemory(memoryOf({ dayOfWeek: SATURDAY, asks: only(23), daysSinceLast: 0 }));
    const view = new DataView(bytes.buffer);
    expect([bytes.length, view.getUint32(0, true)]).toEqual([868, 1]);
    expect(view.getFloat32(4 + 4 * (SATURDAY * 24 + 23), true)).toBeCloseTo(0.5 ** (1 / 21), 6);
  });

  test('of another version or length, or with numbers that no sum can be, is nothing', () => {
    const memory = memoryOf({ asks: only(4) });
    const spoiled = (at: number, value: number): Uint8Array => {
      const bytes = encodeShapeMemory(memory);
      new DataView(bytes.buffer).setFloat32(4 + 4 * at, value, true);
      return bytes;
    };
    expect(decodeShapeMemory(spoiled(7, 0.5))).not.toBeNull();
    for (const value of [Number.NaN, -1, Number.POSITIVE_INFINITY]) {
      expect(decodeShapeMemory(spoiled(7, value))).toBeNull();
      expect(decodeShapeMemory(spoiled(215, value))).toBeNull();
    }
    const bytes = encodeShapeMemory(memory);
    expect(decodeShapeMemory(bytes.subarray(1))).toBeNull();
    expect(decodeShapeMemory(new Uint8Array(0))).toBeNull();
    expect(decodeShapeMemory(Uint8Array.of(...bytes, 0))).toBeNull();
    bytes[0] = 2;
    expect(decodeShapeMemory(bytes)).toBeNull();
  });
});
