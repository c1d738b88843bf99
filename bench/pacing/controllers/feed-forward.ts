/**
 * Feed-forward on EWMA rates, without feedback: pass what the plan wants over what the traffic could spend,
 *
 *   p = G' / (λ ρ), with λ = EWMA of asked micros per second, ρ = EWMA of spend / EWMA of allowed value
 *
 * each moved once a minute with a half-life of 10 minutes (chosen). What it misses it never makes good.
 */
import type { TickInput } from '../../../src/domain/controller-tick.ts';
import { targetRateAt } from '../../../src/domain/plan.ts';
import { type ControllerKind, SlotController, yesterdaysPass } from './controller.ts';

const HALF_LIFE_MINUTES = 10;
const KEPT = 0.5 ** (1 / HALF_LIFE_MINUTES);
const RHO_FIRST = 0.15;
const PASS_FIRST = 0.1;

class FeedForward extends SlotController {
  private slotAsked = 0;
  private slotAllowed = 0;
  private asked = 0;
  private allowed = 0;
  private spend = 0;
  private weight = 0;
  private readonly rhoFirst: number;

  constructor(firstPass: number, rhoFirst: number) {
    super(60, firstPass);
    this.rhoFirst = rhoFirst;
  }

  protected override observe(input: TickInput): void {
    this.slotAsked += input.askedMicros;
    this.slotAllowed += input.allowedMicros;
  }

  protected override adjust(input: TickInput): void {
    this.asked = KEPT * this.asked + this.slotAsked;
    this.allowed = KEPT * this.allowed + this.slotAllowed;
    this.spend = KEPT * this.spend + this.slotSpendMicros;
    this.weight = KEPT * this.weight + this.slotSeconds;
    this.slotAsked = this.slotAllowed = 0;
    const rho = this.allowed > 0 && this.spend > 0 ? this.spend / this.allowed : this.rhoFirst;
    const potentialRate = (this.asked / this.weight) * rho;
    const wantedRate = targetRateAt(input.plan, input.nowMs);
    this.pass = potentialRate > 0 ? Math.min(wantedRate / potentialRate, 1) : 1;
  }
}

export const feedForward: ControllerKind = {
  name: 'feed-forward',
  label: 'feed-forward on EWMA rates',
  create: (known, budgetMicros) =>
    new FeedForward(yesterdaysPass(known, budgetMicros) ?? PASS_FIRST, known.lastRho || RHO_FIRST),
};
