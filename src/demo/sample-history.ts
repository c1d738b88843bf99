/**
 * What the demo's campaigns would have on record, had the demo run for four weeks: hours with their plans, and today's
 * traffic by five minutes. By the same market as the simulated bidder's, and the production curves. Pure but for the
 * random numbers that it is given.
 */
import type { Campaign } from '../domain/campaign.ts';
import { buildCurve, shareAt } from '../domain/curve.ts';
import { HOUR_MS, type LocalDay, localDayAt, localHourAt, nextHourChange } from '../domain/local-day.ts';
import { MICROS_PER_CENT } from '../domain/money.ts';
import type { HourTotals, PlannedHour } from '../sinks/postgres/history-rows.ts';
import { type CampaignSlot, TRAFFIC_SLOT_MS } from '../sinks/postgres/traffic-store.ts';
import { CLICK_RATE, MEAN_PRICE_SHARE, tideAt } from './market.ts';
import type { SampleCampaign } from './sample-campaigns.ts';

/** Whole days before today. */
export const DEMO_DAYS = 28;
/** Who counted it: nothing but the demo ever does by this name. */
export const DEMO_SOURCE = 'demo-history';

/** One day in so many a market gives much less than it should; today does not. */
const THIN_DAY = 1 / 9;
const MINUTE_MS = 60_000;
/** Where a breaker stops a campaign that nothing paces. */
const UNPACED_SHARE = 0.996;

export interface SampleHistory {
  readonly hours: readonly HourTotals[];
  readonly plans: readonly PlannedHour[];
  /** Today's, by when they began. */
  readonly slots: ReadonlyMap<number, CampaignSlot>;
}

interface Hour {
  readonly fromMs: number;
  readonly toMs: number;
  readonly asks: number;
  readonly allowed: number;
  readonly plannedMicros: number;
  readonly spentMicros: number;
}

/** When the first day of a campaign's history began. */
export function demoBeganMs(timezone: string, nowMs: number): number {
  let day = localDayAt(timezone, nowMs);
  for (let back = 0; back < DEMO_DAYS; back++) day = localDayAt(timezone, day.startMs - 1);
  return day.startMs;
}

/** @param campaign the sample as it is stored */
export function sampleHistory(
  sample: SampleCampaign,
  campaign: Campaign,
  nowMs: number,
  random: () => number,
): SampleHistory {
  const hours: HourTotals[] = [];
  const plans: PlannedHour[] = [];
  const slots = new Map<number, CampaignSlot>();
  let day = localDayAt(campaign.timezone, demoBeganMs(campaign.timezone, nowMs));
  for (; day.startMs <= nowMs; day = localDayAt(campaign.timezone, day.endMs)) {
    const isToday = nowMs < day.endMs;
    if (isToday && sample.startsDayAnew) break;
    const made = hoursOf(sample, campaign, day, isToday, random);
    let spentBefore = 0;
    for (const hour of made.filter(({ fromMs }) => fromMs <= nowMs)) {
      const passed = Math.min(1, (nowMs - hour.fromMs) / (hour.toMs - hour.fromMs));
      hours.push(totalsOf(sample, campaign, day, hour, passed));
      plans.push(planOf(campaign, day, hour, passed < 1));
      if (isToday) for (const [at, slot] of slotsOf(campaign, hour, spentBefore, nowMs)) slots.set(at, slot);
      spentBefore += hour.spentMicros;
    }
  }
  return { hours, plans, slots };
}

function hoursOf(
  sample: SampleCampaign,
  campaign: Campaign,
  day: LocalDay,
  isToday: boolean,
  random: () => number,
): readonly Hour[] {
  const { dailyBudgetMicros: budget, pacingMode: mode } = campaign;
  const curve = buildCurve({
    mode,
    day,
    multipliers: null,
    dayparts: null,
    flightStartMs: Number.NEGATIVE_INFINITY,
    flightEndMs: Number.POSITIVE_INFINITY,
    shape: null,
  });
  const delivery = random() < THIN_DAY && !isToday ? 0.8 + 0.12 * random() : 0.985 + 0.014 * random();
  const priceMicros = sample.bidCents * MEAN_PRICE_SHARE * MICROS_PER_CENT;
  const hours: Hour[] = [];
  let spent = 0;
  for (let fromMs = day.startMs; fromMs < day.endMs; ) {
    const toMs = nextHourChange(day, fromMs);
    const seconds = (toMs - fromMs) / 1000;
    const noise = 0.94 + 0.12 * random();
    const asks = Math.round(sample.asksPerSecond * tideAt((fromMs + toMs) / 2) * seconds * noise);
    const supply = asks * sample.winRate * priceMicros;
    const planned = budget * (shareAt(curve, toMs) - shareAt(curve, fromMs));
    const wanted = mode === 'ASAP' ? supply : planned * delivery * (0.95 + 0.1 * random());
    const spentMicros = Math.round(Math.max(0, Math.min(wanted, supply, UNPACED_SHARE * budget - spent)));
    const allowed = Math.min(asks, Math.round(spentMicros / priceMicros / sample.winRate));
    spent += spentMicros;
    hours.push({ fromMs, toMs, asks, allowed, plannedMicros: Math.round(planned), spentMicros });
    fromMs = toMs;
  }
  return hours;
}

/** @param passed the part of the hour that has passed, 0–1 */
function totalsOf(
  { winRate }: SampleCampaign,
  campaign: Campaign,
  day: LocalDay,
  hour: Hour,
  passed: number,
): HourTotals {
  const wins = Math.round(hour.allowed * winRate * passed);
  return {
    campaignId: campaign.id,
    hourStartMs: hour.fromMs,
    localDate: day.date,
    localHour: localHourAt(day, hour.fromMs),
    source: DEMO_SOURCE,
    spendMicros: Math.round(hour.spentMicros * passed),
    impressions: wins,
    clicks: Math.round(wins * CLICK_RATE),
    wins,
    asks: Math.round(hour.asks * passed),
    allowed: Math.round(hour.allowed * passed),
  };
}

/** @param isRunning then the pod's own plan, which begins within the hour, is not to take its place */
function planOf(campaign: Campaign, day: LocalDay, hour: Hour, isRunning: boolean): PlannedHour {
  return {
    campaignId: campaign.id,
    hourStartMs: hour.fromMs,
    localDate: day.date,
    localHour: localHourAt(day, hour.fromMs),
    plannedMicros: hour.plannedMicros,
    budgetMicros: campaign.dailyBudgetMicros,
    pacingMode: campaign.pacingMode,
    campaignVersion: campaign.version,
    plannedAtMs: isRunning ? hour.toMs + MINUTE_MS : day.startMs,
  };
}

/** The five minutes of an hour that have ended, with the hour's bids spread by the market's tide. */
function slotsOf(
  { id }: Campaign,
  hour: Hour,
  spentBefore: number,
  nowMs: number,
): ReadonlyMap<number, CampaignSlot> {
  const slots = new Map<number, CampaignSlot>();
  const first = Math.ceil(hour.fromMs / TRAFFIC_SLOT_MS) * TRAFFIC_SLOT_MS;
  const tideOfHour = tideAt((hour.fromMs + hour.toMs) / 2);
  for (let startMs = first; startMs < hour.toMs; startMs += TRAFFIC_SLOT_MS) {
    const endMs = startMs + TRAFFIC_SLOT_MS;
    if (endMs > nowMs) break;
    const part = ((TRAFFIC_SLOT_MS / HOUR_MS) * tideAt((startMs + endMs) / 2)) / tideOfHour;
    const asks = Math.max(1, Math.round(hour.asks * part));
    const allowed = Math.min(asks, Math.round((hour.allowed * TRAFFIC_SLOT_MS) / HOUR_MS));
    const spent = spentBefore + (hour.spentMicros * (endMs - hour.fromMs)) / (hour.toMs - hour.fromMs);
    slots.set(startMs, {
      campaignId: id,
      asks,
      allowed,
      throttle: 1 - allowed / asks,
      spentMicros: Math.round(spent),
    });
  }
  return slots;
}
