import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isAllowed, REASONS } from '../../../src/domain/gate.ts';
import { decisionJson, ReplyCache } from '../../../src/edge/replies.ts';

const decision = fc.record({
  reason: fc.integer({ min: 0, max: REASONS.length - 1 }),
  maxBidMicros: fc.oneof(fc.constantFrom(1500, 1_500_000), fc.integer({ min: 0, max: 2 ** 53 })),
  takenMicros: fc.constant(0),
  throttleRate: fc.integer({ min: 0, max: 2 ** 30 }).map((part) => part / 2 ** 30),
  degraded: fc.boolean(),
});

test('a reply is valid JSON that says what was decided, whether it is made or remembered', () => {
  const cache = new ReplyCache();
  fc.assert(
    fc.property(fc.array(decision, { maxLength: 50 }), (decisions) => {
      for (const each of [...decisions, ...decisions]) {
        const reply = cache.json(each);
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
