/**
 * Arrays of numbers as V8 keeps them best: 8 bytes each, without a box for each fraction, and made at once at their length.
 * (`new Array(n).fill(0.5)` makes two: one for whole numbers first. A typed array has some 400 bytes beside its numbers.)
 * Arrays of the usual lengths are copies of one.
 */
const MAX = 128;
const ZEROS: readonly number[] = zeros(MAX);

/** So many zeros. */
export function doubles(length: number): number[] {
  return length <= MAX ? ZEROS.slice(0, length) : zeros(length);
}

function zeros(length: number): number[] {
  // V8 keeps an array's numbers without boxes once one of them is a fraction.
  return new Array<number>(length).fill(0.5).fill(0);
}
