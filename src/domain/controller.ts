/**
 * The pacing controller of one campaign: feed-forward on measured rates with a slow correction towards the
 * plan. Per tick it takes what happened and says how fast to let bids through: a pass probability and a
 * refill of a token bucket. It steers only; that no budget is overspent is the reservations' work.
 * Equations, their origin and what they reach: docs/ARCHITECTURE.md, "Pacing".
 *
 * Hot path: {@link tick}, once per campaign and second. It allocates nothing; the caller owns and reuses
 * input and output. Money in micros as floats (estimates only), times in seconds unless named Ms. Whatever
 * the input (hours without a tick, no budget, no plan), every output is finite but `bidCapMicros`.
 */
import {
  type BidLever,
  beginLeverDay,
  leverRecord,
  lowersBids,
  moveBidCap,
  newBidLever,
  UNUSED_LEVER,
} from './bid-lever.ts';
import type { TickInput, TickOutput } from './controller-tick.ts';
import { type FlowEstimate, flowRecord, newFlowEstimate, observeFlow } from './flow-estimate.ts';
import { MICROS_MAX } from './money.ts';
import { secondsLeftAt, targetAt, targetRateAt } from './plan.ts';
import {
  dayPotential,
  guardSupply,
  guardWeight,
  newSupplyGuard,
  type SupplyGuard,
  supplyRecord,
  type TrafficShape,
  UNUSED_GUARD,
} from './supply-guard.ts';

const CORRECTION_SECONDS = 900;
const RATE_OVER_PLAN_MAX = 2;
/** The lead at the day's end is this much of the time in which lost bids bring their value back. */
const DRAIN_SHARE = 0.4;
const DRAIN_SECONDS_MAX = 1800;
const DRAIN_BEGINS = 8;
const TOKEN_SECONDS = 20;
const TOKEN_SLACK = 1.25;
/** The next tick is taken to be no nearer and no further than this, whatever the last gap was. */
const STEP_SECONDS_MIN = 0.05;
const STEP_SECONDS_MAX = 60;

export interface ControllerState {
  readonly flow: FlowEstimate;
  lever: BidLever;
  supply: SupplyGuard;
  /** Yesterday's potential spend, micros; 0 when unknown. */
  lastPotentialMicros: number;
  /** 0 until the first tick, then 1. */
  started: number;
}

/**
 * A controller at the start of a day, with its estimate in a new record. `lastRho`, `potentialMicros`: yesterday's; NaN
 * when unknown.
 */
export function newController(
  seed: { lastRho: number; potentialMicros: number },
  flow = flowRecord(),
): ControllerState {
  const potentialMicros = Math.max(seed.potentialMicros || 0, 0);
  return {
    flow: newFlowEstimate(seed.lastRho, flow),
    lever: UNUSED_LEVER,
    supply: guardFor(potentialMicros),
    lastPotentialMicros: potentialMicros,
    started: 0,
  };
}

function guardFor(potentialMicros: number): SupplyGuard {
  return potentialMicros > 0 ? newSupplyGuard(potentialMicros) : UNUSED_GUARD;
}

/** One that goes on by itself from what this one knows. */
export function copyController(state: ControllerState): ControllerState {
  const { flow, lever, supply, lastPotentialMicros, started } = state;
  return {
    flow: flowRecord(flow),
    lever: lever === UNUSED_LEVER ? lever : leverRecord(lever),
    supply: supply === UNUSED_GUARD ? supply : supplyRecord(supply),
    lastPotentialMicros,
    started,
  };
}

/** A new local day: what was learned becomes the prior; the running estimates go on. */
export function beginControllerDay(state: ControllerState): void {
  state.flow.rhoPrior = state.flow.rho;
  state.lastPotentialMicros = dayPotential(state.supply) || state.lastPotentialMicros;
  state.supply = guardFor(state.lastPotentialMicros);
  beginLeverDay(state.lever);
}

/** Takes in what happened since the last tick and writes how to go on until the next one. */
export function tick(state: ControllerState, input: TickInput, output: TickOutput): void {
  const { flow } = state;
  observeFlow(flow, input);
  output.winRate = flow.rho;
  output.askRate = flow.askRate;
  output.meanBidMicros = flow.meanBidMicros;
  output.effectiveSpentMicros = input.spentMicros + flow.rho * flow.pendingMicros;
  output.targetMicros = targetAt(input.plan, input.nowMs);
  output.targetRate = targetRateAt(input.plan, input.nowMs);
  output.bidCapMicros = Number.POSITIVE_INFINITY;
  if (input.mode === 'ASAP') passAsap(state, input, output);
  else pace(state, input, output);
  state.started = 1;
}

/** ASAP's documented throttle steps: 20%, 50%, 90% at 80%, 90%, 95% of the budget spent. */
export function asapThrottle(spentShare: number): number {
  if (spentShare >= 0.95) return 0.9;
  if (spentShare >= 0.9) return 0.5;
  return spentShare >= 0.8 ? 0.2 : 0;
}

function passAsap(state: ControllerState, input: TickInput, output: TickOutput): void {
  const spentShare = input.budgetMicros > 0 ? input.spentMicros / input.budgetMicros : 1;
  output.throttleRate = Math.max(asapThrottle(spentShare), input.throttleFloor);
  output.passProbability = 1 - output.throttleRate;
  output.tokenFillMicros = MICROS_MAX;
  output.tokenCapMicros = MICROS_MAX;
  output.sparse = false;
  output.horizonSeconds = 0;
  output.allowRate = state.flow.askRate * output.passProbability;
  output.spendRate = output.allowRate * state.flow.rho;
}

function pace(state: ControllerState, input: TickInput, output: TickOutput): void {
  const secondsLeft = secondsLeftAt(input.plan, input.nowMs);
  const planned = secondsLeft > 0;
  output.horizonSeconds = 0;
  output.spendRate = planned ? wantedSpendRate(state, input, output, secondsLeft) : 0;
  output.allowRate = output.spendRate / state.flow.rho;
  if (input.lever === 'BID') output.bidCapMicros = leverCap(state, input, output, planned);
  letThrough(state, input, output, planned);
}

/**
 * Steps 5 to 7: r, the spend rate to aim at until the next tick, micros per second. `curveSeconds`: y before
 * its bound, how long the rest of the curve takes at its present density.
 */
function wantedSpendRate(
  state: ControllerState,
  input: TickInput,
  output: TickOutput,
  curveSeconds: number,
): number {
  const { flow } = state;
  const { targetRate, effectiveSpentMicros } = output;
  const twoSteps = 2 * Math.min(Math.max(input.elapsedSeconds, STEP_SECONDS_MIN), STEP_SECONDS_MAX);
  const secondsLeft = Math.max(curveSeconds, twoSteps);
  const remaining = Math.max(input.budgetMicros - effectiveSpentMicros, 0);
  // A budget cut below the target wants nothing more; what is left of it is spread over the rest of the curve.
  const correction = targetRate > 0 ? (0.5 * flow.meanWinMicros) / targetRate : 0;
  output.horizonSeconds = Math.max(Math.min(Math.max(CORRECTION_SECONDS, correction), secondsLeft), twoSteps);
  const neededRate = remaining / secondsLeft;
  const corrected = targetRate + (output.targetMicros - effectiveSpentMicros) / output.horizonSeconds;
  let rate = Math.max(Math.min(corrected, Math.max(RATE_OVER_PLAN_MAX * targetRate, neededRate)), 0);
  if (input.shape !== null) {
    const guardRate = guardedRate(state, input, input.shape, remaining);
    const bounded = Math.min(guardRate, RATE_OVER_PLAN_MAX * Math.max(targetRate, neededRate));
    rate += guardWeight(state.supply, guardRate, neededRate) * Math.max(bounded - rate, 0);
  }
  const lead = drainSeconds(flow, input);
  if (secondsLeft < DRAIN_BEGINS * lead) {
    rate = Math.max(rate, remaining / Math.max(secondsLeft - lead, lead, twoSteps));
  }
  return rate;
}

/** Step 6. */
function guardedRate(
  state: ControllerState,
  input: TickInput,
  shape: TrafficShape,
  remaining: number,
): number {
  if (state.supply === UNUSED_GUARD) state.supply = newSupplyGuard(0);
  const { flow, supply } = state;
  // Behind a cap λρ follows the plan, whatever the traffic could carry: the guard keeps what it knew before.
  const hidden = input.lever === 'BID' && lowersBids(state.lever, flow.meanBidMicros);
  const potentialRate = hidden ? Number.NaN : flow.askRate * flow.rho;
  const { nowMs, elapsedSeconds, plan } = input;
  return guardSupply(
    supply,
    plan.curve,
    shape,
    nowMs,
    elapsedSeconds,
    potentialRate,
    remaining,
    flow.meanWinMicros,
  );
}

/**
 * Step 7: τ, how long before the day's end the budget must be in flight, because what lost bids hold comes
 * back only after a while.
 */
function drainSeconds(flow: FlowEstimate, input: TickInput): number {
  const heldSeconds = input.lossesReported ? flow.noticeDelaySeconds : input.reservationTtlSeconds;
  return Math.min((DRAIN_SHARE * heldSeconds) / flow.rho, DRAIN_SECONDS_MAX);
}

function leverCap(state: ControllerState, input: TickInput, output: TickOutput, planned: boolean): number {
  if (state.lever === UNUSED_LEVER) state.lever = newBidLever(0, 0);
  const { flow, lever } = state;
  const steering = planned && output.effectiveSpentMicros < input.budgetMicros;
  return moveBidCap(
    lever,
    input.elapsedSeconds,
    steering,
    output.allowRate,
    flow.askRate,
    flow.meanBidMicros,
    input.largestBidMicros,
  );
}

/** Step 8: pass probability and tokens; nothing passes while the plan pauses. */
function letThrough(state: ControllerState, input: TickInput, output: TickOutput, planned: boolean): void {
  const { askRate, meanBidMicros } = state.flow;
  const { allowRate } = output;
  const burst = TOKEN_SECONDS * allowRate;
  // Judged by the plan too: a moment's correction or the last of a budget must not throw p to 1 and back.
  output.sparse = TOKEN_SECONDS * Math.max(allowRate, output.targetRate / state.flow.rho) < meanBidMicros;
  const wanted = output.sparse || askRate === 0 ? 1 : Math.min(1, allowRate / askRate);
  output.passProbability = planned ? Math.min(wanted, 1 - input.throttleFloor) : 0;
  // While tokens alone pace, p says nothing of how many bids are held back.
  const affordable = planned && askRate > 0 ? Math.min(1, allowRate / askRate) : output.passProbability;
  output.throttleRate = 1 - Math.min(output.passProbability, affordable);
  output.tokenCapMicros = Math.min(Math.max(burst, meanBidMicros), MICROS_MAX);
  const flowed = (output.sparse ? 1 : TOKEN_SLACK) * allowRate * input.elapsedSeconds;
  // A fresh campaign begins with a full bucket: its first bid must not wait for a tick.
  output.tokenFillMicros = state.started === 0 ? output.tokenCapMicros : Math.min(flowed, MICROS_MAX);
}
