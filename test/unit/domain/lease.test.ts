import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Lease } from '../../../src/domain/lease.ts';

const LEASE_MS = 1000;

function leased(micros: number): Lease {
  const lease = new Lease();
  lease.ask(micros);
  lease.granted(micros, 0, LEASE_MS);
  return lease;
}

describe('a lease', () => {
  test('is nothing before it was granted', () => {
    expect(new Lease().usable(0)).toBe(0);
  });

  test('is used up to what was asked for from the moment it is asked, whatever becomes of the request', () => {
    const lease = leased(100);
    lease.ask(40);
    expect(lease.usable(1)).toBe(40);
    lease.lost();
    expect(lease.usable(1)).toBe(40);
    lease.ask(90);
    expect(lease.usable(1)).toBe(40);
    lease.granted(70, 1, LEASE_MS);
    expect(lease.usable(1)).toBe(70);
  });

  test('ends by the time of its request, and is then claimed for no more than what cannot be given back', () => {
    const lease = leased(100);
    expect(lease.usable(899)).toBe(100);
    expect(lease.usable(900)).toBe(0);
    expect(lease.claim(30, 899)).toBe(100);
    expect(lease.claim(30, 900)).toBe(30);
  });

  test('loses what a bid held that was won elsewhere, also while a request is on its way', () => {
    const lease = leased(100);
    lease.moveAway(30);
    expect(lease.usable(1)).toBe(70);
    lease.ask(100);
    lease.moveAway(20);
    expect(lease.usable(1)).toBe(50);
    lease.granted(100, 1, LEASE_MS);
    expect(lease.usable(1)).toBe(80);
    lease.ask(100);
    lease.granted(100, 2, LEASE_MS);
    expect(lease.usable(2)).toBe(100);
  });

  test('begins a day with what was left of it', () => {
    const lease = leased(100);
    lease.beginDay(60);
    expect(lease.usable(1)).toBe(40);
  });

  test('is never more than what Redis counts, whichever requests and replies are lost', () => {
    const step = fc.record({
      cap: fc.integer({ min: 0, max: 1000 }),
      grant: fc.integer({ min: 0, max: 1000 }),
      fate: fc.constantFrom('answered', 'reply lost', 'request lost'),
    });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const lease = new Lease();
        let counted = 0;
        for (const { cap, grant, fate } of steps) {
          const held = lease.claim(0, 0);
          lease.ask(cap);
          expect(lease.heldMicros).toBeLessThanOrEqual(counted);
          if (fate !== 'request lost') counted = Math.max(Math.min(held, cap), Math.min(grant, cap));
          if (fate === 'answered') lease.granted(counted, 0, LEASE_MS);
          else lease.lost();
          expect(lease.heldMicros).toBeLessThanOrEqual(counted);
        }
      }),
    );
  });
});
