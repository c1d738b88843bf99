import { describe, expect, test } from 'vitest';
import { CurveCache } from '../../../src/domain/curve-cache.ts';
import { flightBounds } from '../../../src/domain/flight.ts';
import { localDayAt } from '../../../src/domain/local-day.ts';
import { someCampaign } from '../../support/campaigns.ts';

const NOON = Date.parse('2026-03-03T12:00:00Z');
const rising = Array.from({ length: 24 }, (_, hour) => 1 + hour);
const falling = [...rising].reverse();

function curves() {
  const cache = new CurveCache();
  return (
    changes: Parameters<typeof someCampaign>[0],
    traffic: Parameters<CurveCache['curveFor']>[3] = null,
  ) => {
    const campaign = someCampaign(changes);
    return cache.curveFor(campaign, localDayAt(campaign.timezone, NOON), flightBounds(campaign), traffic);
  };
}

describe('a target curve', () => {
  test('is one for all campaigns that are planned alike', () => {
    const curveOf = curves();
    expect(curveOf({ id: 'a' })).toBe(curveOf({ id: 'b' }));
    expect(curveOf({ id: 'a' })).not.toBe(curveOf({ id: 'b', dayparts: [{ startHour: 8, endHour: 20 }] }));
    expect(curveOf({ id: 'a' })).not.toBe(curveOf({ id: 'b', timezone: 'Asia/Tokyo' }));
  });

  test('is one for all that go by the fleet’s shape, until that is another', () => {
    const curveOf = curves();
    const fleet = { asks: rising, supply: null };
    const first = curveOf({ id: 'a', pacingMode: 'ADAPTIVE' }, fleet);
    expect(curveOf({ id: 'b', pacingMode: 'ADAPTIVE' }, { asks: [...rising], supply: null })).toBe(first);
    const other = curveOf({ id: 'a', pacingMode: 'ADAPTIVE' }, { asks: falling, supply: null });
    expect(other.cumulative[48]).toBeGreaterThan(first.cumulative[48] ?? 1);
    expect(curveOf({ id: 'a', pacingMode: 'ADAPTIVE' }).cumulative).not.toEqual(first.cumulative);
  });

  test('is a campaign’s own where its traffic is known', () => {
    const curveOf = curves();
    const own = { asks: rising, supply: rising };
    const first = curveOf({ id: 'a', pacingMode: 'ADAPTIVE' }, own);
    const second = curveOf({ id: 'b', pacingMode: 'ADAPTIVE' }, own);
    expect(second).not.toBe(first);
    expect(second.cumulative).toEqual(first.cumulative);
  });

  test('follows no traffic in another mode', () => {
    const curveOf = curves();
    expect(curveOf({ id: 'a', pacingMode: 'EVEN' }, { asks: rising, supply: rising })).toBe(
      curveOf({ id: 'b', pacingMode: 'EVEN' }),
    );
  });
});
