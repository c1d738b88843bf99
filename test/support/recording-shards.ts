/** Shards in memory: keeps what it was told, newest version per campaign, and refuses when asked to. */
import type { AppError } from '../../src/domain/app-error.ts';
import type { Campaign } from '../../src/domain/campaign.ts';
import type { Shards } from '../../src/messages/shards.ts';

export class RecordingShards implements Shards {
  readonly campaigns = new Map<string, Campaign>();
  /** Thrown by every upsert until it is null again. */
  refusal: AppError | null = null;
  /** Most upserts that were under way at once. */
  underWayMax = 0;
  #underWay = 0;

  async upsert(campaign: Campaign): Promise<void> {
    this.#underWay++;
    this.underWayMax = Math.max(this.underWayMax, this.#underWay);
    await new Promise((resolve) => setImmediate(resolve));
    this.#underWay--;
    if (this.refusal !== null) throw this.refusal;
    const known = this.campaigns.get(campaign.id);
    if (known === undefined || known.version < campaign.version) this.campaigns.set(campaign.id, campaign);
  }

  async status(campaignId: string): Promise<string | null> {
    return this.campaigns.has(campaignId) ? `{"campaign_id":"${campaignId}","daily_spent_cents":0}` : null;
  }
}
