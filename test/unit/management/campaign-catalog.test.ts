import { describe, expect, it } from 'vitest';
import { briefOf, type CampaignBrief } from '../../../src/domain/campaign.ts';
import { micros } from '../../../src/domain/money.ts';
import { CampaignCatalog } from '../../../src/management/live/campaign-catalog.ts';
import { hashId } from '../../../src/table/hash.ts';
import { IdIndex } from '../../../src/table/id-index.ts';
import { allocateTable } from '../../../src/table/layout.ts';
import { someCampaign } from '../../support/campaigns.ts';

const CAMPAIGNS = 3_000;

const brief = (changes: Partial<CampaignBrief>): CampaignBrief =>
  briefOf(someCampaign(changes as Parameters<typeof someCampaign>[0]));

function table() {
  const memory = allocateTable(CAMPAIGNS, 1, 1);
  return { catalog: new CampaignCatalog(memory), index: new IdIndex(memory) };
}

describe('the catalog', () => {
  it('tells of each campaign what it was told of it', () => {
    const { catalog, index } = table();
    const told = Array.from({ length: CAMPAIGNS }, (_, at) =>
      brief({
        id: `c-${at}`,
        name: `the campaign ${at}`,
        status: (['ACTIVE', 'PAUSED', 'ENDED', 'DELETED'] as const)[at % 4] ?? 'ACTIVE',
        pacingMode: (['EVEN', 'ASAP', 'FRONT_LOADED', 'ADAPTIVE'] as const)[at % 4] ?? 'EVEN',
        timezone: ['UTC', 'Asia/Tokyo', 'America/New_York'][at % 3] ?? 'UTC',
        dailyBudgetMicros: micros(at * 10_000_000_000),
        totalBudgetMicros: at % 2 === 0 ? null : micros(at),
        breakerThreshold: 0.5 + (at % 5) / 10,
        version: at + 1,
      }),
    );
    for (const [slot, { id }] of told.entries()) index.insert(id, slot);
    for (const each of told) catalog.learn(each);
    expect(told.map(({ id }) => catalog.get(id))).toEqual(told);
    expect(told.map((_, slot) => catalog.of(slot))).toEqual(told);
  });

  it('keeps the newest version, whatever comes last', () => {
    const { catalog, index } = table();
    index.insert('a', 7);
    catalog.learn(brief({ id: 'a', status: 'ACTIVE', version: 3 }));
    catalog.learn(brief({ id: 'a', status: 'DELETED', version: 2 }));
    expect(catalog.get('a')?.status).toBe('ACTIVE');
    expect(catalog.version(7)).toBe(3);
  });

  it('knows nothing of a campaign that nobody told of, or that is not on the table', () => {
    const { catalog, index } = table();
    index.insert('a', 7);
    catalog.learn(brief({ id: 'b' }));
    expect(catalog.get('a')).toBeUndefined();
    expect(catalog.get('b')).toBeUndefined();
    expect(catalog.of(7)).toBeUndefined();
  });

  it('tells nothing of a campaign as of the next one in its slot, whatever their versions', () => {
    const { catalog, index } = table();
    index.insert('a', 7);
    catalog.learn(brief({ id: 'a', version: 5 }));
    index.remove('a');
    expect(catalog.get('a')).toBeUndefined();
    index.insert('b', 7);
    expect(catalog.of(7)).toBeUndefined();
    expect(catalog.knows(7, hashId('b'))).toBe(false);
    catalog.learn(brief({ id: 'b', name: 'the next', version: 1 }));
    expect(catalog.of(7)?.name).toBe('the next');
  });
});
