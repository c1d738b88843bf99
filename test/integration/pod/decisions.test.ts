import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestPod } from '../../support/pod.ts';
import type { Decision } from '../../support/pod-http.ts';
import { calmZone, timeIn, until } from '../../support/pod-wait.ts';

describe('a decision', () => {
  let pod: TestPod;

  beforeAll(async () => {
    pod = await TestPod.start({ env: { EDGE_THREADS: 2, SHARDS: 2 } });
  });
  afterAll(() => pod.remove());

  it('allows a bid within the budget, with every field of the contract and no other', async () => {
    await pod.createCampaign({ id: 'plain', daily_budget_cents: 1000 });
    const decision = await pod.core.decide('plain', 7.5);
    expect(decision).toEqual({
      allow_bid: true,
      max_bid_cents: 7.5,
      throttle_rate: 0,
      reason: 'within_budget',
    });
  });

  it('denies with 0 cents and the reason that applies', async () => {
    const zone = calmZone();
    const { hour } = timeIn(zone, Date.now());
    const later = { start_hour: hour + 1, end_hour: hour + 2 };
    const cases: Readonly<Record<string, object>> = {
      campaign_paused: { status: 'PAUSED' },
      outside_flight: { start_date: '2999-01-01' },
      outside_daypart: { timezone: zone, dayparts: [later] },
    };
    for (const [reason, fields] of Object.entries(cases)) {
      await pod.createCampaign({ id: reason, daily_budget_cents: 1000, ...fields });
      expect(await pod.core.decide(reason, 1)).toMatchObject({ allow_bid: false, max_bid_cents: 0, reason });
    }
    expect(await pod.core.decide('nobody', 1)).toEqual({
      allow_bid: false,
      max_bid_cents: 0,
      throttle_rate: 0,
      reason: 'campaign_not_found',
    });
  });

  it('denies outside the flight when the flight is over or the campaign has ended', async () => {
    await pod.createCampaign({ id: 'over', daily_budget_cents: 1000, end_date: '2020-01-01' });
    await pod.createCampaign({ id: 'ended', daily_budget_cents: 1000, status: 'ENDED' });
    expect((await pod.core.decide('over', 1)).reason).toBe('outside_flight');
    expect((await pod.core.decide('ended', 1)).reason).toBe('outside_flight');
  });

  it('is allowed in the flight and the daypart that hold now', async () => {
    const zone = calmZone();
    const { hour } = timeIn(zone, Date.now());
    const flight = { start_date: '2020-01-01T00:00:00Z', end_date: '2999-12-31' };
    const dayparts = [{ start_hour: hour, end_hour: hour + 1 }];
    await pod.createCampaign({ id: 'now', daily_budget_cents: 1000, timezone: zone, ...flight, dayparts });
    expect((await pod.core.decide('now', 1)).reason).toBe('within_budget');
  });

  it('denies what spend has used up: breaker at 95%, then the day, or the total', async () => {
    await pod.createCampaign({ id: 'used', daily_budget_cents: 1000 });
    await pod.core.spend({ campaign_id: 'used', spend_cents: 949.9999 });
    expect((await pod.core.decide('used', 1)).reason).not.toBe('circuit_breaker_open');
    await pod.core.spend({ campaign_id: 'used', spend_cents: 0.0001 });
    expect((await pod.core.decide('used', 1)).reason).toBe('circuit_breaker_open');
    await pod.core.spend({ campaign_id: 'used', spend_cents: 50 });
    expect((await pod.core.decide('used', 1)).reason).toBe('budget_exhausted');
    await pod.createCampaign({ id: 'used-total', daily_budget_cents: 1000, total_budget_cents: 100 });
    await pod.core.spend({ campaign_id: 'used-total', spend_cents: 100 });
    expect((await pod.core.decide('used-total', 1)).reason).toBe('total_budget_exhausted');
  });

  it('gives the last bid what is left, and then says that the rest is reserved', async () => {
    await pod.createCampaign({ id: 'last', daily_budget_cents: 100 });
    expect((await pod.core.decide('last', 60.5)).max_bid_cents).toBe(60.5);
    expect(await pod.core.decide('last', 60)).toMatchObject({ allow_bid: true, max_bid_cents: 39.5 });
    expect((await pod.core.decide('last', 1)).reason).toBe('budget_reserved');
    expect(await pod.core.status('last')).toMatchObject({ reserved_cents: 100, remaining_cents: 0 });
  });

  it('gives budget back to bids when a reserved bid is lost or won for less', async () => {
    await pod.createCampaign({ id: 'back', daily_budget_cents: 100 });
    await pod.core.decide('back', 60, 'lost-bid');
    await pod.core.decide('back', 40, 'won-bid');
    expect((await pod.core.decide('back', 1)).reason).toBe('budget_reserved');
    expect(await pod.core.lose('back', 'lost-bid')).toBe('released');
    await pod.core.spend({ campaign_id: 'back', spend_cents: 30, bid_id: 'won-bid' });
    expect((await pod.core.decide('back', 100)).max_bid_cents).toBe(70);
  });

  it('holds an EVEN campaign back when far more is asked for than its plan wants', async () => {
    await pod.createCampaign({ id: 'even', daily_budget_cents: 1_000_000, pacing_mode: 'EVEN' });
    const requests = Array.from({ length: 200 }, () => ({ campaign_id: 'even', bid_cents: 1 }));
    const throttled = await until('most bids are throttled', async () => {
      const reply = await pod.core.request<{ decisions: Decision[] }>('POST', '/pacing/decisions', {
        requests,
      });
      const { decisions } = reply.body;
      const denied = decisions.filter(({ reason }) => reason === 'throttled');
      return denied.length > 150 && (decisions[0]?.throttle_rate ?? 0) > 0.5 && denied;
    });
    for (const decision of throttled) {
      expect(decision).toMatchObject({ allow_bid: false, max_bid_cents: 0 });
      expect(decision.throttle_rate).toBeLessThanOrEqual(1);
    }
    expect((await pod.core.status('even')).throttle_rate).toBeGreaterThan(0);
  });

  it('answers a list in its order, the same campaign several times included', async () => {
    await pod.createCampaign({ id: 'one', daily_budget_cents: 100 });
    await pod.createCampaign({ id: 'two', daily_budget_cents: 100 });
    const requests = [
      { campaign_id: 'one', bid_cents: 70 },
      { campaign_id: 'absent', bid_cents: 1 },
      { campaign_id: 'two', bid_cents: 5, bid_id: 'b' },
      { campaign_id: 'one', bid_cents: 70 },
      { campaign_id: 'one', bid_cents: 70 },
    ];
    const reply = await pod.core.request<{ decisions: Decision[] }>('POST', '/pacing/decisions', {
      requests,
    });
    expect(reply.status).toBe(200);
    expect(Object.keys(reply.body)).toEqual(['decisions']);
    expect(reply.body.decisions.map(({ reason, max_bid_cents }) => [reason, max_bid_cents])).toEqual([
      ['within_budget', 70],
      ['campaign_not_found', 0],
      ['within_budget', 5],
      ['within_budget', 30],
      ['budget_reserved', 0],
    ]);
    expect(await pod.core.lose('two', 'b')).toBe('released');
  });

  it('takes a thousand requests in one body', async () => {
    await pod.createCampaign({ id: 'many', daily_budget_cents: 1_000_000 });
    const requests = Array.from({ length: 1000 }, (_, at) => ({
      campaign_id: at % 2 === 0 ? 'many' : `absent-${at}`,
      bid_cents: 1,
      bid_id: `m${at}`,
    }));
    const reply = await pod.core.request<{ decisions: Decision[] }>('POST', '/pacing/decisions', {
      requests,
    });
    expect(reply.body.decisions.map(({ allow_bid }) => allow_bid)).toEqual(
      requests.map((_, at) => at % 2 === 0),
    );
    expect((await pod.core.status('many')).reserved_cents).toBe(500);
  });

  it('ignores fields it does not know and takes null for an id that is not given', async () => {
    await pod.createCampaign({ id: 'loose', daily_budget_cents: 100 });
    const body = { campaign_id: 'loose', bid_cents: 1, bid_id: null, site: 'a', nested: { deep: [1] } };
    const reply = await pod.core.request<Decision>('POST', '/pacing/decision', body);
    expect(reply).toMatchObject({ status: 200, body: { allow_bid: true } });
    expect(reply.headers['content-type']).toBe('application/json');
  });
});
