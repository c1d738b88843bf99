/** A wall clock that is set forth and back by hours, as a bad NTP step does, while the pod goes on. */
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { isAllowed, REASONS } from '../../../src/domain/gate.ts';
import { OUTCOME_SUCCESS } from '../../../src/messages/edge-shard.ts';
import { campaignOf, type HarnessOptions, ShardHarness } from '../../support/shard-harness.ts';

const CENT = 10_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
let harness: ShardHarness;

async function start(budgetCents: number, options: HarnessOptions = {}): Promise<void> {
  harness = new ShardHarness(options);
  await Promise.all([harness.upsert(campaignOf('c', budgetCents * CENT)), harness.committed()]);
}

/** Bids and wins until nothing is allowed; returns the cents that were answered. */
async function spendAll(bidCents: number): Promise<number> {
  let spent = 0;
  for (let denials = 0; denials < 3; ) {
    const { reason, maxBidMicros } = harness.decide('c', bidCents * CENT);
    if (!isAllowed(reason)) {
      denials++;
      await harness.pass(100);
      continue;
    }
    const outcome = harness.spend('c', maxBidMicros);
    await harness.committed();
    if ((await outcome) === OUTCOME_SUCCESS) spent += maxBidMicros / CENT;
  }
  return spent;
}

function reason(): string {
  return REASONS[harness.decide('c', CENT).reason] ?? '';
}

afterEach(async () => {
  await harness.close();
});

describe('a clock that jumps', () => {
  test('within the day changes neither what is spent nor what is in flight', async () => {
    await start(100);
    const outcome = harness.spend('c', 30 * CENT);
    await harness.committed();
    expect(await outcome).toBe(OUTCOME_SUCCESS);
    harness.decide('c', 20 * CENT, 'bid-1');
    await harness.pass(100);
    for (const jumpMs of [5 * HOUR_MS, -9 * HOUR_MS, 7 * HOUR_MS]) {
      harness.wallMs += jumpMs;
      await harness.pass(2000);
      expect(harness.status('c')).toMatchObject({ daily_spent_cents: 30, reserved_cents: 20 });
    }
    // It is released by its own time, which no jump changes.
    await harness.pass(10_000);
    expect(harness.status('c')).toMatchObject({ reserved_cents: 0, remaining_cents: 70 });
  });

  test('into tomorrow and back has tomorrow’s budget once, and today’s not again', async () => {
    await start(100);
    expect(await spendAll(10)).toBe(100);
    harness.wallMs += DAY_MS;
    await harness.pass(1000);
    expect(await spendAll(10)).toBe(100);
    harness.wallMs -= DAY_MS;
    await harness.pass(1000);
    expect(reason()).toBe('budget_exhausted');
    await harness.crash();
    await harness.pass(11_000);
    expect(reason()).toBe('budget_exhausted');
    harness.wallMs += DAY_MS;
    await harness.pass(1000);
    expect(reason()).toBe('budget_exhausted');
    expect(harness.status('c').total_spent_cents).toBe(200);
  });

  test('however often and far, spends each day’s budget once and loses nothing that was answered', async () => {
    const step = fc.record({
      jumpMs: fc.integer({ min: -30, max: 30 }).map((hours) => hours * HOUR_MS),
      bidCents: fc.integer({ min: 7, max: 40 }),
      crash: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 8 }), async (steps) => {
        await start(100, { reservationTtlMs: 1000 });
        let answeredCents = await spendAll(9);
        let latestDay = Math.floor(harness.wallMs / DAY_MS);
        let days = 1;
        for (const { jumpMs, bidCents, crash } of steps) {
          harness.wallMs += jumpMs;
          if (crash) await harness.crash();
          await harness.pass(2000);
          const day = Math.floor(harness.wallMs / DAY_MS);
          if (day > latestDay) days++;
          latestDay = Math.max(latestDay, day);
          answeredCents += await spendAll(bidCents);
          expect(harness.status('c').total_spent_cents).toBe(answeredCents);
          expect(answeredCents).toBeLessThanOrEqual(100 * days);
        }
        await harness.close();
      }),
      { numRuns: 80 },
    );
    await start(1); // for the end of the test to close
  });
});
