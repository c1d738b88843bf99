import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { closePostgres, openPostgres, type Sql } from '../../../src/sinks/postgres/client.ts';
import { raisedNiceValues } from '../../support/nice-values.ts';
import { TestPod } from '../../support/pod.ts';
import { until } from '../../support/pod-wait.ts';
import { TestPostgres } from '../../support/postgres.ts';

const WEEK = { campaign_id: 'c', hours_ahead: 168, compare: [{ pacing_mode: 'ASAP' }] };

describe('what a pod knows', () => {
  let postgres: TestPostgres;
  let pod: TestPod;
  let sql: Sql;

  beforeEach(async () => {
    postgres = await TestPostgres.start();
    sql = openPostgres({ url: postgres.url }, { connectionsMax: 1 });
    pod = await TestPod.start({ env: { DATABASE_URL: postgres.url, EDGE_THREADS: 1, SHARDS: 1 } });
    await pod.createCampaign({
      id: 'c',
      daily_budget_cents: 100_000,
      pacing_mode: 'ADAPTIVE',
      timezone: 'UTC',
    });
  });
  afterEach(async () => {
    await pod.remove();
    await closePostgres(sql);
    await postgres.remove();
  });

  /** Five days of the campaign, all of whose bids were asked for from noon on. */
  async function writeHistory(): Promise<void> {
    await sql`UPDATE campaigns SET created_at = now() - interval '20 days'`;
    await sql`
      INSERT INTO spend_hourly
        (campaign_id, hour_start, source, local_start, spend_micros, impressions, clicks, wins, asks, allowed)
      SELECT 'c', at, 'elsewhere', at AT TIME ZONE 'UTC', 1000000, 10, 0, 10, 1000, 100
      FROM generate_series(date_trunc('day', now()) - interval '5 days', date_trunc('day', now()) - interval '1 hour',
        interval '1 hour') AS at
      WHERE extract(hour FROM at AT TIME ZONE 'UTC') >= 12`;
  }

  it('plans by what it learns on demand, and simulates by it', async () => {
    await writeHistory();
    const learned = await pod.api.request('POST', '/pacing/learn/c');
    expect(learned.status, learned.text).toBe(200);
    expect(JSON.parse(learned.text)).toMatchObject({ source: 'learned', whole_days: 5 });
    const reply = await pod.api.request('POST', '/pacing/simulate', { ...WEEK, hours_ahead: 24 });
    expect(reply.status, reply.text).toBe(200);
    const body = JSON.parse(reply.text);
    expect(body.traffic).toMatchObject({ source: 'history', pattern: 'learned' });
    const morning = body.slots.filter(({ hour }: { hour: number }) => hour >= 2 && hour < 10);
    for (const slot of morning) expect(slot.planned_spend_cents).toBeLessThan(2_000);
    if (process.platform === 'linux') {
      // Management leaves bidders the processor, and simulations do so even more.
      expect(raisedNiceValues(pod.pid)).toEqual([5, 15]);
    }
  });

  it('learns by itself what is due when it starts', async () => {
    await writeHistory();
    await sql`TRUNCATE learning_runs, learned_shapes`;
    await pod.stop();
    await pod.restart();
    const minutes = new Date().getUTCHours() * 60 + new Date().getUTCMinutes();
    if (minutes < 10) return; // not due before ten past midnight
    await until('the campaign’s shape is learned', async () => {
      const shape = await pod.api.request('GET', '/pacing/shape/c');
      return shape.status === 200 && JSON.parse(shape.text).source === 'learned';
    });
  });

  it('refuses a storm of simulations beyond its queue, and decides beside it', async () => {
    const day = { campaign_id: 'c', hours_ahead: 24 };
    const storm = Promise.all(
      Array.from({ length: 40 }, () => pod.api.request('POST', '/pacing/simulate', day)),
    );
    for (let bid = 0; bid < 50; bid++) {
      const { status } = await pod.core.request('POST', '/pacing/decision', {
        campaign_id: 'c',
        bid_cents: 10,
      });
      expect(status).toBe(200);
    }
    const replies = await storm;
    const refused = replies.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]?.headers['retry-after']).toBe('1');
    expect(replies.filter(({ status }) => status === 200).length).toBeGreaterThan(0);
    // A machine that is busy otherwise may leave a job too little time.
    for (const { status } of replies) expect([200, 429, 503]).toContain(status);
  });

  it('ends in order while simulations run and wait', async () => {
    const storm = Promise.allSettled(
      Array.from({ length: 8 }, () => pod.api.request('POST', '/pacing/simulate', WEEK)),
    );
    expect(await pod.stop()).toEqual({ code: 0, signal: null });
    await storm;
  });
});
