/**
 * What every controller of the comparison is: told once a second what happened, it says how to go on. All get
 * the same input (the production controller's), the same target, the same knowledge of yesterday, the same gate.
 */
import type { TickInput, TickOutput } from '../../../src/domain/controller-tick.ts';
import { MICROS_MAX } from '../../../src/domain/money.ts';
import { targetAt } from '../../../src/domain/plan.ts';

/** What is known of yesterday; NaN when nothing is. */
export interface Known {
  /** Spend per allowed micro. */
  readonly lastRho: number;
  /** What a day of this traffic could spend, micros. */
  readonly potentialMicros: number;
}

export interface Controller {
  /** It has its turns as the product gives them: less often while it is asked seldom (src/domain/tick-rhythm.ts). */
  readonly hasRhythm?: true;
  tick(input: TickInput, output: TickOutput): void;
}

export interface ControllerKind {
  readonly name: string;
  /** Its label in tables. */
  readonly label: string;
  readonly create: (known: Known, budgetMicros: number) => Controller;
}

/** The budget over yesterday's potential: the pass-through rate that would have been right; null if unknown. */
export function yesterdaysPass(known: Known, budgetMicros: number): number | null {
  return known.potentialMicros > 0 ? Math.min(budgetMicros / known.potentialMicros, 1) : null;
}

/** A controller that only throttles: no tokens. */
export function passOnly(output: TickOutput, passProbability: number): void {
  output.passProbability = Math.min(Math.max(passProbability, 0), 1);
  output.throttleRate = 1 - output.passProbability;
  output.tokenFillMicros = MICROS_MAX;
  output.tokenCapMicros = MICROS_MAX;
}

/**
 * A controller of the kind that most papers describe: at the end of every slot it sets the pass-through rate
 * for the next one from what the slot spent and from the target.
 */
export abstract class SlotController implements Controller {
  protected pass: number;
  /** What was notified during the slot, micros. */
  protected slotSpendMicros = 0;
  /** G at the slot's beginning and its end, micros. */
  protected targetBeforeMicros = 0;
  protected targetMicros = 0;
  protected readonly slotSeconds: number;
  private leftSeconds: number;

  constructor(slotSeconds: number, firstPass: number) {
    this.slotSeconds = slotSeconds;
    this.leftSeconds = slotSeconds;
    this.pass = firstPass;
  }

  tick(input: TickInput, output: TickOutput): void {
    this.slotSpendMicros += input.spendMicros;
    this.observe(input);
    this.leftSeconds -= input.elapsedSeconds;
    if (this.leftSeconds <= 0) {
      this.leftSeconds += this.slotSeconds;
      this.targetMicros = targetAt(input.plan, input.nowMs);
      this.adjust(input);
      this.targetBeforeMicros = this.targetMicros;
      this.slotSpendMicros = 0;
    }
    passOnly(output, this.pass);
  }

  /** Sees every tick. */
  protected observe(_input: TickInput): void {}

  /** Sets {@link pass} for the next slot. */
  protected abstract adjust(input: TickInput): void;
}
