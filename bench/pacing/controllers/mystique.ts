/**
 * Stram, Abboud, Shtoff, Somekh, Raviv, Koren: Mystique, WWW 2024, with hard throttling; constants as in the
 * authors' simulation (github.com/yahoo/BudgetPacingSimulation). Every minute, with s the share of the budget
 * spent, G the target's share, s' the last minute's spend and g the target's slope (both 1 = even over the day):
 *
 *   e = s − G, e' = s' − g, intervals until the target is hit n = −1440 e / e'
 *   w1 = ½ when n < 0, else min(0.9, 0.2 n); w2 = 1 − w1
 *   PS = PS − w1 · 0.025 min(1, |e| / 0.25) sign e − w2 · max(0.01, 0.025 min(1, |e'|) / 1.5) sign e'
 *
 * PS in [0.0001, 1]; frozen once the budget is spent; 0 for a "runaway train" (e' > 12, 0 < n < 3600 or less,
 * s > G), after which it goes on from the last positive one; in the last three minutes the day's mean. Begins
 * with yesterday's mean, else 0.0001, or 1 for a budget over 10,000.
 */
import type { TickInput } from '../../../src/domain/controller-tick.ts';
import { targetRateAt } from '../../../src/domain/plan.ts';
import { type ControllerKind, SlotController, yesterdaysPass } from './controller.ts';

const MINUTES = 1440;
const DAY_SECONDS = 86_400;
const LAST_MINUTES = 3;
const CORRECTION_MAX = 0.025;
const CORRECTION_MIN = 0.01;
const ERROR_OF_MAX = 0.25;
const SLOPE_ERROR_OF_MAX = 1.5;
const RUNAWAY_SLOPE = 12;
const RUNAWAY_INTERVALS = 3600;
const SIGNAL_MIN = 0.0001;
const MEAN_BELOW_SPENT = 0.95;
const HIGH_BUDGET_MICROS = 10_000_000_000;

class Mystique extends SlotController {
  private lastPositive: number;
  private minute = 0;
  private signalSum = 0;
  private signalCount = 0;

  constructor(first: number) {
    super(60, first);
    this.lastPositive = first;
  }

  protected override adjust(input: TickInput): void {
    this.minute = Math.round((input.nowMs - input.plan.curve.startMs) / 60_000);
    this.pass = this.nextSignal(input);
    if (this.pass > 0) this.lastPositive = this.pass;
    if (input.spentMicros < MEAN_BELOW_SPENT * input.budgetMicros) {
      this.signalSum += this.pass;
      this.signalCount++;
    }
  }

  private nextSignal(input: TickInput): number {
    const { budgetMicros, spentMicros } = input;
    if (this.minute > MINUTES - LAST_MINUTES && this.signalCount > 0) {
      return Math.min(this.signalSum / this.signalCount, 1);
    }
    if (spentMicros >= budgetMicros) return this.pass;
    const slope = (targetRateAt(input.plan, input.nowMs) * DAY_SECONDS) / budgetMicros;
    const error = (spentMicros - this.targetMicros) / budgetMicros;
    const slopeError = (this.slotSpendMicros / budgetMicros) * MINUTES - slope;
    const intervals = Math.abs(slopeError) < 1e-9 ? MINUTES + 1 : (-MINUTES * error) / slopeError;
    if (slopeError > RUNAWAY_SLOPE && intervals < RUNAWAY_INTERVALS && error > 0) return 0;
    const errorWeight = intervals < 0 ? 0.5 : Math.min(0.9, 0.2 * intervals);
    const correction = CORRECTION_MAX * Math.min(1, Math.abs(error) / ERROR_OF_MAX) * Math.sign(error);
    const slopePart = (CORRECTION_MAX * Math.min(1, Math.abs(slopeError))) / SLOPE_ERROR_OF_MAX;
    const slopeCorrection = Math.max(CORRECTION_MIN, slopePart) * Math.sign(slopeError);
    const signal = this.lastPositive - errorWeight * correction - (1 - errorWeight) * slopeCorrection;
    return Math.min(Math.max(signal, SIGNAL_MIN), 1);
  }
}

export const mystique: ControllerKind = {
  name: 'mystique',
  label: "Mystique hard, WWW'24",
  create: (known, budgetMicros) => {
    const unknown = budgetMicros > HIGH_BUDGET_MICROS ? 1 : SIGNAL_MIN;
    return new Mystique(yesterdaysPass(known, budgetMicros) ?? unknown);
  },
};
