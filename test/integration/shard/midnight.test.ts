/** Midnight is the same moment for all campaigns of a zone: their days turn bit by bit, and nothing waits for all of them. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CYCLE_MS } from '../../../src/shard/duty-cycle.ts';
import { campaignOf, ShardHarness } from '../../support/shard-harness.ts';

const CAMPAIGNS = 1000;
/** Campaigns whose day may turn in a cycle: what becomes due by itself, and a share of those that are paced anyway. */
const TURNED_A_CYCLE_MAX = 350;
const MIDNIGHT_MS = Date.parse('2026-03-03T00:00:00Z');
const BUDGET_MICROS = 1_000_000;

describe('at midnight', () => {
  const ids = Array.from({ length: CAMPAIGNS }, (_, at) => `c-${at}`);
  let harness: ShardHarness;

  beforeEach(async () => {
    harness = new ShardHarness({ campaignsMax: CAMPAIGNS, startMs: MIDNIGHT_MS - 60_000 });
    await Promise.all(ids.map((id) => harness.upsert(campaignOf(id, BUDGET_MICROS))));
  });
  afterEach(() => harness.close());

  const turned = (): number =>
    [...harness.shard.allAccounts()].filter(({ paced }) => paced.day.date === '2026-03-03').length;

  async function spendAll(): Promise<void> {
    const settled = ids.map((id) => {
      harness.decide(id, BUDGET_MICROS, `${id}-bid`);
      return harness.spend(id, BUDGET_MICROS, `${id}-bid`);
    });
    await harness.pass(1000);
    await Promise.all(settled);
  }

  it('the days of many campaigns turn over some cycles, all of them within seconds', async () => {
    await spendAll();
    await harness.pass(MIDNIGHT_MS - harness.wallMs - CYCLE_MS);
    expect(turned()).toBe(0);
    const perCycle: number[] = [];
    for (let before = 0; perCycle.length < 100 && before < CAMPAIGNS; before = turned()) {
      await harness.pass(CYCLE_MS);
      perCycle.push(turned() - before);
    }
    expect(turned()).toBe(CAMPAIGNS);
    expect(Math.max(...perCycle)).toBeLessThanOrEqual(TURNED_A_CYCLE_MAX);
    expect(perCycle[0]).toBeGreaterThan(0);
  });

  it('a spend counts for the new day of a campaign whose turn has not come', async () => {
    await spendAll();
    await harness.pass(MIDNIGHT_MS - harness.wallMs);
    const waiting = [...harness.shard.allAccounts()].find(({ paced }) => paced.day.date === '2026-03-02');
    const id = waiting?.campaign.id ?? '';
    const counted = harness.spend(id, 300_000);
    harness.send();
    expect(harness.status(id)).toMatchObject({ local_day: '2026-03-03', daily_spent_cents: 30 });
    await harness.committed();
    await counted;
  });
});
