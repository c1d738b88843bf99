/** One campaign's circuit breaker: the rules of breaker.ts with the pod's settings, each move reported. */
import {
  type BreakerConfig,
  type BreakerState,
  type BreakerTransition,
  breachBreaker,
  failBreaker,
  HALF_OPEN,
  OPEN,
  resetBreaker,
  settleProbe,
  watchBreaker,
  watchVelocity,
} from './breaker.ts';
import type { CampaignTerms } from './campaign.ts';
import type { SpendLook } from './spend-velocity.ts';

export interface BreakerSettings {
  readonly breakerRecoveryMs: number;
  readonly breakerProbes: number;
  /** A breaker moved. */
  readonly moved: (campaign: CampaignTerms, transition: BreakerTransition) => void;
}

/** A campaign with its breaker: a hundred thousand campaigns that kept an object of their own for the rules would take 6 MB. */
export interface BreakerOwner {
  readonly breaker: BreakerState;
  readonly campaign: CampaignTerms;
  readonly settings: BreakerSettings;
}

/** Brings it up to date with what is spent of the day's budget; returns whether it moved. */
export function watchSpend(
  owner: BreakerOwner,
  dayStartMs: number,
  spentMicros: number,
  budgetMicros: number,
  nowMs: number,
): boolean {
  const config = configOf(owner);
  return report(owner, watchBreaker(owner.breaker, config, dayStartMs, spentMicros, budgetMicros, nowMs));
}

/** A bid was won or lost; `covered` when what it cost was reserved for it. Returns whether it moved. */
export function settleBid(owner: BreakerOwner, covered: boolean, nowMs: number): boolean {
  const { breaker } = owner;
  if (!covered) return report(owner, breachBreaker(breaker, nowMs));
  return isHalfOpen(breaker) && report(owner, settleProbe(breaker, configOf(owner), nowMs));
}

/** Nothing is in flight any more: so many probes were taken, and those not reported on are settled too. */
export function settleSilent(owner: BreakerOwner, probesTaken: number, nowMs: number): void {
  const { breaker } = owner;
  while (isHalfOpen(breaker) && breaker.probesSettled < probesTaken) {
    report(owner, settleProbe(breaker, configOf(owner), nowMs));
  }
}

/** Once each tick of the controller; returns whether it moved. */
export function watchPace(owner: BreakerOwner, look: SpendLook, nowMs: number): boolean {
  return report(owner, watchVelocity(owner.breaker, look, nowMs));
}

/** A spend could not be recorded. */
export function spendFailed(owner: BreakerOwner, nowMs: number): void {
  report(owner, failBreaker(owner.breaker, nowMs));
}

/** The day's counters begin anew: it closes, and forgets the day so far. */
export function beginAnew(owner: BreakerOwner, nowMs: number): void {
  report(owner, resetBreaker(owner.breaker, nowMs));
}

/** When an open breaker next half-opens, ms since the epoch; Infinity when it waits for something else. */
export function recoversAtMs(
  { breaker, settings }: BreakerOwner,
  spentMicros: number,
  budgetMicros: number,
): number {
  const recovers = breaker.position === OPEN && spentMicros < budgetMicros;
  return recovers ? breaker.openedAtMs + settings.breakerRecoveryMs : Number.POSITIVE_INFINITY;
}

function isHalfOpen(breaker: BreakerState): boolean {
  return breaker.position === HALF_OPEN;
}

function configOf({ campaign, settings }: BreakerOwner): BreakerConfig {
  filled.threshold = campaign.breakerThreshold;
  filled.recoveryMs = settings.breakerRecoveryMs;
  filled.probes = settings.breakerProbes;
  return filled;
}

function report({ campaign, settings }: BreakerOwner, transition: BreakerTransition | null): boolean {
  if (transition !== null) settings.moved(campaign, transition);
  return transition !== null;
}

/** Filled and read within one call: each campaign keeping its own would double what its breaker takes. */
const filled = { threshold: 0, recoveryMs: 0, probes: 0 };
