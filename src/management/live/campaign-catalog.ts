/**
 * What this pod's management thread knows of each campaign beside its money: the shared table carries ids and
 * figures only. It learns from every change that passes on its way to the shards, and asks the owners for those
 * that the table shows and nobody told of, as after a start without the database. When there are more than fit the
 * table, those that were deleted are forgotten.
 */
import { briefOf, type Campaign, type CampaignBrief } from '../../domain/campaign.ts';
import type { StoredTraffic } from '../../domain/stored-traffic.ts';
import type { Shards } from '../../messages/shards.ts';

export class CampaignCatalog {
  readonly #briefs = new Map<string, CampaignBrief>();
  #forgetAtSize: number;
  #revision = 0;

  /** @param campaignsMax campaigns that fit the table */
  constructor(campaignsMax: number) {
    this.#forgetAtSize = campaignsMax;
  }

  /** Grows with everything that is learned. */
  get revision(): number {
    return this.#revision;
  }

  get(campaignId: string): CampaignBrief | undefined {
    return this.#briefs.get(campaignId);
  }

  /** An older version never overwrites a newer one. */
  learn(brief: CampaignBrief): void {
    const known = this.#briefs.get(brief.id);
    if (known !== undefined && known.version >= brief.version) return;
    this.#briefs.set(brief.id, brief);
    this.#revision++;
    if (this.#briefs.size > this.#forgetAtSize) this.#forgetDeleted();
  }

  forget(campaignId: string): void {
    this.#briefs.delete(campaignId);
  }

  #forgetDeleted(): void {
    for (const { id, status } of this.#briefs.values()) if (status === 'DELETED') this.#briefs.delete(id);
    // Few may have been deleted: the next look waits until there are a quarter more.
    this.#forgetAtSize = Math.max(this.#forgetAtSize, Math.ceil(this.#briefs.size * 1.25));
  }
}

/** Shards that note in the catalog what they were told. */
export class CatalogingShards implements Shards {
  readonly #shards: Shards;
  readonly #catalog: CampaignCatalog;

  constructor(shards: Shards, catalog: CampaignCatalog) {
    this.#shards = shards;
    this.#catalog = catalog;
  }

  announce(campaign: Campaign): Promise<void> {
    return this.#shards.announce(campaign);
  }

  async upsert(campaign: Campaign): Promise<void> {
    await this.#shards.upsert(campaign);
    this.#catalog.learn(briefOf(campaign));
  }

  async upsertAll(campaigns: readonly Campaign[]): Promise<number> {
    const refused = await this.#shards.upsertAll(campaigns);
    for (const campaign of campaigns) this.#catalog.learn(briefOf(campaign));
    return refused;
  }

  status(campaignId: string, explained: boolean): Promise<string | null> {
    return this.#shards.status(campaignId, explained);
  }

  async describe(campaignIds: readonly string[]): Promise<readonly CampaignBrief[]> {
    const briefs = await this.#shards.describe(campaignIds);
    for (const brief of briefs) this.#catalog.learn(brief);
    return briefs;
  }

  learn(shapes: readonly StoredTraffic[]): Promise<void> {
    return this.#shards.learn(shapes);
  }
}
