/**
 * The market that every lever meets: campaigns with budgets, bids and targeting, and all impressions of all
 * days with what each campaign would bid for it and what the best outside competitor bids. Made once from a
 * seed, never changed: each lever is run on the very same arrays.
 *
 *   impressions  Poisson, diurnal, each of one audience segment
 *   values       lognormal with a heavy tail: campaign × quality of the impression × taste
 *   competitor   the highest outside bid, lognormal, higher for better impressions
 *   notices      lognormal delay, p50 2 s, p99 30 s, at most the reservations' TTL
 *
 * Money in micros, whole numbers; times in seconds.
 */
import { Random } from './random.ts';

export const DAY_SECONDS = 86_400;
export const TTL_SECONDS = 120;

const SEGMENTS = 20;
const SEGMENTS_A_CAMPAIGN_MAX = 4;
const IMPRESSIONS_PER_SECOND = 4;
/** Traffic is 1 + this · cos, with its peak at noon. */
const DIURNAL_SWING = 0.6;

const BUDGET_MEDIAN_MICROS = 50_000_000;
const BUDGET_SIGMA = 0.5;
const BUDGET_MIN_MICROS = 20_000_000;
const BID_MEDIAN_MICROS = 18_000;
const BID_SIGMA_OF_CAMPAIGNS = 0.4;
/** An impression's quality moves all bids for it; with the taste the sigma of a campaign's values is 0.86. */
const QUALITY_SIGMA = 0.5;
const TASTE_SIGMA = 0.7;
const RIVAL_MEDIAN_MICROS = 60_000;
const RIVAL_SIGMA = 0.5;

const NOTICE_MEDIAN_SECONDS = 2;
/** p99 is 15 times the median: ln 15 / 2.3263. */
const NOTICE_SIGMA = Math.log(15) / 2.3263;

export interface MarketSize {
  readonly seed: number;
  readonly campaigns: number;
  readonly days: number;
}

export interface MarketCampaign {
  readonly dailyBudgetMicros: number;
  /** The median of what it bids for an impression of middling quality. */
  readonly medianBidMicros: number;
  /** Audience segments it targets. */
  readonly segments: readonly number[];
}

/** Impressions in the order of time, as columns. */
export interface Impressions {
  /** First impression of each second, and the count of all at the end. */
  readonly firstOfSecond: Uint32Array;
  /** First offer of each impression, and the count of all at the end. */
  readonly firstOffer: Uint32Array;
  readonly rivalMicros: Float64Array;
  /** From the decision to the win notice. */
  readonly noticeSeconds: Float32Array;
  /** The campaign that each offer goes to… */
  readonly offerCampaign: Uint16Array;
  /** …and what it would bid. */
  readonly offerMicros: Float64Array;
}

export interface Market {
  readonly size: MarketSize;
  readonly campaigns: readonly MarketCampaign[];
  readonly impressions: Impressions;
}

export function makeMarket(size: MarketSize): Market {
  const random = new Random(size.seed);
  const campaigns = Array.from({ length: size.campaigns }, () => makeCampaign(random));
  return { size, campaigns, impressions: makeImpressions(random, size, campaigns) };
}

function makeCampaign(random: Random): MarketCampaign {
  const budget = Math.round(random.lognormal(BUDGET_MEDIAN_MICROS, BUDGET_SIGMA));
  const wanted = 1 + random.index(SEGMENTS_A_CAMPAIGN_MAX);
  const segments = new Set<number>();
  while (segments.size < wanted) segments.add(random.index(SEGMENTS));
  return {
    dailyBudgetMicros: Math.max(budget, BUDGET_MIN_MICROS),
    medianBidMicros: random.lognormal(BID_MEDIAN_MICROS, BID_SIGMA_OF_CAMPAIGNS),
    segments: [...segments],
  };
}

/** Traffic at a second of the day, relative to its mean. */
export function trafficAt(secondOfDay: number): number {
  return 1 - DIURNAL_SWING * Math.cos((2 * Math.PI * secondOfDay) / DAY_SECONDS);
}

function makeImpressions(
  random: Random,
  size: MarketSize,
  campaigns: readonly MarketCampaign[],
): Impressions {
  const seconds = size.days * DAY_SECONDS;
  const firstOfSecond = new Uint32Array(seconds + 1);
  for (let second = 0; second < seconds; second++) {
    const arrived = random.poisson(IMPRESSIONS_PER_SECOND * trafficAt(second % DAY_SECONDS));
    firstOfSecond[second + 1] = (firstOfSecond[second] ?? 0) + arrived;
  }
  const targeting = campaignsBySegment(campaigns);
  const count = firstOfSecond[seconds] ?? 0;
  const segmentOf = new Uint8Array(count);
  const firstOffer = new Uint32Array(count + 1);
  for (let impression = 0; impression < count; impression++) {
    const segment = random.index(SEGMENTS);
    segmentOf[impression] = segment;
    firstOffer[impression + 1] = (firstOffer[impression] ?? 0) + (targeting[segment]?.length ?? 0);
  }
  const offers = firstOffer[count] ?? 0;
  const impressions: Impressions = {
    firstOfSecond,
    firstOffer,
    rivalMicros: new Float64Array(count),
    noticeSeconds: new Float32Array(count),
    offerCampaign: new Uint16Array(offers),
    offerMicros: new Float64Array(offers),
  };
  for (let impression = 0; impression < count; impression++) {
    drawBids(random, impressions, impression, campaigns, targeting[segmentOf[impression] ?? 0] ?? []);
  }
  return impressions;
}

function drawBids(
  random: Random,
  impressions: Impressions,
  impression: number,
  campaigns: readonly MarketCampaign[],
  targeting: readonly number[],
): void {
  const quality = random.lognormal(1, QUALITY_SIGMA);
  impressions.rivalMicros[impression] = random.lognormal(RIVAL_MEDIAN_MICROS * quality, RIVAL_SIGMA);
  const notice = random.lognormal(NOTICE_MEDIAN_SECONDS, NOTICE_SIGMA);
  impressions.noticeSeconds[impression] = Math.min(notice, TTL_SECONDS);
  let offer = impressions.firstOffer[impression] ?? 0;
  for (const campaign of targeting) {
    const median = campaigns[campaign]?.medianBidMicros ?? 0;
    impressions.offerCampaign[offer] = campaign;
    impressions.offerMicros[offer] = Math.round(random.lognormal(median * quality, TASTE_SIGMA));
    offer++;
  }
}

function campaignsBySegment(campaigns: readonly MarketCampaign[]): number[][] {
  return Array.from({ length: SEGMENTS }, (_, segment) =>
    campaigns.flatMap((campaign, at) => (campaign.segments.includes(segment) ? [at] : [])),
  );
}
