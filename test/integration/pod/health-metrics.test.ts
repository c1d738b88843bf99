import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestPod } from '../../support/pod.ts';
import { sumOf } from '../../support/pod-http.ts';
import { until } from '../../support/pod-wait.ts';
import { TestPostgres } from '../../support/postgres.ts';

const METRICS = [
  'pacer_request_duration_seconds_count',
  'pacer_request_duration_seconds_sum',
  'pacer_request_duration_seconds_bucket',
  'pacer_decisions_total',
  'pacer_budget_utilization_percentage',
  'pacer_circuit_breaker_state',
  'pacer_throttle_rate',
  'pacer_spend_cents_total',
  'pacer_overspend_cents_total',
  'pacer_pacing_error_ratio',
  'pacer_reserved_cents',
  'pacer_late_win_cents_total',
  'pacer_spend_rejected_total',
  'pacer_redis_up',
  'pacer_postgres_up',
  'pacer_degraded',
  'pacer_ledger_commit_seconds_count',
  'pacer_flush_lag_seconds',
  'pacer_event_loop_lag_seconds',
  'pacer_build_info',
];

describe('health and metrics', () => {
  let postgres: TestPostgres;
  let pod: TestPod;

  beforeAll(async () => {
    postgres = await TestPostgres.start();
    const threads = { EDGE_THREADS: 2, SHARDS: 2, METRICS_CAMPAIGNS: 3, RESERVATION_TTL_MS: 1000 };
    pod = await TestPod.start({ env: { DATABASE_URL: postgres.url, ...threads } });
    // Series are given out at the first scrape for some seconds, so the campaigns come before it.
    await pod.createCampaign({ id: 'small', daily_budget_cents: 1000 });
    await pod.createCampaign({ id: 'late', daily_budget_cents: 2_000_000_000 });
    await pod.createCampaign({ id: 'sums', daily_budget_cents: 3_000_000_000 });
    await pod.createCampaign({ id: 'shown', daily_budget_cents: 4_000_000_000 });
  });
  afterAll(async () => {
    await pod.remove();
    await postgres.remove();
  });

  it('answer for the pod, its liveness and its readiness, on both ports', async () => {
    for (const client of [pod.core, pod.api]) {
      const health = await client.request<Record<string, unknown>>('GET', '/health');
      expect(health.status).toBe(200);
      expect(health.body).toEqual({
        status: 'healthy',
        redis_healthy: null,
        postgres_healthy: true,
        degraded_since: null,
        ledger_healthy: true,
        pending_flush: expect.any(Number),
        campaigns: expect.any(Number),
        uptime_seconds: expect.any(Number),
        version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      });
    }
    expect((await pod.core.request('GET', '/health/live')).status).toBe(200);
    expect((await pod.core.request('GET', '/health/ready')).status).toBe(200);
  });

  it('count the campaigns', async () => {
    const count = async () =>
      (await pod.core.request<{ campaigns: number }>('GET', '/health')).body.campaigns;
    const before = await count();
    await pod.createCampaign({ id: 'counted-1', daily_budget_cents: 1 });
    await pod.createCampaign({ id: 'counted-2', daily_budget_cents: 1 });
    expect(await count()).toBe(before + 2);
  });

  it('show every metric of the contract as Prometheus text', async () => {
    const reply = await pod.core.request('GET', '/metrics');
    expect(reply.headers['content-type']).toContain('text/plain');
    const samples = await pod.core.metrics();
    const names = new Set([...samples.keys()].map((series) => series.replace(/\{.*$/, '')));
    expect(METRICS.filter((name) => !names.has(name))).toEqual([]);
    const lags = [...samples.keys()].filter((series) => series.startsWith('pacer_event_loop_lag_seconds'));
    for (const thread of ['edge-0', 'edge-1', 'shard-0', 'shard-1', 'management']) {
      expect(lags).toContain(`pacer_event_loop_lag_seconds{thread="${thread}"}`);
    }
    expect(samples.get('pacer_postgres_up')).toBe(1);
    expect(samples.get('pacer_redis_up')).toBeNaN();
    expect(samples.get('pacer_degraded')).toBe(0);
    expect(sumOf(samples, 'pacer_build_info')).toBe(1);
  });

  it('show how long garbage collections stopped each thread', async () => {
    const samples = await pod.core.metrics();
    const pauses = (thread: string) => samples.get(`pacer_gc_pause_seconds_count{thread="${thread}"}`);
    for (const thread of ['edge-0', 'edge-1', 'shard-0', 'shard-1']) {
      expect(pauses(thread)).toBeGreaterThanOrEqual(0);
    }
    // It has started the database's client and rendered pages: no heap holds that without a collection.
    expect(pauses('management')).toBeGreaterThan(0);
    expect(samples.get('pacer_gc_pause_seconds_sum{thread="management"}')).toBeGreaterThan(0);
  });

  const timedOf = (samples: ReadonlyMap<string, number>, endpoint: string): number =>
    samples.get(`pacer_request_duration_seconds_count{endpoint="${endpoint}",method="POST"}`) ??
    samples.get(`pacer_request_duration_seconds_count{method="POST",endpoint="${endpoint}"}`) ??
    0;

  /** The metrics, once each single decision is in the histogram: one that is timed counts for some that follow it. */
  const allCounted = () =>
    until('every decision is in the histogram', async () => {
      const read = await pod.core.metrics();
      return timedOf(read, '/pacing/decision') === sumOf(read, 'pacer_decisions_total') && read;
    });

  it('agree with what all edges together were sent', async () => {
    const before = await allCounted();
    const bidders = Array.from({ length: 16 }, () => pod.bidder());
    const reserved: string[] = [];
    await Promise.all(
      bidders.map(async (bidder, at) => {
        for (let turn = 0; turn < 20; turn++) {
          const bidId = `${at}-${turn}`;
          if ((await bidder.decide('sums', 2, bidId)).allow_bid) reserved.push(bidId);
          await bidder.decide('absent', 1);
          await bidder.spend({ campaign_id: 'sums', spend_cents: 0.25 });
          await bidder.spendBatch([{ campaign_id: 'sums', spend_cents: 0.5 }]);
          await bidder.lose('sums', bidId);
          await bidder.status('sums');
        }
      }),
    );
    for (const bidder of bidders) bidder.close();
    await until('the spend shows', async () => {
      const read = await pod.core.metrics();
      return read.get('pacer_spend_cents_total{campaign_id="sums"}') === 240;
    });
    const after = await allCounted();
    const grown = (series: string): number => (after.get(series) ?? 0) - (before.get(series) ?? 0);
    expect(grown('pacer_decisions_total{reason="campaign_not_found"}')).toBe(320);
    expect(sumOf(after, 'pacer_decisions_total') - sumOf(before, 'pacer_decisions_total')).toBe(640);
    expect(grown('pacer_decisions_total{reason="within_budget"}')).toBe(reserved.length);
    const requests = { '/pacing/decision': 640, '/spend/track': 320, '/spend/batch': 320, '/bid/lost': 320 };
    for (const [endpoint, count] of Object.entries(requests)) {
      expect(timedOf(after, endpoint) - timedOf(before, endpoint), endpoint).toBe(count);
    }
    await until('nothing is reserved', async () => {
      const read = await pod.core.metrics();
      return read.get('pacer_reserved_cents{campaign_id="sums"}') === 0;
    });
  });

  it('give series to the largest budgets only, as many as are allowed', async () => {
    const series = [...(await pod.core.metrics()).keys()].filter((name) =>
      name.startsWith('pacer_throttle_rate{'),
    );
    expect(series.sort()).toEqual(
      ['late', 'shown', 'sums'].map((id) => `pacer_throttle_rate{campaign_id="${id}"}`),
    );
  });

  it('count wins that came after their reservation had expired, and spend above a budget', async () => {
    await pod.core.decide('late', 50, 'slow');
    await until('the reservation expires', async () => (await pod.core.status('late')).reserved_cents === 0);
    const before = (await pod.core.metrics()).get('pacer_late_win_cents_total') ?? 0;
    await pod.core.spend({ campaign_id: 'late', spend_cents: 40, bid_id: 'slow' });
    expect((await pod.core.metrics()).get('pacer_late_win_cents_total')).toBe(before + 40);
    await pod.core.spend({ campaign_id: 'late', spend_cents: 2_000_000_060 });
    await until('the overspend shows', async () => {
      const read = await pod.core.metrics();
      return read.get('pacer_overspend_cents_total{campaign_id="late"}') === 100;
    });
    expect((await pod.core.metrics()).get('pacer_circuit_breaker_state{campaign_id="late"}')).toBe(1);
  });
});
