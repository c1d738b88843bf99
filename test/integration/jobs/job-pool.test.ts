import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { micros } from '../../../src/domain/money.ts';
import { JobPool, type JobPoolOptions } from '../../../src/jobs/job-pool.ts';
import type { WhatIf } from '../../../src/jobs/what-if.ts';
import { someCampaign } from '../../support/campaigns.ts';
import { BUILT_WORKER } from '../../support/job-worker.ts';
import { raisedNiceValues } from '../../support/nice-values.ts';

const START_MS = Date.UTC(2026, 2, 2);
const HOUR_MS = 3_600_000;
const week = (weight: number) => Array.from({ length: 7 }, () => new Array<number>(24).fill(weight));

function whatIf(hours: number): WhatIf {
  return {
    campaigns: [someCampaign({ dailyBudgetMicros: micros(100_000_000) })],
    earlier: null,
    startMs: START_MS,
    endMs: START_MS + hours * HOUR_MS,
    traffic: { asks: week(100), winRate: week(0.2), winMicros: week(100_000) },
    known: null,
    slotMs: HOUR_MS,
    seed: 1,
    reservationTtlMs: 120_000,
    breakerRecoveryMs: 300_000,
    breakerProbes: 2,
  };
}

describe('the job pool', () => {
  let pool: JobPool;
  const open = (options: Omit<JobPoolOptions, 'worker'> = {}): void => {
    pool = new JobPool({ worker: BUILT_WORKER, ...options });
  };
  beforeEach(() => open());
  afterEach(() => pool.close());

  it('runs a simulation in a thread of its own', async () => {
    const [run] = await pool.simulate(whatIf(3));
    expect(run?.slots).toHaveLength(3);
  });

  it.runIf(process.platform === 'linux')('has that thread leave the processor to others', async () => {
    await pool.simulate(whatIf(1));
    expect(raisedNiceValues('self')).toEqual([10]);
  });

  it('refuses what would wait behind a full queue, and runs the rest', async () => {
    await pool.close();
    open({ queueMax: 2 });
    await pool.simulate(whatIf(1));
    const asked = Array.from({ length: 6 }, () => pool.simulate(whatIf(24)));
    const results = await Promise.allSettled(asked);
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused.length).toBe(3);
    for (const { reason } of refused) {
      expect(reason).toMatchObject({ code: 'rate_limited', status: 429, retryAfterSeconds: 1 });
    }
  });

  it('gives up a job that takes too long, and goes on with the next', async () => {
    await pool.close();
    open({ simulationMsMax: 300 });
    await expect(pool.simulate(whatIf(100_000))).rejects.toMatchObject({ code: 'unavailable', status: 503 });
    await pool.close();
    open();
    await expect(pool.simulate(whatIf(1))).resolves.toHaveLength(1);
  });

  it('answers what runs and what waits when it ends', async () => {
    const asked = [pool.simulate(whatIf(100_000)), pool.simulate(whatIf(1))];
    const settled = Promise.allSettled(asked);
    await pool.close();
    for (const result of await settled) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'unavailable' } });
    }
  });

  it('passes on that the database cannot be reached', async () => {
    const address = { url: 'postgres://nobody@127.0.0.1:1/none' };
    const order = {
      address,
      campaigns: [{ id: 'camp-001', since: '2026-03-01' }],
      today: '2026-03-02',
      nowMs: START_MS,
      priors: [],
    };
    await expect(pool.learn(order)).rejects.toMatchObject({ code: 'unavailable' });
  });
});
