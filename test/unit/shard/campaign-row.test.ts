import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { describe, expect, test } from 'vitest';
import { type Campaign, PACING_LEVERS, PACING_MODES } from '../../../src/domain/campaign.ts';
import { micros } from '../../../src/domain/money.ts';
import { fromRow, isRow, type StoredCampaign, toRow } from '../../../src/shard/campaign-row.ts';
import { campaignOf } from '../../support/shard-harness.ts';

const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { nil: null });
const amount = fc.maxSafeNat().map((value) => micros(value));
const instant = fc.date({ noInvalidDate: true }).map((date) => date.toISOString());
const date = fc.constant('2026-03-02');
const hour = fc.integer({ min: 0, max: 23 });
const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);

const campaigns: fc.Arbitrary<Campaign> = fc.record({
  id: fc.stringMatching(/^[A-Za-z0-9._:-]{1,128}$/),
  name: fc.string(),
  dailyBudgetMicros: amount,
  totalBudgetMicros: maybe(amount),
  startDate: maybe(instant),
  endDate: maybe(fc.constant('2026-03-31')),
  timezone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York'),
  pacingMode: fc.constantFrom(...PACING_MODES),
  pacingLever: fc.constantFrom(...PACING_LEVERS),
  status: fc.constantFrom('ACTIVE', 'PAUSED', 'ENDED', 'DELETED'),
  breakerThreshold: fc.double({ min: 0, max: 1, noNaN: true }),
  dayparts: maybe(fc.array(fc.record({ startHour: hour, endHour: hour }))),
  hourMultipliers: maybe(fc.array(fc.record({ hour, multiplier: fc.integer({ min: 0, max: 100 }) }))),
  confidenceGate: fc.boolean(),
  dayReset: maybe(fc.record({ date, count: fc.nat(), at: instant })),
  zoneChange: maybe(fc.record({ from: date, to: date, count: fc.nat(), day: date, since: instant })),
  targeting: maybe(json),
  creative: maybe(json),
  version: fc.integer({ min: 1 }),
  createdAt: instant,
  updatedAt: instant,
});

/** Through the bytes of the ledger. */
function stored(value: StoredCampaign): StoredCampaign {
  const packr = new Packr({ copyBuffers: true });
  return packr.unpack(packr.pack(value)) as StoredCampaign;
}

describe('the row of a campaign', () => {
  test('gives back every field', () => {
    fc.assert(
      fc.property(campaigns, fc.boolean(), (drawn, untouched) => {
        const campaign = untouched ? { ...drawn, updatedAt: drawn.createdAt } : drawn;
        expect(fromRow(campaign.id, stored(toRow(campaign)))).toEqual(campaign);
      }),
    );
  });

  test('keeps any JSON as it is, whatever its keys are called', () => {
    const targeting: unknown = JSON.parse('{"__proto__":{"a":[1,null]},"constructor":"b"}');
    const campaign = campaignOf('c', 1_000_000, { targeting, creative: 'text' });
    const kept = fromRow('c', stored(toRow(campaign)));
    expect(JSON.stringify(kept.targeting)).toBe(JSON.stringify(targeting));
    expect(kept).toEqual(campaign);
  });

  test('has all the fields that there are', () => {
    const campaign = campaignOf('c', 1_000_000);
    expect(Object.keys(fromRow('c', toRow(campaign))).sort()).toEqual(Object.keys(campaign).sort());
    expect(toRow(campaign)).toHaveLength(Object.keys(campaign).length); // the form stands for the id
  });

  test('takes a third of the campaign with its names', () => {
    const campaign = campaignOf('camp-00001', 1_000_000, { name: 'A name' });
    const packr = new Packr();
    expect(packr.pack(toRow(campaign)).length * 3).toBeLessThan(packr.pack(campaign).length);
  });

  test('is told from a campaign as it was kept before, which is read as well', () => {
    const campaign = campaignOf('c', 1_000_000, { targeting: { geo: ['DE'] } });
    const { zoneChange: _added, ...known } = campaign;
    const before = stored(known as Campaign);
    expect(isRow(before)).toBe(false);
    expect(fromRow('c', before)).toEqual(campaign);
    expect(isRow(stored(toRow(campaign)))).toBe(true);
  });

  test('of a form that a newer release writes is refused', () => {
    const [, ...fields] = toRow(campaignOf('c', 1_000_000));
    const newer = [2, ...fields] as unknown as StoredCampaign;
    expect(() => fromRow('c', newer)).toThrow('newer release');
  });
});
