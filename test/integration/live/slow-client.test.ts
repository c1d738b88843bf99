import type { Socket } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Credentials } from '../../../src/management/credentials.ts';
import { addLiveRoutes } from '../../../src/management/live/live-routes.ts';
import type { LiveUpdates } from '../../../src/management/live/live-updates.ts';
import { TestLiveClient } from '../../support/live-client.ts';
import { LiveTable } from '../../support/live-table.ts';
import { pause, until } from '../../support/pod-wait.ts';

const CAMPAIGNS = 5_000;
const INTERVAL_MS = 25;
/** Far more than a kernel keeps for a connection. */
const CHANGES = 40;

describe('a client that does not read', () => {
  let app: FastifyInstance;
  let table: LiveTable;
  let live: LiveUpdates;
  let port = 0;
  const sockets: Socket[] = [];
  const clients: TestLiveClient[] = [];

  beforeEach(async () => {
    table = new LiveTable(CAMPAIGNS);
    for (let at = 0; at < CAMPAIGNS; at++) table.add(`campaign-${at}`);
    live = table.live(INTERVAL_MS, { restMsMax: INTERVAL_MS });
    app = Fastify({ logger: false });
    app.server.on('connection', (socket) => sockets.push(socket));
    addLiveRoutes(app, live, new Credentials([]));
    await app.listen({ host: '127.0.0.1', port: 0 });
    port = (app.server.address() as { port: number }).port;
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    sockets.length = 0;
    await app.close();
  });

  const open = async (): Promise<TestLiveClient> => {
    const client = await TestLiveClient.open(port, { perMessageDeflate: false });
    clients.push(client);
    return client;
  };
  const spendAll = (cents: number): void => {
    for (let at = 0; at < CAMPAIGNS; at++) table.spend(`campaign-${at}`, cents);
  };
  const spentIn = (client: TestLiveClient): number | undefined =>
    client.rows.get('campaign-0')?.daily_spent_cents;

  it('makes the server hold one state, skips to the latest one, and keeps nobody else waiting', async () => {
    const slow = await open();
    const [slowSocket] = sockets as [Socket];
    const frameBytes = slowSocket.bytesWritten;
    const quick = await open();
    slow.socket.pause();
    let heldBytes = 0;
    for (let cents = 1; cents <= CHANGES; cents++) {
      spendAll(cents);
      await until('the quick client has it', () => spentIn(quick) === cents);
      heldBytes = Math.max(heldBytes, slowSocket.writableLength);
    }
    expect(heldBytes).toBeGreaterThan(0);
    expect(heldBytes).toBeLessThan(1.5 * frameBytes);
    expect(spentIn(slow)).toBe(0);
    slow.socket.resume();
    await until('the slow client has the latest', () => spentIn(slow) === CHANGES);
    expect(slow.rows.size).toBe(CAMPAIGNS);
    const states = slow.updates().filter(({ campaigns }) => campaigns.length > 0);
    expect(states.length).toBeLessThan(CHANGES / 2);
    expect(slow.messages.filter(({ type }) => type === 'snapshot')).toHaveLength(1);
  });

  it('hears of the alerts that it missed once it reads, in their order', async () => {
    const slow = await open();
    const [slowSocket] = sockets as [Socket];
    slow.socket.pause();
    await until('its socket is full', async () => {
      spendAll(performance.now());
      await pause(INTERVAL_MS);
      return slowSocket.writableLength > 0 && live.clients === 1;
    });
    for (let id = 1; id <= 300; id++) live.alert({ campaign_id: null, id });
    slow.socket.resume();
    await until('the alerts', () => slow.alerts().some(({ id }) => id === 300));
    const ids = slow.alerts().map(({ id }) => id as number);
    expect(ids).toEqual(Array.from({ length: 256 }, (_, at) => 45 + at));
  });

  it('is cut off when the server ends, which waits for nobody', async () => {
    const slow = await open();
    const [slowSocket] = sockets as [Socket];
    slow.socket.pause();
    await until('its socket is full', async () => {
      spendAll(performance.now());
      await pause(INTERVAL_MS);
      return slowSocket.writableLength > 0;
    });
    await app.close();
    expect(live.clients).toBe(0);
    expect(slowSocket.destroyed).toBe(true);
  });
});
