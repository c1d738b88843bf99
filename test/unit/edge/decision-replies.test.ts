import fc from 'fast-check';
import { Packr, unpack } from 'msgpackr';
import { expect, test } from 'vitest';
import { isAllowed, REASONS } from '../../../src/domain/gate.ts';
import {
  DECISION_BYTES_MAX,
  decisionBytes,
  decisionJson,
  JSON_FORM,
  PACKED_FORM,
} from '../../../src/edge/decision-forms.ts';
import { DecisionReply, JsonBatchReply, PackedBatchReply } from '../../../src/edge/decision-replies.ts';
import type { Decision } from '../../../src/table/pacing-table.ts';

const packr = new Packr({ useRecords: false, variableMapSize: true });

function bytesOf(reply: DecisionReply, decision: Decision): Buffer {
  return Buffer.from(new Uint8Array(reply.bytes(decision)));
}

const decision = fc.record({
  reason: fc.integer({ min: 0, max: REASONS.length - 1 }),
  maxBidMicros: fc.oneof(
    fc.constantFrom(1500, 1_500_000),
    fc.integer({ min: 0, max: 2 ** 53 }),
    fc.integer({ min: 0, max: 2 ** 41 }).map((cents) => Math.min(cents * 10_000, 2 ** 53)),
    fc.integer({ min: 0, max: 400 }).map((cents) => cents * 10_000),
  ),
  takenMicros: fc.constant(0),
  throttleRate: fc.integer({ min: 0, max: 2 ** 30 }).map((part) => part / 2 ** 30),
  degraded: fc.boolean(),
});

test('a reply is valid JSON that says what was decided', () => {
  const replies = new DecisionReply(JSON_FORM);
  fc.assert(
    fc.property(fc.array(decision, { maxLength: 50 }), (decisions) => {
      for (const each of decisions) {
        const reply = bytesOf(replies, each).toString();
        const parsed = JSON.parse(reply) as Record<string, unknown>;
        // Of the largest amounts a double's shortest text is another than the micros, and the same number.
        expect(parsed).toEqual(JSON.parse(decisionJson(each)));
        if (each.maxBidMicros < 2 ** 49) expect(reply).toBe(decisionJson(each));
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

test('a reply in msgpack says the same, as a packer of its JSON would', () => {
  const replies = new DecisionReply(PACKED_FORM);
  fc.assert(
    fc.property(fc.array(decision, { maxLength: 50 }), (decisions) => {
      for (const each of decisions) {
        const said: unknown = JSON.parse(decisionJson(each));
        const reply = bytesOf(replies, each);
        expect(unpack(reply)).toEqual(said);
        expect(reply.equals(packr.pack(said))).toBe(true);
      }
    }),
  );
});

test('a batch’s reply holds the replies of its decisions in their order, however long they are', () => {
  const batch = new JsonBatchReply(20);
  const packedBatch = new PackedBatchReply(20);
  fc.assert(
    fc.property(fc.array(decision, { minLength: 1, maxLength: 20 }), (decisions) => {
      batch.begin();
      packedBatch.begin(decisions.length);
      for (const each of decisions) {
        batch.add(each);
        packedBatch.add(each);
      }
      const text = Buffer.from(batch.finish()).toString();
      expect(JSON.parse(text)).toEqual({
        decisions: decisions.map((each) => JSON.parse(decisionJson(each))),
      });
      expect(Buffer.from(packedBatch.finish()).equals(packr.pack(JSON.parse(text)))).toBe(true);
    }),
  );
});

test.each([1, 15, 16, 255, 256, 1000])('a batch’s reply in msgpack holds %i decisions', (count) => {
  const each = { reason: 0, maxBidMicros: 1500, takenMicros: 0, throttleRate: 0.5, degraded: true };
  const batch = new PackedBatchReply(1000);
  batch.begin(count);
  for (let at = 0; at < count; at++) batch.add(each);
  const one: unknown = JSON.parse(decisionJson(each));
  const wanted = packr.pack({ decisions: Array.from({ length: count }, () => one) });
  expect(Buffer.from(batch.finish()).equals(wanted)).toBe(true);
});

test('no decision takes more bytes than there is room for', () => {
  const longest = { maxBidMicros: 2 ** 53 - 1, takenMicros: 0, throttleRate: 0.1234, degraded: true };
  for (let reason = 0; reason < REASONS.length; reason++) {
    for (const form of [JSON_FORM, PACKED_FORM]) {
      expect(decisionBytes(form, { ...longest, reason })).toBeLessThan(DECISION_BYTES_MAX);
    }
  }
});
