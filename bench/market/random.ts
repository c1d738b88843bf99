/** Seeded draws of the market: the same seed gives the same numbers, in the same order, on every run. */
import { seededRandom } from '../../src/domain/seeded-random.ts';

/** A Poisson draw of a greater mean is made in parts, so that e^−mean stays far from 0. */
const POISSON_MEAN_MAX = 200;

export class Random {
  /** In [0, 1). */
  readonly uniform: () => number;
  private spareNormal = Number.NaN;

  constructor(seed: number) {
    this.uniform = seededRandom(seed);
    // Seeds that differ by one begin alike; the first draws are thrown away.
    for (let draw = 0; draw < 8; draw++) this.uniform();
  }

  /** A whole number from 0 to `count` − 1. */
  index(count: number): number {
    return Math.floor(this.uniform() * count);
  }

  /** Mean 0, variance 1: Box and Muller's pairs. */
  normal(): number {
    const spare = this.spareNormal;
    if (!Number.isNaN(spare)) {
      this.spareNormal = Number.NaN;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.spareNormal = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  lognormal(median: number, sigma: number): number {
    return median * Math.exp(sigma * this.normal());
  }

  poisson(mean: number): number {
    let count = 0;
    let left = mean;
    for (; left > POISSON_MEAN_MAX; left -= POISSON_MEAN_MAX) count += this.poisson(POISSON_MEAN_MAX);
    const limit = Math.exp(-left);
    for (let product = this.uniform(); product > limit; product *= this.uniform()) count++;
    return count;
  }
}
