/**
 * Hands each campaign's changes to its shard one after the other, in the order they came. A change of this pod
 * comes twice, from the request and from the watch, and a shard answers at once for a version that it has,
 * also while it is still writing it: the second to come must wait for the first, or it would be answered to
 * a client before every edge decides on it. Changes of different campaigns do not wait for each other.
 */
import type { Campaign, CampaignBrief } from '../domain/campaign.ts';
import type { StoredTraffic } from '../domain/stored-traffic.ts';
import type { Shards } from '../messages/shards.ts';

export class OrderedShards implements Shards {
  readonly #shards: Shards;
  /** Ends, never rejects, with the last change under way of each campaign that has one. */
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(shards: Shards) {
    this.#shards = shards;
  }

  announce(campaign: Campaign): Promise<void> {
    return this.#shards.announce(campaign);
  }

  upsert(campaign: Campaign): Promise<void> {
    return this.#inTurn([campaign], () => this.#shards.upsert(campaign));
  }

  upsertAll(campaigns: readonly Campaign[]): Promise<number> {
    return this.#inTurn(campaigns, () => this.#shards.upsertAll(campaigns));
  }

  status(campaignId: string, explained: boolean): Promise<string | null> {
    return this.#shards.status(campaignId, explained);
  }

  describe(campaignIds: readonly string[]): Promise<readonly CampaignBrief[]> {
    return this.#shards.describe(campaignIds);
  }

  learn(shapes: readonly StoredTraffic[]): Promise<void> {
    return this.#shards.learn(shapes);
  }

  /** Each waits only for those that came before it, so no two wait for each other. */
  async #inTurn<T>(campaigns: readonly Campaign[], tell: () => Promise<T>): Promise<T> {
    const before = new Set(campaigns.map(({ id }) => this.#underWay.get(id)));
    const told = Promise.all(before).then(tell);
    const over = told.then(
      () => {},
      () => {},
    );
    for (const { id } of campaigns) this.#underWay.set(id, over);
    try {
      return await told;
    } finally {
      for (const { id } of campaigns) if (this.#underWay.get(id) === over) this.#underWay.delete(id);
    }
  }
}
