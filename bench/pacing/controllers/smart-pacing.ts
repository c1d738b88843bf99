/**
 * Xu, Lee, Li, Qi, Lu: Smart Pacing for Effective Online Ad Campaign Optimization, KDD 2015, section 4, for a
 * campaign without a performance goal, whose asks are one layer. After slot m of K the spend wanted next is
 *
 *   Ĉ(m+1) = B(m+1) + (B_m − Σ_{t>m} B(t)) / (K − m)
 *
 * with B(t) the plan's part of slot t and B_m the budget left, and the layer's rate follows the residual:
 *
 *   r(m+1) = min(1, r(m) · (c(m) + Ĉ(m+1) − c(m)) / c(m)) = min(1, r(m) · Ĉ(m+1) / c(m))
 *
 * with c(m) what the slot spent. Begins with yesterday's rate, else with the trial rate of 1%, which is also the
 * floor. Chosen here: a slot that spent nothing doubles the rate, where the paper's quotient has no value.
 */
import type { TickInput } from '../../../src/domain/controller-tick.ts';
import { targetAt } from '../../../src/domain/plan.ts';
import { type ControllerKind, SlotController, yesterdaysPass } from './controller.ts';

const TRIAL_PASS = 0.01;

class SmartPacing extends SlotController {
  protected override adjust(input: TickInput): void {
    const { plan, nowMs, budgetMicros, spentMicros } = input;
    const slotMs = this.slotSeconds * 1000;
    const slotsLeft = Math.max(Math.round((plan.curve.endMs - nowMs) / slotMs), 1);
    const planned = targetAt(plan, nowMs + slotMs) - this.targetMicros;
    const left = budgetMicros - spentMicros;
    const wanted = Math.max(planned + (left - (budgetMicros - this.targetMicros)) / slotsLeft, 0);
    const factor = this.slotSpendMicros > 0 ? wanted / this.slotSpendMicros : 2;
    this.pass = Math.min(Math.max(this.pass * factor, TRIAL_PASS), 1);
  }
}

function smartPacing(name: string, label: string, slotSeconds: number): ControllerKind {
  return {
    name,
    label,
    create: (known, budgetMicros) =>
      new SmartPacing(slotSeconds, yesterdaysPass(known, budgetMicros) ?? TRIAL_PASS),
  };
}

export const smartPacingMinute = smartPacing('smart-pacing-1', "Smart Pacing, KDD'15, 1 min", 60);
export const smartPacingQuarter = smartPacing('smart-pacing-15', "Smart Pacing, KDD'15, 15 min", 900);
