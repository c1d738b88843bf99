/**
 * Balseiro, Lu, Mirrokni: The Best of Many Worlds: Dual Mirror Descent for Online Allocation Problems, Operations
 * Research 2022, algorithm 1 with the entropy as reference function, one step per minute towards the target
 * spend ρ_t of that minute (as Balseiro, Kumar, Mirrokni, Sivan, Wang: Robust Budget Pacing, ICML 2023):
 *
 *   μ = μ · exp(−η (ρ_t − z_t) / ρ_t),  p = 1 / (1 + μ)
 *
 * with z_t the minute's spend. The paper's action v / (1 + μ) scales a bid; here it is the pass-through rate.
 * η = 1/√1440, the paper's order. Chosen here: the step's argument at least −4; μ in [1e-6, 1e6]; begins with
 * yesterday's rate, else μ = 1.
 */
import type { TickInput } from '../../../src/domain/controller-tick.ts';
import { type ControllerKind, SlotController, yesterdaysPass } from './controller.ts';

const STEP_SIZE = 1 / Math.sqrt(1440);
const GRADIENT_MIN = -4;
const DUAL_MIN = 1e-6;
const DUAL_MAX = 1e6;

class DualMirrorDescent extends SlotController {
  private dual: number;

  constructor(firstPass: number) {
    super(60, firstPass);
    this.dual = Math.max(1 / firstPass - 1, DUAL_MIN);
  }

  protected override adjust(_input: TickInput): void {
    const wanted = this.targetMicros - this.targetBeforeMicros;
    if (!(wanted > 0)) return;
    const gradient = Math.max(1 - this.slotSpendMicros / wanted, GRADIENT_MIN);
    this.dual = Math.min(Math.max(this.dual * Math.exp(-STEP_SIZE * gradient), DUAL_MIN), DUAL_MAX);
    this.pass = 1 / (1 + this.dual);
  }
}

export const dualMirrorDescent: ControllerKind = {
  name: 'dual-mirror-descent',
  label: 'dual mirror descent',
  create: (known, budgetMicros) => new DualMirrorDescent(yesterdaysPass(known, budgetMicros) ?? 0.5),
};
