/** A pod that is gone for good, or comes back without its disk: what it had spent stays spent. */
import { rm } from 'node:fs/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { TestFleet } from '../../support/fleet.ts';
import { FleetLoad } from '../../support/fleet-load.ts';
import { TestPod } from '../../support/pod.ts';
import { pause, until } from '../../support/pod-wait.ts';
import { TestPostgres } from '../../support/postgres.ts';

const remove: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const each of remove.splice(0).reverse()) await each();
});

describe('of three pods, one that is killed under load for good', () => {
  it('takes nothing with it that was answered and flushed, and the others never pass the budget', async () => {
    const fleet = await TestFleet.start(3, { RESERVATION_TTL_MS: 2000 });
    remove.push(() => fleet.remove());
    await fleet.createCampaign({ id: 'c', daily_budget_cents: 2000, breaker_threshold: 1 });
    const [first, second, victim] = fleet.pods as [TestPod, TestPod, TestPod];
    const lost = new FleetLoad('c', 5);
    const load = new FleetLoad('c', 5);
    load.start([first, second]);
    lost.start([victim]);
    await lost.wonMore(40);
    await lost.stop(); // what it has spent is flushed, and it still holds its lease
    await until('its spend is told', async () => {
      const spent = load.answeredCents + lost.answeredCents;
      return (await fleet.inRedis('c')) >= spent - 100 && (await fleet.inPostgres('c')) >= spent - 100;
    });
    const told = await until('its own spend is told', async () => {
      const sources = await fleet.redis.admin.hgetall('budget:total:{c}');
      const own = Object.entries(sources).find(([source]) => source.startsWith('pod-2-'));
      const micros = Number(own?.[1] ?? 0);
      return micros === Math.round(lost.answeredCents * 10_000) ? micros : null;
    });
    lost.start([victim]);
    await lost.decidedMore(30);
    await victim.kill();
    const stopping = lost.stop();
    await load.decidedMore(1500);
    await load.stop();
    await stopping;
    expect(load.wrong).toEqual([]);
    const spent = await fleet.inRedis('c');
    // The last moments of the lost pod: answered, and in its ledger, but told to nobody.
    expect(spent).toBeGreaterThanOrEqual(load.answeredCents + told / 10_000 - 1e-6);
    expect(spent).toBeLessThanOrEqual(load.answeredCents + lost.answeredCents + lost.unansweredCents + 1e-6);
    expect(load.answeredCents + lost.answeredCents + lost.unansweredCents).toBeLessThanOrEqual(2000 + 1e-6);
    for (const pod of [first, second]) {
      await until('the others agree', async () => {
        const { total_spent_cents, daily_spent_cents } = await pod.core.status('c');
        return Math.abs(total_spent_cents - spent) < 1e-6 && Math.abs(daily_spent_cents - spent) < 1e-6;
      });
    }
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

const LAG = 'pacer_flush_lag_seconds{sink="postgres"}';
