/**
 * Where a campaign's day ends as things stand: what it will have spent, with a range that four days in five end in,
 * and when its budget is exhausted before its time. Known once there is something to go by: ten wins, and either
 * five minutes of today or what the past says of the traffic. It is computed when asked for and moves nothing.
 */
import { lowersBids } from './bid-lever.ts';
import { OPEN, TRIP_REASONS } from './breaker.ts';
import type { Clock } from './clock.ts';
import { bucketAt, DEFAULT_SHAPE } from './curve.ts';
import { type DayForecast, type ForecastSource, forecastDay } from './day-forecast.ts';
import type { PacedCampaign } from './paced-campaign.ts';
import { factorOf, type TrafficShape, trafficShape } from './supply-guard.ts';

/** Share of days that end within the range. */
export const PROJECTION_CONFIDENCE = 0.8;
const WINS_MIN = 10;
const OBSERVED_MS_MIN = 300_000;
/** The guard's memory is trusted from here on; it begins with yesterday's when that is known. */
const GUARD_SECONDS_MIN = 900;
/** Normal quantile: between both sides lie 80%. */
const RANGE_DEVIATIONS = 1.2816;
/** Deviation of the logarithm of the rest of the day's potential, with a learned shape and without. */
const LEARNED_DEVIATION = 0.2;
const UNLEARNED_DEVIATION = 0.5;
/** Asks behind a measured rate, at least (flow-estimate.ts). */
const RATE_ASKS = 30;
/** What lost bids that nobody reports hold at the day's end: these parts of TTL / (ρ · the day) of the budget. */
const HELD_AT_END = { low: 0.6, mean: 0.4, high: 0.1 };
/** With the bid lever: more than whatever is wanted, in budgets. */
const AMPLE = 100;
const FLAT: readonly number[] = new Array<number>(24).fill(1);

/** Amounts in micros, whole; times in ms since the epoch. */
export interface Projection {
  /** What will have been spent at the end of the day. */
  readonly spendMicros: number;
  /** Four days in five end between these. */
  readonly lowMicros: number;
  readonly highMicros: number;
  /** When the budget is exhausted before its plan ends; null when it is not. In the past when it has been. */
  readonly exhaustionMs: number | null;
  /** With the traffic at the range's upper end, and at its lower end. */
  readonly exhaustionEarliestMs: number | null;
  readonly exhaustionLatestMs: number | null;
}

/** Null while there is too little data. */
export function projectDay(paced: PacedCampaign, clock: Clock): Projection | null {
  const spentMicros = paced.spentDayMicros;
  if (spentMicros > 0 && spentMicros >= paced.budgetMicros) {
    return certain(spentMicros, exhaustedAtMs(paced, clock));
  }
  if (paced.campaign.status !== 'ACTIVE' || paced.flight.endMs <= clock.wallMs) {
    return certain(spentMicros, null);
  }
  return isKnown(paced, clock) ? projected(paced, clock) : null;
}

function isKnown(paced: PacedCampaign, clock: Clock): boolean {
  const { flow, lastPotentialMicros } = paced.controller;
  if (flow.winCount < WINS_MIN || !(flow.askRate > 0)) return false;
  if (lastPotentialMicros > 0 && paced.trafficShape !== null) return true;
  const sinceMs = Math.max(
    paced.day.startMs,
    paced.counters.countedFromMs,
    paced.flight.startMs,
    Date.parse(paced.campaign.createdAt),
  );
  return clock.wallMs - sinceMs >= OBSERVED_MS_MIN;
}

function projected(paced: PacedCampaign, clock: Clock): Projection {
  const { flow } = paced.controller;
  const { spentDayMicros, budgetMicros } = paced;
  const effectiveMicros = spentDayMicros + flow.rho * flow.pendingMicros;
  const source = {
    plan: paced.plan,
    mode: paced.campaign.pacingMode,
    nowMs: clock.wallMs,
    spentMicros: Math.min(effectiveMicros, Math.max(budgetMicros, spentDayMicros)),
    budgetMicros,
    guarded: paced.trafficShape !== null,
    throttleFloor: paced.throttleFloor,
  };
  const supplies = suppliesOf(paced, clock);
  const forecasts = (side: number): DayForecast[] =>
    supplies.map((supply) => forecastDay({ ...source, ...scaled(supply, side) }));
  const means = forecasts(0);
  const low = least(forecasts(-RANGE_DEVIATIONS));
  const high = greatest(forecasts(RANGE_DEVIATIONS));
  const mean = means.reduce((sum, each) => sum + each.spentMicros, 0) / means.length;
  const { exhaustionMs } = least(means);
  const ends = endsOf(paced, clock, spentDayMicros, mean);
  return {
    spendMicros: ends({ spentMicros: mean, exhaustionMs }, HELD_AT_END.mean, 0),
    lowMicros: ends(low, HELD_AT_END.low, -1),
    highMicros: ends(high, HELD_AT_END.high, 1),
    exhaustionMs: whole(exhaustionMs),
    exhaustionEarliestMs: whole(high.exhaustionMs),
    exhaustionLatestMs: whole(low.exhaustionMs),
  };
}

interface Supply {
  readonly potentialMicros: number;
  readonly shape: TrafficShape;
  /** Of the potential's logarithm. */
  readonly deviation: number;
}

/** What the traffic may be like; several when nothing was learned of it. */
function suppliesOf(paced: PacedCampaign, clock: Clock): Supply[] {
  const { flow, supply, lever } = paced.controller;
  const learned = paced.trafficShape;
  const bucket = bucketAt(paced.plan.curve, clock.wallMs);
  const potentialRate = flow.askRate * flow.rho;
  const dayMs = paced.day.endMs - paced.day.startMs;
  // Behind a bid cap the asks follow the plan, whatever the traffic could carry.
  const ample = paced.campaign.pacingLever === 'BID' && lowersBids(lever, flow.meanBidMicros);
  const measured = (shape: TrafficShape): number => {
    const factor = factorOf(shape, paced.plan.curve, bucket);
    return factor > 0 ? (potentialRate * dayMs) / 1000 / factor : 0;
  };
  const ofSupply = (shape: TrafficShape, potentialMicros: number, deviation: number): Supply => ({
    shape,
    potentialMicros: ample ? Math.max(potentialMicros, AMPLE * paced.budgetMicros) : potentialMicros,
    deviation: Math.sqrt(deviation ** 2 + 1 / RATE_ASKS + 1 / Math.max(flow.winCount, 1)),
  });
  if (learned !== null) {
    const guardKnows =
      supply.seenDays > 0 &&
      supply.observedSeconds >= GUARD_SECONDS_MIN &&
      paced.campaign.pacingMode !== 'ASAP';
    const potential = guardKnows ? supply.seenMicros / supply.seenDays : measured(learned);
    return [ofSupply(learned, potential, LEARNED_DEVIATION)];
  }
  return [DEFAULT_SHAPE, FLAT].flatMap((hours) => {
    const shape = trafficShape(paced.plan.curve, hours);
    return shape === null ? [] : [ofSupply(shape, measured(shape), UNLEARNED_DEVIATION)];
  });
}

function scaled(
  { shape, potentialMicros, deviation }: Supply,
  side: number,
): Pick<ForecastSource, 'shape' | 'potentialMicros'> {
  return { shape, potentialMicros: potentialMicros * Math.exp(side * deviation) };
}

/** Turns a forecast into the end of the day: wins are whole, and some budget may be held back by lost bids. */
function endsOf(paced: PacedCampaign, clock: Clock, spentMicros: number, meanMicros: number) {
  const { flow } = paced.controller;
  const daySeconds = (paced.day.endMs - paced.day.startMs) / 1000;
  const heldShare = Math.min(paced.unreportedSeconds(clock.steadyMs) / (flow.rho * daySeconds), 1);
  // What is still to be won comes in whole wins; the controller corrects all but the last of them.
  const noise = RANGE_DEVIATIONS * Math.sqrt(flow.meanWinMicros * Math.max(meanMicros - spentMicros, 0));
  const corrected = Math.min(noise, 2 * flow.meanWinMicros + noise / 10);
  return ({ spentMicros: micros, exhaustionMs }: DayForecast, held: number, side: number): number => {
    // What lost bids hold comes back in time for whoever is exhausted before the day ends.
    const lostShare = exhaustionMs === null ? held * heldShare : 0;
    const most = Math.max(paced.budgetMicros * (1 - lostShare), spentMicros);
    const isShort = micros < 0.995 * paced.budgetMicros;
    const swing = side * (isShort ? noise : exhaustionMs === null ? corrected : 0);
    return Math.round(Math.min(Math.max(micros + swing, spentMicros), most));
  };
}

function certain(spendMicros: number, exhaustionMs: number | null): Projection {
  return {
    spendMicros,
    lowMicros: spendMicros,
    highMicros: spendMicros,
    exhaustionMs,
    exhaustionEarliestMs: exhaustionMs,
    exhaustionLatestMs: exhaustionMs,
  };
}

/** When all of the budget was spent, as the breaker has noted it. */
function exhaustedAtMs(paced: PacedCampaign, clock: Clock): number {
  const { position, reason, openedAtMs } = paced.breaker;
  const noted = position === OPEN && TRIP_REASONS[reason] === 'budget_spent' && openedAtMs > 0;
  return Math.round(noted ? Math.min(openedAtMs, clock.wallMs) : clock.wallMs);
}

function least(forecasts: readonly DayForecast[]): DayForecast {
  return forecasts.reduce((a, b) => (b.spentMicros < a.spentMicros || later(b, a) ? b : a));
}

function greatest(forecasts: readonly DayForecast[]): DayForecast {
  return forecasts.reduce((a, b) => (b.spentMicros > a.spentMicros || later(a, b) ? b : a));
}

/** Of two that spend the same: whether the first lasts longer. */
function later(a: DayForecast, b: DayForecast): boolean {
  if (a.spentMicros !== b.spentMicros || b.exhaustionMs === null) return false;
  return a.exhaustionMs === null || a.exhaustionMs > b.exhaustionMs;
}

function whole(timeMs: number | null): number | null {
  return timeMs === null ? null : Math.round(timeMs);
}
