/**
 * The lines of today's picture, from what is known: hours on record, what this page has seen, the figures of now, and
 * for what is to come the production curve itself (src/domain/curve.ts). Pure; times in ms, money in cents.
 */
import type { Campaign as DomainCampaign } from '../../../src/domain/campaign.ts';
import { BUCKET_MS, buildCurve, shareAt, type TargetCurve } from '../../../src/domain/curve.ts';
import { flightBounds } from '../../../src/domain/flight.ts';
import { type LocalDay, localDayAt, localHourAt, nextHourChange } from '../../../src/domain/local-day.ts';
import type { Campaign, HourConfig, PerformanceRow } from '../api/types.ts';

export type Point = readonly [atMs: number, cents: number];

export interface HourSpan {
  readonly hour: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/** The wall-clock hours of a day; one that the clocks repeat stands once. */
export function hoursOf(day: LocalDay): readonly HourSpan[] {
  const spans: HourSpan[] = [];
  for (let at = day.startMs; at < day.endMs; ) {
    const toMs = nextHourChange(day, at);
    const hour = localHourAt(day, at);
    const last = spans.at(-1);
    if (last?.hour === hour) spans[spans.length - 1] = { ...last, toMs };
    else spans.push({ hour, fromMs: at, toMs });
    at = toMs;
  }
  return spans;
}

/** The curve by which the rest of the day is planned. @param shape learned weights of the hours, or null */
export function curveOf(
  campaign: Campaign,
  configs: readonly HourConfig[],
  shape: readonly number[] | null,
  nowMs: number,
): TargetCurve {
  const { startMs, endMs } = flightBounds({
    startDate: campaign.start_date,
    endDate: campaign.end_date,
    timezone: campaign.timezone,
  });
  return buildCurve({
    mode: campaign.pacing_mode,
    day: localDayAt(campaign.timezone, nowMs),
    multipliers: multipliersOf(configs),
    dayparts: daypartsOf(campaign),
    flightStartMs: startMs,
    flightEndMs: endMs,
    shape,
  });
}

function multipliersOf(configs: readonly HourConfig[]): DomainCampaign['hourMultipliers'] {
  return configs.map(({ hour, multiplier, day_of_week }) =>
    day_of_week === undefined ? { hour, multiplier } : { hour, multiplier, dayOfWeek: day_of_week },
  );
}

function daypartsOf(campaign: Campaign): DomainCampaign['dayparts'] {
  return (campaign.dayparts ?? []).map(({ day_of_week, start_hour, end_hour }) => {
    const hours = { startHour: start_hour, endHour: end_hour };
    return day_of_week === undefined ? hours : { ...hours, dayOfWeek: day_of_week };
  });
}

/** What the plan wanted until now, and wants from here. */
export function targetLine(given: {
  readonly day: LocalDay;
  /** When the campaign was made: before it nothing was planned or spent. */
  readonly createdMs: number;
  readonly curve: TargetCurve;
  readonly rows: readonly PerformanceRow[];
  readonly nowMs: number;
  readonly targetCents: number;
  readonly budgetCents: number;
}): Point[] {
  const { day, createdMs, curve, rows, nowMs, targetCents, budgetCents } = given;
  const line = hourLine(day, createdMs, rows, nowMs, targetCents, (row) => row.planned_spend_cents);
  line.push([nowMs, targetCents]);
  const shareNow = shareAt(curve, nowMs);
  if (!curve.planned || shareNow >= 1) {
    line.push([day.endMs, targetCents]);
    return line;
  }
  const from = Math.ceil((nowMs + 1 - day.startMs) / BUCKET_MS) * BUCKET_MS + day.startMs;
  for (let at = Math.min(from, day.endMs); ; at = Math.min(at + BUCKET_MS, day.endMs)) {
    const passed = (shareAt(curve, at) - shareNow) / (1 - shareNow);
    line.push([at, targetCents + (budgetCents - targetCents) * Math.max(0, passed)]);
    if (at >= day.endMs) return line;
  }
}

/** What is planned for the hours that are still to come, cents by hour. */
export function plannedAhead(given: {
  readonly day: LocalDay;
  readonly curve: TargetCurve;
  readonly nowMs: number;
  readonly targetCents: number;
  readonly budgetCents: number;
}): ReadonlyMap<number, number> {
  const { day, curve, nowMs, targetCents, budgetCents } = given;
  const shareNow = shareAt(curve, nowMs);
  const planned = new Map<number, number>();
  if (!curve.planned || shareNow >= 1) return planned;
  for (const { hour, fromMs, toMs } of hoursOf(day)) {
    if (fromMs <= nowMs) continue;
    const share = (shareAt(curve, toMs) - shareAt(curve, fromMs)) / (1 - shareNow);
    planned.set(hour, share * Math.max(0, budgetCents - targetCents));
  }
  return planned;
}

/** What was spent until now. */
export function spentLine(given: {
  readonly day: LocalDay;
  readonly createdMs: number;
  readonly rows: readonly PerformanceRow[];
  readonly seen: readonly Point[];
  readonly nowMs: number;
  readonly spentCents: number;
}): Point[] {
  const { day, createdMs, rows, seen, nowMs, spentCents } = given;
  const hours = hourLine(day, createdMs, rows, nowMs, spentCents, (row) => row.actual_spend_cents);
  const points = [...hours, ...seen, [nowMs, spentCents] as const].sort((a, b) => a[0] - b[0]);
  const line: Point[] = [];
  let highest = 0;
  for (const [at, cents] of points) {
    // Hours on record may be a moment behind what was seen: spend never falls but by a reset.
    if (cents < highest || cents > spentCents || at > nowMs) continue;
    highest = cents;
    line.push([at, cents]);
  }
  return line;
}

/** Sums of whole hours, from the day's beginning; only that when they disagree with the sum of now (a reset). */
function hourLine(
  day: LocalDay,
  createdMs: number,
  rows: readonly PerformanceRow[],
  nowMs: number,
  sumNow: number,
  centsIn: (row: PerformanceRow) => number,
): Point[] {
  const today = new Map(rows.filter((row) => row.date === day.date).map((row) => [row.hour, row]));
  const line: Point[] = [[day.startMs, 0]];
  let sum = 0;
  let began = false;
  for (const { hour, fromMs, toMs } of hoursOf(day)) {
    if (toMs > nowMs) break;
    const row = today.get(hour);
    const value = row === undefined ? 0 : centsIn(row);
    if (value > 0 && !began) {
      began = true;
      line.push([Math.min(Math.max(fromMs, createdMs), toMs), 0]);
    }
    sum += value;
    line.push([toMs, sum]);
  }
  if (sum > sumNow * 1.000001) return [[day.startMs, 0]];
  if (!began && createdMs > day.startMs && createdMs < nowMs) line.push([createdMs, 0]);
  return line.sort((a, b) => a[0] - b[0]);
}
