/** Redis that is more than one server: a master and its replica under Sentinels, and a cluster. */
import { afterEach, describe, expect, it } from 'vitest';
import { slotOf } from '../../../src/sinks/redis/key-slot.ts';
import { until } from '../../support/pod-wait.ts';
import { startCluster, startSentinels, TestRedis } from '../../support/redis.ts';
import {
  answers,
  newCampaign,
  newCampaignId,
  newCampaigns,
  replyOf,
  someRequest,
  syncOne,
  TestFleet,
} from '../../support/redis-fleet.ts';

const MASTER = 'budgets';
const running: TestRedis[] = [];
const fleets: TestFleet[] = [];

afterEach(async () => {
  for (const fleet of fleets.splice(0)) fleet.close();
  await Promise.all(running.splice(0).map((server) => server.remove()));
});

describe('a master behind Sentinels', () => {
  it('is followed by itself when it is killed and its replica takes over', async () => {
    const master = await TestRedis.start({ password: 'shared' });
    const settings = [`replicaof 127.0.0.1 ${master.port}`];
    const replica = await TestRedis.start({ password: 'shared', settings });
    running.push(master, replica);
    await until('the replica follows', async () =>
      (await replica.admin.info()).includes('master_link_status:up'),
    );
    const sentinels = await startSentinels(3, master, MASTER);
    running.push(...sentinels);
    const fleet = new TestFleet({
      kind: 'sentinel',
      sentinels: sentinels.map(({ node }) => node),
      masterName: MASTER,
      login: master.login,
    });
    fleets.push(fleet);
    await master.aged();
    const a = await fleet.connected({ source: 'a' });
    const campaignId = await newCampaign(a);
    const b = await fleet.connected({ source: 'b' });
    expect((await syncOne(a, { campaignId, spentDayMicros: 70, wantMicros: 300 })).leaseMicros).toBe(370);
    await until('the replica knows it', async () => {
      return (await replica.admin.hget(`budget:day:{${campaignId}}:2026-11-22`, 'a')) === '70';
    });
    await master.stop('SIGKILL');
    const held = { campaignId, spentDayMicros: 80, heldMicros: 370, wantMicros: 290 };
    const reply = await until('a flush is answered again', () => syncOne(a, held).catch(() => null));
    expect(reply).toMatchObject({ leaseMicros: 370, fleetSpentDayMicros: 80 });
    // For a moment the new master may have forgotten grants, so a source that holds nothing gets nothing; on a
    // loaded machine that moment may be over.
    const first = await until('b is answered', () =>
      syncOne(b, { campaignId, wantMicros: 200 }).catch(() => null),
    );
    expect([0, 200]).toContain(first.leaseMicros);
    await until('b gets its lease', async () => {
      const later = await syncOne(b, { campaignId, wantMicros: 200 }).catch(() => null);
      return later?.leaseMicros === 200;
    });
  });
});

describe('a cluster', () => {
  async function clusterOf(masters: number): Promise<{ nodes: TestRedis[]; fleet: TestFleet }> {
    const nodes = await startCluster(masters);
    running.push(...nodes);
    const [first] = nodes;
    if (first === undefined) throw new Error('no node');
    // One node is enough to find the others.
    const fleet = new TestFleet({ kind: 'cluster', nodes: [first.node], login: first.login });
    fleets.push(fleet);
    return { nodes, fleet };
  }

  it('has each campaign on its server, all of them in one flush, and passes released bids on', async () => {
    const { nodes, fleet } = await clusterOf(3);
    for (const node of nodes) await node.aged();
    const client = await fleet.connected({ source: 'a' });
    const other = await fleet.connected({ source: 'b' });
    const ids = await newCampaigns(client, 1_000);
    const requests = ids.map((campaignId, at) => someRequest({ campaignId, wantMicros: at }));
    const replies = (await client.sync(requests)).map(replyOf);
    expect(replies.map(({ leaseMicros }) => leaseMicros)).toEqual(
      requests.map(({ wantMicros }) => wantMicros),
    );
    for (const { admin } of nodes) expect(await admin.dbsize()).toBeGreaterThan(100);

    const heard: unknown[] = [];
    other.subscribeReleased((released) => heard.push(...released));
    await until('it is heard', async () => {
      await client.publishReleased([{ campaignId: 'c', bidId: 'b' }]);
      return heard.length > 0;
    });
    expect(await client.claimNode('pod', 'ledger', 60_000)).toEqual({ claimed: true });
    expect(await other.claimNode('pod', 'other', 60_000)).toMatchObject({ claimed: false });
    expect(await client.ping()).toBe(true);
    await nodes[1]?.admin.flushall();
    expect(await client.ping()).toBe(false);
  });

  it('goes on with the campaigns of its other servers while one is away, and with all when it is back', async () => {
    const { nodes, fleet } = await clusterOf(3);
    const client = await fleet.connected({ source: 'a' });
    const requests = Array.from({ length: 60 }, () =>
      someRequest({ campaignId: newCampaignId(), wantMicros: 5 }),
    );
    (await client.sync(requests)).forEach(replyOf);
    await nodes[2]?.stop('SIGKILL');
    const partly = await until('some fail', async () => {
      const some = await client.sync(requests);
      return some.some((answer) => answer instanceof Error) && some;
    });
    const failed = partly.filter((answer) => answer instanceof Error);
    expect(failed.length).toBeLessThan(requests.length);
    for (const error of failed) expect(error).toMatchObject({ code: 'unavailable' });
    expect(await answers(client)).toBe(false);
    await nodes[2]?.resume();
    await until('all are answered', async () => {
      return (await client.sync(requests)).every((answer) => !(answer instanceof Error));
    });
  });

  it('is followed when a slot moves to another server', async () => {
    const { nodes, fleet } = await clusterOf(2);
    const [from, to] = nodes;
    if (from === undefined || to === undefined) throw new Error('no nodes');
    await from.aged();
    const client = await fleet.connected({ source: 'a' });
    const campaignId = await until('a campaign is on the first server', () => {
      const id = newCampaignId();
      return slotOf(id) < 8_192 && id;
    });
    await client.announce(campaignId, '2026-11-22');
    await syncOne(client, { campaignId, wantMicros: 100 });
    const slot = slotOf(campaignId);
    const [fromId, toId] = [await from.admin.cluster('MYID'), await to.admin.cluster('MYID')];
    await to.admin.cluster('SETSLOT', slot, 'IMPORTING', fromId);
    await from.admin.cluster('SETSLOT', slot, 'MIGRATING', toId);
    const keys = await from.admin.cluster('GETKEYSINSLOT', slot, 10);
    await from.admin.call('MIGRATE', to.node.host, to.port, '', 0, 1_000, 'KEYS', ...keys.map(String));
    for (const { admin } of [to, from]) await admin.cluster('SETSLOT', slot, 'NODE', toId);
    const held = { campaignId, spentDayMicros: 5, heldMicros: 100, wantMicros: 95 };
    const reply = await until('it is followed', () => syncOne(client, held).catch(() => null));
    expect(reply).toMatchObject({ leaseMicros: 100, wiped: false });
    expect(await to.admin.hget(`budget:day:{${campaignId}}:2026-11-22`, 'a')).toBe('5');
  });
});
