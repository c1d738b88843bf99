/** Corners of the contract: the first bid that finds everything reserved, a full table, an unfinished request, a database that is down at the start. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { closePostgres, openPostgres } from '../../../src/sinks/postgres/client.ts';
import { TestPod } from '../../support/pod.ts';
import { RawClient } from '../../support/pod-socket.ts';
import { until } from '../../support/pod-wait.ts';
import { TestPostgres } from '../../support/postgres.ts';

describe('a pod at its edges', () => {
  let postgres: TestPostgres;
  let pod: TestPod;

  beforeAll(async () => {
    postgres = await TestPostgres.start();
    const env = { BREAKER_RECOVERY_MS: 1000, RESERVATION_TTL_MS: 1500, CAMPAIGNS_MAX: 32, SHARDS: 1 };
    pod = await TestPod.start({ env: { DATABASE_URL: postgres.url, ...env } });
  });
  afterAll(async () => {
    await pod.remove();
    await postgres.remove();
  });

  it('says budget_reserved from the first bid on that finds everything reserved', async () => {
    await pod.createCampaign({ id: 'edge-1', daily_budget_cents: 100 });
    await pod.core.decide('edge-1', 100);
    expect((await pod.core.decide('edge-1', 1)).reason).toBe('budget_reserved');
  });

  it('says budget_exhausted from the spend on that spends the rest behind an open breaker', async () => {
    await pod.createCampaign({ id: 'edge-2', daily_budget_cents: 1000 });
    await pod.core.spend({ campaign_id: 'edge-2', spend_cents: 950 });
    await pod.core.spend({ campaign_id: 'edge-2', spend_cents: 50 });
    expect((await pod.core.decide('edge-2', 1)).reason).toBe('budget_exhausted');
  });

  it('reads an id that a client has percent-encoded in the path', async () => {
    await pod.createCampaign({ id: 'edge:3', daily_budget_cents: 100 });
    expect((await pod.api.request('GET', '/budget/status/edge%3A3')).status).toBe(200);
    expect((await pod.core.request('GET', '/budget/status/edge%3A3')).status).toBe(200);
  });

  it('closes a half-open breaker when its probes expire unreported', async () => {
    await pod.createCampaign({ id: 'edge-4', daily_budget_cents: 1000 });
    await pod.core.spend({ campaign_id: 'edge-4', spend_cents: 950 });
    const state = async (wanted: string) =>
      until(wanted, async () => (await pod.core.status('edge-4')).circuit_breaker_state === wanted, 15_000);
    await state('HALF_OPEN');
    for (const bid of ['a', 'b']) expect((await pod.core.decide('edge-4', 1, bid)).reason).toBe('probe');
    await until('expired', async () => (await pod.core.status('edge-4')).reserved_cents === 0, 15_000);
    await state('CLOSED');
  });

  it('records spend for a deleted campaign when the table is full', async () => {
    await pod.createCampaign({ id: 'edge-5', daily_budget_cents: 1000 });
    expect((await pod.api.request('DELETE', '/campaigns/edge-5')).status).toBe(200);
    await pod.stop();
    await pod.restart();
    for (let at = 0; at < 32; at++) {
      const body = { id: `f-${at}`, name: 'x', daily_budget_cents: 1 };
      await pod.api.request('POST', '/campaigns', body);
    }
    const reply = await pod.core.request('POST', '/spend/track', { campaign_id: 'edge-5', spend_cents: 1 });
    expect(reply.status, reply.text).toBe(200);
  });

  it('ends with 0 while a client of the management port has not finished its request', async () => {
    const unfinished = await RawClient.open(pod.apiPort);
    await unfinished.send('POST /campaigns HTTP/1.1\r\nhost: pod\r\ncontent-length: 10\r\n\r\n{');
    const exit = await pod.stop();
    unfinished.hangUp();
    await pod.restart();
    expect(exit).toEqual({ code: 0, signal: null });
  });

  it('says in one line that CAMPAIGNS_MAX is below the campaigns of the ledger', async () => {
    const other = await TestPod.start({ env: { DATABASE_URL: await postgres.database('small'), SHARDS: 1 } });
    for (let at = 0; at < 33; at++) await other.createCampaign({ id: `c${at}`, daily_budget_cents: 1 });
    await other.stop();
    await other.launch({ CAMPAIGNS_MAX: 32 });
    const ended = await Promise.race([other.exited, new Promise<null>((r) => setTimeout(r, 8_000, null))]);
    const output = other.output;
    await other.remove();
    expect(ended?.code).toBe(1);
    expect(output).toMatch(/CAMPAIGNS_MAX=\\"32\\" is not accepted/);
    expect(output).not.toContain('"level":50');
  });

  it('says in one line that its database was migrated by something else, and ends', async () => {
    const url = await postgres.database('tampered');
    const other = await TestPod.start({ env: { DATABASE_URL: url } });
    await other.stop();
    const sql = openPostgres({ url });
    await sql`UPDATE schema_migrations SET checksum = 'other'`;
    await closePostgres(sql);
    await other.launch();
    const ended = await other.exited;
    const { output } = other;
    await other.remove();
    expect(ended.code).toBe(1);
    expect(output).toMatch(/"level":60.*0001_campaigns\.sql/);
  });

  it('answers changes with 503 and is ready for bidders when the database is down at start', async () => {
    const own = await TestPostgres.start();
    const other = await TestPod.start({ env: { DATABASE_URL: own.url } });
    await other.createCampaign({ id: 'known', daily_budget_cents: 1000 });
    await other.stop();
    await own.stop();
    await other.launch();
    await until(
      'decides',
      async () => (await other.core.decide('known', 1).catch(() => null))?.allow_bid === true,
    );
    const ready = await other.core.request('GET', '/health/ready');
    const health = await other.core.request('GET', '/health');
    const change = await other.api.request('PATCH', '/campaigns/known', { name: 'y' }).catch(String);
    await other.remove();
    await own.remove();
    expect([ready.status, health.status, health.text]).toEqual([
      200,
      200,
      expect.stringContaining('degraded'),
    ]);
    expect(change).toMatchObject({ status: 503 });
  });
});
