import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dealLeases, leaseWanted, podPassProbability } from '../../../src/domain/fleet-share.ts';

const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);

describe('a deal of leases', () => {
  test('grants every pod what it wants while the pool holds it, with equal shares', () => {
    const deal = dealLeases(1000, Float64Array.of(100, 300, 50), 20, 0);
    expect([...deal.grantsMicros]).toEqual([100, 300, 50]);
    expect([...deal.shares]).toEqual([1 / 3, 1 / 3, 1 / 3]);
  });

  test('grants equal parts when the pool is short but each part holds two of the largest bids', () => {
    const deal = dealLeases(300, Float64Array.of(100, 300, 50), 50, 0);
    expect([...deal.grantsMicros]).toEqual([100, 100, 100]);
    expect([...deal.shares]).toEqual([1 / 3, 1 / 3, 1 / 3]);
  });

  test('deals whole bids round the pods from the start when parts would be smaller than two bids', () => {
    const deal = dealLeases(270, Float64Array.of(200, 200, 200), 50, 2);
    // Five bids and 20 micros from pod 2: pods 2, 0, 1, 2, 0, and the rest to pod 1.
    expect([...deal.grantsMicros]).toEqual([100, 70, 100]);
    expect(sum(deal.shares)).toBeCloseTo(1, 12);
    expect(deal.shares[1]).toBeCloseTo(70 / 270, 12);
  });

  test('gives less than one bid to one pod, and to another at the next sync', () => {
    const wants = Float64Array.of(200, 200, 200);
    const first = dealLeases(30, wants, 50, 1);
    expect([...first.grantsMicros]).toEqual([0, 30, 0]);
    expect([...first.shares]).toEqual([0, 1, 0]);
    const next = dealLeases(30, wants, 50, first.nextStart);
    expect([...next.grantsMicros]).toEqual([0, 0, 30]);
  });

  test('grants nothing of an empty or overdrawn pool', () => {
    for (const pool of [0, -5, 0.5]) {
      const deal = dealLeases(pool, Float64Array.of(10, 10), 5, 0);
      expect([...deal.grantsMicros]).toEqual([0, 0]);
      expect([...deal.shares]).toEqual([0, 0]);
    }
  });

  test('splits the pool while no bid is known', () => {
    expect([...dealLeases(101, Float64Array.of(0, 0), 0, 0).grantsMicros]).toEqual([50, 50]);
  });

  test('never grants more than the pool, in whole micros, and its shares are parts of one', () => {
    const micros = fc.integer({ min: 0, max: 2 ** 40 });
    const pods = fc.array(micros, { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(micros, pods, micros, fc.nat(11), (pool, wants, bid, turn) => {
        const deal = dealLeases(pool, Float64Array.from(wants), bid, turn % wants.length);
        const granted = sum(deal.grantsMicros);
        expect(granted).toBeLessThanOrEqual(pool);
        expect([...deal.grantsMicros].every((grant) => Number.isInteger(grant) && grant >= 0)).toBe(true);
        const shared = sum(deal.shares);
        expect(Math.abs(shared - (granted > 0 || shared > 0.5 ? 1 : 0))).toBeLessThan(1e-9);
        expect(deal.nextStart).toBeLessThan(wants.length);
      }),
    );
  });

  test('comes round: over as many syncs as pods, each gets the last bid once', () => {
    const wants = Float64Array.of(100, 100, 100, 100);
    const got = new Float64Array(4);
    let start = 3;
    for (let sync = 0; sync < 4; sync++) {
      const deal = dealLeases(50, wants, 50, start);
      deal.grantsMicros.forEach((grant, pod) => {
        got[pod] = (got[pod] ?? 0) + grant;
      });
      start = deal.nextStart;
    }
    expect([...got]).toEqual([50, 50, 50, 50]);
  });
});

test('a pod wants room for two of the largest bids, or for three times what it last allowed', () => {
  expect(leaseWanted(100, 50)).toBe(200);
  expect(leaseWanted(100, 90)).toBe(270);
});

test('a pod passes in proportion to its share, and never more than all', () => {
  expect(podPassProbability(0.2, 8, 1 / 8)).toBeCloseTo(0.2, 12);
  expect(podPassProbability(0.2, 8, 1 / 4)).toBeCloseTo(0.4, 12);
  expect(podPassProbability(0.2, 8, 1)).toBe(1);
  expect(podPassProbability(0.2, 8, 0)).toBe(0);
});
