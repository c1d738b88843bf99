import type { Socket } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/config/api-tokens.ts';
import { Credentials, sessionCookie } from '../../../src/management/credentials.ts';
import { addLiveRoutes } from '../../../src/management/live/live-routes.ts';
import { CLIENTS_MAX, type LiveUpdates } from '../../../src/management/live/live-updates.ts';
import { TestLiveClient } from '../../support/live-client.ts';
import { LiveTable } from '../../support/live-table.ts';
import { until } from '../../support/pod-wait.ts';

const TOKEN = 'a-token-of-thirty-two-characters';
const BEARER = { authorization: `Bearer ${TOKEN}` };
const BEAT_MS = 200;

describe('the clients of live updates', () => {
  let app: FastifyInstance;
  let table: LiveTable;
  let live: LiveUpdates;
  let port = 0;
  const sockets: Socket[] = [];
  const clients: TestLiveClient[] = [];
  const token = {
    name: 'ops',
    role: 'operator',
    digest: digestOf(TOKEN).toString('hex'),
    isShort: false,
  } as const;
  let credentials: Credentials;

  beforeEach(async () => {
    table = new LiveTable(64);
    table.add('first');
    live = table.live(20, { beatMs: BEAT_MS });
    credentials = new Credentials([token]);
    app = Fastify({ logger: false });
    app.server.on('connection', (socket) => sockets.push(socket));
    addLiveRoutes(app, live, credentials);
    await app.listen({ host: '127.0.0.1', port: 0 });
    port = (app.server.address() as { port: number }).port;
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    sockets.length = 0;
    await app.close();
  });

  const connect = (headers: Readonly<Record<string, string>> = BEARER) => {
    const client = TestLiveClient.connect(port, { headers });
    clients.push(client);
    return client;
  };
  const open = async (headers?: Readonly<Record<string, string>>) => {
    const client = connect(headers);
    await until('the snapshot', () => client.messages.length > 0);
    return client;
  };

  it('stay while they answer pings, and are dropped when they do not', async () => {
    const living = await open();
    const dead = TestLiveClient.connect(port, { headers: BEARER, autoPong: false });
    clients.push(dead);
    await until('both are there', () => live.clients === 2);
    let pings = 0;
    living.socket.on('ping', () => {
      pings++;
    });
    await until('the dead one is gone', () => live.clients === 1);
    const before = pings;
    await until('more pings', () => pings > before + 3);
    expect(living.closedWith).toBeNull();
    await until('it knows', () => dead.closedWith !== null);
  });

  it('are closed when their session ends', async () => {
    const { sessionId } = credentials.login(TOKEN, Date.now());
    const cookie = sessionCookie(sessionId, false).split(';')[0] ?? '';
    const client = await open({ cookie });
    credentials.logout({ cookie });
    await until('the end', () => client.closedWith !== null);
    expect(client.closedWith).toBe(1008);
  });

  it('hear of a campaign whose name nobody told, once its owner has', async () => {
    const client = await open();
    table.add('stranger', false);
    await until('it is there', () => client.rows.get('stranger')?.name === 'described');
    expect(client.messages.filter(({ type }) => type === 'snapshot')).toHaveLength(1);
  });

  it('may not send much', async () => {
    const client = await open();
    client.socket.send('hello');
    client.socket.send('x'.repeat(2_000));
    await until('the end', () => client.closedWith !== null);
    expect(client.closedWith).toBe(1009);
  });

  it('are bounded in number', async () => {
    const many = Array.from({ length: CLIENTS_MAX }, () => connect());
    await until('all are served', () => many.every(({ messages }) => messages.length > 0));
    const refused = connect();
    await until('the refusal', () => refused.refusedWith !== null);
    expect(refused.refusedWith).not.toBe(101);
    expect(refused.refusal).toContain(`at most ${CLIENTS_MAX}`);
    many[0]?.close();
    await until('room', () => live.clients < CLIENTS_MAX);
    await open();
  });

  it('are sent what was compressed once for all, but for those that offered no such thing or want it otherwise', async () => {
    for (let at = 0; at < 50; at++) table.add(`campaign-${at}`);
    const offers = [true, true, false, { serverMaxWindowBits: 10 }] as const;
    const bytes: number[] = [];
    for (const perMessageDeflate of offers) {
      const client = TestLiveClient.connect(port, { headers: BEARER, perMessageDeflate });
      clients.push(client);
      await until('all rows', () => client.rows.size === 51);
      bytes.push(sockets.at(-1)?.bytesWritten ?? 0);
    }
    const [compressed = 0, again = 0, plain = 0, other = 0] = bytes;
    expect(compressed).toBeLessThan(plain / 5);
    expect(again).toBeLessThan(plain / 5);
    expect(other).toBeGreaterThan(plain * 0.9);
    table.spend('campaign-7', 12);
    await until('everybody knows', () =>
      clients.every(({ rows }) => rows.get('campaign-7')?.daily_spent_cents === 12),
    );
  });

  it('may say something compressed, which nobody reads', async () => {
    const client = await open();
    client.socket.send('z'.repeat(900), { compress: true });
    table.spend('first', 3);
    await until('it is told as before', () => client.rows.get('first')?.daily_spent_cents === 3);
    expect(client.closedWith).toBeNull();
  });

  it('cost nothing once the last one has gone', async () => {
    const client = await open();
    client.close();
    await until('nobody is left', () => live.clients === 0);
    const { look } = table.rows;
    expect([...table.rows.all()]).toEqual([]);
    table.spend('first', 5);
    const again = await open();
    expect(again.rows.get('first')).toMatchObject({ daily_spent_cents: 5 });
    expect(table.rows.look).toBe(look + 1);
  });
});
