/**
 * What goes into a controller's tick and what comes out of it. The caller makes one of each and reuses them
 * for every campaign and tick. Money in micros, times in seconds unless named Ms.
 */
import type { PacingLever, PacingMode } from './campaign.ts';
import type { TickCounts } from './flow-estimate.ts';
import type { ReusedPlan } from './plan.ts';
import type { TrafficShape } from './supply-guard.ts';

export interface TickInput extends TickCounts {
  nowMs: number;
  /** S, spent today by the whole fleet. */
  spentMicros: number;
  /** B, today's effective budget; `plan.budgetMicros` follows it at the next replan. */
  budgetMicros: number;
  plan: ReusedPlan;
  /** The day's traffic shape for the supply guard, or null: no guard. */
  shape: TrafficShape | null;
  mode: PacingMode;
  lever: PacingLever;
  /** Largest bid asked for in this tick, before the cap; 0 when none or unknown. */
  largestBidMicros: number;
  reservationTtlSeconds: number;
  /** Whether lost bids are reported, so that reservations end with the notice and not by expiry. */
  lossesReported: boolean;
  /** The throttle rate is at least this, 0 to 1. */
  throttleFloor: number;
}

export interface TickOutput {
  /** p, 0 to 1. */
  passProbability: number;
  /** The share of bids that is held back: 1 − p, or more while tokens alone pace. */
  throttleRate: number;
  /** Add this to the tokens… */
  tokenFillMicros: number;
  /** …and cap them at this: K = min(K + fill, cap). Both are at most 2^53; for ASAP, 2^53. */
  tokenCapMicros: number;
  /** u, micros of bids per second to allow; for ASAP, what is asked for and let through. */
  allowRate: number;
  /** r = uρ, micros per second. */
  spendRate: number;
  /** ρ, spend per allowed micro. */
  winRate: number;
  /** λ, micros per second. */
  askRate: number;
  /** b. */
  meanBidMicros: number;
  /** S_e, spent and about to be notified. */
  effectiveSpentMicros: number;
  /** G. */
  targetMicros: number;
  /** G', micros per second. */
  targetRate: number;
  /** H, over which an error is corrected, s; 0 while the plan pauses and for ASAP. */
  horizonSeconds: number;
  /** 20 s of flow are less than one bid: tokens alone pace, and p = 1. */
  sparse: boolean;
  /** With the BID lever: take a bid as min(bid, this). Infinity when there is no cap. */
  bidCapMicros: number;
}

/** An input with nothing in it, for a caller to fill and reuse. */
export function newTickInput(plan: ReusedPlan): TickInput {
  return {
    nowMs: 0,
    elapsedSeconds: 0,
    asks: 0,
    askedMicros: 0,
    allowedMicros: 0,
    wins: 0,
    spendMicros: 0,
    noticeDelaySeconds: Number.NaN,
    spentMicros: 0,
    budgetMicros: plan.budgetMicros,
    plan,
    shape: null,
    mode: 'EVEN',
    lever: 'THROTTLE',
    largestBidMicros: 0,
    reservationTtlSeconds: 120,
    lossesReported: false,
    throttleFloor: 0,
  };
}

/** An output for a caller to reuse. */
export function newTickOutput(): TickOutput {
  return {
    passProbability: 0,
    throttleRate: 1,
    tokenFillMicros: 0,
    tokenCapMicros: 0,
    allowRate: 0,
    spendRate: 0,
    winRate: 0,
    askRate: 0,
    meanBidMicros: 0,
    effectiveSpentMicros: 0,
    targetMicros: 0,
    targetRate: 0,
    horizonSeconds: 0,
    sparse: false,
    bidCapMicros: Number.POSITIVE_INFINITY,
  };
}
