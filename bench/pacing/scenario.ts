/**
 * What a scenario of the pacing comparison is made of. A day has an ordinary part (`traffic`, `winRate`,
 * `price`: what yesterday was like too, and what the supply is measured on) and an event that nobody could
 * know (`eventTraffic`, `eventWinRate`). Hours are fractional, 0–24.
 */
import type { PacingMode } from '../../src/domain/campaign.ts';

export type OfHour = (hour: number) => number;

export interface Notices {
  /** Median delay from the decision to the notice, s; lognormal. */
  readonly p50Seconds: number;
  readonly p99Seconds: number;
  /** No notice comes later than this, s. */
  readonly maxSeconds: number;
}

export interface Scenario {
  readonly name: string;
  readonly describe: string;
  readonly budgetMicros: number;
  readonly mode: PacingMode;
  /** ADAPTIVE: the learned weights of the hours 0–23. */
  readonly shape: readonly number[] | null;
  /** Unthrottled spend of the ordinary day over the budget; sets the bids, unless they are given. */
  readonly supply: number;
  /** The base bid, micros; null: as the supply asks for. */
  readonly baseBidMicros: number | null;
  /** Mean over the ordinary day. */
  readonly asksPerSecond: number;
  /** Relative to the mean. */
  readonly traffic: OfHour;
  /** Chance that a base bid wins, before the hour's own deviation. */
  readonly winRate: OfHour;
  /** Relative to the base bid. */
  readonly price: OfHour;
  readonly eventTraffic: OfHour;
  readonly eventWinRate: OfHour;
  /** Every bid is the base bid and wins alike. */
  readonly equalBids: boolean;
  /** A win costs this part of its bid, uniform. */
  readonly clearing: readonly [from: number, to: number];
  readonly notices: Notices;
  readonly ttlSeconds: number;
  readonly lossNotices: boolean;
  /** Whether yesterday's win rate, potential and shape are known. */
  readonly yesterdayKnown: boolean;
  readonly startHour: number;
  /** Budget after noon over the budget before. */
  readonly noonBudget: number;
  readonly pods: number;
  readonly syncSeconds: number;
  readonly seeds: number;
}

/** Bids relative to the base bid, how often they come, and how much oftener than a base bid they win. */
export const BIDS = [0.6, 1, 1.8] as const;
export const BID_WEIGHTS = [0.3, 0.5, 0.2] as const;
export const WIN_FACTORS = [0.7, 1, 1.4] as const;

export const DAY_SECONDS = 86_400;
export const NOON_SECOND = 43_200;

export const flat: OfHour = () => 1;
export const diurnal: OfHour = (hour) => 1 + 0.6 * Math.cos(((hour - 12) / 12) * Math.PI);

const DEFAULTS: Omit<Scenario, 'name' | 'describe'> = {
  budgetMicros: 100_000_000,
  mode: 'EVEN',
  shape: null,
  supply: 6,
  baseBidMicros: null,
  asksPerSecond: 20,
  traffic: diurnal,
  winRate: () => 0.2,
  price: flat,
  eventTraffic: flat,
  eventWinRate: flat,
  equalBids: false,
  clearing: [1, 1],
  notices: { p50Seconds: 2, p99Seconds: 30, maxSeconds: 120 },
  ttlSeconds: 120,
  lossNotices: false,
  yesterdayKnown: true,
  startHour: 0,
  noonBudget: 1,
  pods: 1,
  syncSeconds: 1,
  seeds: 4,
};

export function scenario(name: string, describe: string, special: Partial<Scenario>): Scenario {
  return { ...DEFAULTS, ...special, name, describe };
}

/** Mean bid over the base bid, and mean spend of an ask over (base bid × chance that a base bid wins). */
export function bidMoments(of: Scenario): { readonly bid: number; readonly spend: number } {
  const clearing = (of.clearing[0] + of.clearing[1]) / 2;
  if (of.equalBids) return { bid: 1, spend: clearing };
  let bid = 0;
  let spend = 0;
  for (const [kind, size] of BIDS.entries()) {
    const weight = BID_WEIGHTS[kind] ?? 0;
    bid += weight * size;
    spend += weight * size * (WIN_FACTORS[kind] ?? 0) * clearing;
  }
  return { bid, spend };
}
