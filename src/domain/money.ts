/**
 * Money. Inside, every amount is an integer number of micros (1 cent = 10,000 micros) in a float64,
 * exact up to 2^53. On the wire an amount is a JSON number of cents with at most four decimals.
 * Nothing here rounds silently: an amount that is not a whole number of micros is refused.
 */

declare const microsBrand: unique symbol;

/** A whole, non-negative number of micros, at most {@link MICROS_MAX}. */
export type Micros = number & { readonly [microsBrand]: 'Micros' };

export const MICROS_PER_CENT = 10_000;

/** The largest amount a single field may carry: 2^53 micros, about $9.0 billion. */
export const MICROS_MAX = 2 ** 53;

/**
 * Brands a number the caller knows to be a valid amount.
 * @throws RangeError when it is not: that is a bug of the caller, not bad input.
 */
export function micros(amount: number): Micros {
  if (!Number.isInteger(amount) || amount < 0 || amount > MICROS_MAX)
    throw new RangeError('not an amount of micros');
  return amount as Micros;
}

/**
 * Converts wire cents to micros; `-1` when the value is not an amount: not a number, NaN, negative,
 * above {@link MICROS_MAX}, or with a fifth decimal. A sentinel, not an error object: this runs per bid.
 *
 * A decimal with at most four places is the double nearest to its micros / 10000, and division is correctly
 * rounded: so the amount is the whole number that divides back to it, and a finer decimal has none. The
 * product is off by less than one. Above 2^51 micros ($2.2 billion) doubles of cents are coarser than a
 * micro: there a neighbouring amount may be the one that is read.
 */
export function microsFromCents(cents: unknown): Micros | -1 {
  if (typeof cents !== 'number' || !(cents >= 0)) return -1;
  const amount = Math.round(cents * MICROS_PER_CENT);
  if (amount / MICROS_PER_CENT === cents) return amount <= MICROS_MAX ? ((amount + 0) as Micros) : -1; // + 0: no -0
  if (!(amount <= MICROS_MAX)) return -1;
  if ((amount - 1) / MICROS_PER_CENT === cents) return (amount - 1) as Micros;
  return (amount + 1) / MICROS_PER_CENT === cents && amount < MICROS_MAX ? ((amount + 1) as Micros) : -1;
}

/** Converts micros to wire cents: the nearest double, which up to 2^51 micros prints with at most four decimals. */
export function centsFromMicros(amount: number): number {
  return amount / MICROS_PER_CENT;
}

/** What a bad amount's error message says is accepted. */
export const CENTS_ACCEPTED = 'a number of cents from 0 to 900719925474.0992 with at most four decimals';
