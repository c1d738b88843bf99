/**
 * The owner's books of one campaign's allowance: what it put on the table, what edges took of it since, and
 * how much of `reserved + allowance` the ledger has on record. All amounts in micros, whole units.
 *
 * Invariant: `reserved + on the table <= recorded`, where recorded is the lesser of what is committed and
 * what is being committed. After a crash that much is taken as in flight, so a restart cannot overspend.
 */
import { UNIT_SHIFT_MAX, UNITS_MAX } from '../table/layout.ts';
import type { OwnerTable } from '../table/pacing-table.ts';

/** A campaign nobody has bid for yet has this much on the table: 20 dollars. */
const TARGET_MIN_MICROS = 20_000_000;
/** So much of the recent flow is kept on the table… */
const FLOW_MS = 2_000;
/** …as measured over at least this, a duty cycle. */
const FLOW_MEASURED_MS = 50;
/** While less is taken, the target falls by half in this time. */
const TARGET_HALF_LIFE_MS = 35_000;
/** The table is refilled when this share of the target is left on it. */
const REFILL_SHARE = 0.5;
/** A single bid that the table did not cover asks for room for so many of its kind. */
const SHORTFALL_BIDS = 4;

/** The unit for a budget: the smallest power of two of micros in which one bid of the whole budget fits. */
export function unitShiftFor(budgetMicros: number): number {
  let shift = 0;
  while (shift < UNIT_SHIFT_MAX && budgetMicros / 2 ** shift > UNITS_MAX) shift++;
  return shift;
}

export interface AllowanceBooks {
  unitsOnTable: number;
  /** What the table is to hold. */
  allowanceTargetMicros: number;
  /** What edges have taken since the flow was last measured, and when that was, steady ms. */
  flowMicros: number;
  flowSinceMs: number;
  committedMicros: number;
  committingMicros: number;
}

export const NEW_ALLOWANCE: Readonly<AllowanceBooks> = {
  unitsOnTable: 0,
  allowanceTargetMicros: TARGET_MIN_MICROS,
  flowMicros: 0,
  flowSinceMs: 0,
  committedMicros: 0,
  committingMicros: Number.POSITIVE_INFINITY,
};

/** Its table's side and its books, brought together for the moment: nothing is kept here. */
export class Allowance {
  private readonly table: OwnerTable;
  private readonly slot: number;
  private readonly unit: number;
  private readonly books: AllowanceBooks;

  /** @param books kept of this slot alone */
  constructor(table: OwnerTable, slot: number, books: AllowanceBooks) {
    this.table = table;
    this.slot = slot;
    this.unit = 1 << table.unitShift(slot);
    this.books = books;
  }

  /** Begins with new books. */
  begin(steadyMs: number): void {
    this.books.flowSinceMs = steadyMs;
    this.setRefillMark();
  }

  get unitMicros(): number {
    return this.unit;
  }

  /** What stands on the table, as last observed. */
  get onTableMicros(): number {
    return this.books.unitsOnTable * this.unit;
  }

  /** What the ledger is sure to know of as in flight. */
  get recordedMicros(): number {
    return Math.min(this.books.committedMicros, this.books.committingMicros);
  }

  /** Looks at the table; returns what edges have taken since the last look. */
  observe(): number {
    const left = this.table.allowance(this.slot);
    const taken = this.books.unitsOnTable - left;
    if (taken < 0) throw new Error('the allowance on the table grew without its owner');
    this.books.unitsOnTable = left;
    return this.flowed(taken * this.unit);
  }

  /** Takes everything off the table; returns what edges have taken since the last look. */
  withdraw(): number {
    const left = this.table.withdrawAllowance(this.slot);
    const taken = this.books.unitsOnTable - left;
    if (taken < 0) throw new Error('the allowance on the table grew without its owner');
    this.books.unitsOnTable = 0;
    return this.flowed(taken * this.unit);
  }

  private flowed(takenMicros: number): number {
    this.books.flowMicros += takenMicros;
    return takenMicros;
  }

  /** Follows what edges take, after they were called or with the controller's turn. */
  follow(steadyMs: number): void {
    const { books } = this;
    const elapsedMs = steadyMs - books.flowSinceMs;
    if (elapsedMs < FLOW_MEASURED_MS) return;
    const shortfall = this.table.takeShortfall(this.slot) * this.unit;
    const flow = (books.flowMicros * FLOW_MS) / elapsedMs;
    const wanted = Math.max(TARGET_MIN_MICROS, Math.ceil(flow), shortfall * SHORTFALL_BIDS);
    const fallen = books.allowanceTargetMicros * 2 ** (-elapsedMs / TARGET_HALF_LIFE_MS);
    books.allowanceTargetMicros = Math.min(Math.max(fallen, wanted), UNITS_MAX * this.unit);
    books.flowMicros = 0;
    books.flowSinceMs = steadyMs;
    this.setRefillMark();
  }

  private setRefillMark(): void {
    const units = Math.ceil((this.books.allowanceTargetMicros * REFILL_SHARE) / this.unit);
    this.table.setRefillMark(this.slot, units);
  }

  /** How much more the table should hold, given that at most `leftMicros` of budget is free; whole units. */
  wanting(leftMicros: number): number {
    if (
      this.onTableMicros >= this.books.allowanceTargetMicros * REFILL_SHARE &&
      leftMicros > this.books.allowanceTargetMicros
    )
      return 0;
    return this.wholeUnits(Math.min(this.books.allowanceTargetMicros - this.onTableMicros, leftMicros));
  }

  /** Puts more on the table, as far as the record covers it beside what is reserved; returns how much. */
  add(micros: number, reservedMicros: number): number {
    const covered = this.recordedMicros - reservedMicros - this.onTableMicros;
    const added = this.wholeUnits(Math.min(micros, covered));
    if (added <= 0) return 0;
    this.table.addAllowance(this.slot, added / this.unit);
    this.books.unitsOnTable += added / this.unit;
    return added;
  }

  /**
   * What a commit should record: what is out now, and room for the next moments within the budget left. Whole micros:
   * after a crash it is reserved, and Redis takes no part of a micro.
   */
  toRecord(reservedMicros: number, leftMicros: number): number {
    const out = reservedMicros + this.onTableMicros;
    return out + Math.max(0, Math.min(leftMicros, Math.ceil(2 * this.books.allowanceTargetMicros)));
  }

  /** A commit that records this much has begun. */
  recording(micros: number): void {
    this.books.committingMicros = micros;
  }

  /** The commit ended; one that failed may have left either value. */
  recorded(committed: boolean): void {
    if (committed) this.books.committedMicros = this.books.committingMicros;
    else this.books.committedMicros = this.recordedMicros;
    this.books.committingMicros = Number.POSITIVE_INFINITY;
  }

  private wholeUnits(micros: number): number {
    const units = Math.floor(micros / this.unit);
    return Math.max(0, Math.min(units, UNITS_MAX - this.books.unitsOnTable)) * this.unit;
  }
}
