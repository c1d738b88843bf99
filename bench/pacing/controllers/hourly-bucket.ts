/**
 * A fixed bucket per hour, what most pacers written in a day do: at the beginning of each hour, what is left of
 * the budget is split over the rest of the curve, and bids pass until the hour's part is spent. Nothing is
 * published of it; the curve, the carry-over and the cut within a second are its most favourable reading.
 */
import type { TickInput, TickOutput } from '../../../src/domain/controller-tick.ts';
import { targetAt } from '../../../src/domain/plan.ts';
import { type Controller, type ControllerKind, passOnly } from './controller.ts';

const HOUR_MS = 3_600_000;

class HourlyBucket implements Controller {
  private hour = Number.NaN;
  /** S at which the hour's bucket is empty, micros. */
  private emptyAtMicros = 0;

  tick(input: TickInput, output: TickOutput): void {
    const { plan, nowMs, budgetMicros, spentMicros } = input;
    const hour = Math.floor((nowMs - plan.curve.startMs) / HOUR_MS);
    if (hour !== this.hour) {
      this.hour = hour;
      const before = targetAt(plan, nowMs);
      const after = targetAt(plan, plan.curve.startMs + (hour + 1) * HOUR_MS);
      const share = budgetMicros > before ? (after - before) / (budgetMicros - before) : 1;
      this.emptyAtMicros = spentMicros + Math.max(budgetMicros - spentMicros, 0) * share;
    }
    passOnly(output, spentMicros < this.emptyAtMicros ? 1 : 0);
  }
}

export const hourlyBucket: ControllerKind = {
  name: 'hourly-bucket',
  label: 'hourly bucket',
  create: () => new HourlyBucket(),
};
