/** What may become of the one Redis that a fleet shares, under load: the money stays the same everywhere. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TestFleet } from '../../support/fleet.ts';
import { FleetLoad } from '../../support/fleet-load.ts';
import { until } from '../../support/pod-wait.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';

let fleet: TestFleet;
let proxy: TcpProxy;
let id: string;
let campaigns = 0;

beforeAll(async () => {
  fleet = await TestFleet.start(2, {}, async (redis) => {
    proxy = await TcpProxy.to(redis.port);
    return { env: { REDIS_URL: `redis://127.0.0.1:${proxy.port}` }, client: () => redis.admin };
  });
}, 180_000);

afterAll(async () => {
  await fleet.remove();
  await proxy.remove();
});

// A test that fails leaves the next one a Redis that works.
afterEach(async () => {
  proxy.join();
  proxy.delayMs = 0;
  fleet.redis.thaw();
  await fleet.redis.resume();
});

beforeEach(() => {
  id = `camp-${campaigns++}`;
});

async function allHealthy(): Promise<void> {
  for (const pod of fleet.pods) await fleet.healthy(pod);
}

/** Everything that was answered is everywhere, and none of it is over the budget. */
async function conserved(load: FleetLoad, budgetCents: number): Promise<void> {
  expect(load.wrong).toEqual([]);
  expect(load.unansweredCents).toBe(0);
  await fleet.agrees(load.campaignId, load.answeredCents);
  expect(load.answeredCents).toBeLessThanOrEqual(budgetCents);
}

describe('under load, a Redis', () => {
  it('that takes half a second each way changes nothing but the speed of sharing', async () => {
    await fleet.createCampaign({ id, daily_budget_cents: 1500, breaker_threshold: 1 });
    const load = new FleetLoad(id, 5);
    load.start(fleet.pods);
    await load.wonMore(20);
    proxy.delayMs = 250;
    await load.spent(1200);
    for (const pod of fleet.pods) expect(await fleet.health(pod)).toMatchObject({ status: 'healthy' });
    await load.stop();
    proxy.delayMs = 0;
    await conserved(load, 1500);
  });

  it('that accepts and never answers is missed, and taken up again when it goes on', async () => {
    await fleet.createCampaign({ id, daily_budget_cents: 1_000_000, breaker_threshold: 1 });
    const load = new FleetLoad(id, 5);
    load.start(fleet.pods);
    await load.wonMore(20);
    fleet.redis.freeze();
    for (const pod of fleet.pods) {
      await until('the pod misses Redis', async () => (await fleet.health(pod)).redis_healthy === false);
    }
    await load.wonMore(20); // of the leases in hand
    const unchecked = fleet.pods.map(async (pod) =>
      (await pod.core.metrics()).get('pacer_spend_unchecked_total'),
    );
    expect((await Promise.all(unchecked)).some((count) => Number(count) > 0)).toBe(true);
    fleet.redis.thaw();
    await allHealthy();
    await load.wonMore(20);
    await load.stop();
    await conserved(load, 1_000_000);
  });

  it('that is cut off lets no pod spend beyond its lease, and the budget holds when both use theirs up', async () => {
    await fleet.createCampaign({ id, daily_budget_cents: 400, breaker_threshold: 1 });
    const load = new FleetLoad(id, 5);
    load.start(fleet.pods);
    await load.wonMore(10);
    proxy.cut();
    await load.decidedMore(1000);
    proxy.join();
    await allHealthy();
    await load.spent(360);
    await load.stop();
    await conserved(load, 400);
  });

  it('that is restarted with the data of a while ago is told what it has forgotten', async () => {
    await fleet.createCampaign({ id, daily_budget_cents: 1200, breaker_threshold: 1 });
    const load = new FleetLoad(id, 5);
    load.start(fleet.pods);
    await load.wonMore(20);
    await fleet.redis.admin.save();
    await load.wonMore(60);
    await fleet.redis.stop('SIGKILL');
    await load.decidedMore(50);
    await fleet.redis.resume();
    await allHealthy();
    await load.spent(1080);
    await load.stop();
    await conserved(load, 1200);
  });

  it('that is emptied again and again while all pods bid on a small budget is filled again, and never lets it be passed', async () => {
    await fleet.createCampaign({ id, daily_budget_cents: 600, breaker_threshold: 1 });
    const load = new FleetLoad(id, 5);
    load.start(fleet.pods, 4);
    for (let time = 0; time < 4; time++) {
      await load.decidedMore(150);
      await fleet.redis.admin.flushall();
    }
    await load.spent(540);
    await load.decidedMore(500);
    await load.stop();
    await conserved(load, 600);
  });
});
