import { afterEach, describe, expect, it } from 'vitest';
import { closePostgres, openPostgres, type Sql } from '../../../src/sinks/postgres/client.ts';
import { TestPod } from '../../support/pod.ts';
import { until } from '../../support/pod-wait.ts';
import { TestPostgres } from '../../support/postgres.ts';

let postgres: TestPostgres;
let sql: Sql;
let pod: TestPod;

async function start(flushMs = 200): Promise<void> {
  postgres = await TestPostgres.start();
  sql = openPostgres({ url: postgres.url }, { connectionsMax: 1 });
  pod = await TestPod.start({ env: { DATABASE_URL: postgres.url, POSTGRES_FLUSH_MS: flushMs } });
}

afterEach(async () => {
  await pod.remove();
  await closePostgres(sql);
  await postgres.remove();
});

interface Hour {
  readonly spent: number;
  readonly wins: number;
  readonly asks: number;
  readonly sources: number;
}

async function hourOf(campaignId: string): Promise<Hour> {
  const [row] = await sql<Hour[]>`
    SELECT coalesce(sum(spend_micros), 0)::float8 AS spent, coalesce(sum(wins), 0)::float8 AS wins,
      coalesce(sum(asks), 0)::float8 AS asks, count(DISTINCT source)::int AS sources
    FROM spend_hourly WHERE campaign_id = ${campaignId}`;
  if (row === undefined) throw new Error('a sum has a row');
  return row;
}

describe('the history in Postgres', () => {
  it('has what was spent and asked for, once, also after the pod was killed and after Postgres was down', async () => {
    await start();
    await pod.createCampaign({ id: 'h', daily_budget_cents: 100_000, pacing_mode: 'ASAP' });
    const win = async (): Promise<void> => {
      const { max_bid_cents } = await pod.core.decide('h', 10);
      await pod.core.spend({ campaign_id: 'h', spend_cents: max_bid_cents });
    };
    for (let bid = 0; bid < 20; bid++) await win();
    await until('the spends are written', async () => (await hourOf('h')).spent === 20 * 100_000);
    await pod.kill();
    await pod.restart();
    for (let bid = 0; bid < 5; bid++) await win();
    await until('the spends of after the kill are written', async () => (await hourOf('h')).wins === 25);
    await postgres.stop();
    for (let bid = 0; bid < 5; bid++) await win();
    await postgres.resume();
    await until('what was spent meanwhile is written', async () => (await hourOf('h')).wins === 30);
    expect(await hourOf('h')).toMatchObject({ spent: 30 * 100_000, sources: 1 });
    // Asks are counted for the plan, not for the money: a kill may cost those of the last moments.
    await until('the asks are written', async () => (await hourOf('h')).asks >= 10);
    const plans = await sql`SELECT pacing_mode, budget_micros::float8 AS budget FROM pacing_history`;
    expect(plans).toMatchObject([{ pacing_mode: 'ASAP', budget: 1_000_000_000 }]);
  });

  it('has the last hour of a campaign that was deleted just before its pod was killed, and late spend', async () => {
    await start(60_000);
    await pod.createCampaign({ id: 'd', daily_budget_cents: 100_000, pacing_mode: 'ASAP' });
    await pod.core.spend({ campaign_id: 'd', spend_cents: 10 });
    expect((await pod.api.request('DELETE', '/campaigns/d')).status).toBe(200);
    await pod.core.spend({ campaign_id: 'd', spend_cents: 5 });
    await pod.kill();
    expect(await hourOf('d')).toMatchObject({ spent: 0 });
    await pod.restart({ POSTGRES_FLUSH_MS: '200' });
    await until('the hour is written', async () => (await hourOf('d')).spent === 15 * 10_000);
    expect(await hourOf('d')).toMatchObject({ wins: 2, sources: 1 });
  });

  it('has each move of a breaker with its reason', async () => {
    await start();
    await pod.createCampaign({
      id: 'b',
      daily_budget_cents: 100,
      pacing_mode: 'ASAP',
      breaker_threshold: 0.5,
    });
    await pod.core.spend({ campaign_id: 'b', spend_cents: 60 });
    await until('the trip is written', async () => (await sql`SELECT FROM breaker_events`).count === 1);
    expect(await sql`SELECT campaign_id, from_state, to_state, reason FROM breaker_events`).toMatchObject([
      { campaign_id: 'b', from_state: 'CLOSED', to_state: 'OPEN', reason: 'threshold' },
    ]);
    const metrics = await pod.core.metrics();
    expect(metrics.get('pacer_circuit_breaker_transitions_total{reason="threshold"}')).toBe(1);
  });
});
