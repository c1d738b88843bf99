/** A pod that is gone for good, or comes back without its disk: what it had spent stays spent. */
import { rm } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TestFleet } from '../../support/fleet.ts';
import { FleetLoad } from '../../support/fleet-load.ts';
import { TestPod } from '../../support/pod.ts';
import { pause, until } from '../../support/pod-wait.ts';
import { TestPostgres } from '../../support/postgres.ts';

const LAG = 'pacer_flush_lag_seconds{sink="postgres"}';
const remove: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const each of remove.splice(0).reverse()) await each();
});

describe('of three pods, one that is killed under load for good', () => {
  let fleet: TestFleet;
  let survivors: TestPod[];

  beforeAll(async () => {
    fleet = await TestFleet.start(3, { RESERVATION_TTL_MS: 2000 });
    survivors = fleet.pods.slice(0, 2);
  }, 180_000);

  afterAll(async () => {
    await fleet.remove();
  });

  /** Waits until Redis and Postgres have what the pod has spent. */
  async function told(pod: TestPod, source: string, load: FleetLoad): Promise<void> {
    await until('its spend is told', async () => {
      const sources = await fleet.redis.admin.hgetall(`budget:total:{${load.campaignId}}`);
      const own = Object.entries(sources).find(([name]) => name.startsWith(source));
      return Number(own?.[1]) === Math.round(load.answeredCents * 10_000);
    });
    await until('its history is told', async () => (await pod.core.metrics()).get(LAG) === 0);
  }

  async function survivorsAgree(id: string, cents: number): Promise<void> {
    for (const pod of survivors) {
      await until(`the others agree on ${cents}`, async () => {
        const { total_spent_cents, daily_spent_cents } = await pod.core.status(id);
        return Math.abs(total_spent_cents - cents) < 1e-6 && Math.abs(daily_spent_cents - cents) < 1e-6;
      });
    }
  }

  it('takes nothing with it that was answered and told, and the others never pass the budget', async () => {
    const victim = fleet.pod(2);
    for (const id of ['c', 'd'])
      await fleet.createCampaign({ id, daily_budget_cents: 2000, breaker_threshold: 1 });
    const before = new FleetLoad('d', 5);
    before.start([victim]);
    await before.wonMore(60);
    await before.stop();
    const load = new FleetLoad('c', 5);
    const lost = new FleetLoad('c', 5);
    load.start(survivors);
    lost.start([victim]);
    await lost.wonMore(40);
    await lost.stop();
    await told(victim, 'pod-2-', lost);
    await told(victim, 'pod-2-', before);
    const toldCents = lost.answeredCents;
    lost.start([victim]);
    await lost.decidedMore(30);
    await victim.kill();
    const stopping = lost.stop();
    await load.decidedMore(1500);
    await load.stop();
    await stopping;
    expect(load.wrong).toEqual([]);
    // The last moments of the lost pod were answered and are in its ledger, but told to nobody.
    const spent = await fleet.inRedis('c');
    const all = load.answeredCents + lost.answeredCents + lost.unansweredCents;
    expect(spent).toBeGreaterThanOrEqual(load.answeredCents + toldCents - 1e-6);
    expect(spent).toBeLessThanOrEqual(all + 1e-6);
    expect(all).toBeLessThanOrEqual(2000 + 1e-6);
    await survivorsAgree('c', spent);
  });

  it('stays in the sums when Redis is emptied: Postgres tells what nobody else can', async () => {
    const spentByLost = await fleet.inPostgres('d');
    expect(spentByLost).toBeGreaterThanOrEqual(300);
    await fleet.redis.admin.flushall();
    await until('Redis has it again', async () => (await fleet.inRedis('d')) === spentByLost);
    await survivorsAgree('d', spentByLost);
    const load = new FleetLoad('d', 5);
    load.start(survivors);
    await load.wonMore(20);
    await fleet.redis.admin.flushall();
    await load.spent(1500);
    await load.decidedMore(500);
    await load.stop();
    expect(load.wrong).toEqual([]);
    expect(load.answeredCents + spentByLost).toBeLessThanOrEqual(2000 + 1e-6);
    await survivorsAgree('d', load.answeredCents + spentByLost);
  });
});

describe('a pod whose disk is lost', () => {
  it('takes what Postgres has as spent, of the day and in all, before its first bid', async () => {
    const postgres = await TestPostgres.start();
    remove.push(() => postgres.remove());
    const env = { DATABASE_URL: postgres.url, POSTGRES_FLUSH_MS: 200, NODE_ID: 'alone' };
    const pod = await TestPod.start({ env });
    remove.push(() => pod.remove());
    await pod.createCampaign({
      id: 'c',
      daily_budget_cents: 1000,
      total_budget_cents: 1500,
      breaker_threshold: 1,
    });
    await pod.core.spend({ campaign_id: 'c', spend_cents: 700 });
    await until('it is flushed', async () => (await pod.core.metrics()).get(LAG) === 0);
    await pause(5000); // older than what counts as just created
    await pod.kill();
    await rm(pod.dataDir, { recursive: true });
    await pod.restart();
    expect(await pod.core.status('c')).toMatchObject({
      daily_spent_cents: 700,
      total_spent_cents: 700,
      remaining_cents: 300,
    });
    const load = new FleetLoad('c', 5);
    load.start([pod]);
    await load.decidedMore(600);
    await load.stop();
    expect(load.answeredCents).toBeGreaterThan(200);
    expect(load.answeredCents).toBeLessThanOrEqual(300);
    // And once more, now with a ledger of its own: nothing is counted twice, nothing forgotten.
    await pod.kill();
    await pod.restart();
    expect(await pod.core.status('c')).toMatchObject({
      daily_spent_cents: 700 + load.answeredCents,
      total_spent_cents: 700 + load.answeredCents,
    });
    await until('it is flushed', async () => (await pod.core.metrics()).get(LAG) === 0);
    await pod.kill();
    await rm(pod.dataDir, { recursive: true });
    await pod.restart();
    expect(await pod.core.status('c')).toMatchObject({ total_spent_cents: 700 + load.answeredCents });
  });
});
