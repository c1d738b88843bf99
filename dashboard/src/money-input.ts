/** Amounts that people type, in dollars, and the wire's cents. */

export const AMOUNT_ACCEPTED = 'must be an amount such as 1000 or 12.50';

/**
 * Typed dollars as cents; null when it is no amount. Exact: the decimal point is moved in the text, never by a product.
 */
export function centsOf(typed: string): number | null {
  const text = typed.replaceAll(/[\s,']/g, '');
  const parts = /^(\d{0,13})(?:\.(\d{0,6}))?$/.exec(text);
  if (parts === null || text === '' || text === '.') return null;
  const [, whole = '', decimals = ''] = parts;
  const padded = decimals.padEnd(2, '0');
  return Number(`${whole}${padded.slice(0, 2)}.${padded.slice(2) || '0'}`);
}

/** Cents as the text of an input, in dollars. */
export function dollarsOf(cents: number): string {
  const dollars = cents / 100;
  return Number.isInteger(dollars) ? String(dollars) : dollars.toFixed(6).replace(/(\.\d\d\d*?)0+$/, '$1');
}
