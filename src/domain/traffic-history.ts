/**
 * What a campaign's hours of the past weeks teach of its traffic: the learned shape of each weekday
 * (learned-shape.ts), with the shape of the whole fleet as its prior, and how well that would have told the last
 * days beforehand. Pure; the hours come from the history that all pods write.
 */
import { DEFAULT_SHAPE } from './curve.ts';
import {
  learnDay,
  learnedDays,
  learnedShape,
  newShapeMemory,
  type ShapeMemory,
  type ShapePrior,
  trafficHours,
} from './learned-shape.ts';
import { DAY_MS, wallMidnight } from './local-day.ts';

const HOURS = 24;
const WEEKDAYS = 7;
/** Days of history that is learned from. */
export const HISTORY_DAYS = 28;
/** Days of a campaign's own that the fleet's shape weighs as much as, and campaigns' days that the default does. */
const FLEET_PRIOR_DAYS = 0.5;
const DEFAULT_PRIOR_DAYS = 5;
/** The last days that a backtest tells beforehand. */
const BACKTEST_DAYS = 7;

/** What all pods have counted in an hour as the campaign's clocks show it. */
export interface HistoryHour {
  /** `YYYY-MM-DD`. */
  readonly date: string;
  /** 0–23. */
  readonly hour: number;
  readonly asks: number;
  /** Bids allowed. */
  readonly allowed: number;
  readonly wins: number;
  readonly spentMicros: number;
}

/** A past local day, by hours 0–23. */
export interface HistoryDay {
  readonly date: string;
  /** 0 = Sunday … 6 = Saturday. */
  readonly dayOfWeek: number;
  readonly asks: readonly number[];
  readonly allowed: readonly number[];
  readonly wins: readonly number[];
  readonly spentMicros: readonly number[];
}

/** Seven rows, Sunday first, of 24 weights. */
export type WeekShape = readonly (readonly number[])[];

/** How near the shape that was learned before a day came to it; see {@link largestError}. */
export interface ShapeBacktest {
  /** The last day of those told beforehand. */
  readonly date: string;
  readonly error: number;
  /** The same of the default multipliers. */
  readonly defaultError: number;
  /** Mean over the last days, at most seven. */
  readonly meanError: number;
  readonly days: number;
}

export interface LearnedTraffic {
  /** Days that were learned from. */
  readonly wholeDays: number;
  /** The same, each by its weight. */
  readonly days: number;
  /** The last day learned from. */
  readonly throughDate: string;
  /** Shares of a day's asks; a row's sum is 1. */
  readonly asks: WeekShape;
  /** Asks times spend per ask, any scale. */
  readonly supply: WeekShape;
  /** Null with fewer than two days. */
  readonly backtest: ShapeBacktest | null;
}

/** The days that hours are of, in their order; hours that nobody counted are 0. */
export function daysOf(hours: Iterable<HistoryHour>): HistoryDay[] {
  const days = new Map<string, ReturnType<typeof emptyDay>>();
  for (const { date, hour, asks, allowed, wins, spentMicros } of hours) {
    const day = days.get(date) ?? emptyDay(date);
    days.set(date, day);
    day.asks[hour] = asks;
    day.allowed[hour] = allowed;
    day.wins[hour] = wins;
    day.spentMicros[hour] = spentMicros;
  }
  return [...days.values()].sort((a, b) => (a.date < b.date ? -1 : 1));
}

/**
 * The fleet's shape for a weekday: the mean over campaigns' days, each of the same weight however much it was asked
 * for, with the default multipliers as its prior.
 */
export function fleetPriors(campaigns: Iterable<readonly HistoryDay[]>, today: string): ShapePrior[] {
  const days = [...campaigns].flat().sort((a, b) => (a.date < b.date ? -1 : 1));
  const memory = memoryOf(days, today);
  const prior = { shares: DEFAULT_SHARES, days: DEFAULT_PRIOR_DAYS };
  return priorsOf(weekOf((dayOfWeek) => learnedShape(memory, dayOfWeek, prior)));
}

/** A fleet's shape as what its campaigns' own days are weighed against; null: the default multipliers. */
export function priorsOf(fleet: WeekShape | null): ShapePrior[] {
  return Array.from({ length: WEEKDAYS }, (_, dayOfWeek) => ({
    shares: fleet?.[dayOfWeek] ?? DEFAULT_SHARES,
    days: FLEET_PRIOR_DAYS,
  }));
}

/**
 * What the days before `today` teach, in their order; null when nobody asked in any of them.
 * @param priors for each weekday
 */
export function learnTraffic(
  days: readonly HistoryDay[],
  priors: readonly ShapePrior[],
  today: string,
): LearnedTraffic | null {
  const asked = days.filter(({ asks }) => sumOf(asks) > 0);
  const last = asked.at(-1);
  if (last === undefined) return null;
  const memory = memoryOf(asked, today);
  const wins = asked.reduce((sum, day) => sum + sumOf(day.wins), 0);
  const spentMicros = asked.reduce((sum, day) => sum + sumOf(day.spentMicros), 0);
  const meanWinMicros = wins > 0 ? spentMicros / wins : 0;
  return {
    wholeDays: asked.length,
    days: learnedDays(memory),
    throughDate: last.date,
    asks: weekOf((weekday) => learnedShape(memory, weekday, priors[weekday])),
    supply: weekOf((weekday) => trafficHours(memory, weekday, meanWinMicros, priors[weekday])),
    backtest: backtestShape(asked, priors),
  };
}

/**
 * The largest difference between two days' cumulative shares: the part of a day's traffic that was expected at another
 * time, at the worst moment; 0 to 1.
 */
export function largestError(expected: ArrayLike<number>, came: ArrayLike<number>): number {
  const expectedSum = sumOf(expected);
  const cameSum = sumOf(came);
  let difference = 0;
  let largest = 0;
  for (let hour = 0; hour < HOURS; hour++) {
    difference += (expected[hour] ?? 0) / expectedSum - (came[hour] ?? 0) / cameSum;
    largest = Math.max(largest, Math.abs(difference));
  }
  return largest;
}

/** Tells each of the last days from those before it. */
function backtestShape(asked: readonly HistoryDay[], priors: readonly ShapePrior[]): ShapeBacktest | null {
  const memory = newShapeMemory();
  const errors: number[] = [];
  let lastDate = '';
  for (const day of asked) {
    if (lastDate !== '') {
      const expected = learnedShape(memory, day.dayOfWeek, priors[day.dayOfWeek]);
      if (expected !== null) errors.push(largestError(expected, day.asks));
    }
    learn(memory, day, lastDate);
    lastDate = day.date;
  }
  const told = errors.slice(-BACKTEST_DAYS);
  const last = asked.at(-1);
  if (told.length === 0 || last === undefined) return null;
  return {
    date: lastDate,
    error: told.at(-1) ?? 0,
    defaultError: largestError(DEFAULT_SHAPE, last.asks),
    meanError: sumOf(told) / told.length,
    days: told.length,
  };
}

/** @param today the day that the memory is to stand for */
function memoryOf(days: readonly HistoryDay[], today: string): ShapeMemory {
  const memory = newShapeMemory();
  let lastDate = '';
  for (const day of days) {
    if (day.date >= today) break;
    learn(memory, day, lastDate);
    lastDate = day.date;
  }
  // A memory stands for the day after the last one learned; what is older than yesterday has aged since.
  const idleDays = lastDate === '' ? 0 : daysBetween(lastDate, today) - 1;
  if (idleDays > 0) learnDay(memory, { ...NO_DAY, daysSinceLast: idleDays });
  return memory;
}

function learn(memory: ShapeMemory, day: HistoryDay, lastDate: string): void {
  learnDay(memory, {
    dayOfWeek: day.dayOfWeek,
    asks: day.asks,
    spentMicros: day.spentMicros,
    // By the bid, since the history has no value of what was allowed: an hour's spend per ask is what is wanted.
    allowedMicros: day.allowed,
    daysSinceLast: lastDate === '' ? 1 : daysBetween(lastDate, day.date),
  });
}

function daysBetween(from: string, to: string): number {
  return Math.round(((wallMidnight(to) ?? 0) - (wallMidnight(from) ?? 0)) / DAY_MS);
}

function emptyDay(date: string) {
  const hours = (): number[] => new Array<number>(HOURS).fill(0);
  const dayOfWeek = new Date(wallMidnight(date) ?? 0).getUTCDay();
  return { date, dayOfWeek, asks: hours(), allowed: hours(), wins: hours(), spentMicros: hours() };
}

function weekOf(shape: (dayOfWeek: number) => number[] | null): WeekShape {
  return Array.from({ length: WEEKDAYS }, (_, dayOfWeek) => shape(dayOfWeek) ?? [...DEFAULT_SHARES]);
}

function sumOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let at = 0; at < values.length; at++) sum += values[at] ?? 0;
  return sum;
}

const DEFAULT_SHARES: readonly number[] = DEFAULT_SHAPE.map((weight) => weight / sumOf(DEFAULT_SHAPE));
const NO_HOURS: readonly number[] = new Array<number>(HOURS).fill(0);
const NO_DAY = { dayOfWeek: 0, asks: NO_HOURS, spentMicros: NO_HOURS, allowedMicros: NO_HOURS };
