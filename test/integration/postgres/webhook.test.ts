import { createHmac } from 'node:crypto';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AlertWebhook } from '../../../src/management/webhook/alert-webhook.ts';
import { WebhookSender } from '../../../src/management/webhook/webhook-sender.ts';
import { DELIVERIES_MAX, DeliveryQueue } from '../../../src/sinks/postgres/delivery-queue.ts';
import { HistoryStore } from '../../../src/sinks/postgres/history-store.ts';
import { migrate } from '../../../src/sinks/postgres/migrate.ts';
import { databaseKinds, startDatabase, type TestDatabase } from '../../support/databases.ts';
import { HOUR_START_MS, someAlert } from '../../support/history.ts';
import { pause, until } from '../../support/pod-wait.ts';
import { TestWebhook } from '../../support/webhook.ts';

const SECRET = 'a-secret-of-the-webhook';
const TIMING = { pollMs: 10, pauseMs: 10, pauseMsMax: 40, retryMs: 10, retryMsMax: 40 };

describe.each(databaseKinds)('the webhook of alerts with the %s database', (kind) => {
  let database: TestDatabase;
  let history: HistoryStore;
  let hook: TestWebhook;
  let logged = '';
  const running: AlertWebhook[] = [];

  beforeAll(async () => {
    database = await startDatabase(kind);
    await migrate(database.sql);
    history = new HistoryStore(database.address);
  });
  afterAll(async () => {
    await history.close();
    await database.remove();
  });
  beforeEach(async () => {
    await database.sql`TRUNCATE alerts, alert_deliveries, alert_webhook RESTART IDENTITY`;
    hook = await TestWebhook.open();
    logged = '';
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((each) => each.close()));
    await hook.close();
  });

  function sender(answerMs?: number): WebhookSender {
    return new WebhookSender({ url: hook.url, secret: SECRET }, answerMs);
  }
  function run(answerMs?: number): AlertWebhook {
    const sink = new Writable({
      write: (line: Buffer, _encoding, done) => {
        logged += line.toString();
        done();
      },
    });
    const log = pino({ level: 'trace' }, sink);
    const webhook = new AlertWebhook(new DeliveryQueue(database.sql), sender(answerMs), log, TIMING);
    webhook.run((error) => {
      throw error;
    });
    running.push(webhook);
    return webhook;
  }
  const wanted = () => new DeliveryQueue(database.sql).want();
  const raise = (...keys: readonly string[]) =>
    history.writeAlerts(keys.map((dedupeKey) => someAlert({ dedupeKey })));
  const resolve = (keyPrefix: string) =>
    history.resolveAlerts([{ campaignId: 'camp-001', keyPrefix, resolvedAtMs: HOUR_START_MS + 1 }]);
  const waiting = async () =>
    (await database.sql<{ count: number }[]>`SELECT count(*)::integer AS count FROM alert_deliveries`)[0]
      ?.count;
  const arrived = (...ids: readonly string[]) =>
    until(`${ids} to arrive`, () => ids.every((id) => hook.ids().includes(id)));

  it('is told when an alert is raised and when it is over, signed, once each', async () => {
    await wanted();
    run();
    await raise('a');
    await arrived('alert-1-raised');
    await raise('a');
    await resolve('a');
    await arrived('alert-1-resolved');
    await until('nothing waits', async () => (await waiting()) === 0);
    expect(hook.received.map(({ body }) => body)).toMatchObject([
      { type: 'alert.raised', data: { id: 1, campaign_id: 'camp-001', alert_type: 'circuit_breaker' } },
      { type: 'alert.resolved', data: { id: 1, resolved_at: '2026-03-01T09:00:00.001Z' } },
    ]);
    for (const { headers, text, path } of hook.received) {
      const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${text}`;
      const mac = createHmac('sha256', SECRET).update(signed).digest('base64');
      expect(headers['webhook-signature']).toBe(`v1,${mac}`);
      expect(Math.abs(Date.now() / 1_000 - Number(headers['webhook-timestamp']))).toBeLessThan(60);
      expect(headers.authorization).toBe(`Basic ${btoa('hook-user:hook-password')}`);
      expect(path).toBe('/hook-path?key=hook-key');
    }
  });

  it('is told again of what it refused or did not answer, until it takes it; the end waits for the beginning', async () => {
    await wanted();
    hook.behaviour = 500;
    run(50);
    await raise('a');
    await resolve('a');
    await until('some refusals', () => hook.received.length >= 3);
    hook.behaviour = (response) => response.socket?.resetAndDestroy();
    const refused = hook.received.length;
    await until('some cut connections', () => hook.received.length >= refused + 2);
    hook.behaviour = () => undefined;
    const cut = hook.received.length;
    await until('some that hang', () => hook.received.length >= cut + 2);
    expect(new Set(hook.ids())).toEqual(new Set(['alert-1-raised']));
    hook.behaviour = 200;
    await arrived('alert-1-raised', 'alert-1-resolved');
    await until('nothing waits', async () => (await waiting()) === 0);
    const taken = hook.received.length;
    await pause(100);
    expect(hook.received).toHaveLength(taken);
    for (const secret of ['hook-user', 'hook-password', 'hook-path', 'hook-key', SECRET]) {
      expect(logged).not.toContain(secret);
    }
    expect(logged).toContain('the webhook does not take alerts');
    expect(logged).toContain('the webhook takes alerts again');
  });

  it('is told of what was raised while no pod ran', async () => {
    await wanted();
    await raise('a', 'b');
    run();
    await arrived('alert-1-raised', 'alert-2-raised');
  });

  it('does not follow a redirect', async () => {
    await wanted();
    hook.behaviour = (response) => response.writeHead(302, { location: '/elsewhere' }).end();
    run();
    await raise('a');
    await until('it is tried again', () => hook.received.length >= 2);
    expect(new Set(hook.received.map(({ path }) => path))).toEqual(new Set(['/hook-path?key=hook-key']));
  });

  it('is told by one of many pods', async () => {
    await wanted();
    for (let pod = 0; pod < 3; pod++) run();
    await raise(...Array.from({ length: 60 }, (_, at) => `alert ${at}`));
    await until('all have arrived', async () => (await waiting()) === 0);
    expect(new Set(hook.ids()).size).toBe(60);
    expect(hook.ids()).toHaveLength(60);
  });

  it('that hangs holds up no ending; what was under way is sent by the next pod at once', async () => {
    await wanted();
    hook.behaviour = () => undefined;
    const first = run();
    await raise('a');
    await until('it hangs', () => hook.received.length === 1);
    await first.close();
    hook.behaviour = 200;
    run();
    await until('it is taken', async () => (await waiting()) === 0);
    expect(hook.ids()).toEqual(['alert-1-raised', 'alert-1-raised']);
  });

  it('that nobody set up gets nothing of before, and nothing waits for it', async () => {
    await raise('a');
    expect(await waiting()).toBe(0);
    await wanted();
    await raise('b');
    expect(await waiting()).toBe(1);
  });

  it('that is away for too long is given up on, the oldest first', async () => {
    await wanted();
    await raise('old', 'new');
    await database.sql`UPDATE alert_deliveries SET queued_at = queued_at - interval '25 hours' WHERE alert_id = 1`;
    expect(await new DeliveryQueue(database.sql).giveUp()).toBe(1);
    expect(await waiting()).toBe(1);
    await database.sql`
      INSERT INTO alert_deliveries (alert_id, event)
      SELECT id, 'raised' FROM generate_series(3, ${DELIVERIES_MAX + 5}::integer) AS id`;
    expect(await new DeliveryQueue(database.sql).giveUp()).toBe(4);
    expect(await waiting()).toBe(DELIVERIES_MAX);
  });
});
