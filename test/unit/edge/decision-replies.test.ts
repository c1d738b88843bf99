import fc from 'fast-check';
import { Packr, unpack } from 'msgpackr';
import { expect, test } from 'vitest';
import { isAllowed, REASONS } from '../../../src/domain/gate.ts';
import {
  decisionBytes,
  decisionJson,
  decisionPacked,
  JsonBatchReply,
  PackedBatchReply,
  ReplyCache,
} from '../../../src/edge/decision-replies.ts';

const packr = new Packr({ useRecords: false, variableMapSize: true });

const decision = fc.record({
  reason: fc.integer({ min: 0, max: REASONS.length - 1 }),
  maxBidMicros: fc.oneof(fc.constantFrom(1500, 1_500_000), fc.integer({ min: 0, max: 2 ** 53 })),
  takenMicros: fc.constant(0),
  throttleRate: fc.integer({ min: 0, max: 2 ** 30 }).map((part) => part / 2 ** 30),
  degraded: fc.boolean(),
});

test('a reply is valid JSON that says what was decided, whether it is made or remembered', () => {
  const cache = new ReplyCache(decisionBytes);
  fc.assert(
    fc.property(fc.array(decision, { maxLength: 50 }), (decisions) => {
      for (const each of [...decisions, ...decisions]) {
        const reply = Buffer.from(cache.bytes(each)).toString();
        expect(reply).toBe(decisionJson(each));
        const parsed = JSON.parse(reply) as Record<string, unknown>;
        const allowed = isAllowed(each.reason);
        expect(parsed).toEqual({
          allow_bid: allowed,
          max_bid_cents: allowed ? each.maxBidMicros / 10_000 : 0,
          throttle_rate: expect.closeTo(each.throttleRate, 4),
          reason: REASONS[each.reason],
          ...(each.degraded ? { warning: 'Operating in degraded mode' } : {}),
        });
      }
    }),
  );
});

test('a reply in msgpack says the same, as a packer of its JSON would, whether it is made or remembered', () => {
  const cache = new ReplyCache(decisionPacked);
  fc.assert(
    fc.property(fc.array(decision, { maxLength: 50 }), (decisions) => {
      for (const each of [...decisions, ...decisions]) {
        const said: unknown = JSON.parse(decisionJson(each));
        const reply = Buffer.from(cache.bytes(each));
        expect(unpack(reply)).toEqual(said);
        expect(reply.equals(packr.pack(said))).toBe(true);
      }
    }),
  );
});

test('a batch’s reply holds the replies of its decisions in their order, however long they are', () => {
  const cache = new ReplyCache(decisionBytes);
  const packedCache = new ReplyCache(decisionPacked);
  const batch = new JsonBatchReply(20);
  const packedBatch = new PackedBatchReply(20);
  fc.assert(
    fc.property(fc.array(decision, { minLength: 1, maxLength: 20 }), (decisions) => {
      batch.begin();
      packedBatch.begin(decisions.length);
      for (const each of decisions) {
        batch.add(cache.view(each));
        packedBatch.add(packedCache.view(each));
      }
      const text = Buffer.from(batch.finish()).toString();
      expect(text).toBe(`{"decisions":[${decisions.map(decisionJson).join(',')}]}`);
      expect(Buffer.from(packedBatch.finish()).equals(packr.pack(JSON.parse(text)))).toBe(true);
    }),
  );
});

test.each([1, 15, 16, 255, 256, 1000])('a batch’s reply in msgpack holds %i decisions', (count) => {
  const each = { reason: 0, maxBidMicros: 1500, takenMicros: 0, throttleRate: 0.5, degraded: true };
  const batch = new PackedBatchReply(1000);
  batch.begin(count);
  for (let at = 0; at < count; at++) batch.add(new Uint8Array(decisionPacked(each)));
  const one: unknown = JSON.parse(decisionJson(each));
  const wanted = packr.pack({ decisions: Array.from({ length: count }, () => one) });
  expect(Buffer.from(batch.finish()).equals(wanted)).toBe(true);
});
