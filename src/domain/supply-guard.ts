/**
 * The supply guard: spends ahead of the plan only when the forecast says that the rest of the day cannot
 * carry what is left of the budget. From the day's traffic shape and the supply seen so far it forecasts
 * each remaining bucket's potential spend P, fills the plan's buckets like water up to a level L,
 * Σ min(L c, P) = what is left, and asks for L c(t) now. Runs only when a traffic shape is known.
 *
 * Money in micros (not rounded), times in seconds. Per tick a few multiplications; once a minute a
 * bisection over the remaining buckets. No allocation but {@link trafficShape}, once a day.
 */
import { bucketAt, bucketFromMs, bucketShare, bucketSpanMs, densityAt, type TargetCurve } from './curve.ts';
import { doubles } from './doubles.ts';
import { MICROS_MAX } from './money.ts';
import { numberRecord } from './number-record.ts';

/** Trust in the forecast: a little less than all, so that the guard acts early rather than late. */
const FORECAST_TRUST = 0.9;
const MEMORY_SECONDS = 3600;
/** Weight of yesterday: this part of a day. */
const SEED_DAYS = 0.02;
const SOLVE_SECONDS = 60;
const UNSEEDED_SECONDS_MIN = 900;
const RESERVE_WINS = 1.5;
/** Begins to act where the rate it asks for is this much above what the rest of the day needs on average… */
const ACTS_FROM = 1.02;
/** …and has its way from here. */
const ACTS_FULLY = 1.08;
/** The same of what is wanted over what the rest of the day can carry. */
const TIGHT_FROM = 0.8;
const TIGHT_FULLY = 1;
const BISECTIONS = 40;
const HOURS = 24;
/** A longer gap says nothing of the traffic within it. */
const OBSERVED_SECONDS_MAX = 900;

/** How much of the day's potential spend each bucket of a curve carries, by the hour that it is of; mean 1. */
export interface TrafficShape {
  /** Of the hours 0–23. */
  readonly factors: readonly number[];
}

export interface SupplyGuard {
  /** A_n: potential spend seen, forgetting, micros. */
  seenMicros: number;
  /** A_d: the part of a day's traffic in which it was seen, forgetting. */
  seenDays: number;
  /** Seconds of today's data. */
  observedSeconds: number;
  secondsToSolve: number;
  /** L · rem / (rem + reserve): times c(t), the rate asked for; 0 = nothing to ask. */
  levelMicros: number;
  /** What is wanted over what the buckets left can carry, as of the last solution; 0 = nothing to say. */
  tightness: number;
  /** Today's potential, not forgetting, micros: tomorrow's seed. */
  dayMicros: number;
  dayDays: number;
}

/** The guard's numbers, or a copy of them. */
export const supplyRecord = numberRecord<SupplyGuard>({
  seenMicros: 0,
  seenDays: 0,
  observedSeconds: 0,
  secondsToSolve: 0,
  levelMicros: 0,
  tightness: 0,
  dayMicros: 0,
  dayDays: 0,
});

/** The guard of all campaigns that have seen no supply and expect none. Nobody changes it: it is replaced first. */
export const UNUSED_GUARD: SupplyGuard = supplyRecord();

/** A guard at the start of a day; `potentialMicros`: what a day's traffic could spend, 0 when unknown. */
export function newSupplyGuard(potentialMicros: number): SupplyGuard {
  const guard = supplyRecord();
  if (potentialMicros > 0) {
    guard.seenMicros = SEED_DAYS * potentialMicros;
    guard.seenDays = SEED_DAYS;
    guard.observedSeconds = UNSEEDED_SECONDS_MIN;
  }
  return guard;
}

/**
 * Spreads 24 hourly weights (asks × spend per ask, any scale) over a curve's buckets, mean 1; null when the
 * weights say nothing.
 */
export function trafficShape(curve: TargetCurve, hourly: readonly number[]): TrafficShape | null {
  let sum = 0;
  for (let bucket = 0; bucket < curve.bucketCount; bucket++) {
    const weight = hourly[curve.hours[bucket] as number] as number;
    if (!(weight >= 0)) return null;
    sum += weight;
  }
  if (!(sum > 0 && sum < Number.POSITIVE_INFINITY)) return null;
  const factors = doubles(HOURS);
  for (let hour = 0; hour < HOURS; hour++)
    factors[hour] = ((hourly[hour] as number) * curve.bucketCount) / sum;
  return { factors };
}

/** What a bucket of the curve carries, of the mean bucket. */
export function factorOf(shape: TrafficShape, curve: TargetCurve, bucket: number): number {
  return shape.factors[curve.hours[bucket] as number] as number;
}

/** What a whole day of the traffic seen today could spend, micros; 0 when too little was seen to say. */
export function dayPotential(guard: SupplyGuard): number {
  return guard.dayDays > SEED_DAYS ? guard.dayMicros / guard.dayDays : 0;
}

/**
 * Takes in a tick of `seconds` at `tMs` with `potentialRate` (λρ, micros per second; NaN when it cannot be told)
 * and returns the spend rate that the rest of the day needs now, micros per second; 0 when the guard has nothing
 * to say.
 */
export function guardSupply(
  guard: SupplyGuard,
  curve: TargetCurve,
  shape: TrafficShape,
  tMs: number,
  seconds: number,
  potentialRate: number,
  remainingMicros: number,
  winMicros: number,
): number {
  const density = densityAt(curve, tMs);
  if (!(density > 0)) return 0; // bids are not asked for outside the plan, so nothing can be learned
  if (!Number.isNaN(potentialRate)) {
    observeSupply(guard, curve, shape, tMs, Math.min(seconds, OBSERVED_SECONDS_MAX), potentialRate);
  }
  if (guard.observedSeconds < UNSEEDED_SECONDS_MIN) return 0;
  guard.secondsToSolve -= seconds;
  if (guard.secondsToSolve <= 0) {
    guard.secondsToSolve = SOLVE_SECONDS;
    const reserve = RESERVE_WINS * Math.sqrt(winMicros * remainingMicros);
    const wanted = remainingMicros + reserve;
    guard.tightness = 0;
    const level = wanted > 0 ? waterLevel(guard, curve, shape, tMs, wanted) : 0;
    guard.levelMicros = wanted > 0 ? (level * remainingMicros) / wanted : 0;
  }
  return guard.levelMicros * density;
}

/**
 * How far the guard has its way, 0 to 1: the more, the higher its rate is above what the rest of the day needs on
 * average, and the nearer what is wanted comes to all that the rest of the day can carry. By the second, a
 * campaign that has spent ahead goes on evenly on a short evening, instead of by turns at all and at nothing.
 */
export function guardWeight(guard: SupplyGuard, guardRate: number, neededRate: number): number {
  const byTightness = (guard.tightness - TIGHT_FROM) / (TIGHT_FULLY - TIGHT_FROM);
  const ratio = neededRate > 0 ? guardRate / neededRate : 0;
  const byRate = (ratio - ACTS_FROM) / (ACTS_FULLY - ACTS_FROM);
  return Math.min(Math.max(byTightness, byRate, 0), 1);
}

function observeSupply(
  guard: SupplyGuard,
  curve: TargetCurve,
  shape: TrafficShape,
  tMs: number,
  seconds: number,
  potentialRate: number,
): void {
  const kept = Math.exp(-seconds / MEMORY_SECONDS);
  const spendable = potentialRate * seconds;
  const factor = factorOf(shape, curve, bucketAt(curve, tMs));
  const days = (factor * seconds * 1000) / (curve.endMs - curve.startMs);
  guard.seenMicros = kept * guard.seenMicros + spendable;
  guard.seenDays = kept * guard.seenDays + days;
  guard.dayMicros += spendable;
  guard.dayDays += days;
  guard.observedSeconds += seconds;
}

/** L with Σ min(L c, P) = `wantedMicros` over the buckets left, boundless where supply is short; sets the tightness. */
function waterLevel(
  guard: SupplyGuard,
  curve: TargetCurve,
  shape: TrafficShape,
  tMs: number,
  wantedMicros: number,
): number {
  if (!(guard.seenDays > 0)) return 0;
  const potential = (FORECAST_TRUST * guard.seenMicros) / guard.seenDays / curve.bucketCount;
  let high = 0;
  for (let bucket = bucketAt(curve, tMs); bucket < curve.bucketCount; bucket++) {
    const share = bucketShare(curve, bucket);
    if (share > 0) high = Math.max(high, (potential * factorOf(shape, curve, bucket)) / share);
  }
  const carried = filledMicros(curve, shape, tMs, potential, high);
  guard.tightness = carried > 0 ? wantedMicros / carried : 1;
  if (guard.tightness >= 1) return MICROS_MAX;
  let low = 0;
  for (let step = 0; step < BISECTIONS; step++) {
    const middle = (low + high) / 2;
    if (filledMicros(curve, shape, tMs, potential, middle) < wantedMicros) low = middle;
    else high = middle;
  }
  return high;
}

/** Σ min(L c, P) over the buckets left, the current one for the part of it that is left. */
function filledMicros(
  curve: TargetCurve,
  shape: TrafficShape,
  tMs: number,
  potential: number,
  level: number,
): number {
  const current = bucketAt(curve, tMs);
  const passed = (tMs - bucketFromMs(curve, current)) / bucketSpanMs(curve, current);
  let filled = 0;
  for (let bucket = current; bucket < curve.bucketCount; bucket++) {
    const share = bucketShare(curve, bucket);
    if (!(share > 0)) continue;
    const part = bucket === current ? 1 - passed : 1;
    filled += part * Math.min(level * share, potential * factorOf(shape, curve, bucket));
  }
  return filled;
}
