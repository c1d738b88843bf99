/**
 * Gives a new demo its sample campaigns and four weeks of made-up history, in its own database and through the same
 * tables: so that a newcomer sees a past too. The shards then take what today's hours have as spent, as a pod does that
 * lost its disk. A demo that has its campaigns is left as it is.
 */
import { AppError } from '../domain/app-error.ts';
import type { Campaign } from '../domain/campaign.ts';
import { MICROS_PER_CENT, micros } from '../domain/money.ts';
import { seededRandom } from '../domain/seeded-random.ts';
import { CampaignStore } from '../sinks/postgres/campaign-store.ts';
import type { PostgresAddress, Sql } from '../sinks/postgres/client.ts';
import { HistoryStore } from '../sinks/postgres/history-store.ts';
import { TrafficStore } from '../sinks/postgres/traffic-store.ts';
import { type SampleCampaign, sampleCampaigns } from './sample-campaigns.ts';
import { DEMO_SOURCE, demoBeganMs, type SampleHistory, sampleHistory } from './sample-history.ts';

const ACTOR = 'demo';
const REASON = 'made up: the demo’s sample data';

/**
 * @returns what is left to do when the campaigns are there: writes today's traffic, which takes a while
 * @throws AppError `unavailable`, as what is returned does; it may be called again then
 */
export async function seedDemo(
  address: PostgresAddress,
  sql: Sql,
  timezone: string,
  nowMs: number,
): Promise<() => Promise<void>> {
  const store = new CampaignStore(sql);
  const random = seededRandom(nowMs);
  const histories: SampleHistory[] = [];
  for (const sample of sampleCampaigns(timezone)) {
    const campaign = sampleCampaign(sample, nowMs);
    if ((await store.get(campaign.id)) !== null) continue;
    const history = sampleHistory(sample, campaign, nowMs, random);
    // First, so that no campaign is ever seen without its past.
    await writeHours(address, history);
    await insert(store, campaign);
    histories.push(history);
  }
  return () => writeTraffic(address, histories);
}

async function writeHours(address: PostgresAddress, { hours, plans }: SampleHistory): Promise<void> {
  const history = new HistoryStore(address);
  try {
    await history.writeHours(hours);
    await history.writePlans(plans);
  } finally {
    await history.close();
  }
}

async function writeTraffic(address: PostgresAddress, histories: readonly SampleHistory[]): Promise<void> {
  const traffic = new TrafficStore(address);
  try {
    for (const startMs of new Set(histories.flatMap(({ slots }) => [...slots.keys()]))) {
      const campaigns = histories.flatMap(({ slots }) => slots.get(startMs) ?? []);
      await traffic.write(DEMO_SOURCE, startMs, campaigns);
    }
  } finally {
    await traffic.close();
  }
}

async function insert(store: CampaignStore, campaign: Campaign): Promise<void> {
  const after = { name: campaign.name, daily_budget_cents: campaign.dailyBudgetMicros / MICROS_PER_CENT };
  const note = {
    actor: ACTOR,
    action: 'campaign.create',
    reason: REASON,
    requestId: null,
    before: null,
    after,
  };
  try {
    await store.insert(campaign, note);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'already_exists') throw error;
  }
}

/** The sample as it is stored, made four weeks ago. */
export function sampleCampaign({ body }: SampleCampaign, nowMs: number): Campaign {
  const at = new Date(demoBeganMs(body.timezone, nowMs)).toISOString();
  return {
    id: body.id,
    name: body.name,
    dailyBudgetMicros: micros(body.daily_budget_cents * MICROS_PER_CENT),
    totalBudgetMicros: null,
    startDate: null,
    endDate: null,
    timezone: body.timezone,
    pacingMode: body.pacing_mode,
    pacingLever: 'THROTTLE',
    status: 'ACTIVE',
    breakerThreshold: 0.95,
    dayparts: null,
    hourMultipliers: null,
    confidenceGate: false,
    dayReset: null,
    zoneChange: null,
    targeting: null,
    creative: body.creative,
    version: 1,
    createdAt: at,
    updatedAt: at,
  };
}
