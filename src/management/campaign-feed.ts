/**
 * Start-up: tells the shards every campaign that is not deleted, and the deletions they have not heard of
 * because the process ended between the commit and the shard. Page by page: memory is a few pages.
 */
import type { Shards } from '../messages/shards.ts';
import type { CampaignStore } from '../sinks/postgres/campaign-store.ts';

export interface CampaignFeedResult {
  readonly accepted: number;
  /** Campaigns for which the pacing table had no room. They do not bid. */
  readonly refused: number;
  /** Deleted campaigns that a shard still knew. */
  readonly deleted: number;
}

const PAGE_SIZE = 1_000;
/** In a fleet a page waits for two flushes to Redis: that many others go on meanwhile. */
const PAGES_UNDER_WAY = 4;

/** @throws AppError `unavailable` when the database or a shard does not answer: feed again from the start. */
export async function feedCampaigns(
  store: CampaignStore,
  shards: Shards,
  pageSize = PAGE_SIZE,
): Promise<CampaignFeedResult> {
  let live = 0;
  let refused = 0;
  let deleted = 0;
  for await (const page of store.deletedPages(pageSize)) {
    const known = await Promise.all(page.map(async ({ id }) => (await shards.status(id, false)) !== null));
    const unheard = page.filter((_, at) => known[at]);
    await shards.upsertAll(unheard);
    deleted += unheard.length;
  }
  const underWay: Promise<number>[] = [];
  for await (const page of store.livePages(pageSize)) {
    if (underWay.length === PAGES_UNDER_WAY) refused += (await underWay.shift()) ?? 0;
    const told = shards.upsertAll(page);
    told.catch(() => undefined); // its turn to be waited for comes
    underWay.push(told);
    live += page.length;
  }
  for (const told of underWay) refused += await told;
  return { accepted: live - refused, refused, deleted };
}
