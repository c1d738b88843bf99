/**
 * Arrays of numbers as V8 keeps them best: 8 bytes each, without a box for each fraction, and made at once at their length.
 * (`new Array(n).fill(0.5)` makes two: one for whole numbers first. A typed array has some 400 bytes beside its numbers.)
 */
const MAX = 128;
/** V8 keeps an array's numbers without boxes once one of them is a fraction. */
const ZEROS: readonly number[] = new Array<number>(MAX).fill(0.5).fill(0);

/** @param length at most 128 @returns so many zeros */
export function doubles(length: number): number[] {
  return ZEROS.slice(0, length);
}
