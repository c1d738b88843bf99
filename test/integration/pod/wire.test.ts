import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestPod } from '../../support/pod.ts';
import { postText, RawClient } from '../../support/pod-socket.ts';
import { until } from '../../support/pod-wait.ts';
import { TestPostgres } from '../../support/postgres.ts';

const LIMIT = 1_048_576;
const decision = (bidId: string): string =>
  JSON.stringify({ campaign_id: 'ok', bid_cents: 1, bid_id: bidId });

describe('on the wire', () => {
  let postgres: TestPostgres;
  let pod: TestPod;
  const clients: RawClient[] = [];

  beforeAll(async () => {
    postgres = await TestPostgres.start();
    pod = await TestPod.start({ env: { DATABASE_URL: postgres.url, EDGE_THREADS: 2, SHARDS: 1 } });
    await pod.createCampaign({ id: 'ok', daily_budget_cents: 10_000_000 });
    await pod.createCampaign({ id: 'counted', daily_budget_cents: 10_000_000 });
  });
  afterAll(async () => {
    for (const client of clients) client.hangUp();
    await pod.remove();
    await postgres.remove();
  });

  async function open(port = pod.port): Promise<RawClient> {
    const client = await RawClient.open(port);
    clients.push(client);
    return client;
  }

  it('a body over the limit is refused with 413 while it arrives, on both ports', async () => {
    for (const [port, path] of [
      [pod.port, '/spend/track'],
      [pod.port, '/pacing/decision'],
      [pod.apiPort, '/campaigns'],
    ] as const) {
      const client = await open(port);
      await client.send(`POST ${path} HTTP/1.1\r\nhost: pod\r\ncontent-length: ${3 * LIMIT}\r\n\r\n`);
      await client.send(Buffer.alloc(LIMIT + 1, 0x20));
      expect(await client.answers(1)).toContain('body_too_large');
      expect(client.statuses()).toEqual([413]);
    }
  });

  it('a chunked body over the limit is refused with 413 while it arrives, on both ports', async () => {
    const chunk = Buffer.alloc(65_536, 0x20);
    for (const [port, path] of [
      [pod.port, '/spend/batch'],
      [pod.apiPort, '/campaigns'],
    ] as const) {
      const client = await open(port);
      await client.send(`POST ${path} HTTP/1.1\r\nhost: pod\r\ntransfer-encoding: chunked\r\n\r\n`);
      for (let sent = 0; sent <= LIMIT; sent += chunk.length) {
        await client.send(`${chunk.length.toString(16)}\r\n`);
        await client.send(chunk);
        await client.send('\r\n');
      }
      expect(await client.answers(1)).toContain('body_too_large');
      expect(client.statuses()).toEqual([413]);
    }
  });

  it('a whole body of 3 MB is answered with 413 and one of exactly the limit is read', async () => {
    const filled = (bytes: number): string => {
      const start = '{"campaign_id":"ok","bid_cents":1,"pad":"';
      return `${start}${'x'.repeat(bytes - start.length - 2)}"}`;
    };
    expect((await pod.core.request('POST', '/pacing/decision', filled(LIMIT))).status).toBe(200);
    const client = await open();
    void client.send(postText('/pacing/decision', filled(3 * LIMIT)));
    expect(await client.answers(1)).toContain('413 Payload Too Large');
  });

  it('a body in hundreds of small pieces is put together, with a length and chunked', async () => {
    const body = decision('pieces');
    const whole = await open();
    await whole.send(postText('/pacing/decision', body).slice(0, -body.length));
    for (const byte of body) await whole.send(byte);
    expect(await whole.answers(1)).toContain('"allow_bid":true');
    const chunked = await open();
    await chunked.send('POST /pacing/decision HTTP/1.1\r\nhost: pod\r\ntransfer-encoding: chunked\r\n\r\n');
    for (const byte of body) await chunked.send(`1\r\n${byte}\r\n`);
    await chunked.send('0\r\n\r\n');
    expect(await chunked.answers(1)).toContain('"allow_bid":true');
  });

  it('pipelined decisions are all answered, in order', async () => {
    const client = await open();
    const requests = Array.from({ length: 100 }, (_, at) =>
      postText('/pacing/decision', at % 3 === 0 ? '{' : decision(`pipelined-${at}`)),
    );
    await client.send(requests.join(''));
    await client.answers(100);
    expect(client.statuses()).toEqual(requests.map((_, at) => (at % 3 === 0 ? 400 : 200)));
  });

  it('HEAD is answered as GET is, without the body, and the next answer on the connection is its own', async () => {
    const paths = ['/health', '/health/live', '/health/ready', '/metrics', '/budget/status/ok', '/nothing'];
    for (const path of paths) {
      const client = await open();
      await client.send(`HEAD ${path} HTTP/1.1\r\nhost: pod\r\n\r\n`);
      const head = await client.answers(1);
      expect(client.statuses(), path).toEqual([path === '/nothing' ? 404 : 200]);
      expect(head.endsWith('\r\n\r\n'), path).toBe(true);
      expect(Number(/content-length: (\d+)/.exec(head)?.[1]), path).toBeGreaterThan(10);
      await client.send('GET /health/live HTTP/1.1\r\nhost: pod\r\n\r\n');
      expect((await client.answers(2)).slice(head.length), path).toMatch(/^HTTP\/1\.1 200 OK\r\n.*live"}$/s);
    }
  });

  it('clients that hang up in the middle of a request harm nobody, hundreds of them', async () => {
    const head = 'POST /pacing/decision HTTP/1.1\r\nhost: pod\r\ncontent-length: 500\r\n\r\n{"campaign_id"';
    const chunked = 'POST /spend/batch HTTP/1.1\r\nhost: pod\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"eve';
    const parts = [
      '',
      'PO',
      'POST /spend/track HTT',
      'GET /metrics HTTP/1.1\r\nhost',
      head,
      chunked,
      '\r\n\r\n',
      '\0\0',
    ];
    for (let round = 0; round < 5; round++) {
      const group = await Promise.all(Array.from({ length: 64 }, () => open()));
      await Promise.all(group.map((client, at) => client.send(parts[at % parts.length] || ' ')));
      for (const client of group) client.hangUp();
    }
    const held = await Promise.all(Array.from({ length: 200 }, () => open()));
    await Promise.all(held.map((client) => client.send(head)));
    expect((await pod.core.decide('ok', 1)).allow_bid).toBe(true);
    for (const client of held) client.socket.end();
    expect((await pod.core.request('GET', '/health/ready')).status).toBe(200);
  });

  it('clients that do not wait for the answer harm nobody, and their spend counts once at most', async () => {
    const spend = JSON.stringify({ campaign_id: 'counted', spend_cents: 1 });
    const requests = ['/spend/track', '/metrics', '/budget/status/counted', '/pacing/decision'];
    for (let round = 0; round < 4; round++) {
      const group = await Promise.all(Array.from({ length: 64 }, () => open()));
      await Promise.all(
        group.map((client, at) => {
          const path = requests[at % requests.length] ?? '';
          const get = `GET ${path} HTTP/1.1\r\nhost: pod\r\n\r\n`;
          const body = path === '/spend/track' ? spend : decision(`gone-${round}-${at}`);
          return client.send(at % 4 === 1 || at % 4 === 2 ? get : postText(path, body));
        }),
      );
      for (const client of group) client.hangUp();
    }
    await pod.core.spend({ campaign_id: 'counted', spend_cents: 0.5 });
    const { daily_spent_cents: spent } = await pod.core.status('counted');
    expect(spent).toBeGreaterThanOrEqual(0.5);
    expect(spent).toBeLessThanOrEqual(64.5);
    expect(spent % 1).toBe(0.5);
    await until(
      'scrapes of clients that have gone make room',
      async () => (await pod.core.metrics()).size > 0,
    );
  });

  it('a page whose name was pointed at this machine reads and changes nothing', async () => {
    for (const [host, status] of [
      ['evil.example:8000', 403],
      [`localhost:${pod.apiPort}`, 200],
    ] as const) {
      const client = await open(pod.apiPort);
      const origin = `host: ${host}\r\norigin: http://${host}\r\nsec-fetch-site: same-origin\r\n`;
      const patch = `PATCH /campaigns/ok HTTP/1.1\r\n${origin}content-length: 14\r\n\r\n{"name":"own"}`;
      await client.send(`GET /campaigns HTTP/1.1\r\n${origin}\r\n`);
      await client.answers(1);
      await client.send(patch);
      await client.answers(2);
      expect(client.statuses(), host).toEqual([status, status]);
    }
  });

  it('broken HTTP ends its own connection only', async () => {
    const garbage = ['GET / HTTP/9.9\r\n\r\n', 'POST /x HTTP/1.1\r\ncontent-length: -5\r\n\r\n'];
    const smuggled =
      'POST /pacing/decision HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n';
    for (const text of [...garbage, smuggled]) {
      const client = await open();
      await client.send(text);
      await until('it is refused', () => client.closed || client.statuses().some((status) => status >= 400));
    }
    const long = await open();
    await long.send(`GET / HTTP/1.1\r\nhost: pod\r\nx-long: ${'x'.repeat(200_000)}\r\n\r\n`);
    await until(
      'long headers are refused',
      () => long.closed || long.statuses().some((status) => status >= 400),
    );
    expect((await pod.core.decide('ok', 1)).allow_bid).toBe(true);
    expect(pod.output).not.toContain('met a bug');
  });
});
