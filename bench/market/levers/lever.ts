/** What a lever is to the market: one {@link Pacer} for each campaign that says what it bids. */
import type { BudgetAccount } from '../budget-account.ts';

export interface Pacer {
  /** What to bid for an impression worth `valueMicros`, whole micros before the gate; 0 = sit it out. */
  bid(valueMicros: number): number;
  /** What the gate let of that bid, more than nothing. */
  allowed(micros: number): void;
  /** A second has passed; `secondOfDay` is its end, from 1 to the day's length. */
  endSecond(secondOfDay: number): void;
  beginDay(day: number): void;
}

export interface PacerSource {
  readonly account: BudgetAccount;
  /** In [0, 1): for the lever's own coin tosses; the market's draws are made already. */
  readonly toss: () => number;
}

export interface Lever {
  /** One word, unique. */
  readonly name: string;
  readonly title: string;
  /** The product's own: it must keep the checks. */
  readonly ours: boolean;
  readonly startPacer: (source: PacerSource) => Pacer;
}
