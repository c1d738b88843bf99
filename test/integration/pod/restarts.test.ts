import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TestPod } from '../../support/pod.ts';
import { SpendLoad } from '../../support/pod-load.ts';
import { RawClient } from '../../support/pod-socket.ts';
import { until } from '../../support/pod-wait.ts';
import { TestPostgres } from '../../support/postgres.ts';

const IDS = Array.from({ length: 12 }, (_, at) => `load-${at}`);

describe('a pod that is started again', () => {
  let postgres: TestPostgres;
  let pod: TestPod;
  let databases = 0;

  beforeAll(async () => {
    postgres = await TestPostgres.start();
  });
  afterAll(() => postgres.remove());
  beforeEach(async () => {
    const url = await postgres.database(`restarts_${databases++}`);
    pod = await TestPod.start({ env: { DATABASE_URL: url, EDGE_THREADS: 2, SHARDS: 2 } });
  });
  afterEach(() => pod.remove());

  async function underLoad(load: SpendLoad): Promise<void> {
    load.start(pod);
    const enough = load.answers + 500;
    await until('spends are answered', () => load.answers > enough);
  }

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'keeps every answered spend and what is reserved after a %s under load, which ends it with 0',
    async (signal) => {
      for (const id of IDS) await pod.createCampaign({ id, daily_budget_cents: 1_000_000_000 });
      await pod.createCampaign({ id: 'held', daily_budget_cents: 100 });
      await pod.core.decide('held', 40, 'named');
      await pod.core.decide('held', 25);
      const load = new SpendLoad(IDS);
      await underLoad(load);
      expect(await pod.stop(signal)).toEqual({ code: 0, signal: null });
      await load.stop();
      await pod.restart();
      expect(await load.check(pod)).toEqual([]);
      expect(await pod.core.status('held')).toMatchObject({ reserved_cents: 65, remaining_cents: 35 });
      expect(await pod.core.decide('held', 100)).toMatchObject({ allow_bid: true, max_bid_cents: 35 });
      expect((await pod.core.decide('held', 1)).allow_bid).toBe(false);
    },
  );

  it('ends at once at a second signal, and still has every answered spend', async () => {
    for (const id of IDS) await pod.createCampaign({ id, daily_budget_cents: 1_000_000_000 });
    const load = new SpendLoad(IDS);
    await underLoad(load);
    // A request that is never finished holds the orderly end up.
    const unfinished = await RawClient.open(pod.apiPort);
    await unfinished.send('POST /campaigns HTTP/1.1\r\nhost: pod\r\ncontent-length: 10\r\n\r\n{');
    pod.signal('SIGTERM');
    await until('it is stopping', () => pod.output.includes('"msg":"stopping"'));
    const { code, signal } = await pod.stop('SIGINT');
    expect(code === 0 || signal === 'SIGKILL').toBe(true);
    expect(pod.output).not.toContain('stopping took too long');
    await load.stop();
    unfinished.hangUp();
    await pod.restart();
    expect(await load.check(pod)).toEqual([]);
  });

  it('has every answered spend after three kills under load', async () => {
    for (const id of IDS) await pod.createCampaign({ id, daily_budget_cents: 1_000_000_000 });
    const load = new SpendLoad(IDS);
    for (let round = 0; round < 3; round++) {
      await underLoad(load);
      await pod.kill();
      await load.stop();
      await pod.restart();
      expect(await load.check(pod)).toEqual([]);
    }
  });

  it('holds after a kill what was in flight, until its reservation would have expired', async () => {
    await pod.stop();
    await pod.restart({ RESERVATION_TTL_MS: 5_000 });
    await pod.createCampaign({ id: 'small', daily_budget_cents: 100 });
    await pod.core.decide('small', 60, 'named');
    await pod.core.decide('small', 40);
    await pod.kill();
    await pod.restart();
    expect(await pod.core.decide('small', 1)).toMatchObject({ allow_bid: false, max_bid_cents: 0 });
    expect((await pod.core.status('small')).reserved_cents).toBe(100);
    const again = await until('it may be bid again', async () => {
      const decision = await pod.core.decide('small', 100);
      return decision.allow_bid && decision;
    });
    expect(again.max_bid_cents).toBe(100);
  });

  it('cannot overspend when bids that were allowed before a kill are won after it', async () => {
    await pod.createCampaign({ id: 'racing', daily_budget_cents: 1000, breaker_threshold: 1 });
    let allowed = 0;
    const bidders = Array.from({ length: 8 }, () => pod.bidder());
    const bidding = bidders.map(async (bidder) => {
      for (;;) {
        const decision = await bidder.decide('racing', 3).catch(() => null);
        if (decision === null) return;
        allowed += decision.max_bid_cents;
      }
    });
    await until('a part of the budget is in flight', () => allowed > 100);
    await pod.kill();
    await Promise.all(bidding);
    for (const bidder of bidders) bidder.close();
    await pod.restart();
    for (let round = 0; round < 50; round++) allowed += (await pod.core.decide('racing', 50)).max_bid_cents;
    expect(allowed).toBeLessThanOrEqual(1000);
  });

  it('remembers event ids over a kill and over a stop', async () => {
    await pod.createCampaign({ id: 'events', daily_budget_cents: 1_000_000 });
    const events = Array.from({ length: 200 }, (_, at) => ({
      campaign_id: 'events',
      spend_cents: 1,
      event_id: `e${at}`,
    }));
    expect(new Set(await pod.core.spendBatch(events))).toEqual(new Set(['success']));
    await pod.kill();
    await pod.restart();
    expect(new Set(await pod.core.spendBatch(events))).toEqual(new Set(['duplicate']));
    await pod.stop();
    await pod.restart();
    expect(new Set(await pod.core.spendBatch(events))).toEqual(new Set(['duplicate']));
    expect((await pod.core.status('events')).daily_spent_cents).toBe(200);
  });

  it('keeps counters, reservations and event ids when the number of threads changes', async () => {
    const ids = Array.from({ length: 24 }, (_, at) => `moved-${at}`);
    const bidder = pod.bidder(); // of one edge: by another the spend could overtake the name of the bid
    for (const [at, id] of ids.entries()) {
      await pod.createCampaign({ id, daily_budget_cents: 1000 });
      await bidder.decide(id, 10 + at, 'bid');
      await bidder.spend({ campaign_id: id, spend_cents: at + 0.5, event_id: 'first' });
    }
    bidder.close();
    for (const threads of [
      { SHARDS: 5, EDGE_THREADS: 1 },
      { SHARDS: 1, EDGE_THREADS: 3 },
    ]) {
      await pod.stop();
      await pod.restart(threads);
      const events = ids.map((campaign_id) => ({ campaign_id, spend_cents: 1, event_id: 'first' }));
      expect(new Set(await pod.core.spendBatch(events))).toEqual(new Set(['duplicate']));
      for (const [at, id] of ids.entries()) {
        // The spend had no bid's id, so it settled nothing of a bid that has one.
        expect(await pod.core.status(id)).toMatchObject({
          daily_spent_cents: at + 0.5,
          reserved_cents: 10 + at,
        });
        expect((await pod.core.decide(id, 1, 'again')).reason).toBe('within_budget');
        expect(await pod.core.lose(id, 'again')).toBe('released');
      }
    }
  });

  it('records spend for a campaign that was deleted before the restart', async () => {
    await pod.createCampaign({ id: 'gone', daily_budget_cents: 1000 });
    await pod.core.spend({ campaign_id: 'gone', spend_cents: 5 });
    expect((await pod.api.request('DELETE', '/campaigns/gone')).status).toBe(200);
    await pod.stop();
    await pod.restart();
    expect((await pod.core.decide('gone', 1)).reason).toBe('campaign_not_found');
    expect(await pod.core.spend({ campaign_id: 'gone', spend_cents: 7 })).toBe('success');
    expect((await pod.core.status('gone')).daily_spent_cents).toBe(12);
  });
});
