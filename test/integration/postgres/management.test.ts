import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../../../src/domain/app-error.ts';
import { feedCampaigns } from '../../../src/management/campaign-feed.ts';
import { buildManagementServer } from '../../../src/management/server.ts';
import { SUMMARY_EXAMPLE } from '../../../src/management/shown-status.ts';
import { AlertStore } from '../../../src/sinks/postgres/alert-store.ts';
import { AuditStore } from '../../../src/sinks/postgres/audit-store.ts';
import { CampaignStore } from '../../../src/sinks/postgres/campaign-store.ts';
import { closePostgres, openPostgres, type Sql } from '../../../src/sinks/postgres/client.ts';
import { migrate } from '../../../src/sinks/postgres/migrate.ts';
import { PerformanceStore } from '../../../src/sinks/postgres/performance-store.ts';
import { someCampaign } from '../../support/campaigns.ts';
import { until } from '../../support/pod-wait.ts';
import { TestPostgres } from '../../support/postgres.ts';
import { RecordingShards } from '../../support/recording-shards.ts';

const BODY_BYTES_MAX = 200_000;

describe('the management API', () => {
  let server: TestPostgres;
  let sql: Sql;
  let store: CampaignStore;
  let shards: RecordingShards;
  let app: FastifyInstance;
  const logged: string[] = [];

  beforeAll(async () => {
    server = await TestPostgres.start();
    sql = openPostgres({ url: server.url }, { statementTimeoutMs: 2_000 });
    await migrate(sql);
  });
  afterAll(async () => {
    await closePostgres(sql);
    await server.remove();
  });
  beforeEach(async () => {
    await sql`TRUNCATE campaigns`;
    store = new CampaignStore(sql);
    shards = new RecordingShards();
    app = buildManagementServer({
      inFleet: false,
      ...open(),
      store,
      performance: new PerformanceStore(sql),
      alerts: new AlertStore(sql),
      shards,
      summary: () => SUMMARY_EXAMPLE,
      health: () => ({ statusCode: 200, body: '{"status":"healthy"}' }),
      log: pino({ level: 'trace' }, { write: (line: string) => void logged.push(line) }),
      bodyBytesMax: BODY_BYTES_MAX,
    });
  });

  /** Nobody is asked for credentials. */
  const open = () => ({ audit: new AuditStore(sql), apiTokens: [], corsOrigins: [] });

  async function call(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', url: string, body?: unknown) {
    const payload = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    const reply = await app.inject({ method, url, ...(body === undefined ? {} : { payload }) });
    return { status: reply.statusCode, headers: reply.headers, body: reply.json() };
  }
  const create = (body: object) =>
    call('POST', '/campaigns', { name: 'Spring', daily_budget_cents: 100, ...body });

  it('creates a campaign, and has told the shards when it answers', async () => {
    const created = await create({ id: 'camp-001', targeting: { geo: ['DE'] } });
    expect(created.status).toBe(201);
    expect(created.body).toMatchObject({
      id: 'camp-001',
      daily_budget_cents: 100,
      version: 1,
      targeting: { geo: ['DE'] },
    });
    expect(shards.campaigns.get('camp-001')).toEqual(await store.get('camp-001'));
    expect((await call('GET', '/campaigns/camp-001')).body).toEqual(created.body);
  });

  it('makes an id where none is given, and refuses one that is taken', async () => {
    const { body } = await create({});
    expect(body.id).toMatch(/^[0-9a-f-]{36}$/);
    const again = await create({ id: body.id });
    expect({ status: again.status, code: again.body.error.code }).toEqual({
      status: 409,
      code: 'already_exists',
    });
  });

  it('keeps no campaign that the shards have no room for', async () => {
    shards.refusal = new AppError('campaign_limit', 'the pacing table is full');
    const refused = await create({ id: 'too-many' });
    expect(refused.status).toBe(503);
    expect(refused.headers['retry-after']).toBe('1');
    expect(refused.body.error.code).toBe('campaign_limit');
    expect((await call('GET', '/campaigns/too-many')).status).toBe(404);
  });

  it('replaces with PUT what PATCH would leave', async () => {
    await create({ id: 'c', timezone: 'Asia/Kolkata', total_budget_cents: 5000.5 });
    const patched = await call('PATCH', '/campaigns/c', { name: 'Summer' });
    expect(patched.body).toMatchObject({
      name: 'Summer',
      timezone: 'Asia/Kolkata',
      total_budget_cents: 5000.5,
      version: 2,
    });
    const replaced = await call('PUT', '/campaigns/c', { name: 'Autumn', daily_budget_cents: 0 });
    expect(replaced.body).toMatchObject({
      name: 'Autumn',
      timezone: 'UTC',
      total_budget_cents: null,
      version: 3,
    });
    expect(shards.campaigns.get('c')?.version).toBe(3);
  });

  it('refuses a change made from an old version, and applies one made from the present', async () => {
    await create({ id: 'c' });
    expect((await call('PATCH', '/campaigns/c', { version: 1, name: 'a' })).body.version).toBe(2);
    const stale = await call('PATCH', '/campaigns/c', { version: 1, name: 'b' });
    expect({ status: stale.status, error: stale.body.error.code }).toEqual({
      status: 409,
      error: 'stale_version',
    });
    expect((await call('GET', '/campaigns/c')).body.name).toBe('a');
  });

  it('loses none of many changes at once to different fields of one campaign', async () => {
    await create({ id: 'c' });
    const edits: object[] = [
      { name: 'n' },
      { daily_budget_cents: 7 },
      { total_budget_cents: 9 },
      { timezone: 'Asia/Kolkata' },
      { pacing_mode: 'ASAP' },
      { pacing_lever: 'BID' },
      { status: 'PAUSED' },
      { breaker_threshold: 0.5 },
      { start_date: '2026-01-01' },
      { end_date: '2026-12-31' },
      { targeting: 1 },
      { creative: 2 },
    ];
    const replies = await Promise.all(edits.map((edit) => call('PATCH', '/campaigns/c', edit)));
    expect(replies.map((reply) => reply.status)).toEqual(edits.map(() => 200));
    expect((await call('GET', '/campaigns/c')).body).toMatchObject({
      ...Object.assign({}, ...edits),
      version: 13,
    });
    expect(shards.campaigns.get('c')).toEqual(await store.get('c'));
  });

  it('deletes by marking: readable by id, not listed, not changeable, its id not free', async () => {
    await create({ id: 'c' });
    expect((await call('DELETE', '/campaigns/c')).body).toMatchObject({ status: 'DELETED', version: 2 });
    expect(shards.campaigns.get('c')?.status).toBe('DELETED');
    expect((await call('GET', '/campaigns/c')).body.status).toBe('DELETED');
    expect((await call('GET', '/campaigns')).body).toEqual([]);
    expect((await call('GET', '/campaigns?status=DELETED')).body).toHaveLength(1);
    expect((await call('DELETE', '/campaigns/c')).status).toBe(404);
    expect((await call('PATCH', '/campaigns/c', { name: 'x' })).body.error.code).toBe('campaign_not_found');
    expect((await call('POST', '/pacing/mode', { campaign_id: 'c', pacing_mode: 'ASAP' })).status).toBe(404);
    expect((await create({ id: 'c' })).status).toBe(409);
  });

  it('tells the shards of a deletion again when the first time did not reach them', async () => {
    await create({ id: 'c' });
    shards.refusal = new AppError('unavailable', 'the shard does not answer');
    expect((await call('DELETE', '/campaigns/c')).status).toBe(503);
    shards.refusal = null;
    expect((await call('DELETE', '/campaigns/c')).status).toBe(404);
    expect(shards.campaigns.get('c')?.status).toBe('DELETED');
  });

  it('lists in pages whose cursor stands in a header', async () => {
    for (const id of ['a', 'b', 'c']) await create({ id, status: id === 'b' ? 'PAUSED' : 'ACTIVE' });
    const first = await call('GET', '/campaigns?limit=2');
    expect(first.body.map((campaign: { id: string }) => campaign.id)).toEqual(['a', 'b']);
    const last = await call('GET', `/campaigns?limit=2&cursor=${first.headers['x-next-cursor']}`);
    expect(last.body.map((campaign: { id: string }) => campaign.id)).toEqual(['c']);
    expect(last.headers['x-next-cursor']).toBeUndefined();
    expect((await call('GET', '/campaigns?status=PAUSED&q=SPRI')).body).toHaveLength(1);
  });

  it.each(['limit=0', 'limit=1001', 'limit=1&limit=2', 'limit=1e2', 'status=GONE', 'cursor=%2F', 'q=%00'])(
    'refuses a list with %s and names the parameter',
    async (query) => {
      const { status, body } = await call('GET', `/campaigns?${query}`);
      expect({ status, field: body.error.field }).toEqual({ status: 400, field: query.split('=')[0] });
    },
  );

  it('adjusts budgets and the pacing mode, and answers the campaign', async () => {
    await create({ id: 'c', total_budget_cents: 900 });
    const adjusted = await call('POST', '/budget/adjust', {
      campaign_id: 'c',
      new_daily_budget_cents: 0.0001,
      reason: 'test',
    });
    expect(adjusted.body).toMatchObject({ daily_budget_cents: 0.0001, total_budget_cents: 900, version: 2 });
    const untied = { campaign_id: 'c', new_daily_budget_cents: 5, new_total_budget_cents: null };
    expect((await call('POST', '/budget/adjust', untied)).body.total_budget_cents).toBeNull();
    const mode = await call('POST', '/pacing/mode', { campaign_id: 'c', pacing_mode: 'FRONT_LOADED' });
    expect(mode.body).toMatchObject({ pacing_mode: 'FRONT_LOADED', version: 4 });
    expect(shards.campaigns.get('c')?.version).toBe(4);
  });

  it('keeps the hourly multipliers of a campaign, and refuses what is none', async () => {
    await create({ id: 'c' });
    expect((await call('GET', '/pacing/config/c')).body).toEqual({ campaign_id: 'c', pacing_configs: [] });
    const configs = [
      { hour: 9, multiplier: 2 },
      { hour: 9, multiplier: 0, day_of_week: 0 },
    ];
    const put = await call('PUT', '/pacing/config/c', { pacing_configs: configs });
    expect(put.body).toEqual({ campaign_id: 'c', pacing_configs: configs });
    expect((await call('GET', '/pacing/config/c')).body).toEqual(put.body);
    expect(shards.campaigns.get('c')?.hourMultipliers).toEqual([
      { hour: 9, multiplier: 2 },
      { hour: 9, multiplier: 0, dayOfWeek: 0 },
    ]);
    const wrong: [unknown, string][] = [
      [[{ hour: 24, multiplier: 1 }], 'pacing_configs[0].hour'],
      [[{ hour: 1, multiplier: 101 }], 'pacing_configs[0].multiplier'],
      [
        [
          { hour: 1, multiplier: 1 },
          { hour: 1, multiplier: 2 },
        ],
        'pacing_configs[1].hour',
      ],
      [[{ hour: 1, multiplier: 1, day_of_week: 7 }], 'pacing_configs[0].day_of_week'],
      ['all', 'pacing_configs'],
    ];
    for (const [given, field] of wrong) {
      const { status, body } = await call('PUT', '/pacing/config/c', { pacing_configs: given });
      expect({ status, field: body.error.field }).toEqual({ status: 400, field });
    }
    expect((await call('PUT', '/pacing/config/none', { pacing_configs: [] })).status).toBe(404);
  });

  it('passes on the budget status of the shard, and the health report', async () => {
    await create({ id: 'c' });
    expect((await call('GET', '/budget/status/c')).body).toEqual({ campaign_id: 'c', daily_spent_cents: 0 });
    expect((await call('GET', '/budget/status/none')).body.error.code).toBe('campaign_not_found');
    expect((await call('GET', '/health')).body).toEqual({ status: 'healthy' });
  });

  const refused: [string, 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', string, unknown, number, string][] = [
    ['broken JSON', 'POST', '/campaigns', '{', 400, 'invalid_request'],
    ['an empty body', 'POST', '/campaigns', '', 400, 'invalid_request'],
    ['no body', 'PUT', '/campaigns/c', undefined, 400, 'invalid_request'],
    [
      'bytes that are not UTF-8',
      'POST',
      '/campaigns',
      Buffer.from([0x7b, 0xff, 0x7d]),
      400,
      'invalid_request',
    ],
    [
      'a number beyond float64',
      'POST',
      '/campaigns',
      '{"name":"x","daily_budget_cents":1e400}',
      400,
      'invalid_request',
    ],
    [
      '10,000 levels',
      'POST',
      '/campaigns',
      `{"name":"x","daily_budget_cents":1,"targeting":${'['.repeat(10_000)}${']'.repeat(10_000)}}`,
      400,
      'invalid_request',
    ],
    [
      'a prototype key',
      'POST',
      '/campaigns',
      '{"name":"x","daily_budget_cents":1,"__proto__":{}}',
      400,
      'invalid_request',
    ],
    [
      'a body over the limit',
      'POST',
      '/campaigns',
      `{"name":"${'x'.repeat(BODY_BYTES_MAX)}"}`,
      413,
      'body_too_large',
    ],
    ['an invalid id', 'GET', '/campaigns/a%20b', undefined, 400, 'invalid_request'],
    ['an id of 129 characters', 'DELETE', `/campaigns/${'a'.repeat(129)}`, undefined, 400, 'invalid_request'],
    ['an unreadable path', 'GET', '/campaigns/%ZZ', undefined, 400, 'invalid_request'],
    ['an unknown campaign', 'GET', '/campaigns/none', undefined, 404, 'campaign_not_found'],
    [
      'a change of an unknown campaign',
      'PUT',
      '/campaigns/none',
      { name: 'x', daily_budget_cents: 1 },
      404,
      'campaign_not_found',
    ],
    ['an unknown path', 'GET', '/nothing', undefined, 404, 'not_found'],
    ['an unknown method', 'PATCH', '/campaigns', '{}', 404, 'not_found'],
    [
      'a budget as text',
      'POST',
      '/budget/adjust',
      { campaign_id: 'c', new_daily_budget_cents: '9' },
      400,
      'invalid_request',
    ],
    [
      'an unknown mode',
      'POST',
      '/pacing/mode',
      { campaign_id: 'c', pacing_mode: 'no' },
      400,
      'invalid_request',
    ],
  ];

  it.each(refused)('answers %s with a coded error', async (_what, method, url, body, status, code) => {
    await create({ id: 'c' });
    const reply = await call(method, url, body);
    expect({ status: reply.status, code: reply.body.error.code }).toEqual({ status, code });
    expect(Object.keys(reply.body)).toEqual(['error']);
    expect(reply.body.error.message).not.toBe('');
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'nonsense', ''])(
    'reads JSON sent as %j',
    async (type) => {
      const payload = JSON.stringify({ name: 'x', daily_budget_cents: 1 });
      const reply = await app.inject({
        method: 'POST',
        url: '/campaigns',
        payload,
        headers: { 'content-type': type },
      });
      expect(reply.statusCode).toBe(201);
    },
  );

  it('answers bytes that are not HTTP with a coded error', async () => {
    const address = await app.listen({ port: 0, host: '127.0.0.1' });
    const { connect } = await import('node:net');
    const socket = connect(Number(new URL(address).port), '127.0.0.1');
    socket.write('NONSENSE\r\n\r\n');
    const answer = await new Promise<string>((resolve) =>
      socket.once('data', (bytes) => resolve(bytes.toString())),
    );
    socket.destroy();
    await app.close();
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*"code":"invalid_request"/);
  });

  it('hides an unexpected error from the client and writes it to the log', async () => {
    const failing = Object.assign(new RecordingShards(), {
      status: () => Promise.reject(new TypeError('a bug inside')),
    });
    const log = pino({ level: 'trace' }, { write: (line: string) => void logged.push(line) });
    const health = () => ({ statusCode: 200, body: '{}' }) as const;
    app = buildManagementServer({
      inFleet: false,
      ...open(),
      store,
      performance: new PerformanceStore(sql),
      alerts: new AlertStore(sql),
      shards: failing,
      summary: () => SUMMARY_EXAMPLE,
      health,
      log,
      bodyBytesMax: BODY_BYTES_MAX,
    });
    const reply = await call('GET', '/budget/status/c');
    expect({ status: reply.status, code: reply.body.error.code }).toEqual({
      status: 503,
      code: 'unavailable',
    });
    expect(JSON.stringify(reply.body)).not.toContain('bug inside');
    expect(logged.join('')).toContain('a bug inside');
  });

  it('feeds every live campaign to the shards, a page at once', async () => {
    for (let index = 0; index < 25; index++) await store.insert(someCampaign({ id: `c${index}` }));
    await store.insert(someCampaign({ id: 'gone', status: 'DELETED' }));
    expect(await feedCampaigns(store, shards, 10)).toEqual({
      accepted: 25,
      refused: 0,
      deleted: 0,
    });
    expect(shards.campaigns.size).toBe(25);
    expect(shards.lists.filter((size) => size > 0)).toEqual([10, 10, 5]);
    shards.refusal = new AppError('campaign_limit', 'the pacing table is full');
    expect(await feedCampaigns(store, shards)).toEqual({ accepted: 0, refused: 25, deleted: 0 });
  });

  it('tells the shards at start of a deletion that had not reached them', async () => {
    const campaign = someCampaign({ id: 'c' });
    await store.insert(campaign);
    await shards.upsert(campaign);
    await store.update({ ...campaign, status: 'DELETED', version: 2 }, 1);
    expect(await feedCampaigns(store, shards)).toEqual({ accepted: 0, refused: 0, deleted: 1 });
    expect(shards.campaigns.get('c')?.status).toBe('DELETED');
  });

  it('answers 503 while the database is down, does nothing by halves, and recovers by itself', async () => {
    await create({ id: 'c' });
    await server.stop('SIGKILL');
    const replies = [
      await create({ id: 'd' }),
      await call('PATCH', '/campaigns/c', { name: 'x' }),
      await call('DELETE', '/campaigns/c'),
      await call('GET', '/campaigns'),
    ];
    for (const reply of replies) {
      expect({ status: reply.status, code: reply.body.error.code }).toEqual({
        status: 503,
        code: 'unavailable',
      });
      expect(reply.headers['retry-after']).toBe('1');
    }
    await expect(store.get('c')).rejects.toMatchObject({ code: 'unavailable', name: 'AppError' });
    expect([...shards.campaigns.values()].map(({ id, version }) => `${id}@${version}`)).toEqual(['c@1']);
    await server.resume();
    // A connection of before may still be noticed as dead by the first statement after.
    const back = await until('changes are taken again', async () => {
      const reply = await call('PATCH', '/campaigns/c', { name: 'back' });
      return reply.status === 200 && reply;
    });
    expect(back.body).toMatchObject({ name: 'back', version: 2 });
    expect((await call('GET', '/campaigns')).body).toHaveLength(1);
    expect(logged.join('')).not.toContain(server.password);
  });

  it('answers 503 in bounded time when the database accepts statements and does not answer', async () => {
    await create({ id: 'c' });
    const blocker = openPostgres({ url: server.url }, { connectionsMax: 1 });
    await blocker.begin(async (transaction) => {
      await transaction`LOCK TABLE campaigns IN ACCESS EXCLUSIVE MODE`;
      expect((await call('PATCH', '/campaigns/c', { name: 'x' })).body.error.code).toBe('unavailable');
    });
    await closePostgres(blocker);
    expect((await call('GET', '/campaigns/c')).body.version).toBe(1);
  });
});
