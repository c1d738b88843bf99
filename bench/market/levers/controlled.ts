/**
 * The product's levers, driven by the production controller of src/domain: THROTTLE, BID (a cap that the
 * production outer loop moves) and, for comparison only, a multiplier in place of the cap. The multiplier is
 * moved by the same outer loop: a cap on the number 1, from 1e-6 to 1. Cold start; the supply guard is off,
 * since no traffic shape is given.
 */
import { moveBidCap, newBidLever } from '../../../src/domain/bid-lever.ts';
import { beginControllerDay, newController, tick } from '../../../src/domain/controller.ts';
import { newTickInput, newTickOutput } from '../../../src/domain/controller-tick.ts';
import { buildCurve } from '../../../src/domain/curve.ts';
import { DAY_MS, localDayAt } from '../../../src/domain/local-day.ts';
import { type Plan, startPlan } from '../../../src/domain/plan.ts';
import type { BudgetAccount } from '../budget-account.ts';
import { TTL_SECONDS } from '../market.ts';
import type { Lever, Pacer, PacerSource } from './lever.ts';

const FIRST_DAY_MS = Date.UTC(2026, 2, 2);

type Kind = 'THROTTLE' | 'MULTIPLIER' | 'BID';

class ControlledPacer implements Pacer {
  private readonly kind: Kind;
  private readonly account: BudgetAccount;
  private readonly toss: () => number;
  private readonly controller = newController({ lastRho: Number.NaN, potentialMicros: Number.NaN });
  private readonly multiplierLever = newBidLever(1, 1);
  private readonly output = newTickOutput();
  private readonly input;
  private dayStartMs = FIRST_DAY_MS;
  private tokens = 0;
  private multiplier = 1;

  constructor(source: PacerSource, kind: Kind) {
    this.kind = kind;
    this.account = source.account;
    this.toss = source.toss;
    this.input = newTickInput(evenPlan(FIRST_DAY_MS, source.account.budgetMicros));
    this.input.lever = kind === 'BID' ? 'BID' : 'THROTTLE';
    this.input.reservationTtlSeconds = TTL_SECONDS;
    this.step(0);
  }

  bid(valueMicros: number): number {
    const { input, output } = this;
    const bidMicros = Math.floor(Math.min(valueMicros * this.multiplier, output.bidCapMicros));
    input.asks++;
    input.askedMicros += bidMicros;
    input.largestBidMicros = Math.max(input.largestBidMicros, valueMicros);
    if (this.toss() >= output.passProbability || this.tokens <= 0) return 0;
    return bidMicros;
  }

  allowed(micros: number): void {
    this.tokens -= micros;
    this.input.allowedMicros += micros;
  }

  endSecond(secondOfDay: number): void {
    const { input, output, account } = this;
    const { wins, spendMicros, delaySeconds } = account.notified;
    input.elapsedSeconds = 1;
    input.wins = wins;
    input.spendMicros = spendMicros;
    input.noticeDelaySeconds = wins > 0 ? delaySeconds / wins : Number.NaN;
    this.step(secondOfDay);
    if (this.kind === 'MULTIPLIER') this.multiplier = this.moveMultiplier(output.allowRate, output.askRate);
  }

  beginDay(day: number): void {
    this.dayStartMs = FIRST_DAY_MS + day * DAY_MS;
    this.input.plan = evenPlan(this.dayStartMs, this.account.budgetMicros);
    beginControllerDay(this.controller);
    this.step(0);
  }

  /** One tick with what was counted since the last one; at a day's first instant that is nothing. */
  private step(secondOfDay: number): void {
    const { input, output } = this;
    input.nowMs = this.dayStartMs + secondOfDay * 1000;
    input.spentMicros = this.account.spentMicros;
    tick(this.controller, input, output);
    this.tokens = Math.min(this.tokens + output.tokenFillMicros, output.tokenCapMicros);
    input.elapsedSeconds = input.asks = input.askedMicros = input.allowedMicros = 0;
    input.wins = input.spendMicros = input.largestBidMicros = 0;
    input.noticeDelaySeconds = Number.NaN;
  }

  private moveMultiplier(wantedRate: number, askRate: number): number {
    const steering = this.output.effectiveSpentMicros < this.account.budgetMicros && wantedRate > 0;
    return moveBidCap(this.multiplierLever, 1, steering, wantedRate, askRate, 0, 1);
  }
}

/** The EVEN plan of a whole UTC day. */
function evenPlan(dayStartMs: number, budgetMicros: number): Plan {
  const curve = buildCurve({
    mode: 'EVEN',
    day: localDayAt('UTC', dayStartMs),
    multipliers: null,
    dayparts: null,
    flightStartMs: Number.NEGATIVE_INFINITY,
    flightEndMs: Number.POSITIVE_INFINITY,
    shape: null,
  });
  return startPlan(curve, budgetMicros, dayStartMs);
}

function controlled(kind: Kind, title: string): Lever {
  return {
    name: kind.toLowerCase(),
    title,
    ours: true,
    startPacer: (source) => new ControlledPacer(source, kind),
  };
}

export const throttle = controlled('THROTTLE', 'ours, THROTTLE');
export const multiplier = controlled('MULTIPLIER', 'ours, multiplier instead of a cap');
export const bidCap = controlled('BID', 'ours, BID (cap)');
