import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestPod } from '../../support/pod.ts';
import { Bidder, type ErrorReply, HttpClient } from '../../support/pod-http.ts';
import { RawClient } from '../../support/pod-socket.ts';
import { until } from '../../support/pod-wait.ts';

const EDGE_TOKEN = 'edge-token-of-this-test';
const OPERATOR = 'operator-token-of-this-test';
const VIEWER = 'viewer-token-of-this-test';
const OPEN_PATHS = ['/health', '/health/live', '/health/ready', '/metrics'];
const HEAD_PATHS = ['/budget/status/c', '/nothing'];
const BIDDERS: readonly (readonly [method: string, path: string, body?: object])[] = [
  ['POST', '/pacing/decision', { campaign_id: 'c', bid_cents: 1 }],
  ['POST', '/pacing/decisions', { requests: [{ campaign_id: 'c', bid_cents: 1 }] }],
  ['POST', '/spend/track', { campaign_id: 'c', spend_cents: 1 }],
  ['POST', '/spend/batch', { events: [{ campaign_id: 'c', spend_cents: 1 }] }],
  ['POST', '/bid/lost', { campaign_id: 'c', bid_id: 'b' }],
  ['GET', '/budget/status/c'],
  ['GET', '/nothing'],
];

describe('a pod that asks for credentials', () => {
  let pod: TestPod;
  let stranger: Bidder;

  beforeAll(async () => {
    pod = await TestPod.start({
      env: {
        HOST: '0.0.0.0',
        API_HOST: '0.0.0.0',
        EDGE_TOKEN,
        API_TOKENS: `ada:operator:${OPERATOR},bob:viewer:${VIEWER}`,
        EDGE_THREADS: 2,
        LOG_LEVEL: 'trace',
      },
      edgeToken: EDGE_TOKEN,
      apiToken: OPERATOR,
    });
    await pod.createCampaign({ id: 'c', daily_budget_cents: 1_000_000 });
    stranger = new Bidder(pod.port, 4);
  });
  afterAll(async () => {
    stranger.close();
    await pod.remove();
  });

  it('answers bidders with the token, and others with 401 on every path but health and metrics', async () => {
    for (const [method, path, body] of BIDDERS) {
      const reply = await stranger.request<ErrorReply>(method, path, body);
      expect({ path, status: reply.status, code: reply.body.error.code }).toEqual({
        path,
        status: 401,
        code: 'unauthorized',
      });
      expect(reply.headers['www-authenticate']).toMatch(/^Bearer /);
      const known = await pod.core.request(method, path, body);
      expect(known.status, path).toBe(path === '/nothing' ? 404 : 200);
    }
    for (const path of OPEN_PATHS) expect((await stranger.request('GET', path)).status, path).toBe(200);
    for (const path of HEAD_PATHS) {
      const client = await RawClient.open(pod.port);
      await client.send(`HEAD ${path} HTTP/1.1\r\nhost: pod\r\n\r\n`);
      const head = await client.answers(1);
      expect(head, path).toMatch(/^HTTP\/1\.1 401 .*www-authenticate: Bearer .*\r\n\r\n$/s);
      await client.send('GET /health/live HTTP/1.1\r\nhost: pod\r\n\r\n');
      expect((await client.answers(2)).slice(head.length), path).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      client.hangUp();
    }
    expect((await pod.core.status('c')).daily_spent_cents).toBe(2);
    await until('the refusals are counted', async () => {
      const metrics = await stranger.metrics();
      return metrics.get('pacer_requests_unauthorized_total') === BIDDERS.length + HEAD_PATHS.length;
    });
  });

  it('refuses wrong schemes, wrong tokens and tokens of the other port', async () => {
    const wrong = [
      'Bearer',
      `Basic ${EDGE_TOKEN}`,
      EDGE_TOKEN,
      `Bearer ${EDGE_TOKEN}x`,
      `Bearer ${EDGE_TOKEN.toUpperCase()}`,
      `Bearer ${OPERATOR}`,
    ];
    for (const authorization of wrong) {
      const reply = await stranger.request('GET', '/budget/status/c', undefined, { authorization });
      expect(reply.status, authorization).toBe(401);
    }
    const lower = { authorization: `bearer ${EDGE_TOKEN}` };
    expect((await stranger.request('GET', '/budget/status/c', undefined, lower)).status).toBe(200);
    const api = new HttpClient(pod.apiPort, 1, EDGE_TOKEN);
    expect((await api.request('GET', '/campaigns')).status).toBe(401);
    api.close();
  });

  it('decides on each request of a connection by itself, pipelined ones too', async () => {
    const body = JSON.stringify({ campaign_id: 'c', bid_cents: 1 });
    const head = `POST /pacing/decision HTTP/1.1\r\nhost: pod\r\ncontent-length: ${body.length}\r\n`;
    const known = `${head}authorization: Bearer ${EDGE_TOKEN}\r\n\r\n${body}`;
    const client = await RawClient.open(pod.port);
    await client.send([known, `${head}\r\n${body}`, known, `${head}\r\n${body}`].join(''));
    await client.answers(4);
    expect(client.statuses()).toEqual([200, 401, 200, 401]);
    client.hangUp();
  });

  it('survives headers of any size on both ports', async () => {
    for (const port of [pod.port, pod.apiPort]) {
      for (const size of [2_000, 10_000, 100_000, 1_000_000]) {
        const client = await RawClient.open(port);
        await client.send(
          `GET /budget/status/c HTTP/1.1\r\nhost: pod\r\nauthorization: Bearer ${'x'.repeat(size)}\r\n\r\n`,
        );
        await until('it is refused', () => client.closed || client.statuses().length > 0);
        expect(client.received).not.toMatch(/HTTP\/1\.1 2/);
        client.hangUp();
      }
    }
    expect((await pod.core.decide('c', 1)).allow_bid).toBe(true);
    expect((await pod.api.request('GET', '/campaigns')).status).toBe(200);
  });

  it('refuses a large body of an unknown caller, and goes on', async () => {
    const api = new HttpClient(pod.apiPort, 1);
    const body = Buffer.alloc(900_000, ' ');
    for (let round = 0; round < 3; round++) {
      expect((await stranger.request('POST', '/spend/track', body)).status).toBe(401);
      expect((await api.request('POST', '/campaigns', body)).status).toBe(401);
    }
    api.close();
  });

  it('keeps the answers of known and unknown callers apart when they come at once', async () => {
    const viewer = new HttpClient(pod.apiPort, 4, VIEWER);
    const unknown = new HttpClient(pod.apiPort, 4, 'wrong');
    const change = (client: HttpClient, name: string) => client.request('PATCH', '/campaigns/c', { name });
    const rounds = await Promise.all(
      Array.from({ length: 20 }, async (_, at) => {
        const replies = await Promise.all([
          change(pod.api, `operator-${at}`),
          change(viewer, 'viewer'),
          change(unknown, 'unknown'),
          pod.core.request('GET', '/budget/status/c'),
          stranger.request('GET', '/budget/status/c'),
        ]);
        return replies.map(({ status }) => status);
      }),
    );
    expect(rounds).toEqual(rounds.map(() => [200, 403, 401, 200, 401]));
    const { body } = await viewer.request<{ actor: string; version: number; after: { name: string } }[]>(
      'GET',
      '/audit?campaign_id=c&limit=20',
    );
    expect(new Set(body.map(({ actor }) => actor))).toEqual(new Set(['ada']));
    expect(body.map(({ version }) => version)).toEqual(Array.from({ length: 20 }, (_, at) => 21 - at));
    expect(new Set(body.map(({ after }) => after.name)).size).toBe(20);
    for (const client of [viewer, unknown]) client.close();
  });

  it('says no token in its log, its command line or its answers', async () => {
    const guess = { authorization: 'Bearer guessed-token' };
    await stranger.request('GET', '/budget/status/c', undefined, guess);
    await pod.api.request('POST', '/login', { token: 'guessed-token' }, guess);
    await pod.api.request('GET', '/campaigns?q=guessed', undefined, guess);
    const commandLine = readFileSync(`/proc/${pod.pid}/cmdline`, 'utf8');
    for (const secret of [EDGE_TOKEN, OPERATOR, VIEWER, 'guessed-token']) {
      expect(pod.output).not.toContain(secret);
      expect(commandLine).not.toContain(secret);
    }
    expect(pod.output).toContain('"actor":"ada"');
  });

  it('lets a browser log in, and forgets the session with the process', async () => {
    const browser = new HttpClient(pod.apiPort, 1);
    const reply = await browser.request('POST', '/login', { token: VIEWER });
    const cookie = String(reply.headers['set-cookie']).split(';')[0] ?? '';
    expect((await browser.request('GET', '/campaigns', undefined, { cookie })).status).toBe(200);
    browser.close();
    await pod.stop();
    await pod.restart();
    stranger = new Bidder(pod.port, 4);
    const again = new HttpClient(pod.apiPort, 1);
    expect((await again.request('GET', '/campaigns', undefined, { cookie })).status).toBe(401);
    again.close();
  });
});

describe('a pod with MAX_QPS', () => {
  const LIMIT = 50;
  let pod: TestPod;

  beforeAll(async () => {
    pod = await TestPod.start({ env: { MAX_QPS: LIMIT, EDGE_THREADS: 2 } });
    await pod.createCampaign({ id: 'c', daily_budget_cents: 1_000_000 });
  });
  afterAll(() => pod.remove());

  const decide = () =>
    pod.core.request<ErrorReply>('POST', '/pacing/decision', { campaign_id: 'c', bid_cents: 1 });

  it('answers decisions above it with 429, over all edges together', async () => {
    const startedMs = performance.now();
    const replies = await Promise.all(Array.from({ length: 400 }, decide));
    const seconds = (performance.now() - startedMs) / 1000;
    const allowed = replies.filter(({ status }) => status === 200).length;
    expect(allowed).toBeGreaterThanOrEqual(LIMIT);
    expect(allowed).toBeLessThanOrEqual(LIMIT * (1 + seconds) + 1);
    const limited = replies.find(({ status }) => status === 429);
    expect(limited?.headers['retry-after']).toBe('1');
    expect(limited?.body.error.code).toBe('rate_limited');
    await until('they are counted', async () => {
      const counted = (await pod.core.metrics()).get('pacer_requests_limited_total');
      return counted === replies.length - allowed;
    });
  });

  it('never refuses what tells of money, also while decisions are refused', async () => {
    const replies = await Promise.all(
      Array.from({ length: 200 }, async (_, at) => {
        const spend = { campaign_id: 'c', spend_cents: 1, event_id: `e-${at}` };
        const { status } = await pod.core.request('POST', '/spend/track', spend);
        return [status, (await pod.core.request('GET', '/budget/status/c')).status, (await decide()).status];
      }),
    );
    expect(replies.every(([spend, status]) => spend === 200 && status === 200)).toBe(true);
    expect(replies.some(([, , decision]) => decision === 429)).toBe(true);
    expect((await pod.core.status('c')).daily_spent_cents).toBe(200);
  });

  it('counts a batch by the requests that it holds, and recovers in a second', async () => {
    const batch = (size: number) =>
      pod.core.request('POST', '/pacing/decisions', {
        requests: Array.from({ length: size }, () => ({ campaign_id: 'c', bid_cents: 1 })),
      });
    await until('a large batch is let through', async () => (await batch(1_000)).status === 200);
    expect((await batch(LIMIT)).status).toBe(429);
    await until('decisions are answered again', async () => (await decide()).status === 200);
  });
});
