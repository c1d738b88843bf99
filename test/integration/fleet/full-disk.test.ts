/** A disk that is full: the ledger cannot be written, so nothing is answered that would be lost. */
import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestFleet } from '../../support/fleet.ts';
import { FleetLoad } from '../../support/fleet-load.ts';
import type { TestPod } from '../../support/pod.ts';
import { pause, until } from '../../support/pod-wait.ts';
import { ensureTool } from '../../support/system-tool.ts';

const run = promisify(execFile);
let fleet: TestFleet;
let pod: TestPod;

beforeAll(async () => {
  await ensureTool('prlimit', 'util-linux');
  fleet = await TestFleet.start(2, { BREAKER_RECOVERY_MS: 500 }); // failures in a row open the breaker
  pod = fleet.pod(0);
}, 180_000);

afterAll(async () => {
  await fleet.remove();
});

/** Lets no file of the running pod grow beyond so many bytes: the write fails, as on a full disk. */
async function limitFiles(bytes: number | 'unlimited'): Promise<void> {
  await run('prlimit', ['--pid', String(pod.pid), `--fsize=${bytes}:unlimited`]);
}

describe('a pod whose disk is full', () => {
  it('answers spends with 503 and counts none, bids until its allowance is used up, and recovers by itself', async () => {
    await fleet.createCampaign({ id: 'c', daily_budget_cents: 1_000_000, breaker_threshold: 1 });
    const load = new FleetLoad('c', 1);
    load.start([pod]);
    await load.wonMore(30);
    // What the file has is written over for a while; event ids make it grow until it may not.
    await limitFiles(statSync(join(pod.dataDir, 'ledger', 'data.mdb')).size);
    await until('spends are refused', () => load.refused > 0);
    await limitFiles(1);
    const before = load.wins;
    const refused = load.refused;
    await until('they stay refused', () => load.refused > refused + 50);
    expect(load.wins).toBe(before);
    const other = pod.bidder();
    const denied = await until('the allowance is used up', async () => {
      const decision = await other.decide('c', 50);
      return decision.allow_bid ? null : decision;
    });
    expect(denied.max_bid_cents).toBe(0);
    other.close();
    // A status may be read while a spend is being written: it is taken back when that fails.
    await until('nothing but what was answered is counted', async () => {
      return (await pod.core.status('c')).total_spent_cents === load.answeredCents;
    });
    expect(await fleet.health(pod)).toMatchObject({ redis_healthy: true });

    await limitFiles('unlimited');
    await load.wonMore(30);
    await load.stop();
    expect(load.wrong).toEqual([]);
    expect(load.unansweredCents).toBe(0);
    await fleet.agrees('c', load.answeredCents);
  });

  it('has lost nothing when it is killed meanwhile', async () => {
    await fleet.createCampaign({ id: 'k', daily_budget_cents: 1_000_000, breaker_threshold: 1 });
    const load = new FleetLoad('k', 1);
    load.start([pod]);
    await load.wonMore(30);
    await limitFiles(1);
    await until('spends are refused', () => load.refused > 10);
    await pod.kill();
    await pause(100);
    await pod.restart();
    await load.wonMore(10);
    await load.stop();
    expect(load.wrong).toEqual([]);
    await fleet.agrees('k', load.answeredCents);
  });
});
