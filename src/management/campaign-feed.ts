/**
 * Start-up: tells the shards every campaign that is not deleted. Pages from the store, a bounded number of
 * upserts under way; memory is one page.
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
}

const PAGE_SIZE = 500;
const CONCURRENCY = 32;

/** @throws AppError `unavailable` when the database or a shard does not answer: feed again from the start. */
export async function feedCampaigns(
  store: CampaignStore,
  shards: Shards,
  options: CampaignFeedOptions = {},
): Promise<CampaignFeedResult> {
  let accepted = 0;
  let refused = 0;
  for await (const page of store.livePages(options.pageSize ?? PAGE_SIZE)) {
    const next = page.values();
    const feeder = async () => {
      for (const campaign of next) {
        if (await isAccepted(shards, campaign)) accepted++;
        else refused++;
      }
    };
    await Promise.all(Array.from({ length: options.concurrency ?? CONCURRENCY }, feeder));
  }
  return { accepted, refused };
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
