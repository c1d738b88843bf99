/** Events that the fleet counts once: claims of several sources on one Redis and on a cluster. */
import { afterEach, describe, expect, it } from 'vitest';
import {
  CLAIM_MS,
  EVENT_CLAIMED,
  EVENT_COUNTED,
  EVENT_PENDING,
} from '../../../src/sinks/redis/event-claims.ts';
import type { FleetRedis } from '../../../src/sinks/redis/fleet-redis.ts';
import { startCluster, TestRedis } from '../../support/redis.ts';
import { TestFleet } from '../../support/redis-fleet.ts';

const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function alone(): Promise<{ server: TestRedis; fleet: TestFleet }> {
  const server = await TestRedis.start();
  const fleet = new TestFleet(server.target);
  ends.push(
    () => server.remove(),
    () => fleet.close(),
  );
  return { server, fleet };
}

async function pair(fleet: TestFleet): Promise<[FleetRedis, FleetRedis]> {
  return [await fleet.connected({ source: 'a' }), await fleet.connected({ source: 'b' })];
}

describe('an event', () => {
  it('is the first source’s to count, pending to others, and counted for all once that is told', async () => {
    const { server, fleet } = await alone();
    const [a, b] = await pair(fleet);
    expect(await a.claimEvents(['c/e1', 'c/e2'])).toEqual([EVENT_CLAIMED, EVENT_CLAIMED]);
    expect(await b.claimEvents(['c/e3', 'c/e1'])).toEqual([EVENT_CLAIMED, EVENT_PENDING]);
    expect(await a.claimEvents(['c/e1'])).toEqual([EVENT_CLAIMED]);
    const claimMs = await server.admin.pttl('budget:event:{c}:e1');
    expect(claimMs).toBeGreaterThan(0);
    expect(claimMs).toBeLessThanOrEqual(CLAIM_MS);
    await a.markCounted(['c/e1']);
    expect(await a.claimEvents(['c/e1', 'c/e2'])).toEqual([EVENT_COUNTED, EVENT_CLAIMED]);
    expect(await b.claimEvents(['c/e1', 'c/e2'])).toEqual([EVENT_COUNTED, EVENT_PENDING]);
    expect(await server.admin.pttl('budget:event:{c}:e1')).toBeGreaterThan(24 * 3_600_000 - 60_000);
  });

  it('is another’s to count when its claim is given up, which only the claimer can do', async () => {
    const { fleet } = await alone();
    const [a, b] = await pair(fleet);
    await a.claimEvents(['c/e1']);
    await b.forgoEvents(['c/e1']);
    expect(await b.claimEvents(['c/e1'])).toEqual([EVENT_PENDING]);
    await a.forgoEvents(['c/e1']);
    expect(await b.claimEvents(['c/e1'])).toEqual([EVENT_CLAIMED]);
    await b.markCounted(['c/e1']);
    await b.forgoEvents(['c/e1']);
    expect(await a.claimEvents(['c/e1'])).toEqual([EVENT_COUNTED]);
  });

  it('is told from others of its campaign and of other campaigns, thousands at a time, on a cluster too', async () => {
    const nodes = await startCluster(3);
    const [first] = nodes;
    if (first === undefined) throw new Error('no nodes');
    const cluster = { kind: 'cluster', nodes: nodes.map(({ node }) => node), login: first.login } as const;
    const sharded = new TestFleet(cluster);
    ends.push(
      () => Promise.all(nodes.map((node) => node.remove())),
      () => sharded.close(),
    );
    const { fleet } = await alone();
    for (const [a, b] of [await pair(fleet), await pair(sharded)]) {
      const events = Array.from({ length: 2_000 }, (_, at) => `camp-${at % 50}/e${at}`);
      expect(new Set(await a.claimEvents(events))).toEqual(new Set([EVENT_CLAIMED]));
      await a.markCounted(events.filter((_, at) => at % 2 === 0));
      const expected = events.map((_, at) => (at % 2 === 0 ? EVENT_COUNTED : EVENT_PENDING));
      expect(await b.claimEvents(events)).toEqual(expected);
      expect(await b.claimEvents([])).toEqual([]);
    }
  });
});
