/** The campaigns of a load test, and whether their breakers did what a breaker test is for. */
import { ConfigError } from '../../config/config.ts';
import { fieldOf, type ServiceClient } from '../service-client.ts';
import { eventually, someAtOnce, type TestCampaigns } from '../test-campaigns.ts';
import type { LoadShape, Pattern } from './load-shape.ts';

/** Campaigns of load tests are known by it, so that none that spends real money is bid on. */
export const ID_PREFIX = 'load-test-';

export const BID_CENTS = 10;
/** Breakers of a breaker test have tripped after about this share of the run. */
const TRIPPED_AFTER_SHARE = 0.5;
/** Enough for any run. */
const AMPLE_BUDGET_CENTS = 1_000_000_000;

export interface BreakerVerdict {
  readonly campaigns: number;
  readonly tripped: number;
  /** Cents above the budgets, all together. */
  readonly overspent_cents: number;
  readonly least_spent_percent: number;
  readonly most_spent_percent: number;
}

/** A campaign's daily budget: ample, or, for a breaker test, what half the run's bids spend. */
export function budgetCents(pattern: Pattern, shape: LoadShape, campaigns: number): number {
  if (pattern !== 'circuit_breaker_test') return AMPLE_BUDGET_CENTS;
  return Math.max(BID_CENTS, Math.round((TRIPPED_AFTER_SHARE * shape.requests * BID_CENTS) / campaigns));
}

/**
 * Makes them and waits until every pod knows them.
 * @param made how many there are so far
 * @returns their ids
 */
export async function setUp(
  campaigns: TestCampaigns,
  run: string,
  campaignsWanted: number,
  dailyBudgetCents: number,
  made: (campaigns: number) => void,
): Promise<string[]> {
  const ids = Array.from({ length: campaignsWanted }, (_, at) => `${ID_PREFIX}${run}-${at + 1}`);
  let count = 0;
  await someAtOnce(ids, async (id) => {
    await campaigns.create(id, { daily_budget_cents: dailyBudgetCents, pacing_mode: 'ASAP' });
    await campaigns.known(id);
    made(++count);
  });
  return ids;
}

/** Active campaigns that an earlier load test kept. @throws ConfigError when there is none */
export async function keptCampaigns(api: ServiceClient): Promise<string[]> {
  const { status, body, text } = await api.request(
    'GET',
    `/campaigns?status=ACTIVE&limit=1000&q=${ID_PREFIX}`,
  );
  if (status !== 200 || !Array.isArray(body)) {
    throw new Error(`campaigns were not listed: ${status} ${text.slice(0, 300)}`);
  }
  const ids = body
    .map((campaign) => String(fieldOf(campaign, 'id')))
    .filter((id) => id.startsWith(ID_PREFIX));
  if (ids.length > 0) return ids;
  throw new ConfigError(
    `there is no active campaign whose id begins with ${ID_PREFIX}; --setup makes some for the test`,
  );
}

/** Waits until what was spent shows, then compares each campaign with its budget. */
export async function breakerVerdict(
  campaigns: TestCampaigns,
  ids: readonly string[],
  spentCents: number,
): Promise<BreakerVerdict> {
  const read = async () => Promise.all(ids.map((id) => campaigns.status(id)));
  const sum = (all: readonly Readonly<Record<string, unknown>>[]): number =>
    all.reduce((total, status) => total + Number(fieldOf(status, 'daily_spent_cents')), 0);
  const statuses = await eventually(`the spend of ${spentCents} cents`, async () => {
    const all = await read();
    return sum(all) >= spentCents - 1e-6 && all;
  });
  const shares = statuses.map(
    (status) =>
      (100 * Number(fieldOf(status, 'daily_spent_cents'))) / Number(fieldOf(status, 'daily_budget_cents')),
  );
  return {
    campaigns: ids.length,
    tripped: statuses.filter((status) => fieldOf(status, 'circuit_breaker_state') !== 'CLOSED').length,
    overspent_cents: statuses.reduce(
      (over, status) =>
        over +
        Math.max(
          0,
          Number(fieldOf(status, 'daily_spent_cents')) - Number(fieldOf(status, 'daily_budget_cents')),
        ),
      0,
    ),
    least_spent_percent: Math.min(...shares),
    most_spent_percent: Math.max(...shares),
  };
}
