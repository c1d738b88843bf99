/** A disk that is full: the ledger cannot be written, so nothing is answered that would be lost. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestFleet } from '../../support/fleet.ts';
import { FleetLoad } from '../../support/fleet-load.ts';
import { TestPod } from '../../support/pod.ts';
import { until } from '../../support/pod-wait.ts';
import { canMount, SmallDisk } from '../../support/small-disk.ts';

const DISK_BYTES = 4 * 2 ** 20;

describe.runIf(canMount())('a pod of two whose disk is full', () => {
  let fleet: TestFleet;
  let pod: TestPod;
  let disk: SmallDisk;

  beforeAll(async () => {
    fleet = await TestFleet.start(1);
    pod = await TestPod.prepare({
      env: {
        REDIS_URL: `redis://127.0.0.1:${fleet.redis.port}`,
        DATABASE_URL: fleet.postgres.url,
        NODE_ID: 'small',
        BREAKER_RECOVERY_MS: 500, // spends that cannot be recorded open the breaker
      },
    });
    disk = await SmallDisk.mount(join(pod.dataDir, 'ledger'), DISK_BYTES);
    await pod.restart();
    await fleet.healthy(pod);
  }, 180_000);

  afterAll(async () => {
    await pod.kill();
    await disk.unmount();
    await pod.remove();
    await fleet.remove();
  });

  async function bidding(id: string): Promise<FleetLoad> {
    await fleet.createCampaign({ id, daily_budget_cents: 1_000_000, breaker_threshold: 1 });
    await until('the pod knows the campaign', async () => {
      return (await pod.core.request('GET', `/budget/status/${id}`)).status === 200;
    });
    const load = new FleetLoad(id, 1);
    load.start([pod]);
    await load.wonMore(30);
    return load;
  }

  async function conserved(load: FleetLoad): Promise<void> {
    expect(load.wrong).toEqual([]);
    expect(load.unansweredCents).toBe(0);
    await fleet.agrees(load.campaignId, load.answeredCents, [fleet.pod(0), pod]);
  }

  it('answers spends with 503 and counts none, bids until its allowance is used up, and goes on when there is room', async () => {
    const load = await bidding('c');
    await disk.fill();
    await until('spends are refused', () => load.refused > 10);
    const { wins, refused } = load;
    await until('they stay refused', () => load.refused > refused + 50);
    expect(load.wins).toBe(wins);
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
    const full = await pod.core.request('GET', '/health');
    expect(full.status).toBe(503);
    const others = { redis_healthy: true, postgres_healthy: true };
    expect(full.body).toMatchObject({ status: 'unhealthy', ledger_healthy: false, ...others });
    await disk.empty();
    await load.wonMore(30);
    expect(await fleet.health(pod)).toMatchObject({ status: 'healthy', ledger_healthy: true });
    await load.stop();
    await conserved(load);
  });

  it('starts without room when it was killed, has lost nothing, and goes on when there is some', async () => {
    const load = await bidding('k');
    await disk.fill();
    await until('spends are refused', () => load.refused > 10);
    await pod.kill();
    await pod.restart();
    const { wins, refused } = load;
    await until('spends stay refused', () => load.refused > refused + 10);
    expect(load.wins).toBe(wins);
    await disk.empty();
    await load.wonMore(10);
    await load.stop();
    await conserved(load);
  });
});
