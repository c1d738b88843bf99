/**
 * One campaign's whole day under virtual time, seeded: Poisson asks, wins, delayed notices, no loss notices,
 * and the strict gate of reservations. One tick per second drives the production controller.
 */
import type { PacingLever, PacingMode } from '../../../src/domain/campaign.ts';
import { type ControllerState, newController, tick } from '../../../src/domain/controller.ts';
import { newTickInput, newTickOutput } from '../../../src/domain/controller-tick.ts';
import { buildCurve, shareAt } from '../../../src/domain/curve.ts';
import { localDayAt } from '../../../src/domain/local-day.ts';
import { replan, startPlan, targetAt } from '../../../src/domain/plan.ts';
import { trafficShape } from '../../../src/domain/supply-guard.ts';

const DAY_SECONDS = 86_400;
const TTL_SECONDS = 120;
/** Bids relative to the base bid, how often they come, and how much oftener than usual they win. */
const BIDS = [0.6, 1, 1.8] as const;
const WIN_FACTORS = [0.7, 1, 1.4] as const;
const MEAN_BID = 1.04;
const MEAN_WON = 1.13;
const FLAT: readonly number[] = new Array<number>(24).fill(1);

export interface SimulatedDay {
  seed: number;
  budgetMicros?: number;
  mode?: PacingMode;
  lever?: PacingLever;
  /** Unthrottled spend of the whole day over the budget. */
  supply: number;
  asksPerSecond?: number;
  winRate?: number;
  /** Traffic of an hour of the day (0–24, fractional), relative to the mean. */
  traffic?: (hour: number) => number;
  /** Whether yesterday's ρ, potential and shape are known. */
  yesterdayKnown?: boolean;
  startHour?: number;
  /** Change of the budget at noon, as a factor. */
  noonBudget?: number;
  controller?: ControllerState;
}

export interface SimulatedOutcome {
  /** Spend over budget. */
  delivered: number;
  overspentMicros: number;
  rmse: number;
  maxError: number;
  /** Standard deviation of the minute changes of p over mean p. */
  hunting: number;
  /** Hour in which 99.5% was spent, 24 when later. */
  endedHour: number;
  spentByHour: number[];
  bidCapMicros: number;
  baseBidMicros: number;
  meanClearingMicros: number;
  controller: ControllerState;
}

/** Runs a day; everything random comes from its seed. */
export function simulateDay(config: SimulatedDay): SimulatedOutcome {
  const random = mulberry32(config.seed);
  const winRate = config.winRate ?? 0.2;
  const asksPerSecond = config.asksPerSecond ?? 10;
  const traffic = config.traffic ?? (() => 1);
  let budgetMicros = config.budgetMicros ?? 100_000_000;
  const potentialMicros = config.supply * budgetMicros;
  const baseBidMicros = potentialMicros / (asksPerSecond * DAY_SECONDS * winRate * MEAN_WON);
  const known = config.yesterdayKnown ?? true;
  const day = localDayAt('UTC', Date.UTC(2026, 2, 2));
  const bounds = { flightStartMs: Number.NEGATIVE_INFINITY, flightEndMs: Number.POSITIVE_INFINITY };
  const mode = config.mode ?? 'EVEN';
  const curve = buildCurve({ mode, day, multipliers: null, dayparts: null, ...bounds, shape: null });
  const startSecond = (config.startHour ?? 0) * 3600;
  const controller =
    config.controller ??
    newController({
      lastRho: known ? (winRate * MEAN_WON) / MEAN_BID : Number.NaN,
      potentialMicros: known ? potentialMicros : Number.NaN,
    });
  let plan = startPlan(curve, budgetMicros, day.startMs + startSecond * 1000);
  const input = newTickInput(plan);
  const output = newTickOutput();
  input.mode = mode;
  input.lever = config.lever ?? 'THROTTLE';
  const hourly = FLAT.map((_, hour) => traffic(hour + 0.5));
  input.shape = known ? trafficShape(curve, hourly) : null;
  input.nowMs = day.startMs + startSecond * 1000;
  input.budgetMicros = budgetMicros;
  tick(controller, input, output);

  const slots = TTL_SECONDS + 2;
  const dueRelease = new Float64Array(slots);
  const dueSpend = new Float64Array(slots);
  const dueWins = new Float64Array(slots);
  const dueDelay = new Float64Array(slots);
  let spent = 0;
  let reserved = 0;
  let wonCount = 0;
  let tokens = Math.min(output.tokenFillMicros, output.tokenCapMicros);
  let errorSquares = 0;
  let maxError = 0;
  let minutes = 0;
  let endedHour = 24;
  const passes: number[] = [];
  const spentByHour: number[] = new Array<number>(24).fill(0);

  for (let second = startSecond; second < DAY_SECONDS + TTL_SECONDS + 1; second++) {
    const slot = second % slots;
    const notified = dueSpend[slot] ?? 0;
    input.wins = dueWins[slot] ?? 0;
    input.spendMicros = notified;
    input.noticeDelaySeconds = input.wins > 0 ? (dueDelay[slot] ?? 0) / input.wins : Number.NaN;
    spent += notified;
    wonCount += input.wins;
    reserved -= dueRelease[slot] ?? 0;
    dueRelease[slot] = dueSpend[slot] = dueWins[slot] = dueDelay[slot] = 0;
    if (spent >= 0.995 * budgetMicros && endedHour === 24) endedHour = Math.min(second / 3600, 24);
    if (second >= DAY_SECONDS) continue; // only notices are left
    if (second === DAY_SECONDS / 2 && config.noonBudget !== undefined) {
      budgetMicros *= config.noonBudget;
      plan = replan(plan, { budgetMicros }, day.startMs + second * 1000);
      input.plan = plan;
      input.budgetMicros = budgetMicros;
    }
    const hour = Math.floor(second / 3600);
    spentByHour[hour] = (spentByHour[hour] ?? 0) + notified;

    const asks = poisson(random, asksPerSecond * traffic(second / 3600));
    input.asks = asks;
    input.askedMicros = input.allowedMicros = input.largestBidMicros = 0;
    for (let ask = 0; ask < asks; ask++) {
      const draw = random();
      const kind = draw < 0.3 ? 0 : draw < 0.8 ? 1 : 2;
      const asked = Math.round(baseBidMicros * BIDS[kind]);
      input.largestBidMicros = Math.max(input.largestBidMicros, asked);
      const bid = Math.min(asked, output.bidCapMicros);
      input.askedMicros += bid;
      if (random() >= output.passProbability || tokens <= 0) continue;
      const allowed = Math.floor(Math.min(bid, budgetMicros - spent - reserved));
      if (allowed < 1) continue;
      tokens -= allowed;
      reserved += allowed;
      input.allowedMicros += allowed;
      const wins = random() < winRate * WIN_FACTORS[kind] * (bid / asked);
      const delay = wins ? Math.min(noticeDelay(random), TTL_SECONDS) : TTL_SECONDS;
      const due = (second + 1 + Math.floor(delay)) % slots;
      dueRelease[due] = (dueRelease[due] ?? 0) + allowed;
      if (!wins) continue;
      dueSpend[due] = (dueSpend[due] ?? 0) + allowed;
      dueWins[due] = (dueWins[due] ?? 0) + 1;
      dueDelay[due] = (dueDelay[due] ?? 0) + delay;
    }
    input.elapsedSeconds = 1;
    input.nowMs = day.startMs + (second + 1) * 1000;
    input.spentMicros = spent;
    tick(controller, input, output);
    tokens = Math.min(tokens + output.tokenFillMicros, output.tokenCapMicros);

    if (second % 60 === 59) {
      const error = (spent - targetAt(plan, input.nowMs)) / budgetMicros;
      errorSquares += error * error;
      maxError = Math.max(maxError, Math.abs(error));
      minutes++;
      if (input.nowMs < day.endMs) passes.push(output.passProbability); // with the day its plan is over
    }
  }
  return {
    delivered: spent / budgetMicros,
    overspentMicros: Math.max(spent - budgetMicros, 0),
    rmse: Math.sqrt(errorSquares / minutes),
    maxError,
    hunting: huntingOf(passes),
    endedHour,
    spentByHour,
    bidCapMicros: output.bidCapMicros,
    baseBidMicros,
    meanClearingMicros: spent / Math.max(wonCount, 1),
    controller,
  };
}

/** Share of the day's budget that a mode's curve wants by an hour of a plain UTC day. */
export function wantedBy(mode: PacingMode, hour: number): number {
  const day = localDayAt('UTC', Date.UTC(2026, 2, 2));
  const bounds = { flightStartMs: Number.NEGATIVE_INFINITY, flightEndMs: Number.POSITIVE_INFINITY };
  const curve = buildCurve({ mode, day, multipliers: null, dayparts: null, ...bounds, shape: null });
  return shareAt(curve, day.startMs + hour * 3_600_000);
}

function huntingOf(passes: readonly number[]): number {
  const mean = passes.reduce((sum, pass) => sum + pass, 0) / passes.length;
  let squares = 0;
  for (let minute = 1; minute < passes.length; minute++) {
    squares += ((passes[minute] ?? 0) - (passes[minute - 1] ?? 0)) ** 2;
  }
  return Math.sqrt(squares / (passes.length - 1)) / mean;
}

/** Lognormal, p50 2 s, p99 30 s. */
function noticeDelay(random: () => number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Math.exp(Math.log(2) + (Math.log(15) / 2.3263) * normal);
}

function poisson(random: () => number, mean: number): number {
  const limit = Math.exp(-mean);
  let product = random();
  let count = 0;
  while (product > limit) {
    product *= random();
    count++;
  }
  return count;
}

/** A small seeded generator of numbers in [0, 1). */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
