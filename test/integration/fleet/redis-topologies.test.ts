/** Fleets whose Redis is more than one server: a master behind Sentinels that fails over, and a cluster. */
import { Cluster } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { TestFleet } from '../../support/fleet.ts';
import { FleetLoad } from '../../support/fleet-load.ts';
import { until } from '../../support/pod-wait.ts';
import { startCluster, startSentinels, TestRedis } from '../../support/redis.ts';

const MASTER = 'budgets';
const remove: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const each of remove.splice(0).reverse()) await each();
});

const addresses = (servers: readonly TestRedis[]): string =>
  servers.map(({ node }) => `${node.host}:${node.port}`).join(',');

async function allHealthy(fleet: TestFleet): Promise<void> {
  for (const pod of fleet.pods) await fleet.healthy(pod);
}

describe('a fleet behind Sentinels', () => {
  it('follows the new master when the old one is killed under load, and keeps the budget and every cent', async () => {
    const fleet = await TestFleet.start(2, {}, async (redis) => {
      const settings = [`replicaof 127.0.0.1 ${redis.port}`];
      const follower = await TestRedis.start({ settings });
      remove.push(() => follower.remove());
      await until('the replica follows', async () =>
        (await follower.admin.info()).includes('master_link_status:up'),
      );
      const sentinels = await startSentinels(3, redis, MASTER);
      remove.push(() => Promise.all(sentinels.map((sentinel) => sentinel.remove())));
      return {
        env: { REDIS_SENTINELS: addresses(sentinels), REDIS_MASTER_NAME: MASTER },
        client: () => follower.admin, // what it has is also what the master has, a moment later
      };
    });
    remove.push(() => fleet.remove());
    await fleet.createCampaign({ id: 'c', daily_budget_cents: 2000, breaker_threshold: 1 });
    const load = new FleetLoad('c', 5);
    load.start(fleet.pods);
    await load.wonMore(60);
    await fleet.redis.stop('SIGKILL');
    await load.decidedMore(100);
    await allHealthy(fleet);
    await load.spent(1800);
    await load.stop();
    expect(load.wrong).toEqual([]);
    await fleet.agrees('c', load.answeredCents);
    expect(load.answeredCents).toBeLessThanOrEqual(2000);
  });
});

describe('a fleet on a cluster of three', () => {
  it('shares campaigns on all servers, and spends no budget twice when one of them is away for a while', async () => {
    const nodes = await startCluster(3);
    remove.push(() => Promise.all(nodes.map((node) => node.remove())));
    const client = new Cluster(nodes.map(({ node }) => node));
    client.on('error', () => {});
    remove.push(async () => client.disconnect());
    const fleet = await TestFleet.start(2, {}, () => ({
      env: { REDIS_CLUSTER_NODES: addresses(nodes) },
      client: () => client,
    }));
    remove.push(() => fleet.remove());
    const ids = ['c-1', 'c-2', 'c-3', 'c-4', 'c-5', 'c-6'];
    for (const id of ids) await fleet.createCampaign({ id, daily_budget_cents: 600, breaker_threshold: 1 });
    const loads = ids.map((id) => new FleetLoad(id, 5));
    for (const load of loads) load.start(fleet.pods, 1);
    for (const load of loads) await load.wonMore(10);
    await nodes[1]?.stop('SIGKILL');
    for (const pod of fleet.pods) {
      await until('the pod misses it', async () => (await fleet.health(pod)).redis_healthy === false);
    }
    for (const load of loads) await load.decidedMore(100);
    await nodes[1]?.resume();
    await allHealthy(fleet);
    for (const load of loads) await load.spent(540);
    for (const load of loads) await load.stop();
    for (const load of loads) {
      expect(load.wrong).toEqual([]);
      expect(load.answeredCents).toBeLessThanOrEqual(600);
      await fleet.agrees(load.campaignId, load.answeredCents);
    }
  });
});
