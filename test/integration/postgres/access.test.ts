import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readApiTokens } from '../../../src/config/api-tokens.ts';
import { buildManagementServer } from '../../../src/management/server.ts';
import { SUMMARY_EXAMPLE } from '../../../src/management/shown-status.ts';
import { AlertStore } from '../../../src/sinks/postgres/alert-store.ts';
import { AuditStore } from '../../../src/sinks/postgres/audit-store.ts';
import { CampaignStore } from '../../../src/sinks/postgres/campaign-store.ts';
import { closePostgres, openPostgres, type Sql } from '../../../src/sinks/postgres/client.ts';
import { migrate } from '../../../src/sinks/postgres/migrate.ts';
import { PerformanceStore } from '../../../src/sinks/postgres/performance-store.ts';
import { TestPostgres } from '../../support/postgres.ts';
import { RecordingShards } from '../../support/recording-shards.ts';

const TOKENS = 'ada:operator:operator-token-1234,bob:viewer:viewer-token-1234';
const OPERATOR = { authorization: 'Bearer operator-token-1234' };
const VIEWER = { authorization: 'Bearer viewer-token-1234' };
const FRIEND = 'https://friend.example';
const READS = ['/campaigns', '/campaigns/c', '/budget/status/c', '/pacing/config/c', '/audit'];
const CHANGES = [
  ['POST', '/campaigns', { name: 'x', daily_budget_cents: 1 }, 201],
  ['PUT', '/campaigns/c', { name: 'x', daily_budget_cents: 1 }, 200],
  ['PATCH', '/campaigns/c', { name: 'y' }, 200],
  ['POST', '/budget/adjust', { campaign_id: 'c', new_daily_budget_cents: 5, reason: 'less' }, 200],
  ['POST', '/pacing/mode', { campaign_id: 'c', pacing_mode: 'ASAP' }, 200],
  ['PUT', '/pacing/config/c', { pacing_configs: [{ hour: 1, multiplier: 2 }] }, 200],
  ['DELETE', '/campaigns/c', undefined, 200],
] as const;

type Headers = Readonly<Record<string, string>>;

describe('access to the management API', () => {
  let server: TestPostgres;
  let sql: Sql;
  let app: FastifyInstance;
  let logged: string[];

  beforeAll(async () => {
    server = await TestPostgres.start();
    sql = openPostgres({ url: server.url });
    await migrate(sql);
  });
  afterAll(async () => {
    await closePostgres(sql);
    await server.remove();
  });

  function build(tokens: string, corsOrigins: readonly string[] = []): void {
    const apiTokens = readApiTokens(tokens);
    if (typeof apiTokens === 'string') throw new Error(apiTokens);
    logged = [];
    app = buildManagementServer({
      inFleet: false,
      store: new CampaignStore(sql),
      audit: new AuditStore(sql),
      performance: new PerformanceStore(sql),
      alerts: new AlertStore(sql),
      summary: () => SUMMARY_EXAMPLE,
      shards: new RecordingShards(),
      apiTokens,
      corsOrigins,
      health: () => ({ statusCode: 200, body: '{"status":"healthy"}' }),
      log: pino({ level: 'trace' }, { write: (line: string) => void logged.push(line) }),
      bodyBytesMax: 100_000,
    });
  }
  beforeEach(async () => {
    await sql`TRUNCATE campaigns`;
    build(TOKENS);
    await call('POST', '/campaigns', { id: 'c', name: 'Spring', daily_budget_cents: 100 }, OPERATOR);
  });

  async function call(
    method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS',
    url: string,
    body?: unknown,
    headers: Headers = {},
  ) {
    const payload = typeof body === 'string' ? body : JSON.stringify(body);
    const reply = await app.inject({ method, url, headers, ...(body === undefined ? {} : { payload }) });
    const json = () => reply.json();
    return { status: reply.statusCode, headers: reply.headers, text: reply.body, json };
  }
  async function loggedIn(token = 'operator-token-1234'): Promise<Headers> {
    const reply = await call('POST', '/login', { token });
    return { cookie: String(reply.headers['set-cookie']).split(';')[0] ?? '' };
  }

  it('is refused with 401 without credentials, on every path but /health', async () => {
    for (const url of [...READS, '/nothing', '/', '/metrics']) {
      const reply = await call('GET', url);
      expect({ url, status: reply.status, code: reply.json().error.code }).toEqual({
        url,
        status: 401,
        code: 'unauthorized',
      });
      expect(reply.headers['www-authenticate']).toMatch(/^Bearer /);
    }
    for (const [method, url, body] of CHANGES) expect((await call(method, url, body)).status, url).toBe(401);
    expect((await call('GET', '/health')).status).toBe(200);
    expect((await call('HEAD', '/campaigns')).status).toBe(401);
  });

  it('is refused with 401 for wrong tokens and schemes, however they look', async () => {
    const wrong = [
      'Bearer x',
      'Bearer',
      'Basic YTpi',
      'operator-token-1234',
      `Bearer ${'x'.repeat(10_000)}`,
      'Bearer operator-token-1234 x',
      'Bearer OPERATOR-TOKEN-1234',
    ];
    for (const authorization of wrong) {
      const reply = await call('GET', '/campaigns', undefined, { authorization });
      expect(reply.status, authorization.slice(0, 40)).toBe(401);
      expect(reply.text).not.toContain('TOKEN-1234');
      expect(reply.text).not.toContain('token-1234');
    }
    expect(
      (await call('GET', '/campaigns', undefined, { authorization: 'bearer viewer-token-1234' })).status,
    ).toBe(200);
  });

  it('lets a viewer read and an operator change, and a viewer change nothing', async () => {
    for (const url of READS) expect((await call('GET', url, undefined, VIEWER)).status, url).toBe(200);
    const before = (await call('GET', '/campaigns/c', undefined, VIEWER)).json();
    for (const [method, url, body] of CHANGES) {
      const reply = await call(method, url, body, VIEWER);
      expect({ url, status: reply.status, code: reply.json().error.code }).toEqual({
        url,
        status: 403,
        code: 'forbidden',
      });
    }
    expect((await call('GET', '/campaigns/c', undefined, VIEWER)).json()).toEqual(before);
    for (const [method, url, body, status] of CHANGES) {
      expect((await call(method, url, body, OPERATOR)).status, url).toBe(status);
    }
  });

  it('keeps the reason of every kind of change', async () => {
    const changes = [
      ['POST', '/campaigns', { id: 'why', name: 'Spring', daily_budget_cents: 100 }],
      ['PATCH', '/campaigns/why', { name: 'Summer' }],
      ['PUT', '/campaigns/why', { name: 'Autumn', daily_budget_cents: 100 }],
      ['POST', '/budget/adjust', { campaign_id: 'why', new_daily_budget_cents: 5 }],
      ['POST', '/pacing/mode', { campaign_id: 'why', pacing_mode: 'ASAP' }],
      ['PUT', '/pacing/config/why', { pacing_configs: [] }],
      ['POST', '/budget/reset/why', {}],
      ['DELETE', '/campaigns/why', {}],
    ] as const;
    for (const [method, url, body] of changes) {
      const { status } = await call(method, url, { ...body, reason: `${method} ${url}` }, OPERATOR);
      expect(status, `${method} ${url}`).toBeLessThan(300);
    }
    const audit = (await call('GET', '/audit?campaign_id=why', undefined, VIEWER)).json();
    expect(audit.map(({ reason }: { reason: string }) => reason).reverse()).toEqual(
      changes.map(([method, url]) => `${method} ${url}`),
    );
    const wrong = await call('DELETE', '/campaigns/c', { because: 'x' }, OPERATOR);
    expect(wrong.json().error).toMatchObject({ code: 'invalid_request', field: 'because' });
  });

  it('notes each change with the name of its token, its request and its reason', async () => {
    await call(
      'POST',
      '/budget/adjust',
      { campaign_id: 'c', new_daily_budget_cents: 5, reason: 'less' },
      { ...OPERATOR, 'x-request-id': 'my-request.1' },
    );
    await call('DELETE', '/campaigns/c', undefined, originOf(await loggedIn()));
    const first = await call('GET', '/audit?campaign_id=c&limit=2', undefined, VIEWER);
    expect(first.json()).toMatchObject([
      {
        actor: 'ada',
        action: 'campaign.delete',
        before: { status: 'ACTIVE' },
        after: { status: 'DELETED' },
        version: 3,
      },
      {
        actor: 'ada',
        action: 'budget.adjust',
        campaign_id: 'c',
        before: { daily_budget_cents: 100 },
        after: { daily_budget_cents: 5 },
        reason: 'less',
        request_id: 'my-request.1',
      },
    ]);
    expect(Object.keys(first.json()[0])).toEqual([
      'id',
      'at',
      'actor',
      'action',
      'campaign_id',
      'version',
      'before',
      'after',
      'reason',
      'request_id',
    ]);
    const last = await call(
      'GET',
      `/audit?campaign_id=c&limit=2&cursor=${first.headers['x-next-cursor']}`,
      undefined,
      VIEWER,
    );
    expect(last.json()[0]).toMatchObject({ action: 'campaign.create', before: null });
    for (const query of ['limit=0', 'cursor=x', 'cursor=0', 'cursor=99999999999999999', 'campaign_id=%2F']) {
      const reply = await call('GET', `/audit?${query}`, undefined, VIEWER);
      expect({ query, status: reply.status, field: reply.json().error.field }).toEqual({
        query,
        status: 400,
        field: query.split('=')[0],
      });
    }
  });

  /** The headers that a browser adds for a page of ours. */
  const originOf = (headers: Headers): Headers => ({
    ...headers,
    host: 'pacer:8000',
    origin: 'http://pacer:8000',
  });

  it('takes a cookie from a login, for what its token may do, until the logout', async () => {
    const reply = await call('POST', '/login', { token: 'viewer-token-1234' });
    expect(reply.json()).toEqual({ name: 'bob', role: 'viewer', expires_in_seconds: 43_200 });
    expect(String(reply.headers['set-cookie'])).toMatch(/HttpOnly; SameSite=Strict$/);
    const cookie = originOf(await loggedIn('viewer-token-1234'));
    expect((await call('GET', '/campaigns', undefined, cookie)).status).toBe(200);
    expect((await call('PATCH', '/campaigns/c', { name: 'z' }, cookie)).status).toBe(403);
    expect((await call('POST', '/logout', undefined, cookie)).status).toBe(200);
    expect((await call('GET', '/campaigns', undefined, cookie)).status).toBe(401);
    for (const body of [
      { token: 'wrong' },
      { token: '' },
      { token: 1 },
      {},
      { token: 'x', more: 1 },
      'token',
    ]) {
      const refused = await call('POST', '/login', body);
      expect([400, 401], JSON.stringify(body)).toContain(refused.status);
      expect(refused.headers['set-cookie']).toBeUndefined();
    }
    const secure = await call(
      'POST',
      '/login',
      { token: 'viewer-token-1234' },
      { 'x-forwarded-proto': 'https' },
    );
    expect(String(secure.headers['set-cookie'])).toMatch(/; Secure$/);
  });

  it('takes changes with a cookie from its own pages only', async () => {
    const cookie = await loggedIn();
    const change = (headers: Headers) =>
      call('PATCH', '/campaigns/c', { name: 'z' }, { ...cookie, host: 'pacer:8000', ...headers });
    const refused: Headers[] = [
      {},
      { origin: 'http://evil.example' },
      { origin: 'null' },
      { origin: 'http://pacer:8001' },
      { origin: 'http://pacer:8000', 'sec-fetch-site': 'cross-site' },
      { origin: 'http://pacer:8000', 'sec-fetch-site': 'same-site' },
    ];
    for (const headers of refused) expect((await change(headers)).status, JSON.stringify(headers)).toBe(403);
    expect((await change({ origin: 'http://pacer:8000' })).status).toBe(200);
    expect((await change({ origin: 'https://outside', 'sec-fetch-site': 'same-origin' })).status).toBe(200);
    expect((await change({ origin: 'https://outside', 'x-forwarded-host': 'outside' })).status).toBe(200);
    expect((await change({ origin: 'http://evil.example', ...OPERATOR })).status).toBe(200);
    // A WebSocket is opened with a GET, and no preflight comes before it.
    const upgrade = { ...cookie, host: 'pacer:8000', upgrade: 'websocket', origin: 'http://evil.example' };
    expect((await call('GET', '/campaigns', undefined, upgrade)).status).toBe(403);
    expect((await call('POST', '/login', { token: 'x' }, { origin: 'http://evil.example' })).status).toBe(
      403,
    );
  });

  it('shows a person a form without a script, and lets it log in', async () => {
    const html = { accept: 'text/html,application/xhtml+xml' };
    const page = await call('GET', '/', undefined, html);
    expect(page.status).toBe(401);
    expect(page.text).toContain('<form method="post" action="/login">');
    expect(page.text).not.toContain('<script');
    const reply = await call('POST', '/login', 'token=operator-token-1234');
    expect({ status: reply.status, location: reply.headers.location }).toEqual({
      status: 303,
      location: '/',
    });
    const wrong = await call('POST', '/login', 'token=%3Cb%3E');
    expect(wrong.status).toBe(401);
    expect(wrong.text).toContain('not accepted');
    expect(wrong.text).not.toContain('<b>');
    const cookie = { cookie: String(reply.headers['set-cookie']).split(';')[0] ?? '' };
    expect((await call('GET', '/nothing', undefined, { ...html, ...cookie })).status).toBe(404);
  });

  it('limits each token by itself, and says when to try again', async () => {
    const replies = await Promise.all(
      Array.from({ length: 160 }, () => call('GET', '/budget/status/c', undefined, VIEWER)),
    );
    const limited = replies.filter(({ status }) => status === 429);
    expect(replies.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(100);
    expect(limited.length).toBeGreaterThan(0);
    expect(limited[0]?.headers['retry-after']).toBe('1');
    expect(limited[0]?.json().error.code).toBe('rate_limited');
    const others = await Promise.all(
      Array.from({ length: 60 }, () => call('GET', '/budget/status/c', undefined, OPERATOR)),
    );
    expect(others.every(({ status }) => status === 200)).toBe(true);
    expect((await call('GET', '/health')).status).toBe(200);
  });

  it('gives every answer its headers and an id, be it found, refused or unreadable', async () => {
    for (const [url, headers] of [
      ['/campaigns', VIEWER],
      ['/campaigns', {}],
      ['/nothing', VIEWER],
      ['/campaigns/%ZZ', VIEWER],
      ['/health', {}],
    ] as const) {
      const reply = await call('GET', url, undefined, headers);
      expect(reply.headers, url).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'x-frame-options': 'DENY',
        'cache-control': 'no-store',
      });
      expect(reply.headers['content-security-policy']).toContain("frame-ancestors 'none'");
      expect(reply.headers['content-security-policy']).not.toContain('unsafe-inline');
      expect(reply.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    }
    const kept = await call('GET', '/health', undefined, { 'x-request-id': 'trace:1.a-b_c' });
    expect(kept.headers['x-request-id']).toBe('trace:1.a-b_c');
    for (const id of ['a b', '<x>', 'x'.repeat(129), '']) {
      expect(
        (await call('GET', '/health', undefined, { 'x-request-id': id })).headers['x-request-id'],
      ).not.toBe(id);
    }
  });

  it('lets no page of another origin read, unless it is listed', async () => {
    const asked = { origin: FRIEND, 'access-control-request-method': 'PATCH' };
    expect(
      (await call('OPTIONS', '/campaigns/c', undefined, asked)).headers['access-control-allow-origin'],
    ).toBeUndefined();
    build(TOKENS, [FRIEND]);
    const preflight = await call('OPTIONS', '/campaigns/c', undefined, asked);
    expect(preflight.status).toBe(204);
    expect(preflight.headers).toMatchObject({ 'access-control-allow-origin': FRIEND, vary: 'origin' });
    expect(preflight.headers['access-control-allow-headers']).toContain('authorization');
    expect(preflight.headers['access-control-allow-credentials']).toBeUndefined();
    const listed = await call('GET', '/campaigns', undefined, { ...VIEWER, origin: FRIEND });
    expect(listed.headers['access-control-allow-origin']).toBe(FRIEND);
    // What a cache keeps of an answer for one page must not be shown to another.
    const csv = await call('GET', '/performance/c', undefined, {
      ...VIEWER,
      origin: FRIEND,
      accept: 'text/csv',
    });
    expect(csv.headers.vary).toBe('origin, accept');
    expect(csv.headers['access-control-expose-headers']).toContain('x-forecast-error-mean');
    const evil = await call('GET', '/campaigns', undefined, { ...VIEWER, origin: 'https://evil.example' });
    expect(evil.headers['access-control-allow-origin']).toBeUndefined();
    const cookie = await loggedIn();
    expect((await call('DELETE', '/campaigns/c', undefined, { ...cookie, origin: FRIEND })).status).toBe(403);
  });

  it('asks nobody without tokens, but refuses the changes of other pages', async () => {
    build('', [FRIEND]);
    expect((await call('PATCH', '/campaigns/c', { name: 'open' })).status).toBe(200);
    expect((await call('PATCH', '/campaigns/c', { name: 'f' }, { origin: FRIEND })).status).toBe(200);
    const evil = { origin: 'http://evil.example', 'sec-fetch-site': 'cross-site' };
    expect((await call('POST', '/campaigns', { name: 'x', daily_budget_cents: 1 }, evil)).status).toBe(403);
    expect((await call('GET', '/audit?campaign_id=c&limit=1')).json()).toMatchObject([
      { actor: 'anonymous', after: { name: 'f' } },
    ]);
    expect((await call('POST', '/login', { token: 'x' })).status).toBe(404);
    const many = await Promise.all(Array.from({ length: 300 }, () => call('GET', '/budget/status/c')));
    expect(many.every(({ status }) => status === 200)).toBe(true);
  });

  it('writes ids and names to the log, and never a token or a session', async () => {
    const cookie = originOf(await loggedIn());
    await call('PATCH', '/campaigns/c', { name: 'z' }, { ...cookie, 'x-request-id': 'find-me' });
    await call('GET', '/campaigns?q=Bearer', undefined, { authorization: 'Bearer almost-a-token' });
    await call('POST', '/login', { token: 'almost-a-token' });
    const log = logged.join('');
    expect(log).toContain(
      '"request_id":"find-me","actor":"ada","method":"PATCH","route":"/campaigns/:id","status":200',
    );
    expect(log).toContain('a request with a wrong token');
    const session = (cookie.cookie ?? '').split('=')[1] ?? 'none';
    for (const secret of ['operator-token', 'viewer-token', 'almost-a-token', session])
      expect(log).not.toContain(secret);
  });
});
