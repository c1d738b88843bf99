/**
 * A small ad market: when bid requests come, what is bid, who wins, at which price and after how long it is heard of.
 * Pure but for the random numbers that it is given.
 */
import type { SampleCampaign } from './sample-campaigns.ts';

export interface Outcome {
  /** What the bid costs, cents with at most four decimals; 0 when it is lost. */
  readonly spendCents: number;
  /** After how long the bidder hears of it, ms. */
  readonly noticeMs: number;
  readonly isClicked: boolean;
}

const DAY_MS = 86_400_000;
const CENT_STEPS = 10_000;
export const CLICK_RATE = 0.008;
/** Of what was bid; see {@link outcomeOf}. */
export const MEAN_PRICE_SHARE = 0.75;
const NOTICE_MS_MIN = 150;
const NOTICE_MS_MEAN = 900;
const NOTICE_MS_MAX = 15_000;

/** Traffic at an instant as a multiple of its mean: a day's tide, and waves of some minutes. */
export function tideAt(tMs: number): number {
  const day = Math.cos((2 * Math.PI * (tMs - 0.8 * DAY_MS)) / DAY_MS);
  const wave = Math.sin((2 * Math.PI * tMs) / 420_000) + 0.6 * Math.sin((2 * Math.PI * tMs) / 97_000);
  return Math.max(0.1, 1 + 0.35 * day + 0.14 * wave);
}

/** How many of an average number happened: a Poisson draw, for small means. */
export function arrivals(mean: number, random: () => number): number {
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = random(); product > limit; product *= random()) count++;
  return count;
}

/** What the bidder offers: most near the mean, a few much higher. */
export function bidFor(campaign: SampleCampaign, random: () => number): number {
  return roundCents(campaign.bidCents * Math.exp(0.35 * normal(random) - 0.06));
}

/** What becomes of a bid: higher bids win more often, and cost what the second best offered. */
export function outcomeOf(campaign: SampleCampaign, bidCents: number, random: () => number): Outcome {
  const noticeMs = Math.min(NOTICE_MS_MAX, NOTICE_MS_MIN - NOTICE_MS_MEAN * Math.log(1 - random()));
  const chance = Math.min(0.95, campaign.winRate * (bidCents / campaign.bidCents));
  if (random() >= chance) return { spendCents: 0, noticeMs, isClicked: false };
  const price = Math.max(1 / CENT_STEPS, bidCents * (0.55 + 0.4 * random()));
  return { spendCents: roundCents(price), noticeMs, isClicked: random() < CLICK_RATE };
}

function roundCents(cents: number): number {
  return Math.round(cents * CENT_STEPS) / CENT_STEPS;
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
