import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  BatchReader,
  BatchWriter,
  KIND_LOSS,
  KIND_RESERVE,
  KIND_SPEND,
  KIND_STATUS,
} from '../../../src/messages/edge-shard.ts';

const text = fc.oneof(fc.constant(''), fc.stringMatching(/^[A-Za-z0-9._:-]{1,20}$/));
const record = fc.record({
  kind: fc.constantFrom(KIND_SPEND, KIND_LOSS, KIND_RESERVE, KIND_STATUS),
  ticket: fc.integer({ min: -1, max: 65_535 }),
  slot: fc.integer({ min: -1, max: 4_000_000 }),
  campaignId: fc.stringMatching(/^[A-Za-z0-9._:-]{1,20}$/),
  micros: fc.integer({ min: 0, max: 2 ** 53 }),
  impressions: fc.nat(),
  clicks: fc.nat(),
  bidId: text,
  eventId: text,
});

test('a batch is read as it was written, record by record, and the writer can be used again', () => {
  const writer = new BatchWriter();
  const reader = new BatchReader();
  fc.assert(
    fc.property(fc.array(record, { maxLength: 200 }), (records) => {
      for (const { kind, ticket, slot, campaignId, micros, impressions, clicks, bidId, eventId } of records) {
        writer.add(kind, ticket, slot, campaignId, micros, impressions, clicks, bidId, eventId);
      }
      expect(writer.empty).toBe(records.length === 0);
      reader.open(structuredClone(writer.finish()));
      for (const written of records) {
        expect(reader.next()).toBe(true);
        expect(reader).toMatchObject({ ...written, campaignId: written.slot < 0 ? written.campaignId : '' });
      }
      expect(reader.next()).toBe(false);
      expect(writer.empty).toBe(true);
    }),
  );
});
