/**
 * What a controller keeps over a restart: a few finite numbers, 0 for what is not known yet. What is in flight
 * is not among them: the ledger knows it, and as an estimate it is made anew within seconds.
 */
import { newBidLever } from './bid-lever.ts';
import { type ControllerState, newController } from './controller.ts';
import { flowRecord } from './flow-estimate.ts';
import { dayPotential } from './supply-guard.ts';

/** A remembered ask rate weighs as much as this much observation, s. */
const REMEMBERED_SECONDS = 30;

export interface ControllerMemory {
  readonly meanWinMicros: number;
  readonly winCount: number;
  readonly noticeDelaySeconds: number;
  readonly delayCount: number;
  readonly meanBidMicros: number;
  readonly rho: number;
  /** Micros per second. */
  readonly askRate: number;
  /** What a whole day's traffic could spend, micros. */
  readonly potentialMicros: number;
  readonly bidCapMicros: number;
  readonly topBidMicros: number;
}

/** The numbers worth keeping of a controller. */
export function controllerMemory(state: ControllerState): ControllerMemory {
  const { flow, lever } = state;
  return {
    meanWinMicros: flow.meanWinMicros,
    winCount: flow.winCount,
    noticeDelaySeconds: flow.noticeDelaySeconds,
    delayCount: flow.delayCount,
    meanBidMicros: flow.meanBidMicros,
    rho: flow.rho,
    askRate: flow.askRate,
    potentialMicros: dayPotential(state.supply) || state.lastPotentialMicros,
    bidCapMicros: lever.capMicros,
    topBidMicros: Math.max(lever.topTodayMicros, lever.topLastMicros),
  };
}

/** A controller that begins from what another one knew, with its estimate in a new record; its ρ is the prior. */
export function restoreController(memory: ControllerMemory, flow = flowRecord()): ControllerState {
  const state = newController({ lastRho: memory.rho, potentialMicros: memory.potentialMicros }, flow);
  flow.meanWinMicros = memory.meanWinMicros;
  flow.winCount = memory.winCount;
  flow.noticeDelaySeconds = memory.noticeDelaySeconds;
  flow.delayCount = memory.delayCount;
  flow.meanBidMicros = memory.meanBidMicros;
  flow.askRate = memory.askRate;
  flow.askedMicros = memory.askRate * REMEMBERED_SECONDS;
  flow.askedSeconds = REMEMBERED_SECONDS;
  if (memory.bidCapMicros > 0 || memory.topBidMicros > 0) {
    state.lever = newBidLever(memory.bidCapMicros, memory.topBidMicros);
  }
  return state;
}
