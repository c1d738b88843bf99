import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestFleet } from '../../support/fleet.ts';
import { TestPod } from '../../support/pod.ts';
import type { Bidder } from '../../support/pod-http.ts';
import { until } from '../../support/pod-wait.ts';

let fleet: TestFleet;

beforeAll(async () => {
  fleet = await TestFleet.start(3);
}, 180_000);

afterAll(async () => {
  await fleet.remove();
});

/** Bids and wins until nothing is allowed any more for a while; returns the cents that were answered. */
async function spendAll(bidders: readonly Bidder[], id: string, bid: number): Promise<number> {
  let spent = 0;
  const one = async (bidder: Bidder, name: number): Promise<void> => {
    let denials = 0;
    for (let turn = 0; denials < 60; turn++) {
      const bidId = `${name}-${turn}`;
      const { max_bid_cents } = await bidder.decide(id, bid, bidId);
      if (max_bid_cents === 0) {
        denials++;
        await new Promise((resolve) => setTimeout(resolve, 50));
        continue;
      }
      denials = 0;
      await bidder.spend({ campaign_id: id, spend_cents: max_bid_cents, bid_id: bidId });
      spent += max_bid_cents;
    }
  };
  await Promise.all(bidders.map(one));
  return spent;
}

describe('three pods that share a budget', () => {
  it('spend all of it between them and not a cent more, and all agree on what was spent', async () => {
    await fleet.createCampaign({ id: 'shared', daily_budget_cents: 2000, breaker_threshold: 1 });
    const bidders = fleet.pods.map((pod) => pod.bidder());
    const spent = await spendAll(bidders, 'shared', 7);
    for (const bidder of bidders) bidder.close();
    expect(Math.round(spent * 10_000)).toBeLessThanOrEqual(20_000_000);
    expect(spent).toBeGreaterThan(1950);
    await fleet.agrees('shared', spent);
  });

  it('begin with a new campaign at once: it was announced before any of them could know it', async () => {
    await fleet.createCampaign({ id: 'new', daily_budget_cents: 10_000 });
    for (const pod of fleet.pods) {
      await until('it may bid', async () => (await pod.core.decide('new', 1)).allow_bid);
    }
    const [key = ''] = await fleet.redis.admin.keys('budget:lease:{new}:*');
    expect(await fleet.redis.admin.hmget(key, '#new', '#grace')).toEqual(['1', null]);
  });

  it('count an event once, whichever of them it is reported to, also at the same moment', async () => {
    await fleet.createCampaign({ id: 'once', daily_budget_cents: 10_000 });
    for (let turn = 0; turn < 20; turn++) {
      const event = { campaign_id: 'once', spend_cents: 10, event_id: `win-${turn}` };
      const report = (pod: TestPod) =>
        pod.core.request<{ status: string }>('POST', '/spend/track', event).then(({ body }) => body.status);
      const statuses = await Promise.all(fleet.pods.map(report));
      expect(statuses.sort()).toEqual(['duplicate', 'duplicate', 'success']);
      expect(await report(fleet.pod(turn % 3))).toBe('duplicate');
    }
    await fleet.agrees('once', 200);
    for (const pod of fleet.pods) {
      await until('it tells what all have spent in the hour', async () => {
        const hours = await fleet.redis.admin.keys('budget:hour:{once}:*'); // of the campaign's own zone
        const sources = await fleet.redis.admin.hvals(hours.sort().at(-1) ?? '');
        const micros = sources.reduce((sum, spent) => sum + Number(spent), 0);
        return (await pod.core.status('once')).hourly_spent_cents === micros / 10_000;
      });
    }
  });

  it('release a bid on the pod that allowed it when its win is reported to another', async () => {
    await fleet.createCampaign({ id: 'elsewhere', daily_budget_cents: 10_000 });
    const { max_bid_cents } = await fleet.pod(0).core.decide('elsewhere', 100, 'bid-1');
    expect(max_bid_cents).toBe(100);
    expect((await fleet.pod(0).core.status('elsewhere')).reserved_cents).toBe(100);
    await fleet.pod(1).core.spend({ campaign_id: 'elsewhere', spend_cents: 80, bid_id: 'bid-1' });
    await until('the reservation is released', async () => {
      const { reserved_cents, daily_spent_cents } = await fleet.pod(0).core.status('elsewhere');
      return reserved_cents === 0 && daily_spent_cents === 80;
    });
    await fleet.agrees('elsewhere', 80);
  });

  it('begin a day anew together, and spend its budget once more', async () => {
    await fleet.createCampaign({ id: 'anew', daily_budget_cents: 500, breaker_threshold: 1 });
    const bidders = fleet.pods.map((pod) => pod.bidder());
    const before = await spendAll(bidders, 'anew', 7);
    expect(before).toBeLessThanOrEqual(500);
    const open = await bidders[0]?.decide('anew', 1, 'open');
    const reply = await fleet
      .pod(1)
      .api.request('POST', '/budget/reset/anew', { reason: 'a test ran on it' });
    expect(reply).toMatchObject({ status: 200, body: { daily_spent_cents: 0, total_spent_cents: before } });
    for (const pod of fleet.pods) {
      await until('it has begun anew', async () => (await pod.core.status('anew')).daily_spent_cents === 0);
    }
    const after = await spendAll(bidders, 'anew', 7);
    for (const bidder of bidders) bidder.close();
    expect(after).toBeGreaterThan(450);
    expect(after + (open?.max_bid_cents ?? 0)).toBeLessThanOrEqual(500);
    await fleet.agrees('anew', before + after);
    const victim = fleet.pod(2);
    await victim.kill();
    await victim.restart();
    await until(
      'it knows its day again',
      async () => (await victim.core.status('anew')).daily_spent_cents === after,
    );
  });

  it('refuse a fourth one that has the name of another', async () => {
    const { redis, postgres } = fleet;
    const twin = await TestPod.prepare({
      env: {
        REDIS_URL: `redis://127.0.0.1:${redis.port}`,
        DATABASE_URL: postgres.url,
        NODE_ID: 'pod-1',
      },
    });
    await twin.launch();
    expect((await twin.exited).code).toBe(1);
    expect(twin.output).toContain('NODE_ID=\\"pod-1\\" is not accepted: another pod has it');
    await twin.remove();
  });

  it('lose and double nothing when one is killed under load and comes back', async () => {
    await fleet.createCampaign({ id: 'killed', daily_budget_cents: 3000, breaker_threshold: 1 });
    const victim = fleet.pod(2);
    let spent = 0;
    let running = true;
    const bid = async (pod: TestPod): Promise<void> => {
      while (running) {
        const bidder = pod.bidder();
        try {
          const { max_bid_cents } = await bidder.decide('killed', 3);
          if (max_bid_cents > 0) {
            await bidder.spend({ campaign_id: 'killed', spend_cents: max_bid_cents });
            spent += max_bid_cents;
          }
        } catch {
          await new Promise((resolve) => setTimeout(resolve, 20)); // the pod is down
        } finally {
          bidder.close();
        }
      }
    };
    const bidding = fleet.pods.map(bid);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await victim.kill();
    await new Promise((resolve) => setTimeout(resolve, 500));
    await victim.restart();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    running = false;
    await Promise.all(bidding);
    const { total_spent_cents } = await fleet.pod(0).core.status('killed');
    expect(total_spent_cents).toBeLessThanOrEqual(3000);
    // A spend whose answer the kill cut off may be in the ledger: it was not answered, so it is not lost.
    await until('all agree', async () => {
      const said = await Promise.all([
        fleet.inRedis('killed'),
        fleet.inPostgres('killed'),
        ...fleet.pods.map(async (pod) => (await pod.core.status('killed')).total_spent_cents),
      ]);
      return said.every((each) => each === said[0] && each >= spent - 1e-6 && each <= spent + 3 + 1e-6);
    });
  });
});

describe('while Redis is away', () => {
  it('bids go on, carefully and with a warning, and every cent is there when it is back', async () => {
    await fleet.createCampaign({ id: 'away', daily_budget_cents: 1_000_000, breaker_threshold: 1 });
    const pod = fleet.pod(0);
    let spent = 0;
    const win = async (): Promise<boolean> => {
      const decision = await pod.core.decide('away', 10);
      if (!decision.allow_bid) return false;
      await pod.core.spend({ campaign_id: 'away', spend_cents: decision.max_bid_cents });
      spent += decision.max_bid_cents;
      return true;
    };
    for (let bid = 0; bid < 50; bid++) await win();
    await fleet.redis.stop('SIGKILL');
    await until('the pod knows', async () => (await fleet.health(pod)).redis_healthy === false);
    expect(await fleet.health(pod)).toMatchObject({ status: 'degraded', degraded_since: expect.any(String) });
    let allowed = 0;
    await until('the throttle holds', async () => (await pod.core.decide('away', 10)).throttle_rate >= 0.5);
    for (let bid = 0; bid < 100; bid++) if (await win()) allowed++;
    expect(allowed).toBeGreaterThan(10);
    expect(allowed).toBeLessThan(90);
    expect(await pod.core.decide('away', 10)).toMatchObject({ warning: 'Operating in degraded mode' });
    await fleet.redis.resume();
    for (const each of fleet.pods) await fleet.healthy(each);
    expect((await pod.core.decide('away', 10)) as object).not.toHaveProperty('warning');
    await fleet.agrees('away', spent);
  });

  it('that was wiped, everything is told again', async () => {
    const { total_spent_cents } = await fleet.pod(0).core.status('shared');
    await fleet.agrees('shared', total_spent_cents);
    await fleet.redis.admin.flushall();
    // One campaign that is asked for shows it; the others are told by themselves.
    await fleet.createCampaign({ id: 'after', daily_budget_cents: 100 });
    for (const pod of fleet.pods) await pod.core.decide('away', 1);
    await until('the totals are back', async () => (await fleet.inRedis('shared')) === total_spent_cents);
    await fleet.agrees('shared', total_spent_cents);
  });
});

describe('a pod that dies after it counted an event and before it told', () => {
  it('leaves it uncounted by others, who have it repeated, and tells when it is back', async () => {
    const pair = await TestFleet.start(2, { REDIS_FLUSH_MS: 3000 });
    try {
      await pair.createCampaign({ id: 'c', daily_budget_cents: 10_000 });
      const event = { campaign_id: 'c', spend_cents: 10, event_id: 'win' };
      const report = (pod: TestPod) => pod.core.request<{ status: string }>('POST', '/spend/track', event);
      await until(
        'the pods have Redis',
        async () => (await pair.redis.admin.keys('budget:lease:*')).length > 0,
      );
      expect((await report(pair.pod(0))).body.status).toBe('success');
      await pair.pod(0).kill();
      expect(await pair.redis.admin.get('budget:event:{c}:win')).toMatch(/^\?pod-0-/);
      expect((await report(pair.pod(1))).status).toBe(503);
      await pair.pod(0).restart();
      const reply = await until('it is known', async () => {
        const { status, body } = await report(pair.pod(1));
        expect([200, 503]).toContain(status);
        return status === 200 && body;
      });
      expect(reply.status).toBe('duplicate');
      await pair.agrees('c', 10);
    } finally {
      await pair.remove();
    }
  }, 60_000);
});
