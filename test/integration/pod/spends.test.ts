import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestPod } from '../../support/pod.ts';
import type { BudgetStatus, Spend } from '../../support/pod-http.ts';
import { until } from '../../support/pod-wait.ts';
import { TestPostgres } from '../../support/postgres.ts';

const STATUS_FIELDS = [
  'campaign_id',
  'daily_budget_cents',
  'daily_spent_cents',
  'hourly_spent_cents',
  'total_budget_cents',
  'total_spent_cents',
  'reserved_cents',
  'remaining_cents',
  'pace_percentage',
  'target_spent_cents',
  'should_throttle',
  'throttle_rate',
  'circuit_breaker_open',
  'circuit_breaker_state',
  'circuit_breaker_reason',
  'pacing_mode',
  'status',
  'timezone',
  'local_day',
  'degraded',
  'projected_spend_cents',
  'projected_exhaustion_at',
];

describe('a spend', () => {
  let postgres: TestPostgres;
  let pod: TestPod;

  beforeAll(async () => {
    postgres = await TestPostgres.start();
    pod = await TestPod.start({ env: { DATABASE_URL: postgres.url, EDGE_THREADS: 2, SHARDS: 2 } });
  });
  afterAll(async () => {
    await pod.remove();
    await postgres.remove();
  });

  const spentOf = async (id: string): Promise<number> => (await pod.core.status(id)).daily_spent_cents;

  it('is in the next status read on both ports once it was answered', async () => {
    await pod.createCampaign({ id: 'read', daily_budget_cents: 1_000_000, total_budget_cents: 5_000_000 });
    for (let sent = 1; sent <= 50; sent++) {
      const bidder = pod.bidder();
      expect(await bidder.spend({ campaign_id: 'read', spend_cents: 0.15 })).toBe('success');
      bidder.close();
      const [core, api] = await Promise.all([
        pod.core.status('read'),
        pod.api.request<BudgetStatus>('GET', '/budget/status/read'),
      ]);
      for (const status of [core, api.body]) {
        expect(status).toMatchObject({
          daily_spent_cents: (sent * 1500) / 10_000,
          total_spent_cents: (sent * 1500) / 10_000,
        });
      }
    }
  });

  it('leads to a status with every field of the contract', async () => {
    await pod.createCampaign({ id: 'fields', daily_budget_cents: 200, total_budget_cents: 1000 });
    await pod.core.decide('fields', 20);
    await pod.core.spend({ campaign_id: 'fields', spend_cents: 50 });
    const { status, body } = await pod.core.request<Record<string, unknown>>('GET', '/budget/status/fields');
    expect(status).toBe(200);
    expect(Object.keys(body).sort()).toEqual([...STATUS_FIELDS].sort());
    expect(body).toMatchObject({
      campaign_id: 'fields',
      daily_budget_cents: 200,
      daily_spent_cents: 50,
      hourly_spent_cents: 50,
      total_budget_cents: 1000,
      total_spent_cents: 50,
      pace_percentage: 25,
      circuit_breaker_open: false,
      circuit_breaker_state: 'CLOSED',
      circuit_breaker_reason: null,
      pacing_mode: 'ASAP',
      status: 'ACTIVE',
      degraded: false,
    });
    expect(body.local_day).toMatch(/^\d{4}-\d\d-\d\d$/);
    expect((await pod.core.request('GET', '/budget/status/nobody')).status).toBe(404);
    expect((await pod.api.request('GET', '/budget/status/nobody')).status).toBe(404);
  });

  it('counts once for each event id: in a row, in one batch, and from many connections at once', async () => {
    await pod.createCampaign({ id: 'events', daily_budget_cents: 1_000_000 });
    const event = (event_id: string): Spend => ({ campaign_id: 'events', spend_cents: 1, event_id });
    expect(await pod.core.spend(event('a'))).toBe('success');
    expect(await pod.core.spend(event('a'))).toBe('duplicate');
    const batch = [event('b'), event('c'), event('b'), event('a'), event('c')];
    expect(await pod.core.spendBatch(batch)).toEqual([
      'success',
      'success',
      'duplicate',
      'duplicate',
      'duplicate',
    ]);
    const bidders = Array.from({ length: 12 }, () => pod.bidder());
    for (let round = 0; round < 10; round++) {
      const results = await Promise.all(bidders.map((bidder) => bidder.spend(event(`race-${round}`))));
      expect(results.filter((result) => result === 'success')).toHaveLength(1);
      expect(results.filter((result) => result === 'duplicate')).toHaveLength(11);
    }
    for (const bidder of bidders) bidder.close();
    expect(await spentOf('events')).toBe(13);
  });

  it('of another campaign is no duplicate under the same event id', async () => {
    const ids = ['same-1', 'same-2', 'same-3', 'same-4'];
    for (const id of ids) await pod.createCampaign({ id, daily_budget_cents: 1000 });
    const events = ids.map((campaign_id) => ({ campaign_id, spend_cents: 2, event_id: 'shared' }));
    expect(await pod.core.spendBatch(events)).toEqual(['success', 'success', 'success', 'success']);
    expect(await pod.core.spendBatch(events)).toEqual(['duplicate', 'duplicate', 'duplicate', 'duplicate']);
    for (const id of ids) expect(await spentOf(id)).toBe(2);
  });

  it('in a batch has its result at its place, for campaigns of different owners and unknown ones', async () => {
    const ids = Array.from({ length: 10 }, (_, at) => `owner-${at}`);
    for (const id of ids) await pod.createCampaign({ id, daily_budget_cents: 1_000_000 });
    const events = Array.from({ length: 1000 }, (_, at) => ({
      campaign_id: at % 11 === 10 ? `absent-${at}` : `owner-${at % 11}`,
      spend_cents: 1 + (at % 11) / 10,
    }));
    const results = await pod.core.spendBatch(events);
    expect(results).toEqual(events.map((_, at) => (at % 11 === 10 ? 'campaign_not_found' : 'success')));
    for (const [at, id] of ids.entries()) {
      const count = events.filter((event) => event.campaign_id === id).length;
      expect(Math.round((await spentOf(id)) * 10_000)).toBe(count * (10_000 + at * 1000));
    }
  });

  it('is recorded for campaigns that are paused, ended, deleted or exhausted', async () => {
    for (const id of ['was-paused', 'was-ended', 'was-deleted', 'was-exhausted']) {
      await pod.createCampaign({ id, daily_budget_cents: 100 });
    }
    await pod.patchCampaign('was-paused', { status: 'PAUSED' });
    await pod.patchCampaign('was-ended', { status: 'ENDED' });
    expect((await pod.api.request('DELETE', '/campaigns/was-deleted')).status).toBe(200);
    await pod.core.spend({ campaign_id: 'was-exhausted', spend_cents: 100 });
    for (const id of ['was-paused', 'was-ended', 'was-deleted', 'was-exhausted']) {
      const before = await spentOf(id);
      expect(await pod.core.spend({ campaign_id: id, spend_cents: 7 })).toBe('success');
      expect(await spentOf(id)).toBe(before + 7);
    }
    expect((await pod.core.status('was-exhausted')).remaining_cents).toBe(0);
  });

  it('for an id that never existed is refused with 404 and counted as rejected', async () => {
    const rejected = async () => (await pod.core.metrics()).get('pacer_spend_rejected_total') ?? Number.NaN;
    const before = await rejected();
    const reply = await pod.core.request('POST', '/spend/track', { campaign_id: 'never', spend_cents: 1 });
    expect(reply).toMatchObject({ status: 404, body: { error: { code: 'campaign_not_found' } } });
    expect(await pod.core.spendBatch([{ campaign_id: 'never', spend_cents: 1 }])).toEqual([
      'campaign_not_found',
    ]);
    expect((await rejected()) - before).toBe(2);
  });

  it('settles its named bid exactly, and without an id its amount of what is reserved', async () => {
    await pod.createCampaign({ id: 'held', daily_budget_cents: 1000 });
    await pod.core.decide('held', 30, 'n1');
    await pod.core.decide('held', 20, 'n2');
    await pod.core.decide('held', 10);
    expect((await pod.core.status('held')).reserved_cents).toBe(60);
    await pod.core.spend({ campaign_id: 'held', spend_cents: 25, bid_id: 'n1' });
    expect(await pod.core.status('held')).toMatchObject({ reserved_cents: 30, daily_spent_cents: 25 });
    await pod.core.spend({ campaign_id: 'held', spend_cents: 4 });
    expect(await pod.core.status('held')).toMatchObject({ reserved_cents: 26, daily_spent_cents: 29 });
    expect(await pod.core.lose('held', 'n2')).toBe('released');
    expect(await pod.core.status('held')).toMatchObject({ reserved_cents: 6, remaining_cents: 965 });
  });

  it('of 0 cents settles the bid', async () => {
    await pod.createCampaign({ id: 'free', daily_budget_cents: 1000 });
    await pod.core.decide('free', 30, 'zero');
    expect(await pod.core.spend({ campaign_id: 'free', spend_cents: 0, bid_id: 'zero' })).toBe('success');
    expect(await pod.core.status('free')).toMatchObject({ reserved_cents: 0, daily_spent_cents: 0 });
  });

  it('cannot release a loss twice, nor a bid that is unknown', async () => {
    await pod.createCampaign({ id: 'lost', daily_budget_cents: 1000 });
    await pod.core.decide('lost', 30, 'once');
    expect(await pod.core.lose('lost', 'once')).toBe('released');
    expect(await pod.core.lose('lost', 'once')).toBe('unknown');
    expect(await pod.core.lose('lost', 'never')).toBe('unknown');
    expect(await pod.core.lose('nobody', 'never')).toBe('unknown');
    expect((await pod.core.status('lost')).reserved_cents).toBe(0);
  });

  it('names its bid on another connection than the one that decided', async () => {
    await pod.createCampaign({ id: 'cross', daily_budget_cents: 100_000 });
    const bidders = Array.from({ length: 8 }, () => pod.bidder());
    for (let round = 0; round < 20; round++) {
      for (const [at, bidder] of bidders.entries()) {
        const bidId = `${round}-${at}`;
        const other = bidders[(at + 1 + round) % bidders.length] ?? bidder;
        expect((await bidder.decide('cross', 5, bidId)).allow_bid).toBe(true);
        await other.spend({ campaign_id: 'cross', spend_cents: 4, bid_id: bidId });
      }
    }
    for (const bidder of bidders) bidder.close();
    await until('every bid is settled', async () => (await pod.core.status('cross')).reserved_cents === 0);
    expect(await spentOf('cross')).toBe(640);
  });
});
