/**
 * The target curve: C(t), the share of a day's budget that is wanted by the instant t, and its density c(t).
 * A day has a bucket per 15 minutes of elapsed time (92, 96 or 100), linear inside; a bucket that the flight
 * cuts carries its share only within the flight. Built once per day, mode and configuration; read per tick.
 */
import type { Daypart, HourMultiplier, PacingMode } from './campaign.ts';
import { doubles } from './doubles.ts';
import { type LocalDay, localHourAt, nextHourChange } from './local-day.ts';

export const BUCKET_MS = 900_000;

/** ADAPTIVE before any history: weights of the hours 0–23. */
export const DEFAULT_SHAPE: readonly number[] = [
  ...[0.3, 0.2, 0.2, 0.2, 0.3, 0.5, 0.8, 1, 1.2, 1.5, 1.8, 2],
  ...[1.8, 1.5, 1.3, 1.2, 1.1, 1, 1.6, 1.8, 1.5, 1.2, 0.8, 0.5],
];

/** FRONT_LOADED: the part of the budget planned for the first half of the day. */
const FRONT_SHARE = 0.7;
const HOURS = 24;

/** What {@link weighHours} reckons with. */
const weights = doubles(HOURS);

/** By day: the hours of its buckets. */
const bucketHours = new WeakMap<LocalDay, Uint8Array>();

export interface TargetCurve {
  readonly startMs: number;
  readonly endMs: number;
  /** The part of the day that lies in the flight; empty (`to <= from`) when none does. */
  readonly activeFromMs: number;
  readonly activeToMs: number;
  readonly bucketCount: number;
  /** C at each bucket's beginning, and 1 at the end: `bucketCount + 1` numbers that never fall. */
  readonly cumulative: readonly number[];
  /** Wall-clock hour in which each bucket begins; all curves of a day share them. */
  readonly hours: Uint8Array;
  /** False when no moment of the day may be spent in: every share and density is then 0. */
  readonly planned: boolean;
}

export interface CurveSource {
  /** ASAP is paced by no curve; its target is reported as EVEN. */
  readonly mode: PacingMode;
  readonly day: LocalDay;
  readonly multipliers: readonly HourMultiplier[] | null;
  readonly dayparts: readonly Daypart[] | null;
  /** ms; -Infinity for no bound. */
  readonly flightStartMs: number;
  /** ms, exclusive; Infinity for no bound. */
  readonly flightEndMs: number;
  /** ADAPTIVE: the learned weights of the hours 0–23, or null for {@link DEFAULT_SHAPE}. */
  readonly shape: readonly number[] | null;
}

/** Builds the curve of one day: mode × hourly multipliers, zero outside dayparts and flight, normalised. */
export function buildCurve(source: CurveSource): TargetCurve {
  const { day } = source;
  const hours = hoursOf(day);
  const bucketCount = hours.length;
  const activeFromMs = Math.max(day.startMs, source.flightStartMs);
  const activeToMs = Math.min(day.endMs, source.flightEndMs);
  const cumulative = doubles(bucketCount + 1);
  const hourWeights = weighHours(source);
  const frontToMs = day.startMs + (day.endMs - day.startMs) / 2;
  let total = 0;
  for (let bucket = 0; bucket < bucketCount; bucket++) {
    const beginsMs = day.startMs + bucket * BUCKET_MS;
    const hour = hours[bucket] as number;
    const fromMs = Math.max(beginsMs, activeFromMs);
    const toMs = Math.min(beginsMs + BUCKET_MS, activeToMs);
    let weight = Math.max(toMs - fromMs, 0) * (hourWeights[hour] as number);
    if (source.mode === 'FRONT_LOADED') weight *= beginsMs < frontToMs ? FRONT_SHARE : 1 - FRONT_SHARE;
    total += weight;
    cumulative[bucket + 1] = total;
  }
  const planned = total > 0;
  if (planned)
    for (let edge = 1; edge <= bucketCount; edge++) cumulative[edge] = (cumulative[edge] as number) / total;
  return {
    startMs: day.startMs,
    endMs: day.endMs,
    activeFromMs,
    activeToMs,
    bucketCount,
    cumulative,
    hours,
    planned,
  };
}

/** C(t), 0 to 1: the share of the budget wanted by `tMs`. */
export function shareAt(curve: TargetCurve, tMs: number): number {
  if (tMs <= curve.startMs) return 0;
  if (tMs >= curve.endMs) return curve.planned ? 1 : 0;
  const bucket = Math.floor((tMs - curve.startMs) / BUCKET_MS);
  const begins = cumulativeAt(curve, bucket);
  const passed = (tMs - bucketFromMs(curve, bucket)) / bucketSpanMs(curve, bucket);
  if (!(passed > 0)) return begins; // before the flight, or a bucket outside it
  return passed >= 1 ? cumulativeAt(curve, bucket + 1) : begins + bucketShare(curve, bucket) * passed;
}

/** c(t) = dC/dt, per second; 0 outside the day, the flight and the dayparts. */
export function densityAt(curve: TargetCurve, tMs: number): number {
  if (!(tMs >= curve.activeFromMs && tMs < curve.activeToMs)) return 0;
  const bucket = Math.floor((tMs - curve.startMs) / BUCKET_MS);
  return (bucketShare(curve, bucket) / bucketSpanMs(curve, bucket)) * 1000;
}

/** The bucket that holds an instant of the day; the nearest one outside it. */
export function bucketAt(curve: TargetCurve, tMs: number): number {
  const bucket = Math.floor((tMs - curve.startMs) / BUCKET_MS);
  return Math.min(Math.max(bucket, 0), curve.bucketCount - 1);
}

/** C where a bucket begins; the one after the last begins with the day's end. */
export function cumulativeAt(curve: TargetCurve, bucket: number): number {
  // With a default for what cannot be missing, V8 would box the number each time.
  return curve.cumulative[bucket] as number;
}

/** Share of the budget planned for one bucket. */
export function bucketShare(curve: TargetCurve, bucket: number): number {
  return cumulativeAt(curve, bucket + 1) - cumulativeAt(curve, bucket);
}

/** First instant of a bucket that lies in the flight. */
export function bucketFromMs(curve: TargetCurve, bucket: number): number {
  return Math.max(curve.startMs + bucket * BUCKET_MS, curve.activeFromMs);
}

/** Length of the part of a bucket that lies in the flight, ms; not positive when it has none. */
export function bucketSpanMs(curve: TargetCurve, bucket: number): number {
  return Math.min(curve.startMs + (bucket + 1) * BUCKET_MS, curve.activeToMs) - bucketFromMs(curve, bucket);
}

/** Whether a campaign may bid in a wall-clock hour; one without dayparts always may. */
export function isInDaypart(dayparts: readonly Daypart[] | null, dayOfWeek: number, hour: number): boolean {
  if (dayparts === null || dayparts.length === 0) return true;
  return dayparts.some(
    (part) => (part.dayOfWeek ?? dayOfWeek) === dayOfWeek && hour >= part.startHour && hour < part.endHour,
  );
}

/**
 * The next instant after `tMs` at which the campaign can enter or leave its flight or a daypart: a bound of
 * the flight, an hour's change when there are dayparts, or the day's end. `tMs` lies in `day`.
 */
export function nextGateChange(
  day: LocalDay,
  dayparts: readonly Daypart[] | null,
  flightStartMs: number,
  flightEndMs: number,
  tMs: number,
): number {
  let next = dayparts === null || dayparts.length === 0 ? day.endMs : nextHourChange(day, tMs);
  if (flightStartMs > tMs) next = Math.min(next, flightStartMs);
  if (flightEndMs > tMs) next = Math.min(next, flightEndMs);
  return next;
}

function hoursOf(day: LocalDay): Uint8Array {
  const known = bucketHours.get(day);
  if (known !== undefined) return known;
  const hours = new Uint8Array(Math.ceil((day.endMs - day.startMs) / BUCKET_MS));
  for (let bucket = 0; bucket < hours.length; bucket++) {
    hours[bucket] = localHourAt(day, day.startMs + bucket * BUCKET_MS);
  }
  bucketHours.set(day, hours);
  return hours;
}

/** Weight of each hour 0–23 before flight and normalisation; in an array that the next curve's are written to. */
function weighHours(source: CurveSource): readonly number[] {
  const { mode, day, multipliers, dayparts } = source;
  const shape = mode === 'ADAPTIVE' ? usableShape(source.shape) : null;
  for (let hour = 0; hour < HOURS; hour++) {
    const isOpen = isInDaypart(dayparts, day.dayOfWeek, hour);
    const weight = isOpen ? multiplierOf(multipliers, day.dayOfWeek, hour) : 0;
    weights[hour] = shape === null ? weight : weight * (shape[hour] as number);
  }
  return weights;
}

/** A learned shape that plans nothing, or is not 24 weights, teaches nothing. */
function usableShape(shape: readonly number[] | null): readonly number[] {
  if (shape === null || shape.length !== HOURS) return DEFAULT_SHAPE;
  let total = 0;
  for (let hour = 0; hour < HOURS; hour++) {
    const weight = shape[hour] as number;
    if (!(weight >= 0)) return DEFAULT_SHAPE;
    total += weight;
  }
  return total > 0 && Number.isFinite(total) ? shape : DEFAULT_SHAPE;
}

/** The multiplier of an hour: an entry of its weekday, else an entry of every day, else 1. */
function multiplierOf(
  multipliers: readonly HourMultiplier[] | null,
  dayOfWeek: number,
  hour: number,
): number {
  if (multipliers === null) return 1;
  let everyDay = 1;
  for (const entry of multipliers) {
    if (entry.hour !== hour) continue;
    if (entry.dayOfWeek === dayOfWeek) return entry.multiplier;
    if (entry.dayOfWeek === undefined) everyDay = entry.multiplier;
  }
  return everyDay;
}
