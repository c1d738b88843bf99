import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NumberPacking } from '../../../src/shard/number-packing.ts';

const number = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  fc.constantFrom(-0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324, 2 ** 53),
  fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  fc.double(),
);
/** Around the lengths at which one more byte of bits, or a longer form, is needed. */
const list = fc.oneof(
  fc.array(number, { minLength: 1, maxLength: 130 }),
  fc
    .constantFrom(46, 47, 48, 49, 112, 113)
    .chain((length) => fc.array(number, { minLength: length, maxLength: length })),
);

function packed(numbers: readonly number[]): Buffer {
  const packing = new NumberPacking(numbers.length);
  packing.numbers.set(numbers);
  return packing.pack();
}

function unpacked(bytes: Buffer, count: number): number[] {
  const packing = new NumberPacking(count);
  packing.numbers.fill(7); // what was there before must not stay
  packing.unpack(bytes);
  return [...packing.numbers];
}

/** As they were written before there were forms. */
function unpackedForm(numbers: readonly number[]): Buffer {
  return Buffer.from(new Float64Array(numbers).buffer);
}

describe('packed numbers', () => {
  test('come back bit by bit', () => {
    fc.assert(
      fc.property(list, (numbers) => {
        const bytes = packed(numbers);
        expect(bytes.length % 8).not.toBe(0);
        expect(unpacked(bytes, numbers.length)).toEqual(numbers);
      }),
    );
  });

  test('take eight bytes each, and next to nothing when they are 0', () => {
    const numbers = Array.from({ length: 46 }, (_, at) => (at < 5 ? at + 1 : 0));
    expect(packed(numbers)).toHaveLength(7 + 5 * 8);
  });

  test('are read by those who know more of them, with 0 for the rest, and by those who know fewer', () => {
    fc.assert(
      fc.property(list, fc.nat({ max: 130 }), (numbers, count) => {
        const expected = Array.from({ length: count + 1 }, (_, at) => numbers[at] ?? 0);
        expect(unpacked(packed(numbers), count + 1)).toEqual(expected);
      }),
    );
  });

  test('are read as they were written before there were forms', () => {
    fc.assert(
      fc.property(list, fc.nat({ max: 130 }), (numbers, count) => {
        const expected = Array.from({ length: count + 1 }, (_, at) => numbers[at] ?? 0);
        expect(unpacked(unpackedForm(numbers), count + 1)).toEqual(expected);
      }),
    );
  });

  test('that are cut off, too long or of no form are refused', () => {
    const bytes = packed([1, 2, 3]);
    for (const end of [1, 5, 7, 15, 23, bytes.length - 1].filter((length) => length % 8 !== 0)) {
      expect(() => unpacked(bytes.subarray(0, end), 3)).toThrow();
    }
    expect(() => unpacked(Buffer.concat([bytes, bytes]), 3)).toThrow();
    expect(() => unpacked(Buffer.alloc(15), 3)).toThrow();
  });
});
