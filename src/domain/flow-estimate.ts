/**
 * What the controller knows of a campaign's traffic: mean win price and bid, notice delay, spend per allowed
 * micro, asked micros per second, and the allowed value whose notices are still to come. All are estimates
 * that steer; none gates a bid. Steps 1 to 4 of the controller (docs/ARCHITECTURE.md, "Pacing").
 *
 * The hot path is {@link observeFlow}, once per campaign and tick: no allocation, no branch on the past.
 * Money in micros (not rounded), times in seconds. A mean that is not known yet is 0 with a count of 0.
 */

import { numberRecord } from './number-record.ts';

/** ρ before a campaign has any history. */
export const RHO_UNKNOWN_PRIOR = 0.15;
const RHO_MIN = 1e-6;
/** A win costs at most its bid, so more than this is a notice that came early. */
const RHO_MAX = 1;
const RHO_PRIOR_WINS = 1;
const RHO_MEMORY_SECONDS = 120;
const RHO_MEMORY_WINS = 100;
/** Spend of so short a time that differs from ρ by so many standard deviations is a market that has changed. */
const RECENT_SECONDS = 20;
const SURPRISE_DEVIATIONS = 5;
const WIN_MEMORY = 50;
const BID_MEMORY = 200;
const DELAY_SECONDS_FIRST = 10;
const RATE_MEMORY_SECONDS = 60;
const RATE_MEMORY_ASKS = 30;
/** A shorter observation is taken to be this long: it would make a rate out of a single ask. */
const RATE_SECONDS_MIN = 0.05;
/** How much of the time-bound forgetting goes on without any event. */
const IDLE_FORGETTING = 0.02;

export interface FlowEstimate {
  /** q; follows the mean bid until the first win. */
  meanWinMicros: number;
  /** Wins behind `meanWinMicros`, at most 50. */
  winCount: number;
  /** d. */
  noticeDelaySeconds: number;
  /** Wins behind `noticeDelaySeconds`, at most 50. */
  delayCount: number;
  /** b; 0 until the first ask. */
  meanBidMicros: number;
  /** V: allowed value whose notices are not due yet. */
  pendingMicros: number;
  /** ρ. */
  rho: number;
  /** ρ_0, the prior of the day. */
  rhoPrior: number;
  /** s_n: notified spend, forgetting. */
  rhoSpendMicros: number;
  /** v_n: value whose notices should have come, forgetting. */
  rhoMaturedMicros: number;
  /** The same two of the last seconds only. */
  recentSpendMicros: number;
  recentMaturedMicros: number;
  /** λ, asked micros per second. */
  askRate: number;
  /** a: asked value, forgetting. */
  askedMicros: number;
  /** w: observed time, forgetting. */
  askedSeconds: number;
}

/** What happened to one campaign during one tick. */
export interface TickCounts {
  /** D, since the last tick, s. */
  elapsedSeconds: number;
  /** n_a: bids asked for. */
  asks: number;
  /** v_a: their value, micros; with the BID lever, of the bids after the cap. */
  askedMicros: number;
  /** v_l: the value allowed (reserved), micros. */
  allowedMicros: number;
  /** n_w: wins notified. */
  wins: number;
  /** s_w: spend notified, micros. */
  spendMicros: number;
  /** Mean delay from the decision to the notice of this tick's wins, s; NaN when unknown. */
  noticeDelaySeconds: number;
}

/** An estimate with nothing observed and nothing known. */
export const NEW_FLOW: Readonly<FlowEstimate> = {
  meanWinMicros: 0,
  winCount: 0,
  noticeDelaySeconds: DELAY_SECONDS_FIRST,
  delayCount: 0,
  meanBidMicros: 0,
  pendingMicros: 0,
  rho: RHO_UNKNOWN_PRIOR,
  rhoPrior: RHO_UNKNOWN_PRIOR,
  rhoSpendMicros: 0,
  rhoMaturedMicros: 0,
  recentSpendMicros: 0,
  recentMaturedMicros: 0,
  askRate: 0,
  askedMicros: 0,
  askedSeconds: 0,
};

/** The estimate's numbers, or a copy of them. */
export const flowRecord = numberRecord<FlowEstimate>(NEW_FLOW);

/** An estimate with nothing observed, in a new record. `lastRho`: yesterday's ρ, NaN when unknown. */
export function newFlowEstimate(lastRho: number, flow = flowRecord()): FlowEstimate {
  if (lastRho > 0) flow.rho = flow.rhoPrior = clampRho(lastRho);
  return flow;
}

/** Takes one tick's counts into the estimate. */
export function observeFlow(flow: FlowEstimate, tick: TickCounts): void {
  observeMeans(flow, tick);
  observeRho(flow, tick);
  observeAskRate(flow, tick);
}

/** Step 1: mean bid, win price and notice delay. */
function observeMeans(flow: FlowEstimate, tick: TickCounts): void {
  const { asks, wins } = tick;
  if (asks > 0) {
    const weight = flow.meanBidMicros > 0 ? asks / (asks + BID_MEMORY) : 1;
    flow.meanBidMicros += weight * (tick.askedMicros / asks - flow.meanBidMicros);
  }
  if (wins > 0) {
    flow.meanWinMicros += winWeight(wins, flow.winCount) * (tick.spendMicros / wins - flow.meanWinMicros);
    flow.winCount = Math.min(flow.winCount + wins, WIN_MEMORY);
    if (tick.noticeDelaySeconds >= 0) {
      flow.noticeDelaySeconds +=
        winWeight(wins, flow.delayCount) * (tick.noticeDelaySeconds - flow.noticeDelaySeconds);
      flow.delayCount = Math.min(flow.delayCount + wins, WIN_MEMORY);
    }
  } else if (flow.winCount === 0) {
    flow.meanWinMicros = flow.meanBidMicros;
  }
}

/** Steps 2 and 3: the value that should have been notified by now, and the spend it brought. */
function observeRho(flow: FlowEstimate, tick: TickCounts): void {
  const seconds = tick.elapsedSeconds;
  const delay = Math.max(flow.noticeDelaySeconds, seconds / 2);
  const matured = delay > 0 ? flow.pendingMicros * -Math.expm1(-seconds / delay) : 0;
  flow.pendingMicros += tick.allowedMicros - matured;
  const age = seconds / RHO_MEMORY_SECONDS;
  const kept = Math.exp(-Math.min(age, tick.wins / RHO_MEMORY_WINS + IDLE_FORGETTING * age));
  flow.rhoSpendMicros = kept * flow.rhoSpendMicros + tick.spendMicros;
  flow.rhoMaturedMicros = kept * flow.rhoMaturedMicros + matured;
  const keptRecent = Math.exp(-seconds / RECENT_SECONDS);
  flow.recentSpendMicros = keptRecent * flow.recentSpendMicros + tick.spendMicros;
  flow.recentMaturedMicros = keptRecent * flow.recentMaturedMicros + matured;
  if (isSurprised(flow)) forgetRho(flow);
  const priorMicros = (RHO_PRIOR_WINS * flow.meanWinMicros) / flow.rhoPrior;
  const weightMicros = flow.rhoMaturedMicros + priorMicros;
  if (weightMicros > 0) {
    flow.rho = clampRho((flow.rhoSpendMicros + flow.rhoPrior * priorMicros) / weightMicros);
  }
}

/** Whether the last seconds spent far more than ρ explains, wins taken as Poisson. */
function isSurprised(flow: FlowEstimate): boolean {
  const expected = flow.rho * flow.recentMaturedMicros;
  const excess = flow.recentSpendMicros - expected;
  const variance = flow.meanWinMicros * (expected + flow.meanWinMicros);
  return excess > 0 && excess * excess > SURPRISE_DEVIATIONS * SURPRISE_DEVIATIONS * variance;
}

/** Begins anew from the last seconds: what was known before no longer holds, the day's prior neither. */
function forgetRho(flow: FlowEstimate): void {
  flow.rhoSpendMicros = flow.recentSpendMicros;
  flow.rhoMaturedMicros = flow.recentMaturedMicros;
  if (flow.recentMaturedMicros > 0) {
    flow.rhoPrior = clampRho(flow.recentSpendMicros / flow.recentMaturedMicros);
  }
}

/** Step 4: asked micros per second. */
function observeAskRate(flow: FlowEstimate, tick: TickCounts): void {
  const age = tick.elapsedSeconds / RATE_MEMORY_SECONDS;
  const kept = Math.exp(-Math.min(age, tick.asks / RATE_MEMORY_ASKS + IDLE_FORGETTING * age));
  flow.askedMicros = kept * flow.askedMicros + tick.askedMicros;
  flow.askedSeconds = kept * flow.askedSeconds + tick.elapsedSeconds;
  flow.askRate = flow.askedSeconds > 0 ? flow.askedMicros / Math.max(flow.askedSeconds, RATE_SECONDS_MIN) : 0;
}

function winWeight(wins: number, count: number): number {
  return Math.max(wins / (count + wins), wins / (wins + WIN_MEMORY));
}

function clampRho(rho: number): number {
  return Math.min(Math.max(rho, RHO_MIN), RHO_MAX);
}
