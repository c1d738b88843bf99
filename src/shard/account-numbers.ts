/** Every number that a shard keeps of an account: the campaign's own, and in the same record what the shard has beside. */
import {
  type CampaignNumbers,
  NEW_CAMPAIGN_NUMBERS,
  SELDOM_IN_CAMPAIGNS,
} from '../domain/campaign-numbers.ts';
import { joined, numberRecord } from '../domain/number-record.ts';
import { type AllowanceBooks, NEW_ALLOWANCE } from './allowance.ts';

/** What the shard has counted of an account's lanes, and when it last saw it do anything. */
export interface AccountActivity {
  /** When the last bid, spend or change was seen, steady ms. */
  touchedMs: number;
  /** The lanes' sums at the last tick. */
  laneAsks: number;
  laneAskedMicros: number;
  laneAllowed: number;
  /** When its day was last projected, steady ms. */
  projectedMs: number;
  /** Start of the day that was projected, ms since the epoch. */
  projectedDayMs: number;
}

const NEW_ACTIVITY: Readonly<AccountActivity> = {
  touchedMs: 0,
  laneAsks: 0,
  laneAskedMicros: 0,
  laneAllowed: 0,
  projectedMs: 0,
  projectedDayMs: Number.NaN,
};

export interface AccountNumbers extends CampaignNumbers, AccountActivity, AllowanceBooks {}

export const accountNumbers = numberRecord<AccountNumbers>(
  joined<AccountNumbers>(NEW_CAMPAIGN_NUMBERS, NEW_ACTIVITY, NEW_ALLOWANCE),
  SELDOM_IN_CAMPAIGNS,
);
