import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { describe, expect, test } from 'vitest';
import { PACING_MODES } from '../../../src/domain/campaign.ts';
import type { HourRecord } from '../../../src/domain/pacing-settings.ts';
import type { OutboxEntry } from '../../../src/shard/ledger.ts';
import { fromStored, type StoredEntry, toStored } from '../../../src/shard/outbox-row.ts';

const count = fc.maxSafeNat();

const hours: fc.Arbitrary<HourRecord> = fc.record({
  campaignId: fc.stringMatching(/^[A-Za-z0-9._:-]{1,128}$/),
  hourStartMs: count,
  localDate: fc.constant('2026-03-02'),
  localHour: fc.integer({ min: 0, max: 23 }),
  spendMicros: count,
  impressions: count,
  clicks: count,
  wins: count,
  asks: fc.double({ min: 0, noNaN: true }),
  allowed: fc.double({ min: 0, noNaN: true }),
  plannedMicros: count,
  budgetMicros: count,
  pacingMode: fc.constantFrom(...PACING_MODES),
  campaignVersion: fc.integer({ min: 1 }),
  atMs: count,
});

/** Through the bytes of the ledger. */
function kept(value: StoredEntry): StoredEntry {
  const packr = new Packr({ copyBuffers: true });
  return packr.unpack(packr.pack(value)) as StoredEntry;
}

describe('an entry of the outbox', () => {
  test('gives back every field of an hour', () => {
    fc.assert(
      fc.property(hours, (hour) => {
        const entry: OutboxEntry = { kind: 'hour', hour };
        expect(fromStored(kept(toStored(entry)))).toEqual(entry);
      }),
    );
  });

  test('is read as it was written before hours were rows', () => {
    const [hour] = fc.sample(hours, 1) as [HourRecord];
    const entry: OutboxEntry = { kind: 'hour', hour };
    expect(fromStored(kept(entry))).toEqual(entry);
  });

  test('stands as it is when it is no hour', () => {
    const entry: OutboxEntry = { kind: 'resolved', resolutions: [] };
    expect(toStored(entry)).toBe(entry);
    expect(fromStored(kept(entry))).toEqual(entry);
  });

  test('is refused when a newer release wrote it in another form', () => {
    const [hour] = fc.sample(hours, 1) as [HourRecord];
    const [, ...fields] = toStored({ kind: 'hour', hour }) as unknown as unknown[];
    expect(() => fromStored([2, ...fields] as unknown as StoredEntry)).toThrow('newer release');
  });
});
