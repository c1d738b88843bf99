import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestPod } from '../../support/pod.ts';
import type { ErrorReply } from '../../support/pod-http.ts';
import { TestPostgres } from '../../support/postgres.ts';

const DECISION = '/pacing/decision';
const SPEND = '/spend/track';
const LOST = '/bid/lost';
const LIST_OF = { '/pacing/decisions': 'requests', '/spend/batch': 'events' } as const;
const PATHS = [DECISION, SPEND, LOST, ...Object.keys(LIST_OF)];

/** What each field must not be, by the path it is sent to. */
const WRONG: readonly (readonly [path: string, field: string, values: readonly unknown[]])[] = [
  [DECISION, 'campaign_id', [undefined, null, '', 1, {}, ['ok'], 'a/b', 'ü', 'a b', 'x'.repeat(129)]],
  [
    DECISION,
    'bid_cents',
    [undefined, null, 0, -1, '150', true, [1], 0.00001, 1.00005, 900719925474.1, 1e300],
  ],
  [DECISION, 'bid_id', [1, '', 'x'.repeat(129), {}, 'a b']],
  [SPEND, 'campaign_id', [undefined, null, '', 0, 'x'.repeat(129)]],
  [SPEND, 'spend_cents', [undefined, null, -0.0001, '1', 0.12345, 900719925474.1, 1e21]],
  [SPEND, 'impressions', [-1, 1.5, '1', true, 1e12]],
  [SPEND, 'clicks', [-1, 0.5, [], {}]],
  [SPEND, 'event_id', [7, '', 'x'.repeat(129), 'a\nb']],
  [SPEND, 'bid_id', [7, '', 'x'.repeat(129)]],
  [LOST, 'campaign_id', [undefined, 1, '']],
  [LOST, 'bid_id', [undefined, null, 1, '', 'x'.repeat(129)]],
];
const RIGHT = { campaign_id: 'ok', bid_cents: 1, spend_cents: 1, bid_id: 'b', event_id: 'e' };

describe('bad input', () => {
  let postgres: TestPostgres;
  let pod: TestPod;

  beforeAll(async () => {
    postgres = await TestPostgres.start();
    pod = await TestPod.start({ env: { DATABASE_URL: postgres.url, EDGE_THREADS: 1, SHARDS: 2 } });
    await pod.createCampaign({ id: 'ok', daily_budget_cents: 1_000_000 });
  });
  afterAll(async () => {
    await pod.remove();
    await postgres.remove();
  });

  const post = (path: string, body: unknown) => pod.core.request<ErrorReply>('POST', path, body);

  async function nothingCounted(): Promise<void> {
    expect(await pod.core.status('ok')).toMatchObject({ daily_spent_cents: 0, reserved_cents: 0 });
  }

  it('that is no JSON object gets a coded 400 on every path', async () => {
    const bodies = [
      '',
      ' ',
      '{',
      'null',
      '[]',
      '1',
      '"x"',
      '{"a":1}}',
      '\0',
      '['.repeat(5000),
      '{"bid_cents":NaN}',
    ];
    const bytes = [Buffer.from([0xff, 0xfe, 0x00]), Buffer.from('{"campaign_id":"ok\xff"', 'latin1')];
    for (const path of PATHS) {
      for (const body of [...bodies, ...bytes]) {
        const reply = await post(path, body);
        expect(reply.status, `${path} ${String(body).slice(0, 20)}`).toBe(400);
        expect(reply.body.error.code).toBe('invalid_request');
        expect(reply.body.error.message).not.toBe('');
      }
    }
    await nothingCounted();
  });

  it('names the field that is wrong, alone and as an element of a list', async () => {
    for (const [path, field, values] of WRONG) {
      for (const value of values) {
        const body = { ...RIGHT, [field]: value };
        const reply = await post(path, body);
        expect(reply.status, `${path} ${field} ${JSON.stringify(value)}`).toBe(400);
        expect(reply.body.error).toMatchObject({ code: 'invalid_request', field });
        expect(reply.body.error.message).toContain(field);
        const listPath = path === DECISION ? '/pacing/decisions' : '/spend/batch';
        if (path === LOST) continue;
        const list = await post(listPath, { [LIST_OF[listPath]]: [RIGHT, body] });
        expect(list.status).toBe(400);
        expect(list.body.error.field).toBe(`${LIST_OF[listPath]}[1].${field}`);
      }
    }
    await nothingCounted();
  });

  it('in lists of none, of 1001 or of something else is refused whole', async () => {
    for (const [path, field] of Object.entries(LIST_OF)) {
      const bodies = [[], Array.from({ length: 1001 }, () => RIGHT), {}, null, 'x', undefined];
      for (const list of bodies) {
        expect(await post(path, { [field]: list })).toMatchObject({
          status: 400,
          body: { error: { field } },
        });
      }
      for (const element of [null, 1, [], 'x']) {
        const reply = await post(path, { [field]: [RIGHT, element] });
        expect(reply).toMatchObject({ status: 400, body: { error: { field: `${field}[1]` } } });
      }
    }
    await nothingCounted();
  });

  it('stops at the limits, and not before: ids of 128 characters, four decimals, 2^53 micros', async () => {
    const id = `${'Az09._:-'.repeat(16)}`;
    await pod.createCampaign({ id, daily_budget_cents: 900719925474.0992, breaker_threshold: 1 });
    expect((await pod.core.decide(id, 0.0001, 'b'.repeat(128))).max_bid_cents).toBe(0.0001);
    await pod.core.spend({ campaign_id: id, spend_cents: 0.0001, event_id: 'e'.repeat(128) });
    expect((await pod.core.status(id)).daily_spent_cents).toBe(0.0001);
    expect((await post(DECISION, { campaign_id: `${id}x`, bid_cents: 1 })).status).toBe(400);
  });

  it('of amounts that would pass 2^53 micros in all is refused, and what was counted stays exact', async () => {
    await pod.createCampaign({ id: 'vast', daily_budget_cents: 900719925474.0992, breaker_threshold: 1 });
    await pod.core.spend({ campaign_id: 'vast', spend_cents: 900719925474.099 });
    const reply = await post(SPEND, { campaign_id: 'vast', spend_cents: 0.01 });
    expect(reply).toMatchObject({ status: 400, body: { error: { field: 'spend_cents' } } });
    expect(await pod.core.spend({ campaign_id: 'vast', spend_cents: 0 })).toBe('success');
    expect((await pod.core.status('vast')).total_spent_cents).toBe(900719925474.099);
    const again = { campaign_id: 'vast', spend_cents: 900719925474.099, event_id: 'again' };
    expect((await post(SPEND, again)).status).toBe(400);
    expect((await post(SPEND, { ...again, spend_cents: 0 })).body).toEqual({ status: 'success' });
  });

  it('by path or method gets a coded 404', async () => {
    const requests: readonly (readonly [string, string])[] = [
      ['GET', '/'],
      ['GET', DECISION],
      ['PUT', SPEND],
      ['DELETE', '/budget/status/ok'],
      ['POST', '/health'],
      ['POST', '/pacing/decision/'],
      ['OPTIONS', DECISION],
      ['GET', '/budget/status'],
      ['GET', '/budget/status/a/b'],
      ['GET', '/%2e%2e/etc/passwd'],
      ['GET', `/${'x'.repeat(3000)}`],
    ];
    for (const [method, path] of requests) {
      const reply = await pod.core.request<ErrorReply>(method, path);
      expect(reply.status, `${method} ${path.slice(0, 40)}`).toBe(404);
      expect(reply.body.error.code).toMatch(/not_found$/);
    }
    for (const [method, path] of [
      ['GET', '/nothing'],
      ['PATCH', '/budget/adjust'],
      ['DELETE', '/health'],
    ] as const) {
      const reply = await pod.api.request<ErrorReply>(method, path);
      expect(reply).toMatchObject({ status: 404, body: { error: { code: 'not_found' } } });
    }
    expect((await pod.core.request('GET', '/budget/status/%00')).status).toBe(404);
    expect((await pod.api.request('GET', '/budget/status/a%20b')).status).toBe(400);
  });

  it('never shows a stack, and no refused request counts anything', async () => {
    const reply = await post(DECISION, '{"campaign_id":');
    expect(reply.text).not.toMatch(/at .*:\d+|node_modules/);
    await nothingCounted();
    expect(pod.output).not.toContain('met a bug');
    expect(pod.output).not.toContain('a thread died');
  });
});
