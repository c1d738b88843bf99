import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Reservations } from '../../../src/domain/reservations.ts';

const TTL_MS = 1000;

describe('a reservation', () => {
  test('with an id is released whole by its win or loss, once', () => {
    const reservations = new Reservations(TTL_MS);
    reservations.take(500, 0);
    reservations.name('b1', 300, 1);
    expect(reservations.totalMicros).toBe(500);
    expect(reservations.settle('b1')).toBe(300);
    expect(reservations.totalMicros).toBe(200);
    expect(reservations.settle('b1')).toBe(-1);
  });

  test('without an id releases what its spend reports, from the oldest', () => {
    const reservations = new Reservations(TTL_MS);
    reservations.take(100, 0);
    reservations.take(100, 500);
    expect(reservations.settleUnnamed(150)).toBe(150);
    expect(reservations.totalMicros).toBe(50);
    // What is left is of the younger bid: it outlives the older one's time.
    reservations.expire(TTL_MS + 100);
    expect(reservations.totalMicros).toBe(50);
    expect(reservations.settleUnnamed(80)).toBe(50);
  });

  test('never expires before its time and is gone soon after it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000 }), fc.boolean(), (takenAt, named) => {
        const reservations = new Reservations(TTL_MS);
        reservations.take(70, takenAt);
        if (named) reservations.name('b', 70, takenAt);
        reservations.expire(takenAt + TTL_MS - 1);
        expect(reservations.totalMicros).toBe(70);
        reservations.expire(takenAt + TTL_MS + TTL_MS / 24);
        expect(reservations.totalMicros).toBe(0);
      }),
    );
  });

  test('asked for twice under one id stands for both until it is settled', () => {
    const reservations = new Reservations(TTL_MS);
    reservations.take(200, 0);
    reservations.name('twice', 100, 0);
    reservations.name('twice', 100, 10);
    expect(reservations.settle('twice')).toBe(200);
  });
});

/** A bid that a bidder holds: allowed, not settled, not expired by the bidder's clock. */
interface Outstanding {
  readonly micros: number;
  readonly bornMs: number;
  readonly bidId: string;
}

const step = fc.record({
  kind: fc.constantFrom('bid', 'named bid', 'win', 'loss', 'wait'),
  micros: fc.integer({ min: 1, max: 1000 }),
  pick: fc.nat(),
  waitMs: fc.integer({ min: 0, max: 400 }),
});

test('whatever the order of bids, wins, losses and expiries, at least what is outstanding stays reserved', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const reservations = new Reservations(TTL_MS);
      let held: Outstanding[] = [];
      let nowMs = 0;
      let bids = 0;
      for (const { kind, micros, pick, waitMs } of steps) {
        const chosen = held[pick % Math.max(1, held.length)];
        if (kind === 'wait') nowMs += waitMs;
        else if (kind === 'bid' || kind === 'named bid') {
          const bidId = kind === 'bid' ? '' : `b${bids++}`;
          reservations.take(micros, nowMs);
          if (bidId !== '') reservations.name(bidId, micros, nowMs);
          held.push({ micros, bornMs: nowMs, bidId });
        } else if (chosen !== undefined && (kind === 'win' || chosen.bidId !== '')) {
          if (chosen.bidId !== '') reservations.settle(chosen.bidId);
          else reservations.settleUnnamed(1 + (pick % chosen.micros)); // it clears at or below its bid
          held = held.filter((bid) => bid !== chosen);
        }
        reservations.expire(nowMs);
        held = held.filter((bid) => nowMs - bid.bornMs < TTL_MS);
        const outstanding = held.reduce((sum, bid) => sum + bid.micros, 0);
        expect(reservations.totalMicros).toBeGreaterThanOrEqual(outstanding);
      }
      nowMs += 2 * TTL_MS;
      reservations.expire(nowMs);
      expect(reservations.totalMicros).toBe(0);
      expect(reservations.empty).toBe(true);
    }),
    { numRuns: 500 },
  );
});
