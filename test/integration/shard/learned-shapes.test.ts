import { afterEach, describe, expect, test } from 'vitest';
import { FLEET_SHAPE_ID, type StoredTraffic } from '../../../src/domain/stored-traffic.ts';
import { campaignOf, ShardHarness } from '../../support/shard-harness.ts';

const CENT = 10_000;
const HOUR_MS = 3_600_000;
const START_MS = Date.parse('2026-03-02T00:00:00Z');
const BUDGET_CENTS = 2_400;
let harness: ShardHarness;

/** All of a day's traffic comes from noon on. */
function afternoons(campaignId: string, days = 20): StoredTraffic {
  const week = Array.from({ length: 7 }, () =>
    Array.from({ length: 24 }, (_, hour) => (hour < 12 ? 0 : 1 / 12)),
  );
  return { campaignId, days, asks: week, supply: week };
}

async function begin(mode: 'ADAPTIVE' | 'EVEN' = 'ADAPTIVE'): Promise<void> {
  harness = new ShardHarness({ startMs: START_MS });
  const campaign = campaignOf('c', BUDGET_CENTS * CENT, { pacingMode: mode });
  await Promise.all([harness.upsert(campaign), harness.committed()]);
}

async function learn(...shapes: StoredTraffic[]): Promise<void> {
  await harness.shard.learn(shapes);
  await harness.committed();
}

const target = (): number => harness.status('c').target_spent_cents;

afterEach(() => harness.close());

describe('a learned shape that reaches a shard', () => {
  test('is planned by from then on, without a jump in the target', async () => {
    await begin();
    await harness.pass(4 * HOUR_MS);
    const before = target();
    expect(before).toBeGreaterThan(0);
    await learn(afternoons('c'));
    expect(target()).toBeCloseTo(before, 2);
    await harness.pass(8 * HOUR_MS);
    expect(target()).toBeCloseTo(before, 2);
    await harness.pass(6 * HOUR_MS);
    expect(target()).toBeCloseTo(before + (BUDGET_CENTS - before) / 2, 0);
  });

  test('still holds after a crash, with the target where it was', async () => {
    await begin();
    await harness.pass(4 * HOUR_MS);
    await learn(afternoons('c'));
    await harness.pass(10 * HOUR_MS);
    const before = target();
    await harness.crash();
    expect(target()).toBeCloseTo(before, 2);
  });

  test('is the fleet’s for a campaign that has none of its own, and its own once there is one', async () => {
    await begin();
    await learn(afternoons(FLEET_SHAPE_ID));
    await harness.pass(6 * HOUR_MS);
    expect(target()).toBeLessThan(1);
    const flat = new Array<number[]>(7).fill(new Array<number>(24).fill(1 / 24));
    await learn({ campaignId: 'c', days: 20, asks: flat, supply: flat });
    await harness.pass(6 * HOUR_MS);
    expect(target()).toBeCloseTo(BUDGET_CENTS / 3, -1);
  });

  test('does not touch the plan of a campaign that is spread evenly', async () => {
    await begin('EVEN');
    await harness.pass(6 * HOUR_MS);
    await learn(afternoons('c'), afternoons(FLEET_SHAPE_ID));
    await harness.pass(6 * HOUR_MS);
    expect(target()).toBeCloseTo(BUDGET_CENTS / 2, 0);
  });

  test('that it has already, or of a campaign it does not know, changes nothing', async () => {
    await begin();
    await learn(afternoons('c'), afternoons('someone-else'));
    await harness.pass(14 * HOUR_MS);
    const before = target();
    await learn(afternoons('c'));
    expect(target()).toBeCloseTo(before, 2);
  });
});
