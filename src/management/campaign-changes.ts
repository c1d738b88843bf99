/**
 * The order of every change: Postgres first, then the shard that owns the campaign, then the answer. What
 * was answered is therefore both durable and decided upon. Two edits of one campaign at once are kept apart
 * by the version in the statement; whoever comes second reads again and edits what the first one left.
 * Each is noted in the audit log, by the statement that makes it.
 */
import type { Logger } from 'pino';
import { AppError } from '../domain/app-error.ts';
import type { Campaign } from '../domain/campaign.ts';
import type { Shards } from '../messages/shards.ts';
import type { ChangeNote } from '../sinks/postgres/audit-store.ts';
import { type CampaignStore, campaignNotFound } from '../sinks/postgres/campaign-store.ts';
import { nextVersion } from './campaign-schema.ts';
import { type ChangeOrder, noteOf } from './change-note.ts';

/** Of a campaign that nobody can have heard of. */
const FIRST_VERSION = 1;
/** Bound of the edits one edit may lose against; each of them has made progress. */
const ATTEMPTS_MAX = 100;

export interface EditOptions {
  /** A conflict with another edit is the client's to resolve. */
  readonly pinned?: boolean;
  /** What the audit log says; by default which fields changed. */
  readonly note?: (before: Campaign, after: Campaign) => ChangeNote;
}

export class CampaignChanges {
  readonly #store: CampaignStore;
  readonly #shards: Shards;
  readonly #log: Logger;
  readonly #inFleet: boolean;

  /** @param inFleet whether pods share budgets, and are told of a new campaign before they can know it */
  constructor(store: CampaignStore, shards: Shards, log: Logger, inFleet: boolean) {
    this.#store = store;
    this.#shards = shards;
    this.#log = log;
    this.#inFleet = inFleet;
  }

  /** @throws AppError `already_exists`, `campaign_limit` (nothing is kept then), `unavailable`. */
  async create(campaign: Campaign, order: ChangeOrder): Promise<Campaign> {
    const note = noteOf(order, null, campaign);
    const stored = await this.#store.insert(campaign, note, this.#inFleet ? this.#announce : undefined);
    try {
      await this.#shards.upsert(stored);
    } catch (error) {
      if (error instanceof AppError && error.code === 'campaign_limit') {
        await this.#takeBack(stored, { ...order, action: 'campaign.take_back', reason: error.message });
      }
      throw error;
    }
    return stored;
  }

  /**
   * Edits a campaign that is not deleted. `edit` gets the current version and returns the next one; it runs
   * again when another edit came first.
   * @throws AppError `campaign_not_found`, `stale_version`, `unavailable`, and what `edit` throws.
   */
  async edit(
    id: string,
    order: ChangeOrder,
    edit: (current: Campaign) => Campaign,
    { pinned = false, note = (was, is) => noteOf(order, was, is) }: EditOptions = {},
  ): Promise<Campaign> {
    for (let attempt = 1; ; attempt++) {
      const current = await this.#store.get(id);
      if (current === null || current.status === 'DELETED') throw campaignNotFound(id);
      const next = edit(current);
      try {
        await this.#store.update(next, current.version, note(current, next));
      } catch (error) {
        const lost = error instanceof AppError && error.code === 'stale_version';
        if (!lost || pinned || attempt === ATTEMPTS_MAX) throw error;
        continue;
      }
      await this.#shards.upsert(next);
      return next;
    }
  }

  /**
   * Marks a campaign deleted; its row and history stay.
   * @throws AppError `campaign_not_found` also for one deleted before, `unavailable`.
   */
  async remove(id: string, order: ChangeOrder, nowMs: number): Promise<Campaign> {
    const current = await this.#store.get(id);
    // An earlier DELETE may have been committed and then not have reached the shard: say it again.
    if (current?.status === 'DELETED') await this.#shards.upsert(current);
    return this.edit(id, order, (campaign) => nextVersion(campaign, { status: 'DELETED' }, nowMs));
  }

  /** One that continues a campaign that was taken back is not new: other pods may have heard of that. */
  readonly #announce = async (stored: Campaign): Promise<void> => {
    if (stored.version === FIRST_VERSION) await this.#shards.announce(stored);
  };

  async #takeBack(campaign: Campaign, order: ChangeOrder): Promise<void> {
    try {
      await this.#store.takeBack(campaign, noteOf(order, campaign, { ...campaign, status: 'DELETED' }));
    } catch (error) {
      // The row stays and no shard knows it; the client still hears of the limit.
      this.#log.error({ err: error, campaign_id: campaign.id }, 'a refused campaign could not be taken back');
    }
  }
}
