/**
 * Agarwal, Ghosh, Wei, You: Budget Pacing for Targeted Online Advertisements at LinkedIn, KDD 2014, section 3.
 * Every minute the spend s is held against the allocation a (here the common target G), and the pass-through
 * rate moves by the adjustment rate R = 10%:
 *
 *   s > a: PTR = PTR · (1 − R);   else: PTR = min(1, PTR · (1 + R))
 *
 * Initial PTR 10% (its "slow start"), or yesterday's when that is known. Chosen here: a floor of 0.0001, so that
 * it can come back; no "fast finish" by 22:00, because the target is the same for all.
 */
import type { TickInput } from '../../../src/domain/controller-tick.ts';
import { type ControllerKind, SlotController, yesterdaysPass } from './controller.ts';

const ADJUSTMENT = 0.1;
const PASS_FIRST = 0.1;
const PASS_MIN = 1e-4;

class LinkedInPassThrough extends SlotController {
  protected override adjust(input: TickInput): void {
    const factor = input.spentMicros > this.targetMicros ? 1 - ADJUSTMENT : 1 + ADJUSTMENT;
    this.pass = Math.min(Math.max(this.pass * factor, PASS_MIN), 1);
  }
}

export const linkedInPassThrough: ControllerKind = {
  name: 'linkedin-ptr',
  label: "LinkedIn PTR, KDD'14",
  create: (known, budgetMicros) =>
    new LinkedInPassThrough(60, yesterdaysPass(known, budgetMicros) ?? PASS_FIRST),
};
