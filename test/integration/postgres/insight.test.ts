import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildManagementServer } from '../../../src/management/server.ts';
import { SUMMARY_EXAMPLE } from '../../../src/management/shown-status.ts';
import { AlertStore } from '../../../src/sinks/postgres/alert-store.ts';
import { AuditStore } from '../../../src/sinks/postgres/audit-store.ts';
import { CampaignStore } from '../../../src/sinks/postgres/campaign-store.ts';
import type { Sql } from '../../../src/sinks/postgres/client.ts';
import { HistoryStore } from '../../../src/sinks/postgres/history-store.ts';
import { migrate } from '../../../src/sinks/postgres/migrate.ts';
import { PerformanceStore } from '../../../src/sinks/postgres/performance-store.ts';
import { someCampaign } from '../../support/campaigns.ts';
import { databaseKinds, startDatabase, type TestDatabase } from '../../support/databases.ts';
import { HOUR_START_MS, someAlert, someHour, somePlan } from '../../support/history.ts';
import { RecordingShards } from '../../support/recording-shards.ts';

const HOUR_MS = 3_600_000;
const RANGE = 'start_date=2026-03-01&end_date=2026-03-02';

describe.each(databaseKinds)('what operators read, from the %s database', (kind) => {
  let database: TestDatabase;
  let sql: Sql;
  let history: HistoryStore;
  let shards: RecordingShards;
  let app: FastifyInstance;

  beforeAll(async () => {
    database = await startDatabase(kind);
    sql = database.sql;
    await migrate(sql);
    history = new HistoryStore(database.address);
  });
  afterAll(async () => {
    await history.close();
    await database.remove();
  });
  beforeEach(async () => {
    await sql`TRUNCATE campaigns, spend_hourly, pacing_history, alerts RESTART IDENTITY`;
    const store = new CampaignStore(sql);
    shards = new RecordingShards();
    app = buildManagementServer({
      inFleet: false,
      store,
      audit: new AuditStore(sql),
      apiTokens: [],
      corsOrigins: [],
      performance: new PerformanceStore(sql),
      alerts: new AlertStore(sql),
      shards,
      summary: () => SUMMARY_EXAMPLE,
      health: () => ({ statusCode: 200, body: '{}' }),
      log: pino({ level: 'silent' }),
      bodyBytesMax: 100_000,
    });
    const campaign = someCampaign({ id: 'camp-001' });
    await store.insert(campaign);
    await shards.upsert(campaign);
  });

  async function call(method: 'GET' | 'POST', url: string, body?: unknown, accept = '*/*') {
    const payload = typeof body === 'object' ? JSON.stringify(body) : (body as string | undefined);
    const headers = { accept };
    const reply = await app.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) });
    return { status: reply.statusCode, headers: reply.headers, text: reply.body };
  }
  async function rows(url: string): Promise<Record<string, unknown>[]> {
    const { status, text } = await call('GET', url);
    expect(status, text).toBe(200);
    return JSON.parse(text) as Record<string, unknown>[];
  }

  it('has each hour planned and spent over all sources, and leaves out hours without either', async () => {
    await history.writeHours([
      someHour({ source: 'pod-a', spendMicros: 1_500_000, impressions: 10, clicks: 2 }),
      someHour({ source: 'pod-b', spendMicros: 500_000, impressions: 5, clicks: 1 }),
      someHour({
        hourStartMs: HOUR_START_MS + HOUR_MS,
        localHour: 10,
        spendMicros: 0,
        impressions: 0,
        clicks: 0,
      }),
      someHour({ hourStartMs: HOUR_START_MS + 24 * HOUR_MS, localDate: '2026-03-02', spendMicros: 100 }),
      someHour({ hourStartMs: HOUR_START_MS + 48 * HOUR_MS, localDate: '2026-03-03', spendMicros: 7 }),
      someHour({ campaignId: 'other' }),
    ]);
    await history.writePlans([
      somePlan({ plannedMicros: 4_000_000 }),
      somePlan({ hourStartMs: HOUR_START_MS + 2 * HOUR_MS, localHour: 11, plannedMicros: 1_000_000 }),
      somePlan({ hourStartMs: HOUR_START_MS + 3 * HOUR_MS, localHour: 12, plannedMicros: 0 }),
    ]);
    expect(await rows(`/performance/camp-001?${RANGE}`)).toEqual([
      {
        date: '2026-03-01',
        hour: 9,
        planned_spend_cents: 400,
        actual_spend_cents: 200,
        pacing_accuracy: 0.5,
        impressions: 15,
        clicks: 3,
      },
      {
        date: '2026-03-01',
        hour: 11,
        planned_spend_cents: 100,
        actual_spend_cents: 0,
        pacing_accuracy: 0,
        impressions: 0,
        clicks: 0,
      },
      {
        date: '2026-03-02',
        hour: 9,
        planned_spend_cents: 0,
        actual_spend_cents: 0.01,
        pacing_accuracy: 0,
        impressions: 10,
        clicks: 2,
      },
    ]);
  });

  it('makes one row of an hour that the clocks show twice', async () => {
    await history.writeHours([
      someHour({ localHour: 2, spendMicros: 10_000 }),
      someHour({ hourStartMs: HOUR_START_MS + HOUR_MS, localHour: 2, spendMicros: 20_000 }),
    ]);
    await history.writePlans([
      somePlan({ localHour: 2, plannedMicros: 15_000 }),
      somePlan({ hourStartMs: HOUR_START_MS + HOUR_MS, localHour: 2, plannedMicros: 15_000 }),
    ]);
    expect(await rows(`/performance/camp-001?${RANGE}`)).toMatchObject([
      { hour: 2, planned_spend_cents: 3, actual_spend_cents: 3, pacing_accuracy: 1, impressions: 20 },
    ]);
  });

  it('answers performance as CSV when it is asked for', async () => {
    await history.writeHours([someHour({ impressions: 0, spendMicros: 0, clicks: 3 })]);
    const { headers, text } = await call('GET', `/performance/camp-001?${RANGE}`, undefined, 'text/csv');
    expect(headers['content-type']).toMatch(/^text\/csv; charset=utf-8/);
    expect(headers['content-disposition']).toBe('attachment; filename="performance-camp-001.csv"');
    expect(text).toBe(
      'date,hour,planned_spend_cents,actual_spend_cents,pacing_accuracy,impressions,clicks\r\n' +
        '2026-03-01,9,0,0,,0,3\r\n',
    );
    expect((await call('GET', '/performance/camp-001', undefined, 'text/csv')).text).toMatch(/clicks\r\n$/);
    expect(await rows('/performance/camp-001')).toEqual([]);
  });

  it('lists alerts in pages, the newest first, of all or of one campaign, all or those that stand', async () => {
    await history.writeAlerts(
      [1, 2, 3].map((n) => someAlert({ dedupeKey: `key-${n}`, createdAtMs: HOUR_START_MS + n })),
    );
    const pod = someAlert({ dedupeKey: 'pod', campaignId: null, resolvedAtMs: HOUR_START_MS + 9 });
    await history.writeAlerts([pod]);
    const first = await call('GET', '/alerts?limit=3');
    expect(JSON.parse(first.text).map(({ id }: { id: number }) => id)).toEqual([4, 3, 2]);
    const last = await call('GET', `/alerts?limit=3&cursor=${first.headers['x-next-cursor']}`);
    expect(JSON.parse(last.text)).toEqual([
      {
        id: 1,
        campaign_id: 'camp-001',
        alert_type: 'circuit_breaker',
        severity: 'critical',
        threshold_percentage: 95,
        message: 'camp-001 has spent 95% of its daily budget',
        circuit_breaker_state: 'OPEN',
        created_at: '2026-03-01T09:00:00.001Z',
        resolved_at: null,
      },
    ]);
    expect(last.headers['x-next-cursor']).toBeUndefined();
    expect((await rows('/alerts?unresolved_only=true')).map(({ id }) => id)).toEqual([3, 2, 1]);
    expect((await rows('/alerts/camp-001?limit=2')).map(({ id }) => id)).toEqual([3, 2]);
    expect((await rows('/alerts?unresolved_only=false')).map(({ resolved_at }) => resolved_at)).toEqual([
      '2026-03-01T09:00:00.009Z',
      null,
      null,
      null,
    ]);
  });

  it('resolves an alert once, and keeps when that was', async () => {
    await history.writeAlerts([someAlert()]);
    const resolved = await call('POST', '/alerts/1/resolve');
    expect(JSON.parse(resolved.text)).toMatchObject({ id: 1, resolved_at: expect.stringMatching(/Z$/) });
    expect(await call('POST', '/alerts/1/resolve', {})).toMatchObject({ status: 200, text: resolved.text });
    expect(await rows('/alerts?unresolved_only=true')).toEqual([]);
    await history.writeAlerts([someAlert()]);
    expect(await rows('/alerts/camp-001?unresolved_only=true')).toEqual([]);
  });

  it('notes in the audit log who resolved an alert and why, once, and of an alert of a pod as well', async () => {
    await history.writeAlerts([someAlert(), someAlert({ dedupeKey: 'pod', campaignId: null })]);
    const seen = (await rows('/audit')).length;
    await call('POST', '/alerts/1/resolve', { reason: 'expected today' });
    await call('POST', '/alerts/1/resolve', { reason: 'again' });
    await Promise.all([call('POST', '/alerts/2/resolve'), call('POST', '/alerts/2/resolve')]);
    const [ofPod, ofCampaign, ...before] = await rows('/audit');
    expect(before).toHaveLength(seen);
    expect(ofPod).toMatchObject({ action: 'alert.resolve', campaign_id: null, after: { alert_id: 2 } });
    const resolvedAt = (await rows('/alerts/camp-001'))[0]?.resolved_at;
    expect(ofCampaign).toMatchObject({
      actor: 'anonymous',
      action: 'alert.resolve',
      campaign_id: 'camp-001',
      version: null,
      before: { alert_id: 1, resolved_at: null },
      after: { alert_id: 1, resolved_at: resolvedAt },
      reason: 'expected today',
    });
  });

  it('notes a reset in the audit log, and no reset that was not made', async () => {
    const entries = async () => (await rows('/audit?campaign_id=camp-001')).filter(isReset);
    const seen = (await entries()).length;
    await call('POST', '/budget/reset/camp-001', { reason: 'a test campaign ran on it' });
    expect((await entries())[0]).toMatchObject({
      actor: 'anonymous',
      version: expect.any(Number),
      before: { daily_spent_cents: 0 },
      after: { daily_spent_cents: 0, circuit_breaker_state: 'CLOSED' },
      reason: 'a test campaign ran on it',
    });
    await call('POST', '/budget/reset/camp-009');
    await call('POST', '/budget/reset/camp-001', { reason: 7 });
    expect(await entries()).toHaveLength(seen + 1);
  });

  it('finds what stands of a type, by campaign', async () => {
    const alerts = new AlertStore(sql);
    await history.writeAlerts([
      someAlert({ dedupeKey: 'a', alertType: 'x' }),
      someAlert({ dedupeKey: 'b', alertType: 'x', campaignId: 'camp-002' }),
      someAlert({ dedupeKey: 'c', alertType: 'x', resolvedAtMs: HOUR_START_MS }),
      someAlert({ dedupeKey: 'd', alertType: 'y' }),
    ]);
    expect((await alerts.campaignsWith('x')).sort()).toEqual(['camp-001', 'camp-002']);
    expect(await alerts.standing('x', ['camp-001', "o'neil"])).toEqual([
      { campaignId: 'camp-001', dedupeKey: 'a', thresholdPercentage: 95, createdAtMs: HOUR_START_MS },
    ]);
  });

  it("starts a campaign's day anew and answers the status after it", async () => {
    const reply = await call('POST', '/budget/reset/camp-001');
    expect({ status: reply.status, body: JSON.parse(reply.text) }).toEqual({
      status: 200,
      body: { campaign_id: 'camp-001', daily_spent_cents: 0 },
    });
    const named = { campaign_id: 'camp-001', reason: 'a new insertion order' };
    expect((await call('POST', '/budget/reset/camp-001', named)).status).toBe(200);
    const { date, count } = shards.campaigns.get('camp-001')?.dayReset ?? {};
    expect(date).toMatch(/^\d{4}-\d\d-\d\d$/);
    expect(count).toBeGreaterThanOrEqual(1);
  });

  it('answers the summary of the metrics', async () => {
    expect(await call('GET', '/metrics/summary')).toMatchObject({
      status: 200,
      text: JSON.stringify(SUMMARY_EXAMPLE),
    });
  });

  const refused: [string, 'GET' | 'POST', string, unknown, number, string, string | undefined][] = [
    ['an unknown campaign', 'GET', '/performance/none', undefined, 404, 'campaign_not_found', undefined],
    ['an invalid id', 'GET', '/performance/a%20b', undefined, 400, 'invalid_request', 'id'],
    [
      'no date',
      'GET',
      '/performance/camp-001?start_date=soon',
      undefined,
      400,
      'invalid_request',
      'start_date',
    ],
    [
      'a range that is too long',
      'GET',
      '/performance/camp-001?start_date=2020-01-01',
      undefined,
      400,
      'invalid_request',
      'start_date',
    ],
    [
      'an end before the start',
      'GET',
      '/performance/camp-001?start_date=2026-03-02&end_date=2026-03-01',
      undefined,
      400,
      'invalid_request',
      'end_date',
    ],
    ['alerts of an unknown campaign', 'GET', '/alerts/none', undefined, 404, 'campaign_not_found', undefined],
    ['a limit of 0', 'GET', '/alerts?limit=0', undefined, 400, 'invalid_request', 'limit'],
    ['a cursor that is none', 'GET', '/alerts?cursor=-1', undefined, 400, 'invalid_request', 'cursor'],
    [
      'a cursor beyond all',
      'GET',
      '/alerts?cursor=99999999999999999999',
      undefined,
      400,
      'invalid_request',
      'cursor',
    ],
    [
      'a switch that is none',
      'GET',
      '/alerts?unresolved_only=1',
      undefined,
      400,
      'invalid_request',
      'unresolved_only',
    ],
    ['an unknown alert', 'POST', '/alerts/12345/resolve', undefined, 404, 'not_found', 'id'],
    ['the id of no alert', 'POST', '/alerts/camp-001/resolve', undefined, 400, 'invalid_request', 'id'],
    ['an unknown field', 'POST', '/alerts/1/resolve', { by: 'me' }, 400, 'invalid_request', 'by'],
    ['a body that is no object', 'POST', '/alerts/1/resolve', '[]', 400, 'invalid_request', undefined],
    [
      'a reset of an unknown campaign',
      'POST',
      '/budget/reset/none',
      undefined,
      404,
      'campaign_not_found',
      undefined,
    ],
    ['a reset with broken JSON', 'POST', '/budget/reset/camp-001', '{', 400, 'invalid_request', undefined],
    [
      'a reset of two campaigns',
      'POST',
      '/budget/reset/camp-001',
      { campaign_id: 'camp-002' },
      400,
      'invalid_request',
      'campaign_id',
    ],
    [
      'a reset with an unknown field',
      'POST',
      '/budget/reset/camp-001',
      { all: true },
      400,
      'invalid_request',
      'all',
    ],
  ];

  it.each(refused)('refuses %s', async (_what, method, url, body, status, code, field) => {
    const reply = await call(method, url, body);
    const { error } = JSON.parse(reply.text) as { error: { code: string; field?: string } };
    expect({ status: reply.status, code: error.code, field: error.field }).toEqual({ status, code, field });
  });
});

function isReset({ action }: Record<string, unknown>): boolean {
  return action === 'budget.reset';
}
