import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TestLiveClient } from '../../support/live-client.ts';
import { TestPod } from '../../support/pod.ts';
import { HttpClient } from '../../support/pod-http.ts';
import { RawClient } from '../../support/pod-socket.ts';
import { until } from '../../support/pod-wait.ts';

const OPERATOR = 'operator-token-of-32-characters-x';
const VIEWER = 'viewer-token-of-32-characters-xyz';
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe('live updates of a pod', () => {
  let pod: TestPod;
  const clients: TestLiveClient[] = [];

  async function open(query = ''): Promise<TestLiveClient> {
    const client = await TestLiveClient.open(pod.apiPort, { query });
    clients.push(client);
    return client;
  }

  beforeAll(async () => {
    pod = await TestPod.start({ env: { POSTGRES_FLUSH_MS: 200, WS_INTERVAL_MS: 50 } });
    await pod.createCampaign({ id: 'first', name: 'First', daily_budget_cents: 10_000, pacing_mode: 'EVEN' });
    await pod.createCampaign({ id: 'second', daily_budget_cents: 10_000 });
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });
  afterAll(() => pod.remove());

  it('begin with every campaign, and then tell of those that changed alone', async () => {
    const client = await open();
    expect(client.messages[0]).toMatchObject({ type: 'snapshot', totals: { degraded: false } });
    expect([...client.rows.keys()].sort()).toEqual(['first', 'second']);
    await pod.core.spend({ campaign_id: 'first', spend_cents: 12.5 });
    await until('the spend is told', () => client.rows.get('first')?.daily_spent_cents === 12.5);
    const status = (await pod.api.request<Record<string, unknown>>('GET', '/budget/status/first')).body;
    await until('the row is the status', () => {
      const row = client.rows.get('first');
      return row?.target_spent_cents !== 0 && row?.remaining_cents === status.remaining_cents;
    });
    expect(client.rows.get('first')).toMatchObject({
      name: 'First',
      pacing_mode: 'EVEN',
      daily_budget_cents: 10_000,
      hourly_spent_cents: 12.5,
      local_day: status.local_day,
      circuit_breaker_state: 'CLOSED',
      denied_reason: null,
    });
    const about = client.updates().flatMap(({ campaigns }) => campaigns.map((row) => row.campaign_id));
    expect(about).toContain('first');
    const spendTold = client
      .updates()
      .find(({ campaigns }) => campaigns.some((row) => row.daily_spent_cents === 12.5));
    expect(spendTold?.campaigns.map((row) => row.campaign_id)).toEqual(['first']);
    await until('the totals count it', () =>
      client.updates().some(({ totals }) => totals.spend === 12.5 && typeof totals.qps === 'number'),
    );
  });

  it('tell of campaigns that are created, changed and deleted', async () => {
    const client = await open();
    await pod.createCampaign({ id: 'passing', daily_budget_cents: 500 });
    await until('it is there', () => client.rows.get('passing')?.daily_budget_cents === 500);
    await pod.patchCampaign('passing', { daily_budget_cents: 700, status: 'PAUSED', name: 'Renamed' });
    await until('it is changed', () => client.rows.get('passing')?.status === 'PAUSED');
    expect(client.rows.get('passing')).toMatchObject({ daily_budget_cents: 700, name: 'Renamed' });
    await until('it may not bid', () => client.rows.get('passing')?.denied_reason === 'campaign_paused');
    await pod.api.request('DELETE', '/campaigns/passing');
    await until('it is gone', () => !client.rows.has('passing'));
    expect(client.messages.filter(({ type }) => type === 'snapshot')).toHaveLength(1);
  });

  it('tell of alerts when they are raised, and again when they are over', async () => {
    const client = await open('?campaign_id=second');
    await pod.core.spend({ campaign_id: 'second', spend_cents: 5_500 });
    const raised = await until('the alert', () =>
      client.alerts().find((alert) => alert.threshold_percentage === 50 && alert.resolved_at === null),
    );
    expect(raised).toMatchObject({ campaign_id: 'second', alert_type: 'budget_threshold', severity: 'info' });
    await pod.api.request('POST', `/alerts/${raised.id}/resolve`);
    await until('its end', () =>
      client.alerts().some((alert) => alert.id === raised.id && alert.resolved_at !== null),
    );
    expect(client.alerts().filter(({ id }) => id === raised.id)).toHaveLength(2);
  });

  it('are narrowed to the campaigns asked for', async () => {
    const client = await open('?campaign_id=first');
    expect([...client.rows.keys()]).toEqual(['first']);
    const seen = client.rows.get('first')?.daily_spent_cents as number;
    await pod.core.spend({ campaign_id: 'second', spend_cents: 1 });
    await pod.core.spend({ campaign_id: 'first', spend_cents: 1 });
    await until('its own spend', () => client.rows.get('first')?.daily_spent_cents === seen + 1);
    const about = client.updates().flatMap(({ campaigns }) => campaigns.map((row) => row.campaign_id));
    expect(new Set(about)).toEqual(new Set(['first']));
  });

  it('come as msgpack when that is asked for', async () => {
    const client = await open('?encoding=msgpack');
    expect(client.isBinary).toBe(true);
    expect(client.rows.get('first')).toMatchObject({ name: 'First' });
    await until('an update', () => client.updates().length > 0);
  });

  it.each([
    ['?campaign_id=nobody', 404, 'campaign_not_found'],
    ['?campaign_id=a%20b', 400, 'campaign_id'],
    ['?encoding=xml', 400, 'json, msgpack'],
  ])('refuse %s before the upgrade', async (query, status, text) => {
    const client = TestLiveClient.connect(pod.apiPort, { query });
    await until('the refusal', () => client.refusedWith !== null);
    expect(client.refusedWith).toBe(status);
    expect(client.refusal).toContain(text);
  });

  it('say to a plain request that this is a WebSocket', async () => {
    const reply = await pod.api.request<{ error: { code: string } }>('GET', '/ws/budget-updates');
    expect([reply.status, reply.body.error.code]).toEqual([400, 'invalid_request']);
  });

  it('leave a request alone that asks for HTTP/2 as some clients do with every one', async () => {
    const body = JSON.stringify({ id: 'h2c', name: 'h2c', daily_budget_cents: 100 });
    const client = await RawClient.open(pod.apiPort);
    await client.send(
      `POST /campaigns HTTP/1.1\r\nhost: pod\r\nconnection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAoAAAAAIAAAAA\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    expect(await client.answers(1)).toContain('201 Created');
    await client.send('GET /campaigns/h2c HTTP/1.1\r\nhost: pod\r\n\r\n');
    expect(await client.answers(2)).toContain('200 OK');
    client.hangUp();
  });

  it('end with a goodbye when the pod stops, and begin again with it', async () => {
    const client = await open();
    await pod.stop();
    await until('the goodbye', () => client.closedWith !== null);
    expect(client.closedWith).toBe(1001);
    await pod.restart();
    const again = await open();
    await until('every campaign', () => again.rows.size === 3);
    expect(again.rows.get('first')).toMatchObject({ name: 'First' });
  });
});

describe('live updates of a pod with API_TOKENS', () => {
  let pod: TestPod;
  const clients: TestLiveClient[] = [];
  const open = async (headers: Readonly<Record<string, string>>) => {
    const client = await TestLiveClient.open(pod.apiPort, { headers });
    clients.push(client);
    return client;
  };
  const refusal = async (headers: Readonly<Record<string, string>>) => {
    const client = TestLiveClient.connect(pod.apiPort, { headers });
    await until('the refusal', () => client.refusedWith !== null);
    return client.refusedWith;
  };

  beforeAll(async () => {
    const tokens = `ops:operator:${OPERATOR},eyes:viewer:${VIEWER}`;
    pod = await TestPod.start({ env: { API_TOKENS: tokens }, apiToken: OPERATOR });
  });
  afterAll(async () => {
    for (const client of clients) client.close();
    await pod.remove();
  });

  it('want a token or a login, of a viewer at least', async () => {
    expect(await refusal({})).toBe(401);
    expect(await refusal(bearer('wrong-token-of-32-characters-xyz1'))).toBe(401);
    expect((await open(bearer(VIEWER))).messages[0]?.type).toBe('snapshot');
  });

  it('take a cookie from our own pages alone', async () => {
    const page = new HttpClient(pod.apiPort, 1);
    const { headers } = await page.request('POST', '/login', { token: VIEWER });
    page.close();
    const cookie = String(headers['set-cookie']).split(';')[0] ?? '';
    expect(await refusal({ cookie, origin: 'https://elsewhere.example' })).toBe(403);
    expect(await refusal({ cookie })).toBe(403);
    const origin = `http://127.0.0.1:${pod.apiPort}`;
    expect((await open({ cookie, origin })).messages[0]?.type).toBe('snapshot');
  });
});
