/** Amounts that people type, in dollars, and the wire's cents. */

export const AMOUNT_ACCEPTED = 'must be an amount such as 1000 or 12.50';

const GROUPED = /^\d{1,3}(?:[\s,'’]\d{3})+(?:\.\d*)?$/;

/**
 * Typed dollars as cents; null when it is no amount. Exact: the decimal point is moved in the text, never by a product.
 * Signs between thousands must stand between thousands: `12,50`, decimals as half of the world writes them, is refused
 * and never taken for 1250.
 */
export function centsOf(typed: string): number | null {
  const given = typed.trim();
  const text = GROUPED.test(given) ? given.replaceAll(/[\s,'’]/g, '') : given;
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
