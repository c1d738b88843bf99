/**
 * The anchored plan: how much of today's budget is wanted by when, in micros. A plan that changes during the
 * day is anchored on the old target, not on the spend: the target has no jump, and being behind or ahead of
 * it is not forgotten. A plan is a value: a change makes a new one.
 *
 *   G(t) = g0 + (B − g0)(C(t) − C(ta)) / (1 − C(ta)),   G' = (B − g0) c(t) / (1 − C(ta))   (t >= ta)
 */
import { densityAt, shareAt, type TargetCurve } from './curve.ts';

export interface Plan {
  readonly curve: TargetCurve;
  /** B, the day's effective budget. */
  readonly budgetMicros: number;
  /** ta: from here on the plan holds. */
  readonly anchorMs: number;
  /** g0: the target at the anchor, micros, not rounded. */
  readonly anchorMicros: number;
  /** C(ta). */
  readonly anchorShare: number;
}

/** One that is filled anew for each campaign, by whoever made it. */
export type ReusedPlan = { -readonly [Field in keyof Plan]: Plan[Field] };

/** The numbers of a plan as they are kept of a campaign, beside its curve. */
export interface PlanNumbers {
  planBudgetMicros: number;
  planAnchorMs: number;
  planAnchorMicros: number;
  planAnchorShare: number;
}

export const NO_PLAN: Readonly<PlanNumbers> = {
  planBudgetMicros: 0,
  planAnchorMs: 0,
  planAnchorMicros: 0,
  planAnchorShare: 0,
};

/** Keeps a plan's numbers. */
export function keepPlan(plan: Plan, numbers: PlanNumbers): void {
  numbers.planBudgetMicros = plan.budgetMicros;
  numbers.planAnchorMs = plan.anchorMs;
  numbers.planAnchorMicros = plan.anchorMicros;
  numbers.planAnchorShare = plan.anchorShare;
}

/** The plan whose numbers were kept. */
export function keptPlan(curve: TargetCurve, numbers: Readonly<PlanNumbers>): Plan {
  const { planBudgetMicros, planAnchorMs, planAnchorMicros, planAnchorShare } = numbers;
  return {
    curve,
    budgetMicros: planBudgetMicros,
    anchorMs: planAnchorMs,
    anchorMicros: planAnchorMicros,
    anchorShare: planAnchorShare,
  };
}

/** The same into a plan of the caller's, for what must not allocate. */
export function readPlan(curve: TargetCurve, numbers: Readonly<PlanNumbers>, plan: ReusedPlan): void {
  plan.curve = curve;
  plan.budgetMicros = numbers.planBudgetMicros;
  plan.anchorMs = numbers.planAnchorMs;
  plan.anchorMicros = numbers.planAnchorMicros;
  plan.anchorShare = numbers.planAnchorShare;
}

/**
 * A plan for a campaign that begins to spend at `tMs`: at or before the curve's start for a whole day, else
 * a late start, which spreads the whole budget over what is left of the day.
 */
export function startPlan(curve: TargetCurve, budgetMicros: number, tMs: number): Plan {
  return anchored(curve, budgetMicros, Math.max(tMs, curve.startMs), 0);
}

/** The plan after a change of curve (or mode) or budget at `tMs`, without a jump in the target. */
export function replan(
  old: Plan,
  change: { readonly curve?: TargetCurve; readonly budgetMicros?: number },
  tMs: number,
): Plan {
  const budgetMicros = change.budgetMicros ?? old.budgetMicros;
  const target = Math.min(targetAt(old, tMs), budgetMicros);
  return anchored(change.curve ?? old.curve, budgetMicros, Math.max(tMs, old.anchorMs), target);
}

/** G(t), micros: what is wanted to have been spent by `tMs`. Before the anchor, the anchor's target. */
export function targetAt(plan: Plan, tMs: number): number {
  const shareLeft = 1 - plan.anchorShare;
  if (!(tMs > plan.anchorMs && shareLeft > 0)) return plan.anchorMicros;
  const passed = (shareAt(plan.curve, tMs) - plan.anchorShare) / shareLeft;
  return plan.anchorMicros + (plan.budgetMicros - plan.anchorMicros) * Math.min(Math.max(passed, 0), 1);
}

/** G'(t), micros per second; 0 outside dayparts and flight, and once nothing of the curve is left. */
export function targetRateAt(plan: Plan, tMs: number): number {
  const shareLeft = 1 - plan.anchorShare;
  if (!(shareLeft > 0)) return 0;
  return ((plan.budgetMicros - plan.anchorMicros) * densityAt(plan.curve, tMs)) / shareLeft;
}

/**
 * Seconds that the rest of the curve would take at its present density, (1 − C) / c: for a plan the same as
 * (B − G) / G', and known also when nothing more is wanted. 0 while the plan pauses.
 */
export function secondsLeftAt(plan: Plan, tMs: number): number {
  const density = densityAt(plan.curve, tMs);
  return density > 0 ? (1 - shareAt(plan.curve, tMs)) / density : 0;
}

function anchored(curve: TargetCurve, budgetMicros: number, anchorMs: number, anchorMicros: number): Plan {
  return { curve, budgetMicros, anchorMs, anchorMicros, anchorShare: shareAt(curve, anchorMs) };
}
