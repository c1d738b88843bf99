/**
 * Spend velocity: whether a campaign's spend runs away from its plan. Watched is the lead, spent less target:
 * the spend runs away when within the last minutes the lead rose by more than a tenth of the day's budget and
 * three mean wins. Spend that only makes up for what the plan is behind is wanted, and does not count.
 *
 * Pure: a flat part of the breaker's state, times and amounts as arguments. The window is kept as two halves
 * with the lowest lead of each, so it reaches back between two and a half and five minutes, in five numbers.
 */

const VELOCITY_WINDOW_MS = 300_000;
const HALF_MS = VELOCITY_WINDOW_MS / 2;
/** Part of the day's budget by which the lead may rise within the window. */
const BUDGET_SHARE_MAX = 0.1;
/** And so many mean wins: a few large ones that come together are chance. */
const WINS_MAX = 3;

export interface SpendWindow {
  /** When the newer half of the velocity window began, ms; 0 = there is no window yet. */
  windowFromMs: number;
  /** Lowest lead in the newer half, micros; negative while behind the plan. */
  windowLowMicros: number;
  /** Lowest lead in the older half, micros. */
  windowLastLowMicros: number;
  /** Spent at the last look, micros. */
  windowSpentMicros: number;
  /** The target at the last look, micros, not rounded. */
  windowTargetMicros: number;
}

/** What the controller's tick knows of spend and plan. */
export interface SpendLook {
  /** Spent of the local day's budget so far. */
  readonly spentMicros: number;
  /** What the plan wants to have been spent by now. */
  readonly targetMicros: number;
  /** The day's effective budget. */
  readonly budgetMicros: number;
  /** Mean price of a win, 0 when unknown. */
  readonly meanWinMicros: number;
  /** False for ASAP, which follows no plan. */
  readonly planned: boolean;
}

/** A window that begins with the next look. */
export const NO_SPEND_WINDOW: Readonly<SpendWindow> = {
  windowFromMs: 0,
  windowLowMicros: 0,
  windowLastLowMicros: 0,
  windowSpentMicros: 0,
  windowTargetMicros: 0,
};

/** Forgets what was seen: the next look begins a new window. */
export function forgetSpendWindow(window: SpendWindow): void {
  window.windowFromMs = 0;
}

/**
 * Takes in a look at spend and plan, and says whether the spend runs away. Where the spend or the target is
 * less than at the last look (a reset, a new day, another plan), or the last look is too long ago, the window
 * begins anew: what moved was not the spend.
 */
export function runsAway(window: SpendWindow, look: SpendLook, nowMs: number): boolean {
  const leadMicros = look.spentMicros - look.targetMicros;
  const ageMs = nowMs - window.windowFromMs;
  if (!continues(window, look, ageMs)) {
    window.windowFromMs = nowMs;
    window.windowLowMicros = leadMicros;
    window.windowLastLowMicros = leadMicros;
  } else if (ageMs >= HALF_MS) {
    window.windowFromMs += HALF_MS;
    window.windowLastLowMicros = window.windowLowMicros;
    window.windowLowMicros = leadMicros;
  } else {
    window.windowLowMicros = Math.min(window.windowLowMicros, leadMicros);
  }
  window.windowSpentMicros = look.spentMicros;
  window.windowTargetMicros = look.targetMicros;
  const lowestMicros = Math.min(window.windowLowMicros, window.windowLastLowMicros);
  const risenMicros = leadMicros - Math.max(lowestMicros, 0);
  return risenMicros > BUDGET_SHARE_MAX * look.budgetMicros + WINS_MAX * look.meanWinMicros;
}

function continues(window: SpendWindow, look: SpendLook, ageMs: number): boolean {
  if (window.windowFromMs === 0 || ageMs < 0 || ageMs >= VELOCITY_WINDOW_MS) return false;
  return look.spentMicros >= window.windowSpentMicros && look.targetMicros >= window.windowTargetMicros;
}
