/**
 * Mystique, for comparison: R. Stram, R. Abboud, A. Shtoff, O. Somekh, A. Raviv, Y. Koren, "Mystique: A Budget
 * Pacing System for Performance Optimization in Online Advertising", WWW 2024 (doi:10.1145/3589335.3648342),
 * with the constants of the authors' simulation, github.com/yahoo/BudgetPacingSimulation. The target is their
 * linear one, the same as EVEN. Each minute, with the shares of the budget s (spent) and s* (target) and the
 * slopes g (spent in the last minute, per day) and g* = 1:
 *
 *   e_s = s − s*,  e_g = g − g*,  N = −1440 e_s / e_g      (minutes until the target is met; 1441 when e_g = 0)
 *   w_1 = min(0.9, 0.2 N), or 0.5 when N < 0;  w_2 = 1 − w_1
 *   c_s = 0.025 min(1, |e_s| / 0.25),  c_g = max(0.01, 0.025 min(1, |e_g|) / 1.5)
 *   PS  = clip(last positive PS − w_1 c_s sign(e_s) − w_2 c_g sign(e_g), 0.0001, 1)
 *
 * Edge cases as published: PS is 0 on a runaway (e_g > 12, N < 3600, s > min(s*, 1)) and frozen once the budget
 * is spent; the last two minutes of a day and the next day's start take the mean PS of the minutes in which
 * less than 95% was spent; a new campaign of at most $10,000 a day starts at 0.0001.
 *
 * Hard throttling enters an auction with probability PS; soft bids PS times the value. Neither has a gate of
 * its own.
 */
import type { BudgetAccount } from '../budget-account.ts';
import { DAY_SECONDS } from '../market.ts';
import type { Lever, Pacer, PacerSource } from './lever.ts';

const MINUTES_A_DAY = 1440;
const LAST_MINUTES = 3;
const SIGNAL_MIN = 0.0001;
const CORRECTION_MAX = 0.025;
const SPEND_ERROR_FULL = 0.25;
const SLOPE_ERROR_FULL = 1.5;
const SLOPE_CORRECTION_MIN = 0.01;
const SPEND_WEIGHT_MAX = 0.9;
const SPEND_WEIGHT_PER_MINUTE = 0.2;
const NEARLY_SPENT = 0.95;
const RUNAWAY_SLOPE = 12;
const RUNAWAY_MINUTES = 3600;
const HIGH_START_BUDGET_MICROS = 10_000_000_000;

class PacingSignal {
  signal: number;
  private readonly account: BudgetAccount;
  private lastPositive: number;
  private minuteSpendMicros = 0;
  private signalSum = 0;
  private signalCount = 0;

  constructor(account: BudgetAccount) {
    this.account = account;
    this.signal = account.budgetMicros > HIGH_START_BUDGET_MICROS ? 1 : SIGNAL_MIN;
    this.lastPositive = this.signal;
  }

  endSecond(secondOfDay: number): void {
    this.minuteSpendMicros += this.account.notified.spendMicros;
    if (secondOfDay % 60 !== 0) return;
    this.signal = this.next(secondOfDay / 60);
    if (this.signal > 0) this.lastPositive = this.signal;
    this.minuteSpendMicros = 0;
    if (this.account.spentMicros < NEARLY_SPENT * this.account.budgetMicros) {
      this.signalSum += this.signal;
      this.signalCount++;
    }
  }

  beginDay(): void {
    if (this.signalCount > 0) this.lastPositive = this.dayMean();
    this.signalSum = this.signalCount = 0;
  }

  private dayMean(): number {
    return this.signalSum / this.signalCount;
  }

  /** @param minute of the day that has passed, 1 to 1440 */
  private next(minute: number): number {
    if (minute > MINUTES_A_DAY - LAST_MINUTES + 1 && this.signalCount > 0) return this.dayMean();
    const spent = this.account.spentMicros / this.account.budgetMicros;
    if (spent >= 1) return this.signal;
    const target = (minute * 60) / DAY_SECONDS;
    const spendError = spent - target;
    const slopeError = (this.minuteSpendMicros / this.account.budgetMicros) * MINUTES_A_DAY - 1;
    const minutesToTarget = slopeError === 0 ? MINUTES_A_DAY + 1 : (-MINUTES_A_DAY * spendError) / slopeError;
    const runsAway = slopeError > RUNAWAY_SLOPE && minutesToTarget < RUNAWAY_MINUTES;
    if (runsAway && spent > Math.min(target, 1)) return 0;
    return corrected(this.lastPositive, spendError, slopeError, minutesToTarget);
  }
}

function corrected(signal: number, spendError: number, slopeError: number, minutesToTarget: number): number {
  const spendWeight =
    minutesToTarget < 0 ? 0.5 : Math.min(SPEND_WEIGHT_MAX, SPEND_WEIGHT_PER_MINUTE * minutesToTarget);
  const spendStep = CORRECTION_MAX * Math.min(1, Math.abs(spendError) / SPEND_ERROR_FULL);
  const slopeStep = Math.max(
    SLOPE_CORRECTION_MIN,
    (CORRECTION_MAX * Math.min(1, Math.abs(slopeError))) / SLOPE_ERROR_FULL,
  );
  const next =
    signal -
    spendWeight * spendStep * Math.sign(spendError) -
    (1 - spendWeight) * slopeStep * Math.sign(slopeError);
  return Math.min(Math.max(next, SIGNAL_MIN), 1);
}

function startPacer(source: PacerSource, soft: boolean): Pacer {
  const { account, toss } = source;
  const pacing = new PacingSignal(account);
  return {
    bid: (valueMicros) => {
      if (soft) return Math.floor(valueMicros * pacing.signal);
      return toss() < pacing.signal ? valueMicros : 0;
    },
    allowed: () => undefined,
    endSecond: (secondOfDay) => pacing.endSecond(secondOfDay),
    beginDay: () => pacing.beginDay(),
  };
}

export const mystiqueHard: Lever = {
  name: 'mystique-hard',
  title: 'Mystique, hard throttling',
  ours: false,
  startPacer: (source) => startPacer(source, false),
};

export const mystiqueSoft: Lever = {
  name: 'mystique-soft',
  title: 'Mystique, soft (multiplier)',
  ours: false,
  startPacer: (source) => startPacer(source, true),
};
