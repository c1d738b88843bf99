/**
 * A PI controller on the spend ratio with an exponential actuator, as in Zhang, Rong, Wang, Zhu, Wang: Feedback
 * Control of Real-Time Display Advertising, WSDM 2016, equations 4 to 6, without the derivative. Every minute:
 *
 *   e = 1 − S / G, φ = k_P e + k_I Σ e, p = p_0 exp φ
 *
 * p_0: yesterday's pass-through rate, else 10%. Chosen here: e within ±1; the sum stands still while p is at a
 * bound and would go further (no wind-up). Gains per minute from a grid on this bench: k_P = 5, k_I = 0.5 are the
 * highest that hunt about as little as ours must; k_P = 20, k_I = 1 keep closer to the curve and hunt the more.
 */
import type { TickInput } from '../../../src/domain/controller-tick.ts';
import { type ControllerKind, SlotController, yesterdaysPass } from './controller.ts';

const PASS_FIRST = 0.1;
const PASS_MIN = 1e-4;

class SpendRatioPi extends SlotController {
  private errorSum = 0;
  private readonly firstPass: number;
  private readonly proportional: number;
  private readonly integral: number;

  constructor(firstPass: number, proportional: number, integral: number) {
    super(60, firstPass);
    this.firstPass = firstPass;
    this.proportional = proportional;
    this.integral = integral;
  }

  protected override adjust(input: TickInput): void {
    if (!(this.targetMicros > 0)) return;
    const error = Math.min(Math.max(1 - input.spentMicros / this.targetMicros, -1), 1);
    const windsUp = (this.pass >= 1 && error > 0) || (this.pass <= PASS_MIN && error < 0);
    if (!windsUp) this.errorSum += error;
    const signal = this.proportional * error + this.integral * this.errorSum;
    this.pass = Math.min(Math.max(this.firstPass * Math.exp(signal), PASS_MIN), 1);
  }
}

function spendRatioPiOf(name: string, label: string, proportional: number, integral: number): ControllerKind {
  return {
    name,
    label,
    create: (known, budgetMicros) =>
      new SpendRatioPi(yesterdaysPass(known, budgetMicros) ?? PASS_FIRST, proportional, integral),
  };
}

export const spendRatioPi = spendRatioPiOf('pi-spend-ratio', 'PI on spend ratio', 5, 0.5);
export const spendRatioPiHigh = spendRatioPiOf('pi-high-gain', 'PI on spend ratio, high gain', 20, 1);
