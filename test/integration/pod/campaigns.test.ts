import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestPod } from '../../support/pod.ts';
import { SpendLoad } from '../../support/pod-load.ts';
import { TestPostgres } from '../../support/postgres.ts';

const CONNECTIONS = 16;

describe('a campaign that changes while traffic runs', () => {
  let postgres: TestPostgres;
  let pod: TestPod;
  const load = new SpendLoad(['base-0', 'base-1', 'base-2']);

  beforeAll(async () => {
    postgres = await TestPostgres.start();
    pod = await TestPod.start({ env: { DATABASE_URL: postgres.url, EDGE_THREADS: 2, SHARDS: 2 } });
    for (const id of load.sent.keys()) await pod.createCampaign({ id, daily_budget_cents: 1_000_000_000 });
    load.start(pod, { bidders: 4 });
  });
  afterAll(async () => {
    await pod.remove();
    await postgres.remove();
  });

  /** The reasons that every edge gives right now, each asked over connections of its own. */
  async function reasons(id: string, bidCents = 0.01): Promise<string[]> {
    const bidders = Array.from({ length: CONNECTIONS }, () => pod.bidder());
    const decisions = await Promise.all(bidders.map((bidder) => bidder.decide(id, bidCents)));
    for (const bidder of bidders) bidder.close();
    return [...new Set(decisions.map((decision) => decision.reason))];
  }

  it('is decided on by every edge from its 201 on', async () => {
    for (let at = 0; at < 20; at++) {
      await pod.createCampaign({ id: `new-${at}`, daily_budget_cents: 1000 });
      expect(await reasons(`new-${at}`)).toEqual(['within_budget']);
    }
  });

  it('is paused and resumed for every edge from the reply on', async () => {
    await pod.createCampaign({ id: 'paused', daily_budget_cents: 1000 });
    for (let round = 0; round < 5; round++) {
      await pod.patchCampaign('paused', { status: 'PAUSED' });
      expect(await reasons('paused')).toEqual(['campaign_paused']);
      await pod.patchCampaign('paused', { status: 'ACTIVE' });
      expect(await reasons('paused')).toEqual(['within_budget']);
    }
  });

  it('has its new budget for every edge from the reply on', async () => {
    await pod.createCampaign({ id: 'budget', daily_budget_cents: 1000 });
    await pod.core.spend({ campaign_id: 'budget', spend_cents: 500 });
    const adjust = (cents: number) =>
      pod.api.request('POST', '/budget/adjust', { campaign_id: 'budget', new_daily_budget_cents: cents });
    expect((await adjust(500)).status).toBe(200);
    expect(await reasons('budget')).toEqual(['budget_exhausted']);
    // Under 80% spent, where ASAP holds nothing back.
    expect((await adjust(650)).status).toBe(200);
    expect((await pod.core.decide('budget', 1000)).max_bid_cents).toBe(150);
    expect((await adjust(400)).status).toBe(200);
    expect(await reasons('budget')).toEqual(['budget_exhausted']);
    expect(await pod.core.status('budget')).toMatchObject({ daily_budget_cents: 400, remaining_cents: 0 });
  });

  it('has its new mode from the reply on', async () => {
    await pod.createCampaign({ id: 'mode', daily_budget_cents: 1000 });
    for (const mode of ['EVEN', 'ADAPTIVE', 'FRONT_LOADED', 'ASAP']) {
      const reply = await pod.api.request('POST', '/pacing/mode', { campaign_id: 'mode', pacing_mode: mode });
      expect(reply.status).toBe(200);
      expect((await pod.core.status('mode')).pacing_mode).toBe(mode);
    }
    expect(await reasons('mode')).toEqual(['within_budget']);
  });

  it('is planned by its hourly multipliers from the reply on, and says why on both ports', async () => {
    await pod.createCampaign({ id: 'hours', daily_budget_cents: 2400, pacing_mode: 'EVEN', timezone: 'UTC' });
    const hour = new Date().getUTCHours();
    const others = Array.from({ length: 24 }, (_, at) => ({
      hour: at,
      multiplier: (at - hour + 24) % 24 < 2 ? 1 : 0,
    }));
    await pod.api.request('PUT', '/pacing/config/hours', { pacing_configs: others });
    for (const client of [pod.core, pod.api]) {
      const { body } = await client.request<{ explain: Record<string, number> }>(
        'GET',
        '/budget/status/hours?explain=true',
      );
      // The budget is wanted within two hours.
      expect(body.explain.target_cents_per_second).toBeGreaterThan(2400 / 7200 / 2);
      expect(body.explain).toMatchObject({ gate: 'within_budget', budget_cents: 2400 });
    }
  });

  it('is unknown to every edge once its deletion was answered, and its spend still counts', async () => {
    for (let at = 0; at < 10; at++) {
      const id = `deleted-${at}`;
      await pod.createCampaign({ id, daily_budget_cents: 1000 });
      expect(await reasons(id)).toEqual(['within_budget']);
      expect((await pod.api.request('DELETE', `/campaigns/${id}`)).status).toBe(200);
      expect(await reasons(id)).toEqual(['campaign_not_found']);
      expect(await pod.core.spend({ campaign_id: id, spend_cents: 1 })).toBe('success');
      expect(await pod.core.status(id)).toMatchObject({ status: 'DELETED', daily_spent_cents: 1 });
      expect(
        (await pod.api.request('POST', '/campaigns', { id, name: id, daily_budget_cents: 1 })).status,
      ).toBe(409);
    }
  });

  it('is itself alone while others come and go by the hundred', async () => {
    await pod.createCampaign({ id: 'steady', daily_budget_cents: 1_000_000 });
    let spentCents = 0;
    const churn = Array.from({ length: 8 }, async (_, lane) => {
      for (let at = 0; at < 25; at++) {
        const id = `churn-${lane}-${at}`;
        await pod.createCampaign({ id, daily_budget_cents: 100 });
        expect((await pod.core.decide(id, 1, 'only')).max_bid_cents).toBe(1);
        expect(await pod.core.spend({ campaign_id: id, spend_cents: 1, bid_id: 'only' })).toBe('success');
        await pod.core.spend({ campaign_id: 'steady', spend_cents: 1 });
        spentCents++;
        expect((await pod.api.request('DELETE', `/campaigns/${id}`)).status).toBe(200);
        expect(await pod.core.status(id)).toMatchObject({ daily_spent_cents: 1, reserved_cents: 0 });
      }
    });
    await Promise.all(churn);
    expect(await pod.core.status('steady')).toMatchObject({
      daily_spent_cents: spentCents,
      reserved_cents: 0,
    });
  });

  it('edited by many at once ends as the last answered version says, and its spend is untouched', async () => {
    await pod.createCampaign({ id: 'edited', daily_budget_cents: 1000 });
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        pod.api.request<{ version: number; daily_budget_cents: number }>('PATCH', '/campaigns/edited', {
          daily_budget_cents: 2000 + at,
        }),
      ),
    );
    const last = replies.map((reply) => reply.body).sort((a, b) => b.version - a.version)[0];
    expect(replies.map((reply) => reply.status)).toEqual(replies.map(() => 200));
    expect((await pod.core.status('edited')).daily_budget_cents).toBe(last?.daily_budget_cents);
  });

  it('never cost an answered spend of the campaigns beside it', async () => {
    await load.stop();
    expect(load.answers).toBeGreaterThan(0);
    expect(load.connectionsLost + load.refused).toBe(0);
    expect(await load.check(pod)).toEqual([]);
  });
});

describe('the limit of the pacing table', () => {
  let postgres: TestPostgres;
  let pod: TestPod;

  beforeAll(async () => {
    postgres = await TestPostgres.start();
    const env = { DATABASE_URL: postgres.url, CAMPAIGNS_MAX: 32, SHARDS: 1, EDGE_THREADS: 1 };
    pod = await TestPod.start({ env });
  });
  afterAll(async () => {
    await pod.remove();
    await postgres.remove();
  });

  it('refuses the next campaign with campaign_limit, stores nothing of it, and serves the others', async () => {
    for (let at = 0; at < 32; at++) await pod.createCampaign({ id: `full-${at}`, daily_budget_cents: 1000 });
    const reply = await pod.api.request('POST', '/campaigns', {
      id: 'more',
      name: 'x',
      daily_budget_cents: 1,
    });
    expect(reply).toMatchObject({ status: 503, body: { error: { code: 'campaign_limit' } } });
    expect(reply.text).toContain('CAMPAIGNS_MAX');
    expect((await pod.api.request('GET', '/campaigns/more')).status).toBe(404);
    expect((await pod.core.decide('more', 1)).reason).toBe('campaign_not_found');
    expect(
      (await pod.core.request('POST', '/spend/track', { campaign_id: 'more', spend_cents: 1 })).status,
    ).toBe(404);
    const list = await pod.api.request<unknown[]>('GET', '/campaigns?limit=1000');
    expect(list.body).toHaveLength(32);
    for (let at = 0; at < 32; at++) expect((await pod.core.decide(`full-${at}`, 1)).allow_bid).toBe(true);
    expect((await pod.patchCampaign('full-0', { daily_budget_cents: 2000 })).status).toBe(200);
  });

  it('holds after a restart as before', async () => {
    await pod.stop();
    await pod.restart();
    for (let at = 0; at < 32; at++) expect((await pod.core.decide(`full-${at}`, 1)).allow_bid).toBe(true);
    const reply = await pod.api.request('POST', '/campaigns', {
      id: 'more',
      name: 'x',
      daily_budget_cents: 1,
    });
    expect(reply).toMatchObject({ status: 503, body: { error: { code: 'campaign_limit' } } });
  });
});
