import { describe, expect, test } from 'vitest';
import {
  blendTraffic,
  decodeStoredTraffic,
  encodeStoredTraffic,
  fleetTraffic,
  type StoredTraffic,
} from '../../../src/domain/stored-traffic.ts';

const week = (weight: (day: number, hour: number) => number) =>
  Array.from({ length: 7 }, (_, day) => Array.from({ length: 24 }, (_, hour) => weight(day, hour)));
const sumOf = (weights: readonly number[]) => weights.reduce((sum, weight) => sum + weight, 0);

function stored(changes: Partial<StoredTraffic> = {}): StoredTraffic {
  return {
    campaignId: 'camp-001',
    days: 12,
    asks: week((day, hour) => Math.fround(1 + day + hour)),
    supply: week((day, hour) => Math.fround(2 + day * hour)),
    ...changes,
  };
}

const ofFleet = () => fleetTraffic(stored())[5] ?? null;
const own = { asks: new Array<number>(24).fill(1), supply: new Array<number>(24).fill(7) };

describe('stored traffic', () => {
  test('comes back from its bytes as it was', () => {
    expect(decodeStoredTraffic('camp-001', encodeStoredTraffic(stored()))).toEqual(stored());
  });

  test('is nothing from bytes of another length or version, or with what no weight can be', () => {
    const bytes = encodeStoredTraffic(stored());
    expect(decodeStoredTraffic('camp-001', bytes.subarray(4))).toBeNull();
    expect(decodeStoredTraffic('camp-001', new Uint8Array(bytes.length))).toBeNull();
    expect(decodeStoredTraffic('camp-001', encodeStoredTraffic(stored({ days: -1 })))).toBeNull();
  });
});

describe('what to expect', () => {
  test('is what was stored where the pod has learned nothing by itself', () => {
    expect(blendTraffic(null, stored(), null, 3)).toEqual({
      asks: stored().asks[3],
      supply: stored().supply[3],
    });
  });

  test('is the pod’s own where nothing was stored', () => {
    expect(blendTraffic({ traffic: own, days: 3 }, null, ofFleet(), 3)).toBe(own);
  });

  test('is both, each by the days it stands on', () => {
    const traffic = blendTraffic({ traffic: own, days: 4 }, stored({ days: 12 }), null, 0);
    const asks = stored().asks[0] ?? [];
    expect(sumOf(traffic?.asks ?? [])).toBeCloseTo(1);
    expect(traffic?.asks[0]).toBeCloseTo(0.25 / 24 + (0.75 * (asks[0] ?? 0)) / sumOf(asks));
    expect(sumOf(traffic?.supply ?? [])).toBeCloseTo(1);
  });

  test('is the fleet’s where there is neither, and says nothing of the supply', () => {
    const traffic = blendTraffic(null, null, ofFleet(), 5);
    expect(traffic).toEqual({ asks: stored().asks[5], supply: null });
    expect(fleetTraffic(null)).toEqual([]);
    expect(blendTraffic(null, null, null, 5)).toBeNull();
  });
});
