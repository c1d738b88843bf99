/**
 * What the management thread asks of the shard workers, whichever way it travels. The port-backed
 * implementation is `shard-client.ts`; the thread that answers is `shard/`.
 */
import type { Campaign, CampaignBrief } from '../domain/campaign.ts';
import type { StoredTraffic } from '../domain/stored-traffic.ts';

export interface Shards {
  /**
   * Announces a campaign that nobody knows yet to the other pods' Redis, so that its first bids need not wait.
   * Resolves when that is done or was not possible, also where there is no Redis.
   */
  announce(campaign: Campaign): Promise<void>;
  /**
   * Hands a campaign's newest version to its owner. Resolves when the change is in the ledger and has been
   * published to the pacing table, so that every edge decides on it.
   * @throws AppError `campaign_limit` when the table is full, `unavailable` when the owner does not answer.
   */
  upsert(campaign: Campaign): Promise<void>;

  /**
   * Hands many campaigns to their owners, as {@link upsert} does with one; for the start.
   * @returns how many the pacing table has no room for: they do not bid
   * @throws AppError `unavailable` when an owner does not answer; some may have been taken in
   */
  upsertAll(campaigns: readonly Campaign[]): Promise<number>;

  /**
   * The body of `GET /budget/status/{id}` as JSON text, or null when the owner does not know the campaign.
   * @param explained with the terms behind the campaign's decisions
   * @throws AppError `unavailable` when the owner does not answer.
   */
  status(campaignId: string, explained: boolean): Promise<string | null>;

  /**
   * What the owners know of these campaigns beside their money, for a start without the database. Those that they
   * do not know are left out.
   * @throws AppError `unavailable` when an owner does not answer.
   */
  describe(campaignIds: readonly string[]): Promise<readonly CampaignBrief[]>;

  /**
   * Has the owners of campaigns, or all for the fleet's shape, take in what was learned of their traffic, without a jump
   * in their plans. Resolves when the plans are made of it; those that the ledger could not keep are passed over.
   * @throws AppError `unavailable` when an owner does not answer.
   */
  learn(shapes: readonly StoredTraffic[]): Promise<void>;
}
