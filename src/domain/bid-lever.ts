/**
 * The BID lever: instead of skipping auctions, pay less. A slow outer loop moves a bid cap once a minute until
 * the capped traffic asks for about what the plan wants; the controller's fast loop stays as it is and keeps
 * the rate and the budget. A cap rather than a multiplier: it takes the money from the bids that overpay.
 */

import { numberRecord } from './number-record.ts';

const ADJUST_SECONDS = 60;
const GAIN = 0.05;
const RATIO_MIN = 0.1;
const RATIO_MAX = 10;
const CAP_SHARE_MIN = 1e-6;
/** Until a day's largest bid is known, it is taken to be this many mean bids. */
const TOP_MEAN_BIDS = 50;
/** A cap above this many mean bids takes next to nothing from them. */
const LOWERS_BELOW_MEAN_BIDS = 4;

export interface BidLever {
  /** Kept over midnight, micros; 0 = not set yet: there is no cap. */
  capMicros: number;
  /** Largest bid of today so far, micros; 0 = none seen. */
  topTodayMicros: number;
  /** Largest bid of the last day, micros; 0 = unknown. */
  topLastMicros: number;
  secondsToAdjust: number;
}

/** The lever's numbers, or a copy of them. */
export const leverRecord = numberRecord<BidLever>({
  capMicros: 0,
  topTodayMicros: 0,
  topLastMicros: 0,
  secondsToAdjust: ADJUST_SECONDS,
});

/** A lever without a cap, or with yesterday's; micros, 0 when unknown. */
export function newBidLever(capMicros: number, topLastMicros: number): BidLever {
  return leverRecord({ capMicros, topTodayMicros: 0, topLastMicros, secondsToAdjust: ADJUST_SECONDS });
}

/** A new day: the largest bid is sought anew, the cap stays. */
export function beginLeverDay(lever: BidLever): void {
  if (lever.topTodayMicros === 0) return;
  lever.topLastMicros = lever.topTodayMicros;
  lever.topTodayMicros = 0;
}

/** The lever of all campaigns that have not used theirs. Nobody moves it: {@link newBidLever} makes one to move. */
export const UNUSED_LEVER: BidLever = leverRecord();

/**
 * Whether the cap takes more than a little from the bids. What a campaign then asks for is what the lever lets
 * it ask: it says nothing of what the traffic could carry.
 */
export function lowersBids(lever: BidLever, meanBidMicros: number): boolean {
  const top = Math.max(lever.topTodayMicros, lever.topLastMicros);
  return lever.capMicros > 0 && lever.capMicros < Math.min(top, LOWERS_BELOW_MEAN_BIDS * meanBidMicros);
}

/**
 * Moves the cap by one tick and returns it, micros; Infinity while no bid is known to cap.
 *
 * @param steering false while the plan pauses or the budget is spent: then u says nothing about the cap.
 * @param wantedRate u, micros of bids per second to allow.
 * @param askRate λ, micros per second, of the capped bids; 0 leaves the cap alone.
 * @param largestBidMicros largest bid of this tick before the cap, 0 when none or unknown.
 */
export function moveBidCap(
  lever: BidLever,
  seconds: number,
  steering: boolean,
  wantedRate: number,
  askRate: number,
  meanBidMicros: number,
  largestBidMicros: number,
): number {
  lever.topTodayMicros = Math.max(lever.topTodayMicros, largestBidMicros);
  const known = Math.max(lever.topTodayMicros, lever.topLastMicros);
  const top = lever.topLastMicros > 0 ? known : Math.max(known, TOP_MEAN_BIDS * meanBidMicros);
  if (!(top > 0)) return Number.POSITIVE_INFINITY;
  if (lever.capMicros === 0) lever.capMicros = top;
  lever.secondsToAdjust -= seconds;
  if (lever.secondsToAdjust <= 0) {
    lever.secondsToAdjust = ADJUST_SECONDS;
    if (steering && askRate > 0) {
      const ratio = Math.min(Math.max(wantedRate / askRate, RATIO_MIN), RATIO_MAX);
      lever.capMicros = Math.min(Math.max(lever.capMicros * ratio ** GAIN, CAP_SHARE_MIN * top), top);
    }
  }
  return lever.capMicros;
}
