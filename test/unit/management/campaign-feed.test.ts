import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { feedCampaigns } from '../../../src/management/campaign-feed.ts';
import type { Shards } from '../../../src/messages/shards.ts';
import type { CampaignStore } from '../../../src/sinks/postgres/campaign-store.ts';
import { someCampaign } from '../../support/campaigns.ts';

const PAGES = 12;

describe('the feed of campaigns at the start', () => {
  const store = {
    async *deletedPages() {},
    async *livePages() {
      for (let page = 0; page < PAGES; page++) yield [someCampaign({ id: `c${page}` })];
    },
  } as unknown as CampaignStore;
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => void unhandled.push(error);

  beforeEach(() => process.on('unhandledRejection', note));
  afterEach(() => process.off('unhandledRejection', note));

  test('has some pages under way, not all of them', async () => {
    let underWay = 0;
    let most = 0;
    const upsertAll = async (): Promise<number> => {
      most = Math.max(most, ++underWay);
      await wait(5);
      underWay--;
      return 0;
    };
    const fed = await feedCampaigns(store, { upsertAll } as unknown as Shards);
    expect(fed).toEqual({ accepted: PAGES, refused: 0, deleted: 0 });
    expect(most).toBe(4);
  });

  test('fails, once, when a shard does not answer for pages that are not waited for yet', async () => {
    let pages = 0;
    const upsertAll = async (): Promise<number> => {
      if (++pages > 1) throw new Error('no answer');
      await wait(20);
      return 0;
    };
    await expect(feedCampaigns(store, { upsertAll } as unknown as Shards)).rejects.toThrow('no answer');
    await wait(5);
    expect(unhandled).toEqual([]);
  });
});
