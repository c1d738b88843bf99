/**
 * The learned traffic shape: how a campaign's asks spread over the hours of each weekday, and how much of
 * what an hour allows is spent. It shapes ADAPTIVE's target curve and tells the supply guard what to expect.
 * Asks are learned, not spend: what the throttle holds back must not make the next day's plan smaller still.
 *
 * A past day weighs 0.5^(age / 21 days). The weights are exponential, so sums that decay stand for the whole
 * history: {@link ShapeMemory} has a fixed size; whoever paces the campaign owns it and has it learn once per
 * local day. It always stands for the day after the last one learned, to which that one is a day old.
 */

import { doubles } from './doubles.ts';

const HOURS = 24;
const WEEKDAYS = 7;
const HALF_LIFE_DAYS = 21;
const YESTERDAY_WEIGHT = 0.5 ** (1 / HALF_LIFE_DAYS);
/** Days of history that each level's prior weighs as much as: a flat day, any day, a day of the group. */
const FLAT_DAYS = 0.1;
const ANY_DAYS = 0.5;
const GROUP_DAYS = 1;
/** The part of a learned day that stays flat, so that no hour is ever planned to have nothing. */
const FLAT_SHARE = 0.03;
const RHO_PRIOR_WINS = 3;

/** Where the hourly sums begin; before them a row of 24 for each weekday, Sunday first. */
const SPENT_AT = WEEKDAYS * HOURS;
const ALLOWED_AT = SPENT_AT + HOURS;
const SUMS = ALLOWED_AT + HOURS;

/** Encoded: version, float32 sums; little-endian. */
const VERSION = 1;
const VERSION_BYTES = 4;
export const SHAPE_MEMORY_BYTES = VERSION_BYTES + SUMS * Float32Array.BYTES_PER_ELEMENT;

/**
 * Decayed sums: per weekday the 24 shares that each hour had of a day's asks, then per hour what was spent,
 * then per hour what was allowed, micros. A day's shares sum to 1, so a weekday's row sums to its decayed
 * count of days.
 */
export interface ShapeMemory {
  readonly sums: Float32Array;
}

/** A past local day, by wall-clock hour 0–23. */
export interface LearnedDay {
  /** 0 = Sunday … 6 = Saturday. */
  readonly dayOfWeek: number;
  readonly asks: ArrayLike<number>;
  readonly spentMicros: ArrayLike<number>;
  /** Value of the bids allowed. */
  readonly allowedMicros: ArrayLike<number>;
  /** Days from the last day learned to this one, 1 for the next; of no matter for the first one. */
  readonly daysSinceLast: number;
}

/** What is expected of a campaign's asks before its own days say more. */
export interface ShapePrior {
  /** Shares of the hours 0–23, their sum 1. */
  readonly shares: ArrayLike<number>;
  /** Days of history that it weighs as much as. */
  readonly days: number;
}

/** What {@link learnedShape} reckons with: midnight asks for the shape of every campaign. */
const all = new Float64Array(HOURS);
const group = new Float64Array(HOURS);
const own = new Float64Array(HOURS);

const FLAT_PRIOR: ShapePrior = { shares: new Float64Array(HOURS).fill(1 / HOURS), days: FLAT_DAYS };

/** A memory before any history. */
export function newShapeMemory(): ShapeMemory {
  return { sums: new Float32Array(SUMS) };
}

/**
 * Folds a past local day in. One without asks teaches nothing, but what was known ages.
 *
 * Asks are taken as counted, not by the time an hour had: on the two days a year on which the clocks change,
 * an hour of the night counts twice or not at all. That moves the cumulative shape of the Sundays after by
 * less than a hundredth, a third of what a month of history leaves unknown, and callers need no hour lengths.
 */
export function learnDay(memory: ShapeMemory, day: LearnedDay): void {
  const { sums } = memory;
  const kept = 0.5 ** (Math.max(day.daysSinceLast, 0) / HALF_LIFE_DAYS);
  for (let at = 0; at < SUMS; at++) sums[at] = (sums[at] ?? 0) * kept;
  let asks = 0;
  for (let hour = 0; hour < HOURS; hour++) asks += day.asks[hour] ?? 0;
  if (!(asks > 0)) return;
  for (let hour = 0; hour < HOURS; hour++) {
    add(sums, day.dayOfWeek * HOURS + hour, (day.asks[hour] ?? 0) / asks);
    add(sums, SPENT_AT + hour, day.spentMicros[hour] ?? 0);
    add(sums, ALLOWED_AT + hour, day.allowedMicros[hour] ?? 0);
  }
}

/**
 * h: the share of a weekday's asks that each hour 0–23 is expected to have, all above 0, their sum 1; null
 * before any history. Each level is a prior for the next: the one given or flat, any day, weekday or weekend, this
 * weekday.
 */
export function learnedShape(
  memory: ShapeMemory,
  dayOfWeek: number,
  prior: ShapePrior = FLAT_PRIOR,
): number[] | null {
  all.fill(0);
  group.fill(0);
  own.fill(0);
  for (let weekday = 0; weekday < WEEKDAYS; weekday++) {
    addRow(all, memory, weekday);
    if (isWeekend(weekday) === isWeekend(dayOfWeek)) addRow(group, memory, weekday);
    if (weekday === dayOfWeek) addRow(own, memory, weekday);
  }
  if (!(sumOf(all, 0, HOURS) > 0)) return null;
  blend(all, prior.shares, prior.days);
  blend(group, all, ANY_DAYS);
  blend(own, group, GROUP_DAYS);
  return smooth(own);
}

/** Days that the memory stands on, each by its weight. */
export function learnedDays({ sums }: ShapeMemory): number {
  return sumOf(sums, 0, SPENT_AT);
}

/**
 * h × hourly ρ: how a weekday's potential spend spreads over the hours 0–23, any scale, for `trafficShape` of
 * the supply guard; null before any history. An hour that was never allowed anything takes the mean ρ.
 *
 * @param meanWinMicros when known, each hour's ρ begins from the mean by three such wins, as the controller's
 * does: by their few wins alone, most hours of a small campaign would seem to have no supply at all.
 */
export function trafficHours(
  memory: ShapeMemory,
  dayOfWeek: number,
  meanWinMicros = 0,
  prior: ShapePrior = FLAT_PRIOR,
): number[] | null {
  const shape = learnedShape(memory, dayOfWeek, prior);
  return shape === null ? null : supplyHours(memory, shape, meanWinMicros);
}

/** The same from a shape that {@link learnedShape} made of the memory. */
export function supplyHours(
  { sums }: ShapeMemory,
  shape: readonly number[],
  meanWinMicros: number,
): number[] {
  const meanRho = sumOf(sums, SPENT_AT, ALLOWED_AT) / sumOf(sums, ALLOWED_AT, SUMS);
  if (!(meanRho > 0)) return [...shape];
  const priorSpent = RHO_PRIOR_WINS * meanWinMicros;
  const supply = doubles(HOURS);
  for (let hour = 0; hour < HOURS; hour++) {
    const spentMicros = (sums[SPENT_AT + hour] ?? 0) + priorSpent;
    const allowedMicros = (sums[ALLOWED_AT + hour] ?? 0) + priorSpent / meanRho;
    const rho = allowedMicros > 0 ? spentMicros / allowedMicros : meanRho;
    supply[hour] = (shape[hour] as number) * rho;
  }
  return supply;
}

/** The memory as bytes. @param bytes to write it to: {@link SHAPE_MEMORY_BYTES} */
export function encodeShapeMemory(
  memory: ShapeMemory,
  bytes = new Uint8Array(SHAPE_MEMORY_BYTES),
): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setUint32(0, VERSION, true);
  for (let at = 0; at < SUMS; at++) view.setFloat32(VERSION_BYTES + at * 4, memory.sums[at] ?? 0, true);
  return bytes;
}

/** What {@link encodeShapeMemory} made, or null for bytes of another version or that no memory could be. */
export function decodeShapeMemory(bytes: Uint8Array): ShapeMemory | null {
  if (bytes.length !== SHAPE_MEMORY_BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== VERSION) return null;
  const memory = newShapeMemory();
  for (let at = 0; at < SUMS; at++) {
    const sum = view.getFloat32(VERSION_BYTES + at * 4, true);
    if (!(sum >= 0 && sum < Number.POSITIVE_INFINITY)) return null;
    memory.sums[at] = sum;
  }
  return memory;
}

/** Adds what happened in an hour of yesterday. */
function add(sums: Float32Array, at: number, value: number): void {
  sums[at] = (sums[at] ?? 0) + YESTERDAY_WEIGHT * value;
}

function addRow(to: Float64Array, memory: ShapeMemory, weekday: number): void {
  for (let hour = 0; hour < HOURS; hour++) {
    to[hour] = (to[hour] ?? 0) + (memory.sums[weekday * HOURS + hour] ?? 0);
  }
}

/** Makes of the sum of some days the mean share of each hour over them and `priorDays` more that are like `prior`. */
function blend(summed: Float64Array, prior: ArrayLike<number>, priorDays: number): void {
  const days = sumOf(summed, 0, HOURS) + priorDays;
  for (let hour = 0; hour < HOURS; hour++) {
    summed[hour] = ((summed[hour] ?? 0) + priorDays * (prior[hour] ?? 0)) / days;
  }
}

/** Each hour takes in a quarter of both its neighbours, round the clock, and a little stays flat. */
function smooth(shares: Float64Array): number[] {
  const smoothed = doubles(HOURS);
  for (let hour = 0; hour < HOURS; hour++) {
    const before = shares[(hour + HOURS - 1) % HOURS] ?? 0;
    const share = shares[hour] ?? 0;
    const after = shares[(hour + 1) % HOURS] ?? 0;
    smoothed[hour] = (1 - FLAT_SHARE) * (before / 4 + share / 2 + after / 4) + FLAT_SHARE / HOURS;
  }
  return smoothed;
}

function isWeekend(dayOfWeek: number): boolean {
  return dayOfWeek === 0 || dayOfWeek === 6;
}

function sumOf(values: Float32Array | Float64Array, from: number, to: number): number {
  let sum = 0;
  for (let at = from; at < to; at++) sum += values[at] ?? 0;
  return sum;
}
