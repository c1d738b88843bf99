import { afterEach, describe, expect, test } from 'vitest';
import { movedDay } from '../../../src/domain/budget-day.ts';
import type { Campaign } from '../../../src/domain/campaign.ts';
import { REASONS } from '../../../src/domain/gate.ts';
import { OUTCOME_SUCCESS, OUTCOME_UNAVAILABLE } from '../../../src/messages/edge-shard.ts';
import { campaignOf, ShardHarness } from '../../support/shard-harness.ts';

const CENT = 10_000;
let harness: ShardHarness;

async function begin(more: Parameters<typeof campaignOf>[2] = {}): Promise<void> {
  harness = new ShardHarness();
  await Promise.all([harness.upsert(campaignOf('c', 100 * CENT, more)), harness.committed()]);
}

async function spend(micros: number, bidId = ''): Promise<number> {
  const outcome = harness.spend('c', micros, bidId);
  await harness.committed();
  return outcome;
}

async function reset(): Promise<string> {
  const result = harness.reset('c');
  await harness.committed();
  return result;
}

/** Bids until none is allowed, wins each at its price; micros. */
async function spendAll(bidMicros: number): Promise<number> {
  let spent = 0;
  for (let bid = 0; bid < 1_000; bid++) {
    const { takenMicros, maxBidMicros } = harness.decide('c', bidMicros);
    if (takenMicros === 0) {
      const before = spent;
      await harness.pass(100);
      if (harness.decide('c', bidMicros).takenMicros === 0) return before;
      spent += harness.decision.maxBidMicros;
      await spend(harness.decision.maxBidMicros);
      continue;
    }
    spent += maxBidMicros;
    await spend(maxBidMicros);
  }
  throw new Error('the budget has no end');
}

const reason = (bidMicros: number): string => REASONS[harness.decide('c', bidMicros).reason] ?? '';

afterEach(() => harness.close());

describe("a reset of a campaign's day", () => {
  test('lets the whole daily budget be spent again, and not a cent more', async () => {
    await begin();
    expect(await spendAll(CENT)).toBe(100 * CENT);
    expect(reason(CENT)).toBe('budget_exhausted');
    expect(await reset()).toBe('done');
    expect(harness.status('c')).toMatchObject({
      daily_spent_cents: 0,
      hourly_spent_cents: 0,
      total_spent_cents: 100,
      remaining_cents: 100,
      circuit_breaker_state: 'CLOSED',
      target_spent_cents: 0,
    });
    await harness.pass(1_000);
    expect(await spendAll(CENT)).toBe(100 * CENT);
    expect(harness.status('c')).toMatchObject({ daily_spent_cents: 100, total_spent_cents: 200 });
  });

  test('keeps what is in flight reserved', async () => {
    await begin();
    expect(harness.decide('c', 60 * CENT, 'b').takenMicros).toBe(60 * CENT);
    await spend(30 * CENT);
    expect(await reset()).toBe('done');
    expect(harness.status('c')).toMatchObject({
      daily_spent_cents: 0,
      reserved_cents: 60,
      remaining_cents: 40,
    });
    expect(await spend(60 * CENT, 'b')).toBe(OUTCOME_SUCCESS);
    expect(harness.status('c')).toMatchObject({ daily_spent_cents: 60, reserved_cents: 0 });
  });

  test('leaves the total budget as it is', async () => {
    await begin({ totalBudgetMicros: campaignOf('x', 150 * CENT).dailyBudgetMicros });
    expect(await spendAll(CENT)).toBe(100 * CENT);
    await reset();
    await harness.pass(1_000);
    expect(await spendAll(CENT)).toBe(50 * CENT);
    expect(reason(CENT)).toBe('total_budget_exhausted');
    expect(await reset()).toBe('done');
    expect(reason(CENT)).toBe('total_budget_exhausted');
  });

  test('closes a breaker that opened, and lets it trip again', async () => {
    await begin({ breakerThreshold: 0.5 });
    await spend(50 * CENT);
    expect(reason(1)).toBe('circuit_breaker_open');
    await reset();
    await harness.pass(1_000);
    expect(reason(1)).toBe('within_budget');
    await spend(50 * CENT);
    expect(reason(1)).toBe('circuit_breaker_open');
  });

  test('begins the plan anew from that moment', async () => {
    await begin({ pacingMode: 'EVEN' });
    await harness.leap(6 * 3_600_000);
    expect(harness.status('c').target_spent_cents).toBeCloseTo(50, 0);
    await reset();
    expect(harness.status('c').target_spent_cents).toBe(0);
    await harness.leap(3 * 3_600_000);
    expect(harness.status('c').target_spent_cents).toBeCloseTo(50, 0);
  });

  test('leaves the hour as the history knows it: what was spent, and what was planned before and after', async () => {
    await begin({ pacingMode: 'EVEN' });
    const hour = () => {
      const [account] = harness.shard.allAccounts();
      if (account === undefined) throw new Error('no account');
      return account.paced.hourRecord(harness.wallMs);
    };
    await spend(2 * CENT);
    await harness.leap(1_800_000);
    const plannedMicros = hour().plannedMicros;
    await reset();
    await spend(3 * CENT);
    expect(hour().spendMicros).toBe(5 * CENT);
    // What is left of the day is given the whole budget again: half an hour later a little more an hour.
    expect(hour().plannedMicros).toBeGreaterThan(plannedMicros);
    expect(hour().plannedMicros).toBeLessThan(1.05 * plannedMicros);
    await harness.crash();
    expect(hour()).toMatchObject({ spendMicros: 5 * CENT });
    expect(hour().plannedMicros).toBeGreaterThan(plannedMicros);
  });

  test('holds over a kill once it was answered', async () => {
    await begin();
    await spend(40 * CENT);
    await reset();
    await harness.crash();
    expect(harness.status('c')).toMatchObject({ daily_spent_cents: 0, total_spent_cents: 40 });
    await spend(5 * CENT);
    await harness.crash();
    expect(harness.status('c')).toMatchObject({
      daily_spent_cents: 5,
      hourly_spent_cents: 5,
      total_spent_cents: 45,
    });
  });

  test('does not let a spend that is taken back make room in the new count', async () => {
    await begin();
    await harness.committed();
    let release = (): void => undefined;
    harness.disk = new Promise((resolve) => {
      release = resolve;
    });
    harness.failure = new Error('no space left');
    const lost = harness.spend('c', 30 * CENT);
    harness.send();
    await new Promise((resolve) => setImmediate(resolve)); // its commit begins
    const result = harness.reset('c');
    const kept = harness.spend('c', 20 * CENT);
    const failed = lost.then((outcome) => {
      harness.failure = null;
      return outcome;
    });
    harness.send();
    release();
    await harness.committed();
    expect([await failed, await kept, await result]).toEqual([OUTCOME_UNAVAILABLE, OUTCOME_SUCCESS, 'done']);
    expect(harness.status('c')).toMatchObject({
      daily_spent_cents: 20,
      hourly_spent_cents: 20,
      total_spent_cents: 20,
    });
  });

  test('ends with the day as any other count does', async () => {
    await begin();
    await spend(40 * CENT);
    await reset();
    await spend(10 * CENT);
    await harness.leap(12 * 3_600_000);
    expect(harness.status('c')).toMatchObject({ daily_spent_cents: 0, total_spent_cents: 50 });
    await spend(1 * CENT);
    expect(harness.status('c')).toMatchObject({ daily_spent_cents: 1, hourly_spent_cents: 1 });
  });
});

describe('a change of zone that brings the local date back', () => {
  const HOUR_MS = 3_600_000;

  /** In New York, as of two hours after midnight in UTC. */
  async function beginInUtc(): Promise<Campaign> {
    await begin({ timezone: 'UTC' });
    const { wallMs } = harness;
    await harness.pass(26 * HOUR_MS - (wallMs % (24 * HOUR_MS)));
    const campaign = campaignOf('c', 100 * CENT, { timezone: 'UTC', version: 2 });
    return {
      ...campaign,
      timezone: 'America/New_York',
      ...movedDay(campaign, 'America/New_York', harness.wallMs),
    };
  }

  async function hear(campaign: Campaign): Promise<void> {
    await Promise.all([harness.upsert(campaign), harness.committed()]);
  }

  test('gives no new budget before that date is over, and then one', async () => {
    const moved = await beginInUtc();
    expect(await spendAll(CENT)).toBe(100 * CENT);
    await hear(moved);
    await harness.pass(1_000);
    expect(reason(CENT)).toBe('budget_exhausted');
    await harness.pass(4 * HOUR_MS);
    expect(await spendAll(CENT)).toBe(100 * CENT);
    expect(harness.status('c')).toMatchObject({ daily_spent_cents: 100, total_spent_cents: 200 });
  });

  test('gives the next date its budget also where it is heard of late', async () => {
    const moved = await beginInUtc();
    expect(await spendAll(CENT)).toBe(100 * CENT);
    await harness.pass(4 * HOUR_MS);
    expect(reason(CENT)).toBe('budget_exhausted');
    await hear(moved);
    await harness.pass(1_000);
    expect(await spendAll(CENT)).toBe(100 * CENT);
    expect(harness.status('c')).toMatchObject({ daily_spent_cents: 100, total_spent_cents: 200 });
  });
});
