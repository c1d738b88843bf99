import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { centsFromMicros, MICROS_MAX, micros, microsFromCents } from '../../../src/domain/money.ts';

/** The decimal that a client would write for an amount: exact, with at most four places. */
function decimalOf(amount: number): string {
  const digits = String(amount).padStart(5, '0');
  return `${digits.slice(0, -4)}.${digits.slice(-4)}`;
}

describe('an amount on the wire', () => {
  test('with at most four decimals is read exactly, up to 2^51 micros', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 51 }), (amount) => {
        expect(microsFromCents(Number(decimalOf(amount)))).toBe(amount);
        expect(microsFromCents(centsFromMicros(amount))).toBe(amount);
      }),
    );
  });

  test('above 2^51 micros is read as itself or a neighbour, never refused', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2 ** 51, max: MICROS_MAX - 1 }), (amount) => {
        expect(Math.abs(microsFromCents(centsFromMicros(amount)) - amount)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('with a fifth decimal is refused', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 ** 12 }), fc.integer({ min: 1, max: 9 }), (amount, fifth) => {
        expect(microsFromCents(Number(`${decimalOf(amount)}${fifth}`))).toBe(-1);
      }),
    );
  });

  test.each([
    [-1],
    [-0.0001],
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    [Number.MAX_VALUE * 10],
    ['1'],
    [null],
    [undefined],
    [true],
    [[]],
  ])('that is %s is refused', (value) => {
    expect(microsFromCents(value)).toBe(-1);
  });

  test('of 2^53 micros is accepted and of more is refused', () => {
    expect(microsFromCents(900_719_925_474.0992)).toBe(MICROS_MAX);
    expect(microsFromCents(900_719_925_475)).toBe(-1);
    expect(microsFromCents(Number.MAX_VALUE)).toBe(-1);
  });

  test('of minus zero is zero', () => {
    expect(Object.is(microsFromCents(-0), 0)).toBe(true);
  });
});

test('branding something that is not an amount is a bug', () => {
  for (const wrong of [-1, 0.5, Number.NaN, MICROS_MAX * 2]) expect(() => micros(wrong)).toThrow(RangeError);
  expect(micros(1500)).toBe(1500);
});
