/** Shards in memory: keeps what it was told, newest version per campaign, and refuses when asked to. */
import type { AppError } from '../../src/domain/app-error.ts';
import { briefOf, type Campaign, type CampaignBrief } from '../../src/domain/campaign.ts';
import type { StoredTraffic } from '../../src/domain/stored-traffic.ts';
import type { Shards } from '../../src/messages/shards.ts';

export class RecordingShards implements Shards {
  readonly campaigns = new Map<string, Campaign>();
  /** Thrown by every upsert until it is null again. */
  refusal: AppError | null = null;
  /** Sizes of the lists that it was told at once. */
  readonly lists: number[] = [];

  async announce(): Promise<void> {}

  async upsert(campaign: Campaign): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.refusal !== null) throw this.refusal;
    const known = this.campaigns.get(campaign.id);
    if (known === undefined || known.version < campaign.version) this.campaigns.set(campaign.id, campaign);
  }

  async upsertAll(campaigns: readonly Campaign[]): Promise<number> {
    this.lists.push(campaigns.length);
    if (this.refusal !== null) return campaigns.length;
    for (const campaign of campaigns) await this.upsert(campaign);
    return 0;
  }

  async describe(campaignIds: readonly string[]): Promise<readonly CampaignBrief[]> {
    return campaignIds.flatMap((id) => {
      const campaign = this.campaigns.get(id);
      return campaign === undefined ? [] : [briefOf(campaign)];
    });
  }

  /** What was learned, by campaign. */
  readonly learned = new Map<string, StoredTraffic>();

  async learn(shapes: readonly StoredTraffic[]): Promise<void> {
    for (const shape of shapes) this.learned.set(shape.campaignId, shape);
  }

  async status(campaignId: string): Promise<string | null> {
    return this.campaigns.has(campaignId) ? `{"campaign_id":"${campaignId}","daily_spent_cents":0}` : null;
  }
}
