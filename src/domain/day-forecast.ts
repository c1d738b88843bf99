/**
 * What the rest of a campaign's day comes to when its traffic can spend so much: the plan followed bucket by bucket,
 * as far as each can carry it. It is the controller's rule at the grain of a quarter of an hour, for forecasts; the
 * controller itself is run by virtual-campaign.ts. Money in micros (not rounded), times in ms.
 */
import type { PacingMode } from './campaign.ts';
import { asapThrottle } from './controller.ts';
import {
  BUCKET_MS,
  bucketAt,
  bucketFromMs,
  bucketShare,
  bucketSpanMs,
  cumulativeAt,
  shareAt,
} from './curve.ts';
import { type Plan, targetAt } from './plan.ts';
import { factorOf, type TrafficShape } from './supply-guard.ts';

/** As the controller: at most twice the plan, unless the rest of the day needs more. */
const RATE_OVER_PLAN_MAX = 2;
/** As the supply guard: a forecast is trusted a little less than all. */
const FORECAST_TRUST = 0.9;
/** Shares of a budget at which ASAP's throttle steps. */
const ASAP_STEPS = [0.8, 0.9, 0.95, 1] as const;
/** What rounding leaves of a curve. */
const SHARE_GRAIN = 1e-9;

export interface ForecastSource {
  readonly plan: Plan;
  readonly mode: PacingMode;
  readonly nowMs: number;
  /** Spent and about to be notified. */
  readonly spentMicros: number;
  readonly budgetMicros: number;
  /** What a whole day of the traffic could spend, unthrottled. */
  readonly potentialMicros: number;
  readonly shape: TrafficShape;
  /** Whether the supply guard knows the shape, and spends ahead where the rest of the day is short. */
  readonly guarded: boolean;
  /** The throttle rate is at least this. */
  readonly throttleFloor: number;
}

export interface DayForecast {
  readonly spentMicros: number;
  /** When the budget is spent, or null when it lasts. */
  readonly exhaustionMs: number | null;
}

export function forecastDay(source: ForecastSource): DayForecast {
  return source.mode === 'ASAP' ? spendAsap(source) : followPlan(source);
}

function followPlan(source: ForecastSource): DayForecast {
  const { plan, budgetMicros, guarded, nowMs } = source;
  const { curve } = plan;
  const pass = 1 - source.throttleFloor;
  // G grows by this for the whole of C.
  const scale = plan.anchorShare < 1 ? (plan.budgetMicros - plan.anchorMicros) / (1 - plan.anchorShare) : 0;
  let share = shareAt(curve, Math.max(nowMs, plan.anchorMs));
  let target = targetAt(plan, nowMs);
  let spentMicros = source.spentMicros;
  let tailMicros = guarded ? pass * potentialLeft(source) : 0;
  for (let bucket = bucketAt(curve, nowMs); bucket < curve.bucketCount; bucket++) {
    const grows = cumulativeAt(curve, bucket + 1) - share;
    if (!(grows > 0)) continue;
    const carried = pass * potentialOf(source, bucket);
    const left = Math.max(budgetMicros - spentMicros, 0);
    tailMicros -= carried;
    target += scale * grows;
    let wanted = target - spentMicros;
    if (guarded) wanted = Math.max(wanted, left - FORECAST_TRUST * Math.max(tailMicros, 0));
    const most = RATE_OVER_PLAN_MAX * Math.max(scale * grows, (left * grows) / Math.max(1 - share, grows));
    const got = Math.min(Math.max(Math.min(wanted, most), 0), carried, left);
    spentMicros += got;
    share += grows;
    // A plan that ends here has been kept: the budget was not exhausted before its time.
    if (spentMicros < budgetMicros || share >= 1 - SHARE_GRAIN || got <= 0) continue;
    const { fromMs, spanMs } = stretchOf(source, bucket);
    return { spentMicros, exhaustionMs: fromMs + spanMs * Math.min(got / Math.min(most, carried), 1) };
  }
  return { spentMicros, exhaustionMs: null };
}

function spendAsap(source: ForecastSource): DayForecast {
  const { budgetMicros, throttleFloor, plan, nowMs } = source;
  let spentMicros = source.spentMicros;
  for (let bucket = bucketAt(plan.curve, nowMs); bucket < plan.curve.bucketCount; bucket++) {
    const carried = potentialOf(source, bucket);
    if (!(carried > 0)) continue;
    const { fromMs, spanMs } = stretchOf(source, bucket);
    const rate = carried / spanMs;
    let leftMs = spanMs;
    for (const step of ASAP_STEPS) {
      const stepMicros = step * budgetMicros;
      if (spentMicros >= stepMicros) continue;
      const pass = 1 - Math.max(asapThrottle(spentMicros / budgetMicros), throttleFloor);
      const needsMs = (stepMicros - spentMicros) / (rate * pass);
      if (needsMs > leftMs) {
        spentMicros += rate * pass * leftMs;
        break;
      }
      leftMs -= needsMs;
      spentMicros = stepMicros;
    }
    if (spentMicros >= budgetMicros) return { spentMicros, exhaustionMs: fromMs + spanMs - leftMs };
  }
  return { spentMicros, exhaustionMs: null };
}

/** What the rest of the day could spend, unthrottled. */
function potentialLeft(source: ForecastSource): number {
  const { curve } = source.plan;
  let micros = 0;
  for (let bucket = bucketAt(curve, source.nowMs); bucket < curve.bucketCount; bucket++) {
    micros += potentialOf(source, bucket);
  }
  return micros;
}

/** What is left of a bucket could spend so much; nothing where the plan pauses. */
function potentialOf(source: ForecastSource, bucket: number): number {
  const { plan, potentialMicros, shape } = source;
  const { curve } = plan;
  if (!(bucketShare(curve, bucket) > 0)) return 0;
  const part = stretchMs(source, bucket) / BUCKET_MS / curve.bucketCount;
  return potentialMicros * part * factorOf(shape, curve, bucket);
}

function stretchMs({ plan, nowMs }: ForecastSource, bucket: number): number {
  const passedMs = Math.max(nowMs - bucketFromMs(plan.curve, bucket), 0);
  return Math.max(bucketSpanMs(plan.curve, bucket) - passedMs, 0);
}

/** The part of a bucket that is still to come. */
function stretchOf(
  source: ForecastSource,
  bucket: number,
): { readonly fromMs: number; readonly spanMs: number } {
  const fromMs = Math.max(bucketFromMs(source.plan.curve, bucket), source.nowMs);
  return { fromMs, spanMs: stretchMs(source, bucket) };
}
