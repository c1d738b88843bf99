/**
 * Start-up: tells the shards every campaign that is not deleted, and the deletions they have not heard of
 * because the process ended between the commit and the shard. Pages from the store, a bounded number of
 * calls under way; memory is one page.
 */
import { AppError } from '../domain/app-error.ts';
import type { Campaign } from '../domain/campaign.ts';
import type { Shards } from '../messages/shards.ts';
import type { CampaignStore } from '../sinks/postgres/campaign-store.ts';

export interface CampaignFeedOptions {
  /** Campaigns read at once; 500 when absent. */
  readonly pageSize?: number;
  /** Upserts under way at once; 32 when absent. */
  readonly concurrency?: number;
}

export interface CampaignFeedResult {
  readonly accepted: number;
  /** Campaigns for which the pacing table had no room. They do not bid. */
  readonly refused: number;
  /** Deleted campaigns that a shard still knew. */
  readonly deleted: number;
}

const PAGE_SIZE = 500;
const CONCURRENCY = 32;

/** @throws AppError `unavailable` when the database or a shard does not answer: feed again from the start. */
export async function feedCampaigns(
  store: CampaignStore,
  shards: Shards,
  options: CampaignFeedOptions = {},
): Promise<CampaignFeedResult> {
  const pageSize = options.pageSize ?? PAGE_SIZE;
  const concurrency = options.concurrency ?? CONCURRENCY;
  let accepted = 0;
  let refused = 0;
  let deleted = 0;
  await forEachCampaign(store.deletedPages(pageSize), concurrency, async (campaign) => {
    if ((await shards.status(campaign.id)) === null) return;
    await shards.upsert(campaign);
    deleted++;
  });
  await forEachCampaign(store.livePages(pageSize), concurrency, async (campaign) => {
    if (await isAccepted(shards, campaign)) accepted++;
    else refused++;
  });
  return { accepted, refused, deleted };
}

async function forEachCampaign(
  pages: AsyncIterable<readonly Campaign[]>,
  concurrency: number,
  work: (campaign: Campaign) => Promise<void>,
): Promise<void> {
  for await (const page of pages) {
    const next = page.values();
    const worker = async () => {
      for (const campaign of next) await work(campaign);
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
  }
}

async function isAccepted(shards: Shards, campaign: Campaign): Promise<boolean> {
  try {
    await shards.upsert(campaign);
    return true;
  } catch (error) {
    if (error instanceof AppError && error.code === 'campaign_limit') return false;
    throw error;
  }
}
