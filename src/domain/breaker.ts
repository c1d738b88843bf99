/**
 * The circuit breaker of one campaign. Pure: a fixed-shape state of finite numbers that the owner keeps (and
 * may store as it is), times and amounts as arguments; each call returns the transition it made, or null.
 *
 *   CLOSED ──── threshold, budget spent, velocity, failures; while guarded also a breach ──▶ OPEN
 *   OPEN ────── recovery time, unless all of the budget is spent ──────────────────────────▶ HALF_OPEN
 *   HALF_OPEN ─ probes settled ────────────────────────────────────────────────────────────▶ CLOSED, guarded
 *   HALF_OPEN ─ breach, or whatever trips a closed one ────────────────────────────────────▶ OPEN
 *   any ─────── new day, raised budget, reset ─────────────────────────────────────────────▶ CLOSED
 *
 * The threshold trips once per local day and budget (the latch); the others as often as they have reason to.
 * After recovery the rest of the budget is spent guarded: a breach trips it again. A raised budget, a new day
 * or a reset lifts latch and guard; a lowered budget lifts the latch of a closed one, so that it trips by the
 * new threshold. With all of the budget spent it is open until then, without a half-open. Neither threshold nor
 * budget trips before the first spend of a day: a threshold of 0 trips at the first spend, one of 1 when all is
 * spent.
 */
import type { PacingMode } from './campaign.ts';
import { copyNumbers, numberRecord } from './number-record.ts';
import {
  forgetSpendWindow,
  NO_SPEND_WINDOW,
  runsAway,
  type SpendLook,
  type SpendWindow,
} from './spend-velocity.ts';

export const CLOSED = 0;
export const OPEN = 1;
export const HALF_OPEN = 2;
export type BreakerPosition = typeof CLOSED | typeof OPEN | typeof HALF_OPEN;
/** Names of the positions, by number. */
export const BREAKER_POSITIONS = ['CLOSED', 'OPEN', 'HALF_OPEN'] as const;

/** Why it opened; 'none' before it has. {@link BreakerState} stores the number: names are only appended. */
export const TRIP_REASONS = ['none', 'threshold', 'budget_spent', 'breach', 'velocity', 'failures'] as const;
export type TripReason = Exclude<(typeof TRIP_REASONS)[number], 'none'>;

/** Why it half-opened or closed. */
export const RELIEF_REASONS = ['recovery', 'probes_settled', 'new_day', 'budget_raised', 'reset'] as const;
export type ReliefReason = (typeof RELIEF_REASONS)[number];

/** The throttle rate of ASAP and FRONT_LOADED is at least this while guarded, once the threshold was reached. */
const GUARDED_THROTTLE = 0.9;
/** So many spends in a row that could not be recorded trip it. */
const FAILURES_MAX = 5;

/** Stored as it is, the window of {@link SpendWindow} last: fields are only appended, a missing one is 0. */
export interface BreakerState extends SpendWindow {
  position: BreakerPosition;
  /** Index into {@link TRIP_REASONS}: why it last opened; 0 once a new day, budget or reset has closed it. */
  reason: number;
  /** When it last opened, ms; 0 = never. */
  openedAtMs: number;
  /** 1 once the threshold was reached for this day and budget. */
  latched: 0 | 1;
  /** 1 from the recovery until a new day, a raised budget or a reset. */
  guarded: 0 | 1;
  /** Probes settled since it became half-open. */
  probesSettled: number;
  /** Start of the local day it watches, ms. */
  watchedDayMs: number;
  /** The day's effective budget it watches, micros. */
  watchedBudgetMicros: number;
  /** Spends since the last recorded one that could not be recorded, at most {@link FAILURES_MAX}. */
  failures: number;
}

export interface BreakerConfig {
  /** Share of the budget at which it trips, 0–1. */
  readonly threshold: number;
  readonly recoveryMs: number;
  /** Bids let through while half-open, at least 1. */
  readonly probes: number;
}

export interface BreakerTransition {
  readonly from: BreakerPosition;
  readonly to: BreakerPosition;
  readonly reason: TripReason | ReliefReason;
  readonly atMs: number;
}

/** A closed one, of no day yet. */
export const CLOSED_BREAKER: Readonly<BreakerState> = {
  position: CLOSED,
  reason: 0,
  openedAtMs: 0,
  latched: 0,
  guarded: 0,
  probesSettled: 0,
  watchedDayMs: 0,
  watchedBudgetMicros: 0,
  failures: 0,
  ...NO_SPEND_WINDOW,
};

/** What stays 0 in a breaker that has had no reason to move. */
export const SELDOM_IN_BREAKER = [
  'position',
  'reason',
  'openedAtMs',
  'latched',
  'guarded',
  'probesSettled',
  'failures',
] as const;

const breakerRecord = numberRecord<BreakerState>(CLOSED_BREAKER);

/** A closed breaker for one local day and its effective budget, micros; in a new record. */
export function newBreaker(
  dayStartMs: number,
  budgetMicros: number,
  state: BreakerState = breakerRecord(),
): BreakerState {
  state.watchedDayMs = dayStartMs;
  state.watchedBudgetMicros = budgetMicros;
  return state;
}

/**
 * A stored breaker after a restart: a half-open one has forgotten its probes and asks for them anew. That it
 * could be stored ended the failures.
 */
export function restoreBreaker(
  stored: Readonly<BreakerState>,
  state: BreakerState = breakerRecord(),
): BreakerState {
  copyNumbers(CLOSED_BREAKER, stored, state);
  state.probesSettled = 0;
  state.failures = 0;
  return state;
}

/**
 * Brings the breaker up to date; to be called after spends, on each tick, and when the day or the budget
 * changes, as often as one likes. At most one transition is returned: from what it was to what it is now.
 *
 * @param spentMicros spent of the local day's budget so far.
 * @param budgetMicros the day's effective budget (daily, or what the total leaves of it).
 */
export function watchBreaker(
  state: BreakerState,
  config: BreakerConfig,
  dayStartMs: number,
  spentMicros: number,
  budgetMicros: number,
  nowMs: number,
): BreakerTransition | null {
  const from = state.position;
  // A clock that was set back must not hold it open for longer than the recovery takes.
  state.openedAtMs = Math.min(state.openedAtMs, nowMs);
  const renewed = renew(state, dayStartMs, budgetMicros, nowMs);
  const moved = moveOn(state, config, spentMicros, nowMs) ?? renewed;
  return moved === null || moved.from === from ? moved : { ...moved, from };
}

/**
 * Opens it when the spend runs away from the plan, guarded or not; to be called once per tick of the
 * controller, after {@link watchBreaker}. While it is open nothing is measured: what comes in was bid before.
 */
export function watchVelocity(state: BreakerState, look: SpendLook, nowMs: number): BreakerTransition | null {
  if (state.position === OPEN || !look.planned) {
    forgetSpendWindow(state);
    return null;
  }
  if (!runsAway(state, look, nowMs)) return null;
  forgetSpendWindow(state);
  return tripBreaker(state, 'velocity', nowMs);
}

/**
 * Reports a spend that could not be recorded. The fifth in a row opens it, and after the recovery each one
 * more, until a spend is recorded.
 */
export function failBreaker(state: BreakerState, nowMs: number): BreakerTransition | null {
  state.failures = Math.min(state.failures + 1, FAILURES_MAX);
  return state.failures === FAILURES_MAX ? tripBreaker(state, 'failures', nowMs) : null;
}

/** Reports that a spend was recorded. */
export function clearFailures(state: BreakerState): void {
  state.failures = 0;
}

/**
 * Reports spend ahead of what was reserved, or a probe that failed. It opens a half-open or guarded breaker;
 * one that is neither has no reason to mistrust and stays closed.
 */
export function breachBreaker(state: BreakerState, nowMs: number): BreakerTransition | null {
  const mistrusted = state.position === HALF_OPEN || (state.position === CLOSED && state.guarded === 1);
  return mistrusted ? tripBreaker(state, 'breach', nowMs) : null;
}

/** Reports that a probe was won, lost or has expired; the last one closes the breaker, guarded. */
export function settleProbe(
  state: BreakerState,
  config: BreakerConfig,
  nowMs: number,
): BreakerTransition | null {
  if (state.position !== HALF_OPEN) return null;
  state.probesSettled++;
  if (state.probesSettled < config.probes) return null;
  state.guarded = 1;
  return move(state, CLOSED, 'probes_settled', nowMs);
}

/** Opens the breaker for a reason; null when it is open already, unless all of the budget is now spent. */
function tripBreaker(state: BreakerState, reason: TripReason, nowMs: number): BreakerTransition | null {
  const escalates = reason === 'budget_spent' && !isSpentOpen(state);
  if (state.position === OPEN && !escalates) return null;
  if (state.position !== OPEN) state.openedAtMs = nowMs;
  state.reason = TRIP_REASONS.indexOf(reason);
  return move(state, OPEN, reason, nowMs);
}

/** Closes the breaker and forgets the day so far: the day's counters were started anew. */
export function resetBreaker(state: BreakerState, nowMs: number): BreakerTransition | null {
  return forget(state, 'reset', nowMs);
}

/**
 * The least throttle rate of a campaign: 0.9 for ASAP and FRONT_LOADED while guarded with the threshold reached, else 0.
 * What is left then is little. Other alarms come when much of the day's budget may be left: it is spent as planned.
 */
export function throttleFloorOf(state: Readonly<BreakerState>, mode: PacingMode): number {
  const nearlySpent = state.guarded === 1 && state.latched === 1;
  return nearlySpent && (mode === 'ASAP' || mode === 'FRONT_LOADED') ? GUARDED_THROTTLE : 0;
}

/** Takes in a new day or budget. */
function renew(
  state: BreakerState,
  dayStartMs: number,
  budgetMicros: number,
  nowMs: number,
): BreakerTransition | null {
  const newDay = dayStartMs !== state.watchedDayMs;
  const raised = budgetMicros > state.watchedBudgetMicros;
  if (budgetMicros < state.watchedBudgetMicros) {
    if (state.position === CLOSED) state.latched = 0;
    forgetSpendWindow(state); // what was little of the old budget may be much of this one
  }
  state.watchedDayMs = dayStartMs;
  state.watchedBudgetMicros = budgetMicros;
  if (!newDay && !raised) return null;
  return forget(state, newDay ? 'new_day' : 'budget_raised', nowMs);
}

/** Trips, or recovers. */
function moveOn(
  state: BreakerState,
  config: BreakerConfig,
  spentMicros: number,
  nowMs: number,
): BreakerTransition | null {
  if (spentMicros > 0) {
    if (spentMicros >= state.watchedBudgetMicros) return tripBreaker(state, 'budget_spent', nowMs);
    if (state.latched === 0 && spentMicros >= config.threshold * state.watchedBudgetMicros) {
      state.latched = 1; // also when it stands open for another reason: one recovery does for both
      if (state.position !== OPEN) return tripBreaker(state, 'threshold', nowMs);
    }
  }
  const recovered =
    state.position === OPEN && !isSpentOpen(state) && nowMs - state.openedAtMs >= config.recoveryMs;
  if (!recovered) return null;
  state.probesSettled = 0;
  return move(state, HALF_OPEN, 'recovery', nowMs);
}

function isSpentOpen(state: BreakerState): boolean {
  return state.position === OPEN && TRIP_REASONS[state.reason] === 'budget_spent';
}

function forget(
  state: BreakerState,
  reason: 'new_day' | 'budget_raised' | 'reset',
  nowMs: number,
): BreakerTransition | null {
  state.reason = 0;
  state.latched = 0;
  state.guarded = 0;
  state.probesSettled = 0;
  state.failures = 0;
  forgetSpendWindow(state);
  return state.position === CLOSED ? null : move(state, CLOSED, reason, nowMs);
}

function move(
  state: BreakerState,
  to: BreakerPosition,
  reason: TripReason | ReliefReason,
  atMs: number,
): BreakerTransition {
  const from = state.position;
  state.position = to;
  return { from, to, reason, atMs };
}
