/**
 * Counter-based random numbers: each is a pure function of a 32-bit counter, so what one controller draws
 * never moves what another draws. Mixer: mulberry32.
 */

export const STEP = 0x6d2b79f5;

/** 32 well mixed bits of a counter, unsigned. */
export function mix(counter: number): number {
  let mixed = Math.imul(counter ^ (counter >>> 15), counter | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return (mixed ^ (mixed >>> 14)) >>> 0;
}

/** The counter at which a numbered stream of a seed begins. */
export function streamOf(seed: number, stream: number): number {
  return mix(mix(Math.imul(seed, 0x9e3779b1) + 0x85ebca6b) ^ Math.imul(stream + 1, 0xc2b2ae35)) | 0;
}

/** In (0, 1). */
export function unit(bits: number): number {
  return (bits + 0.5) / 4_294_967_296;
}

/** Standard normal, from two counters beside the given one (Box and Muller). */
export function normal(counter: number): number {
  const radius = Math.sqrt(-2 * Math.log(unit(mix((counter + STEP) | 0))));
  return radius * Math.cos(2 * Math.PI * unit(mix((counter + 2 * STEP) | 0)));
}

/** Poisson by multiplication; above a mean of 60 rounded normal. */
export function poisson(counter: number, mean: number): number {
  if (mean > 60) return Math.max(Math.round(mean + Math.sqrt(mean) * normal(counter)), 0);
  const limit = Math.exp(-mean);
  let at = (counter + STEP) | 0;
  let product = unit(mix(at));
  let count = 0;
  while (product > limit) {
    at = (at + STEP) | 0;
    product *= unit(mix(at));
    count++;
  }
  return count;
}
