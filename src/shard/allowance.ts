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

/** All allowances of a shard: books are given by whoever keeps them, for an object of each would take as much again. */
export class Allowances {
  private readonly table: OwnerTable;

  constructor(table: OwnerTable) {
    this.table = table;
  }

  /** Begins with new books, kept of this slot alone. */
  begin(slot: number, books: AllowanceBooks, steadyMs: number): void {
    books.flowSinceMs = steadyMs;
    this.setRefillMark(slot, books);
  }

  unitMicros(slot: number): number {
    return 1 << this.table.unitShift(slot);
  }

  /** What stands on the table, as last observed. */
  onTableMicros(slot: number, books: AllowanceBooks): number {
    return books.unitsOnTable * this.unitMicros(slot);
  }

  /** Looks at the table; returns what edges have taken since the last look. */
  observe(slot: number, books: AllowanceBooks): number {
    return this.taken(slot, books, this.table.allowance(slot), false);
  }

  /** Takes everything off the table; returns what edges have taken since the last look. */
  withdraw(slot: number, books: AllowanceBooks): number {
    return this.taken(slot, books, this.table.withdrawAllowance(slot), true);
  }

  private taken(slot: number, books: AllowanceBooks, left: number, withdrawn: boolean): number {
    const taken = books.unitsOnTable - left;
    if (taken < 0) throw new Error('the allowance on the table grew without its owner');
    books.unitsOnTable = withdrawn ? 0 : left;
    const takenMicros = taken * this.unitMicros(slot);
    books.flowMicros += takenMicros;
    return takenMicros;
  }

  /** Follows what edges take, after they were called or with the controller's turn. */
  follow(slot: number, books: AllowanceBooks, steadyMs: number): void {
    const elapsedMs = steadyMs - books.flowSinceMs;
    if (elapsedMs < FLOW_MEASURED_MS) return;
    const unit = this.unitMicros(slot);
    const shortfall = this.table.takeShortfall(slot) * unit;
    const flow = (books.flowMicros * FLOW_MS) / elapsedMs;
    const wanted = Math.max(TARGET_MIN_MICROS, Math.ceil(flow), shortfall * SHORTFALL_BIDS);
    const fallen = books.allowanceTargetMicros * 2 ** (-elapsedMs / TARGET_HALF_LIFE_MS);
    books.allowanceTargetMicros = Math.min(Math.max(fallen, wanted), UNITS_MAX * unit);
    books.flowMicros = 0;
    books.flowSinceMs = steadyMs;
    this.setRefillMark(slot, books);
  }

  private setRefillMark(slot: number, books: AllowanceBooks): void {
    const units = Math.ceil((books.allowanceTargetMicros * REFILL_SHARE) / this.unitMicros(slot));
    this.table.setRefillMark(slot, units);
  }

  /** How much more the table should hold, given that at most `leftMicros` of budget is free; whole units. */
  wanting(slot: number, books: AllowanceBooks, leftMicros: number): number {
    const onTable = this.onTableMicros(slot, books);
    const target = books.allowanceTargetMicros;
    if (onTable >= target * REFILL_SHARE && leftMicros > target) return 0;
    return this.wholeUnits(slot, books, Math.min(target - onTable, leftMicros));
  }

  /** Puts more on the table, as far as the record covers it beside what is reserved; returns how much. */
  add(slot: number, books: AllowanceBooks, micros: number, reservedMicros: number): number {
    const covered = recordedMicros(books) - reservedMicros - this.onTableMicros(slot, books);
    const added = this.wholeUnits(slot, books, Math.min(micros, covered));
    if (added <= 0) return 0;
    const units = added / this.unitMicros(slot);
    this.table.addAllowance(slot, units);
    books.unitsOnTable += units;
    return added;
  }

  /**
   * What a commit should record: what is out now, and room for the next moments within the budget left. Whole micros:
   * after a crash it is reserved, and Redis takes no part of a micro.
   */
  toRecord(slot: number, books: AllowanceBooks, reservedMicros: number, leftMicros: number): number {
    const out = reservedMicros + this.onTableMicros(slot, books);
    return out + Math.max(0, Math.min(leftMicros, Math.ceil(2 * books.allowanceTargetMicros)));
  }

  private wholeUnits(slot: number, books: AllowanceBooks, micros: number): number {
    const unit = this.unitMicros(slot);
    const units = Math.floor(micros / unit);
    return Math.max(0, Math.min(units, UNITS_MAX - books.unitsOnTable)) * unit;
  }
}

/** What the ledger is sure to know of as in flight. */
function recordedMicros(books: AllowanceBooks): number {
  return Math.min(books.committedMicros, books.committingMicros);
}

/** A commit that records this much has begun. */
export function recording(books: AllowanceBooks, micros: number): void {
  books.committingMicros = micros;
}

/** The commit ended; one that failed may have left either value. */
export function recorded(books: AllowanceBooks, committed: boolean): void {
  books.committedMicros = committed ? books.committingMicros : recordedMicros(books);
  books.committingMicros = Number.POSITIVE_INFINITY;
}
