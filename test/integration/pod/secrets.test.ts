import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestLiveClient } from '../../support/live-client.ts';
import { freePorts, TestPod } from '../../support/pod.ts';
import { HttpClient } from '../../support/pod-http.ts';
import { pause, until } from '../../support/pod-wait.ts';
import { TestPostgres } from '../../support/postgres.ts';
import { TestRedis } from '../../support/redis.ts';
import { TestWebhook } from '../../support/webhook.ts';

const OPERATOR = 'operator-secret-of-32-characters1';
const EDGE = 'edge-secret-of-thirty-two-chars-1';
const WRONG = 'wrong-secret-of-32-characters-123';
const WEBHOOK = 'webhook-secret-of-32-characters-1';
const REDIS = 'redis-secret-of-32-characters-12';
const COLLECTOR = 'collector-secret-of-32-characters';
const COLLECTOR_PASSWORD = 'collector-password-in-its-url';
const WEBHOOK_PARTS = ['hook-user', 'hook-password', 'hook-path', 'hook-key'];

const OPEN_TO_BIDDERS = ['/health', '/metrics', '/budget/status/told?explain=true', '/nothing'];
const OPEN_TO_OPERATORS = [
  '/',
  '/health',
  '/campaigns',
  '/audit',
  '/metrics/summary',
  '/openapi.json',
  '/docs',
];

describe('the log of a pod at its most talkative', () => {
  let postgres: TestPostgres;
  let webhook: TestWebhook;
  let redis: TestRedis;
  let pod: TestPod;

  beforeAll(async () => {
    postgres = await TestPostgres.start();
    webhook = await TestWebhook.open();
    redis = await TestRedis.start({ password: REDIS });
    const [dead] = await freePorts();
    pod = await TestPod.start({
      env: {
        LOG_LEVEL: 'trace',
        DATABASE_URL: postgres.url,
        POSTGRES_FLUSH_MS: 200,
        RESERVATION_TTL_MS: 200,
        API_TOKENS: `ops:operator:${OPERATOR}`,
        EDGE_TOKEN: EDGE,
        REDIS_URL: `redis://:${REDIS}@127.0.0.1:${redis.port}`,
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://tracer:${COLLECTOR_PASSWORD}@127.0.0.1:${dead}`,
        OTEL_EXPORTER_OTLP_HEADERS: `api-key=${COLLECTOR}`,
        ALERT_WEBHOOK_URL: webhook.url,
        ALERT_WEBHOOK_SECRET: WEBHOOK,
      },
      apiToken: OPERATOR,
      edgeToken: EDGE,
    });
  });
  afterAll(async () => {
    await pod.remove();
    await webhook.close();
    await redis.remove();
    await postgres.remove();
  });

  it('shows no token, password or secret, nor does any answer, whatever is asked and whatever fails', async () => {
    const stranger = new HttpClient(pod.apiPort, 1, WRONG);
    expect((await stranger.request('GET', `/campaigns?token=${WRONG}`)).status).toBe(401);
    expect((await stranger.request('POST', '/login', { token: WRONG })).status).toBe(401);
    stranger.close();
    const login = await pod.api.request('POST', '/login', { token: OPERATOR });
    const session = String(login.headers['set-cookie']).split(/[=;]/)[1] ?? '';
    expect(session.length).toBeGreaterThan(20);
    const bidder = new HttpClient(pod.port, 1, WRONG);
    expect((await bidder.request('POST', '/spend/track', { campaign_id: 'x', spend_cents: 1 })).status).toBe(
      401,
    );
    bidder.close();
    const client = await TestLiveClient.open(pod.apiPort, {
      headers: { cookie: `pacer_session=${session}`, origin: `http://127.0.0.1:${pod.apiPort}` },
    });

    webhook.behaviour = 500;
    await pod.createCampaign({ id: 'told', daily_budget_cents: 100, breaker_threshold: 1 });
    expect(
      (await pod.api.request('POST', '/campaigns', { id: 'told', name: WRONG, bad: WRONG })).status,
    ).toBe(400);
    await pod.core.spend({ campaign_id: 'told', spend_cents: 60 });
    await until('the webhook has refused', () => webhook.received.length > 0);
    webhook.behaviour = (response) => response.socket?.resetAndDestroy();
    const refused = webhook.received.length;
    await until('the webhook has failed', () => webhook.received.length > refused);
    await redis.stop();
    await until('Redis is away', () => pod.output.includes('Redis cannot be reached'));
    await postgres.stop();
    await until('the database is away', () => pod.output.includes('the database does not answer'));
    expect((await pod.api.request('GET', '/alerts')).status).toBe(503);
    await until('the collector is away', () => pod.output.includes('traces cannot be exported'));
    const answers = await Promise.all([
      ...OPEN_TO_BIDDERS.map((path) => pod.core.request('GET', path)),
      ...OPEN_TO_OPERATORS.map((path) => pod.api.request('GET', path)),
      pod.api.request('POST', '/campaigns', { name: 'x', daily_budget_cents: 1 }),
      pod.core.request('POST', '/spend/track', '{"campaign_id":'),
    ]);
    const answered = answers.map(({ text, headers }) => text + JSON.stringify(headers)).join('\n');
    client.close();
    // It ends in order although nothing that it would tell something at the end is there.
    expect(await pod.stop()).toEqual({ code: 0, signal: null });

    expect(pod.output).toContain('the webhook does not take alerts');
    expect(pod.output).toContain('a request with a wrong token');
    const given = [OPERATOR, EDGE, WRONG, WEBHOOK, REDIS, COLLECTOR, COLLECTOR_PASSWORD];
    for (const secret of [...given, postgres.password, session, ...WEBHOOK_PARTS]) {
      expect(pod.output).not.toContain(secret);
      expect(answered).not.toContain(secret);
    }
  });
});

describe('a pod with wins that come late', () => {
  it('raises one alert for the hour', async () => {
    const pod = await TestPod.start({ env: { POSTGRES_FLUSH_MS: 200, RESERVATION_TTL_MS: 100 } });
    try {
      await pod.createCampaign({ id: 'late', daily_budget_cents: 100_000 });
      let bids = 0;
      const alerts = await until('the alert', async () => {
        const bidId = `late-${bids++}`;
        await pod.core.decide('late', 500, bidId);
        await pause(400); // its reservation expires
        await pod.core.spend({ campaign_id: 'late', spend_cents: 500, bid_id: bidId });
        const { body } = await pod.api.request<{ alert_type: string }[]>('GET', '/alerts/late');
        const late = body.filter(({ alert_type }) => alert_type === 'late_wins');
        return late.length > 0 && late;
      });
      expect(alerts).toMatchObject([{ severity: 'warning', resolved_at: null }]);
    } finally {
      await pod.remove();
    }
  });
});
