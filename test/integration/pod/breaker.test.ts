import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestPod } from '../../support/pod.ts';
import type { BudgetStatus, Decision } from '../../support/pod-http.ts';
import { until } from '../../support/pod-wait.ts';
import { TestPostgres } from '../../support/postgres.ts';

describe('a circuit breaker', () => {
  let postgres: TestPostgres;
  let pod: TestPod;

  beforeAll(async () => {
    postgres = await TestPostgres.start();
    const pacing = { BREAKER_RECOVERY_MS: 2_000, BREAKER_PROBES: 2, RESERVATION_TTL_MS: 60_000 };
    pod = await TestPod.start({
      env: { DATABASE_URL: postgres.url, EDGE_THREADS: 2, SHARDS: 2, ...pacing },
    });
  });
  afterAll(async () => {
    await pod.remove();
    await postgres.remove();
  });

  /** One decision each over many connections. */
  async function decisions(id: string, count: number, bidCents = 1): Promise<Decision[]> {
    const bidders = Array.from({ length: count }, () => pod.bidder());
    const all = await Promise.all(bidders.map((bidder) => bidder.decide(id, bidCents)));
    for (const bidder of bidders) bidder.close();
    return all;
  }

  async function tripped(id: string, fields: object = {}): Promise<void> {
    await pod.createCampaign({ id, daily_budget_cents: 1000, ...fields });
    await pod.core.spend({ campaign_id: id, spend_cents: 950 });
  }

  function inState(id: string, state: BudgetStatus['circuit_breaker_state']): Promise<BudgetStatus> {
    return until(`the breaker of ${id} is ${state}`, async () => {
      const status = await pod.core.status(id);
      return status.circuit_breaker_state === state && status;
    });
  }

  it('opens with the spend that reaches 95% and denies every bid on every edge from then on', async () => {
    await pod.createCampaign({ id: 'trips', daily_budget_cents: 1000 });
    for (let spends = 0; spends < 18; spends++)
      await pod.core.spend({ campaign_id: 'trips', spend_cents: 50 });
    await pod.core.spend({ campaign_id: 'trips', spend_cents: 49.9999 });
    expect((await pod.core.status('trips')).circuit_breaker_state).toBe('CLOSED');
    await pod.core.spend({ campaign_id: 'trips', spend_cents: 0.0001 });
    const all = await decisions('trips', 32);
    expect(new Set(all.map(({ allow_bid, reason }) => `${allow_bid} ${reason}`))).toEqual(
      new Set(['false circuit_breaker_open']),
    );
    expect(await pod.core.status('trips')).toMatchObject({
      circuit_breaker_open: true,
      circuit_breaker_state: 'OPEN',
      circuit_breaker_reason: 'threshold',
    });
  });

  it('opens as well with the win of a reserved bid that reaches 95%', async () => {
    await pod.createCampaign({ id: 'covered', daily_budget_cents: 1000 });
    for (let bid = 0; bid < 10; bid++) {
      expect((await pod.core.decide('covered', 95, `b${bid}`)).max_bid_cents).toBe(95);
    }
    for (let bid = 0; bid < 9; bid++) {
      await pod.core.spend({ campaign_id: 'covered', spend_cents: 95, bid_id: `b${bid}` });
    }
    expect((await pod.core.status('covered')).circuit_breaker_state).toBe('CLOSED');
    await pod.core.spend({ campaign_id: 'covered', spend_cents: 95, bid_id: 'b9' });
    const all = await decisions('covered', 32);
    expect(new Set(all.map(({ reason }) => reason))).toEqual(new Set(['circuit_breaker_open']));
  });

  it('lets as many probes through as configured, closes guarded when both are settled, and ends at the budget', async () => {
    await tripped('probed');
    await inState('probed', 'HALF_OPEN');
    const probes = (await decisions('probed', 40)).filter((decision) => decision.allow_bid);
    expect(probes).toHaveLength(2);
    expect(probes.every((probe) => probe.reason === 'probe' && probe.max_bid_cents === 1)).toBe(true);
    expect((await pod.core.status('probed')).circuit_breaker_state).toBe('HALF_OPEN');
    await pod.core.spend({ campaign_id: 'probed', spend_cents: 1 });
    expect((await pod.core.status('probed')).circuit_breaker_state).toBe('HALF_OPEN');
    await pod.core.spend({ campaign_id: 'probed', spend_cents: 1 });
    expect(await pod.core.status('probed')).toMatchObject({
      circuit_breaker_state: 'CLOSED',
      circuit_breaker_open: false,
      throttle_rate: 0.9,
    });
    let sentCents = 952;
    await until('the rest is spent', async () => {
      const { allow_bid, max_bid_cents, reason } = await pod.core.decide('probed', 5);
      if (allow_bid) await pod.core.spend({ campaign_id: 'probed', spend_cents: max_bid_cents });
      sentCents += max_bid_cents;
      return reason === 'budget_exhausted';
    });
    expect(sentCents).toBe(1000);
    expect(await pod.core.status('probed')).toMatchObject({
      daily_spent_cents: 1000,
      circuit_breaker_state: 'OPEN',
      circuit_breaker_reason: 'budget_spent',
    });
  });

  it('counts a probe that is lost as settled', async () => {
    await tripped('lost');
    await inState('lost', 'HALF_OPEN');
    expect((await pod.core.decide('lost', 1, 'p1')).reason).toBe('probe');
    expect((await pod.core.decide('lost', 1, 'p2')).reason).toBe('probe');
    expect((await pod.core.decide('lost', 1, 'p3')).allow_bid).toBe(false);
    expect(await pod.core.lose('lost', 'p1')).toBe('released');
    await pod.core.spend({ campaign_id: 'lost', spend_cents: 0.5, bid_id: 'p2' });
    expect((await pod.core.status('lost')).circuit_breaker_state).toBe('CLOSED');
  });

  it('opens again when spend comes that nothing was reserved for', async () => {
    await tripped('breached');
    await inState('breached', 'HALF_OPEN');
    await pod.core.spend({ campaign_id: 'breached', spend_cents: 3 });
    expect(await pod.core.status('breached')).toMatchObject({
      circuit_breaker_state: 'OPEN',
      circuit_breaker_reason: 'breach',
    });
    expect((await pod.core.decide('breached', 1)).reason).toBe('circuit_breaker_open');
    await inState('breached', 'HALF_OPEN');
  });

  it('closes at once, without a guard, when the budget is raised', async () => {
    await tripped('raised');
    const raise = { campaign_id: 'raised', new_daily_budget_cents: 10_000 };
    expect((await pod.api.request('POST', '/budget/adjust', raise)).status).toBe(200);
    expect(await pod.core.status('raised')).toMatchObject({
      circuit_breaker_state: 'CLOSED',
      circuit_breaker_reason: null,
    });
    await until('no bid is held back', async () => {
      const all = await decisions('raised', 16, 10);
      return all.every(({ reason, throttle_rate }) => reason === 'within_budget' && throttle_rate === 0);
    });
  });

  it('trips at the threshold of its campaign, and at 1 only when all is spent', async () => {
    await pod.createCampaign({ id: 'half', daily_budget_cents: 1000, breaker_threshold: 0.5 });
    await pod.core.spend({ campaign_id: 'half', spend_cents: 500 });
    expect((await pod.core.decide('half', 1)).reason).toBe('circuit_breaker_open');
    await pod.createCampaign({ id: 'never', daily_budget_cents: 1000, breaker_threshold: 1 });
    await pod.core.spend({ campaign_id: 'never', spend_cents: 999 });
    expect((await pod.core.status('never')).circuit_breaker_state).toBe('CLOSED');
  });

  it('stays as it was over a stop and over a kill', async () => {
    await tripped('kept-guarded');
    await inState('kept-guarded', 'HALF_OPEN');
    for (const bid of ['g1', 'g2']) {
      expect((await pod.core.decide('kept-guarded', 1, bid)).reason).toBe('probe');
      await pod.core.spend({ campaign_id: 'kept-guarded', spend_cents: 1, bid_id: bid });
    }
    await pod.stop();
    await pod.restart({ BREAKER_RECOVERY_MS: 3_600_000 });
    await tripped('kept-open');
    for (const end of [() => pod.kill(), () => pod.stop()]) {
      await end();
      await pod.restart();
      expect(await pod.core.status('kept-open')).toMatchObject({
        circuit_breaker_state: 'OPEN',
        circuit_breaker_reason: 'threshold',
      });
      expect((await pod.core.decide('kept-open', 1)).reason).toBe('circuit_breaker_open');
      expect(await pod.core.status('kept-guarded')).toMatchObject({
        circuit_breaker_state: 'CLOSED',
        throttle_rate: 0.9,
      });
    }
  });
});
