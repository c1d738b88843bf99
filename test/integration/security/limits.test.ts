/** What slow, greedy and hostile clients may take of a pod, over real sockets. One pod for all; the slow ones run beside. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { PIPELINED_MAX } from '../../../src/management/connection-limits.ts';
import { HttpStream, requestBytes } from '../../support/fuzz/http-stream.ts';
import { TestLiveClient } from '../../support/live-client.ts';
import { TestPod } from '../../support/pod.ts';
import { HttpClient } from '../../support/pod-http.ts';
import { RawClient } from '../../support/pod-socket.ts';
import { pause, until } from '../../support/pod-wait.ts';

const OPERATOR = 'operator-of-the-test-of-limits';
const VIEWER = 'viewer-of-the-test-of-limits';
const CROWD = 'crowd-of-the-test-of-limits';
const CONNECTIONS_MAX = 120;
const API_CONNECTIONS_MAX = 80;
const PER_TOKEN_MAX = 4;
const SLOW_DEADLINE_MS = 60_000;

let pod: TestPod;
const clients: RawClient[] = [];
const slow: { readonly what: string; readonly client: RawClient }[] = [];

beforeAll(async () => {
  pod = await TestPod.start({
    env: {
      API_TOKENS: `ops:operator:${OPERATOR},eyes:viewer:${VIEWER},crowd:viewer:${CROWD}`,
      EDGE_THREADS: 2,
      MAX_CONNECTIONS: CONNECTIONS_MAX,
      API_MAX_CONNECTIONS: API_CONNECTIONS_MAX,
      WS_MAX_CLIENTS_PER_TOKEN: PER_TOKEN_MAX,
      WS_INTERVAL_MS: 50,
    },
    apiToken: OPERATOR,
  });
  await pod.createCampaign({ id: 'c', daily_budget_cents: 1_000_000 });
  await beginSlowly();
});
afterAll(async () => {
  for (const client of clients) client.hangUp();
  await pod.remove();
});

async function open(port: number): Promise<RawClient> {
  const client = await RawClient.open(port);
  clients.push(client);
  return client;
}

/** Clients that are given as long as they get; the last test looks what became of them. */
async function beginSlowly(): Promise<void> {
  const head = 'host: pod\r\n';
  for (const [port, path] of [
    [pod.port, '/spend/track'],
    [pod.apiPort, '/login'],
  ] as const) {
    const starts = [
      ['says nothing', '', ''],
      ['drips its headers', `POST ${path} HTTP/1.1\r\n${head}`, 'x-a: 1\r\n'.repeat(20)],
      ['drips its body', `POST ${path} HTTP/1.1\r\n${head}content-length: 500\r\n\r\n`, '{"a":'.repeat(100)],
      [
        'drips its chunks',
        `POST ${path} HTTP/1.1\r\n${head}transfer-encoding: chunked\r\n\r\n`,
        '1\r\n{\r\n'.repeat(90),
      ],
      ['sends half a body', `POST ${path} HTTP/1.1\r\n${head}content-length: 500\r\n\r\n{"half":`, ''],
      [
        'waits to be told to go on',
        `POST ${path} HTTP/1.1\r\n${head}expect: 100-continue\r\ncontent-length: 9\r\n\r\n`,
        '',
      ],
    ] as const;
    for (const [what, start, rest] of starts) {
      const client = await RawClient.open(port);
      slow.push({ what: `:${port} ${what}`, client });
      void client.send(start);
      void drip(client, rest);
    }
  }
}

async function drip(client: RawClient, text: string): Promise<void> {
  for (const character of text) {
    if (client.closed) return;
    client.socket.write(character);
    await pause(400);
  }
}

it('takes headers of MAX_HEADER_BYTES on both ports, and refuses larger ones and too many at once', async () => {
  const get = (headers: string): string => `GET /health HTTP/1.1\r\nhost: pod\r\n${headers}\r\n`;
  const refused = [
    `x-long: ${'x'.repeat(9_000)}\r\n`,
    'x-many: 1\r\n'.repeat(2_000),
    `x: ${'y'.repeat(500_000)}\r\n`,
  ];
  for (const port of [pod.port, pod.apiPort]) {
    const client = await open(port);
    await client.send(get(`x-long: ${'x'.repeat(7_900)}\r\n`));
    await client.answers(1);
    expect(client.statuses()).toEqual([200]);
    for (const headers of refused) {
      const other = await open(port);
      void other.send(get(headers));
      await until('it is refused and closed', () => other.closed);
      expect(other.statuses().every((status) => status === 431 || status === 400)).toBe(true);
    }
  }
});

it('closes connections above the limits as they come, and serves those that it has', async () => {
  const api = new HttpClient(pod.apiPort, 1, OPERATOR);
  expect((await api.request('GET', '/campaigns')).status).toBe(200);
  for (const [port, most] of [
    [pod.port, CONNECTIONS_MAX],
    [pod.apiPort, API_CONNECTIONS_MAX],
  ] as const) {
    const crowd = await Promise.all(Array.from({ length: 2 * most }, () => open(port)));
    await until(
      'those above the limit are closed',
      () => crowd.filter(({ closed }) => closed).length >= most,
    );
    const held = crowd.filter(({ closed }) => !closed);
    expect(held.length).toBeGreaterThan(most / 4);
    const [first] = held as [RawClient];
    await first.send('GET /health HTTP/1.1\r\nhost: pod\r\n\r\n');
    await first.answers(1);
    expect(first.statuses()).toEqual([200]);
    for (const client of held) client.hangUp();
    await until('there is room again', async () => {
      const next = await open(port);
      void next.send('GET /health HTTP/1.1\r\nhost: pod\r\nconnection: close\r\n\r\n');
      await until('an answer or the end', () => next.closed || next.statuses().length > 0);
      return next.statuses()[0] === 200;
    });
  }
  expect((await api.request('GET', '/campaigns')).status).toBe(200);
  api.close();
  const metrics = await pod.core.metrics();
  expect(metrics.get('pacer_connections_refused_total')).toBeGreaterThanOrEqual(CONNECTIONS_MAX / 2);
  expect(metrics.get('pacer_connections')).toBeLessThan(CONNECTIONS_MAX);
});

it('holds no answers for a client that asks without reading', async () => {
  const before = residentBytes();
  for (const [port, path] of [
    [pod.port, '/health'],
    [pod.apiPort, '/campaigns?limit=1000'],
    [pod.apiPort, '/openapi.json'],
  ] as const) {
    const client = await open(port);
    client.socket.pause();
    const asked = `GET ${path} HTTP/1.1\r\nhost: pod\r\nauthorization: Bearer ${OPERATOR}\r\n\r\n`.repeat(
      1_000,
    );
    let sent = 0;
    while (!client.socket.destroyed && sent++ < 200) {
      await Promise.race([client.send(asked), until('its end', () => client.closed)]);
    }
    await until('it is cut off', () => client.closed);
  }
  expect(residentBytes() - before).toBeLessThan(150 * 1024 * 1024);
  const polite = await open(pod.apiPort);
  await polite.send(`GET /health HTTP/1.1\r\nhost: pod\r\n\r\n`.repeat(PIPELINED_MAX));
  await polite.answers(PIPELINED_MAX);
  expect(new Set(polite.statuses())).toEqual(new Set([200]));
});

const residentBytes = (): number =>
  1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pod.pid}/status`, 'utf8'))?.[1]);

const upgradeText = (headers: string): string =>
  `GET /ws/budget-updates HTTP/1.1\r\nhost: 127.0.0.1:${pod.apiPort}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n` +
  `sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n${headers}\r\n`;

it('opens no WebSocket for a page of another site, and ends the connection of every refused one', async () => {
  const { headers } = await pod.api.request('POST', '/login', { token: VIEWER });
  const cookie = `cookie: ${String(headers['set-cookie']).split(';')[0]}\r\n`;
  const own = `origin: http://127.0.0.1:${pod.apiPort}\r\n`;
  for (const [status, text] of [
    [403, `${cookie}origin: https://elsewhere.example\r\n`],
    [403, `${cookie}origin: null\r\n`],
    [403, `${cookie}${own}sec-fetch-site: cross-site\r\n`],
    [403, `${cookie}origin: http://127.0.0.1.elsewhere.example:${pod.apiPort}\r\n`],
    [403, cookie],
    [401, own],
    [401, `authorization: Bearer wrong\r\n`],
    [401, `cookie: pacer_session=${'A'.repeat(43)}\r\n${own}`],
  ] as const) {
    const client = await open(pod.apiPort);
    await client.send(upgradeText(text));
    await until('the connection is ended', () => client.closed);
    expect(client.statuses(), text).toEqual([status]);
  }
  const welcome = await open(pod.apiPort);
  await welcome.send(upgradeText(cookie + own));
  expect(await welcome.answers(1)).toContain('101 Switching Protocols');
  const behind = await open(pod.apiPort);
  await behind.send(`GET /campaigns HTTP/1.1\r\nhost: a\r\n\r\n${upgradeText(cookie + own)}`);
  await until('an upgrade behind another request is cut off', () => behind.closed);
  welcome.hangUp();
});

const watch = (token: string): TestLiveClient =>
  TestLiveClient.connect(pod.apiPort, { headers: { authorization: `Bearer ${token}` } });

it('serves a token no more than its share of the WebSocket, also when all come at once', async () => {
  const crowd = Array.from({ length: 20 }, () => watch(CROWD));
  await until('each is served or refused', () =>
    crowd.every(
      ({ messages, refusedWith, closedWith }) =>
        messages.length > 0 || refusedWith !== null || closedWith !== null,
    ),
  );
  const served = crowd.filter(({ messages }) => messages.length > 0);
  expect(served.length).toBe(PER_TOKEN_MAX);
  const late = watch(CROWD);
  await until('it is refused', () => late.refusedWith !== null);
  expect(late.refusedWith).toBe(429);
  const other = await TestLiveClient.open(pod.apiPort, { headers: { authorization: `Bearer ${OPERATOR}` } });
  for (const client of [...crowd, other]) client.close();
});

it('ends WebSocket clients that talk too much: in size, number, fragments or pings', async () => {
  const floods: readonly ((socket: WebSocket) => void)[] = [
    (socket) => socket.send('x'.repeat(5_000_000)),
    (socket) => repeat(500, () => socket.send('hello')),
    (socket) => repeat(500, () => socket.send('', { fin: false })),
    (socket) => repeat(500, () => socket.ping('are you there?')),
  ];
  for (const flood of floods) {
    const client = await TestLiveClient.open(pod.apiPort, { headers: { authorization: `Bearer ${VIEWER}` } });
    flood(client.socket);
    await until('it is ended', () => client.closedWith !== null);
    client.close();
  }
  const polite = await TestLiveClient.open(pod.apiPort, { headers: { authorization: `Bearer ${VIEWER}` } });
  let pongs = 0;
  polite.socket.on('pong', () => {
    pongs++;
  });
  for (let pings = 1; pings <= 5; pings++) {
    polite.socket.ping();
    await until('its ping is answered', () => pongs >= pings);
  }
  polite.close();
});

function repeat(times: number, act: () => void): void {
  for (let left = times; left > 0; left--) act();
}

it('gives no file but its own, however the path is written', async () => {
  const up = ['..', '%2e%2e', '%252e%252e', '.%2e', '..%00', '..;', '..\\', '%c0%ae%c0%ae', '..%5c'];
  const roots = [
    '/',
    '/assets/',
    '/docs/',
    '/docs/../',
    '/assets%2f',
    '//',
    '/\\',
    '/%00/',
    '/index.html%00/',
  ];
  const files = ['package.json', 'etc/passwd', 'main.js', 'data/ledger', '.env'];
  const paths = roots.flatMap((root) =>
    up.flatMap((step) => files.map((file) => `${root}${`${step}/`.repeat(4)}${file}`)),
  );
  const others = [
    '/index.html',
    '/assets',
    '/assets/',
    '/docs/index.html',
    '/docs/docs.js.map',
    'file:///etc/passwd',
  ];
  for (const port of [pod.port, pod.apiPort]) {
    let stream = await HttpStream.open(port);
    for (const path of [...paths, ...others, ...paths.map((each) => each.replaceAll('/', '%2f'))]) {
      if (stream.closed) stream = await HttpStream.open(port);
      const answer = await stream.ask(requestBytes('GET', path, '', null));
      const body = answer?.body.toString('latin1') ?? '';
      expect([null, 400, 401, 403, 404, 505], `${path} ${body.slice(0, 100)}`).toContain(
        answer?.status ?? null,
      );
      expect(body, path).not.toMatch(/root:|"dependencies"|sourceMappingURL/);
    }
    stream.close();
  }
});

it('has ended every client that was too slow, by itself', {
  timeout: SLOW_DEADLINE_MS + 10_000,
}, async () => {
  const left = (): string[] => slow.filter(({ client }) => !client.closed).map(({ what }) => what);
  await until('all are closed', () => left().length === 0, SLOW_DEADLINE_MS).catch((error: unknown) => {
    throw new Error(left().join(', '), { cause: error });
  });
  for (const { client, what } of slow) {
    expect(
      client.statuses().every((status) => status === 100 || status === 400 || status === 408),
      what,
    ).toBe(true);
  }
  expect((await pod.core.decide('c', 1)).allow_bid).toBe(true);
  expect((await pod.api.request('GET', '/campaigns')).status).toBe(200);
  expect(pod.output).not.toMatch(/met a bug|a thread died|unexpected error/);
});
