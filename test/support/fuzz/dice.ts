/** Seeded choices: the same seed makes the same requests. */
import { seededRandom } from '../../../src/domain/seeded-random.ts';

export class Dice {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** A whole number from 0 to `below` - 1. */
  int(below: number): number {
    return Math.floor(this.#random() * below);
  }

  chance(share: number): boolean {
    return this.#random() < share;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.int(values.length)] as T;
  }

  /** One of the alternatives, as often as their weights say. */
  weighted<T>(alternatives: readonly (readonly [weight: number, value: T])[]): T {
    let rest = this.#random() * alternatives.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, value] of alternatives) {
      rest -= weight;
      if (rest < 0) return value;
    }
    return (alternatives[0] as readonly [number, T])[1];
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.int(256)));
  }
}

/** The seed of PACER_FUZZ_SEED, a new one when that is `random`; without it always the same, so that a test run is too. */
export function fuzzSeed(): number {
  const { PACER_FUZZ_SEED: given = '1' } = process.env;
  return given === 'random' ? Math.floor(Math.random() * 2 ** 31) : Number(given);
}
