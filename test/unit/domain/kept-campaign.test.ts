import { expect, test } from 'vitest';
import type { Campaign, CampaignTerms } from '../../../src/domain/campaign.ts';
import { keptCampaign } from '../../../src/domain/kept-campaign.ts';
import { someCampaign } from '../../support/campaigns.ts';

const plain = someCampaign();
const full = someCampaign({
  id: 'camp-002',
  startDate: '2026-03-01',
  endDate: '2026-03-31',
  totalBudgetMicros: null,
  dayparts: [{ startHour: 8, endHour: 20 }],
  hourMultipliers: [{ hour: 3, multiplier: 2 }],
  targeting: { geo: ['DE'] },
  creative: { size: '300x250' },
  pacingMode: 'ADAPTIVE',
  pacingLever: 'BID',
  status: 'PAUSED',
  confidenceGate: true,
  dayReset: { date: '2026-03-02', count: 1, at: '2026-03-02T10:00:00.000Z' },
  zoneChange: {
    from: '2026-03-02',
    to: '2026-03-01',
    count: 1,
    day: '2026-03-02',
    since: '2026-03-02T00:00:00.000Z',
  },
  createdAt: '2026-03-01T10:00:00+01:00',
});
const notKept: readonly string[] = ['name', 'targeting', 'creative', 'updatedAt'];

test('a kept campaign has all that pacing goes by, as it was set', () => {
  for (const campaign of [plain, full, { ...full, id: 'camp-003' }, { ...plain, timezone: 'Asia/Tokyo' }]) {
    const kept = keptCampaign(structuredClone(campaign));
    const names = Object.keys(campaign).filter((name) => !notKept.includes(name)) as (keyof CampaignTerms)[];
    expect(names).toHaveLength(17);
    for (const name of names) expect(kept[name], name).toStrictEqual(campaign[name]);
  }
});

test('campaigns that differ in nothing but name and budget share their terms', () => {
  const like: Campaign = {
    ...full,
    id: 'camp-004',
    name: 'Autumn',
    dayparts: [{ startHour: 8, endHour: 20 }],
  };
  expect(keptCampaign(like).dayparts).toBe(keptCampaign(full).dayparts);
});
