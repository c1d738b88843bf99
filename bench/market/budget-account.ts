/**
 * The money of one campaign in one run: what is spent today, what is reserved for bids in flight, and what the
 * gate leaves of a bid. There are no loss notices: a lost bid holds its reservation for the whole TTL. Spend
 * counts on the day of its notice; reservations outlive midnight. Whole micros; one step is a second.
 *
 * Invariant behind the reserving gate: spent + reserved <= budget, so no notice can overspend.
 */
import { DAY_SECONDS, TTL_SECONDS } from './market.ts';

/** What a bid must pass: room for it beside all bids in flight, or only `spent < budget`. */
export type Gate = 'reserving' | 'spent < budget';

/** The longest a bid is in flight, the step of its decision included. */
const SLOTS = TTL_SECONDS + 2;
/** A day's budget counts as spent from this share on. */
export const DELIVERED_SHARE = 0.995;
/** A day that ends sooner than this before plan ended early. */
export const EARLY_SECONDS = 1800;
const NOT_ENDED = Number.POSITIVE_INFINITY;

export class BudgetAccount {
  readonly budgetMicros: number;
  spentMicros = 0;
  reservedMicros = 0;
  /** Second of the day at which 99.5% of the budget was spent; Infinity until then. */
  endedAtSecond = NOT_ENDED;
  /** Whether the day ended with a win that alone cost what the plan spreads over {@link EARLY_SECONDS}. */
  endedByOneWin = false;
  /** Of the last step. */
  readonly notified = { wins: 0, spendMicros: 0, delaySeconds: 0 };
  private readonly gate: Gate;
  private readonly releases = new Float64Array(SLOTS);
  private readonly spends = new Float64Array(SLOTS);
  private readonly wins = new Float64Array(SLOTS);
  private readonly delays = new Float64Array(SLOTS);

  constructor(budgetMicros: number, gate: Gate) {
    this.budgetMicros = budgetMicros;
    this.gate = gate;
  }

  /** What the gate leaves of a bid; less than a micro is a denial. */
  leaves(bidMicros: number): number {
    if (this.gate === 'reserving') {
      return Math.min(bidMicros, this.budgetMicros - this.spentMicros - this.reservedMicros);
    }
    return this.spentMicros < this.budgetMicros ? bidMicros : 0;
  }

  beginDay(): void {
    this.spentMicros = 0;
    this.endedAtSecond = NOT_ENDED;
    this.endedByOneWin = false;
  }

  /** Takes in the notices and expiries that fall due. */
  beginSecond(second: number, secondOfDay: number): void {
    const slot = second % SLOTS;
    const { notified } = this;
    notified.wins = this.wins[slot] ?? 0;
    notified.spendMicros = this.spends[slot] ?? 0;
    notified.delaySeconds = this.delays[slot] ?? 0;
    this.reservedMicros -= this.releases[slot] ?? 0;
    this.spentMicros += notified.spendMicros;
    this.releases[slot] = this.spends[slot] = this.wins[slot] = this.delays[slot] = 0;
    if (this.endedAtSecond === NOT_ENDED && this.spentMicros >= DELIVERED_SHARE * this.budgetMicros) {
      this.endedAtSecond = secondOfDay;
      const earlyMicros = (this.budgetMicros * EARLY_SECONDS) / DAY_SECONDS;
      this.endedByOneWin = notified.wins === 1 && notified.spendMicros > earlyMicros;
    }
  }

  /** A bid that lost: it is reserved until the TTL has passed. */
  lose(second: number, micros: number): void {
    this.reserve(second + 1 + TTL_SECONDS, micros);
  }

  /** A bid that won: its price is due with the notice. */
  win(second: number, micros: number, noticeSeconds: number): void {
    const due = second + 1 + Math.floor(noticeSeconds);
    this.reserve(due, micros);
    const slot = due % SLOTS;
    this.spends[slot] = (this.spends[slot] ?? 0) + micros;
    this.wins[slot] = (this.wins[slot] ?? 0) + 1;
    this.delays[slot] = (this.delays[slot] ?? 0) + noticeSeconds;
  }

  private reserve(due: number, micros: number): void {
    const slot = due % SLOTS;
    this.reservedMicros += micros;
    this.releases[slot] = (this.releases[slot] ?? 0) + micros;
  }
}
