/**
 * Every number that is kept of a campaign, in one record: a hundred thousand campaigns hold them, and a record for each
 * part would take half as much again. Each part is declared where its rules are; their functions take their part's
 * interface and are given the whole record.
 */
import { type BreakerState, CLOSED_BREAKER, SELDOM_IN_BREAKER } from './breaker.ts';
import { type Counters, NEW_COUNTERS, SELDOM_COUNTED } from './counters.ts';
import { type FlowEstimate, NEW_FLOW } from './flow-estimate.ts';
import { joined, numberRecord } from './number-record.ts';
import { NEW_PACE, type Pace } from './pacing-settings.ts';
import { NO_PLAN, type PlanNumbers } from './plan.ts';
import { NOTHING_RESERVED, type ReservedSums } from './reservations.ts';
import { NEW_TALLY, type TickTally } from './tick-tally.ts';

/** What is no part of anything else. */
export interface CampaignMoments {
  /** The largest bid ever asked for, micros. */
  largestBidMicros: number;
  /** As of the last advance or look at the table: decides whether the lease holds. */
  steadyMs: number;
  /** Steady ms until which bids of before a restart may be in flight. */
  restoredUntilMs: number;
  lastLossSteadyMs: number;
  /** The local hour, 0–23, and when it ends. */
  hour: number;
  hourEndMs: number;
}

const NEW_MOMENTS: Readonly<CampaignMoments> = {
  largestBidMicros: 0,
  steadyMs: 0,
  restoredUntilMs: 0,
  lastLossSteadyMs: Number.NEGATIVE_INFINITY,
  hour: 0,
  hourEndMs: 0,
};

export interface CampaignNumbers
  extends Counters,
    TickTally,
    ReservedSums,
    FlowEstimate,
    PlanNumbers,
    Pace,
    BreakerState,
    CampaignMoments {}

export const NEW_CAMPAIGN_NUMBERS = joined<CampaignNumbers>(
  NEW_MOMENTS,
  NEW_COUNTERS,
  NEW_TALLY,
  NOTHING_RESERVED,
  NEW_FLOW,
  NO_PLAN,
  NEW_PACE,
  CLOSED_BREAKER,
);

/** Those that stay 0 in nearly all campaigns. */
export const SELDOM_IN_CAMPAIGNS = [...SELDOM_COUNTED, ...SELDOM_IN_BREAKER];

export const campaignNumbers = numberRecord<CampaignNumbers>(NEW_CAMPAIGN_NUMBERS, SELDOM_IN_CAMPAIGNS);
