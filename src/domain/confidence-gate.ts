/**
 * The confidence gate, which a campaign may ask for instead of strict reservation: of what is in flight it
 * holds what is likely to be won, and some more, not all of it. A low win rate then leaves less of the budget
 * unspent at the day's end. It gives up the proof: a sudden rise of the win rate may overspend.
 *
 *   held = min(R, wR + 4 √(wR b_max) + 2 b_max),  w = min(1, 3 × the highest ρ of the last hour)
 */

const SAFETY = 3;
const DEVIATIONS = 4;
const LARGEST_BIDS = 2;
const HALF_HOUR_MS = 1_800_000;

/** The highest ρ of this half hour and of the one before: of at least the last half, at most the last hour. */
export interface RhoPeak {
  current: number;
  last: number;
  sinceMs: number;
}

/** Nothing is known: everything is held for the first half hour. */
export function newRhoPeak(steadyMs: number): RhoPeak {
  return { current: 1, last: 1, sinceMs: steadyMs };
}

export function observeRhoPeak(peak: RhoPeak, rho: number, steadyMs: number): void {
  if (steadyMs - peak.sinceMs >= HALF_HOUR_MS) {
    peak.last = peak.current;
    peak.current = rho;
    peak.sinceMs = steadyMs;
  }
  if (rho > peak.current) peak.current = rho;
}

/**
 * What of the reserved amount the gate holds, micros.
 * @param largestBidMicros b_max, the largest bid ever asked for
 */
export function heldWithConfidence(peak: RhoPeak, reservedMicros: number, largestBidMicros: number): number {
  const likely = Math.min(1, SAFETY * Math.max(peak.current, peak.last)) * reservedMicros;
  const spread = DEVIATIONS * Math.sqrt(likely * largestBidMicros);
  return Math.min(reservedMicros, Math.ceil(likely + spread + LARGEST_BIDS * largestBidMicros));
}
