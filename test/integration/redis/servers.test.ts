/** One Redis that fails in each of its ways, under the clients of a fleet. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RedisTarget } from '../../../src/sinks/redis/redis-target.ts';
import { pause, until } from '../../support/pod-wait.ts';
import { TestRedis } from '../../support/redis.ts';
import { answers, newCampaign, newCampaignId, syncOne, TestFleet } from '../../support/redis-fleet.ts';

const TIMEOUT_MS = 400;

let server: TestRedis;
let fleet: TestFleet;
let campaignId: string;

beforeEach(async () => {
  server = await TestRedis.start();
  fleet = new TestFleet(server.target);
  campaignId = newCampaignId();
});
afterEach(async () => {
  fleet.close();
  await server.remove();
});

/** What a client was told of its connection, in order. */
function log() {
  const told: string[] = [];
  return { told, onUp: () => void told.push('up'), onDown: () => void told.push('down') };
}

describe('a Redis that cannot be reached', () => {
  it('fails a flush at once, and is told of once', async () => {
    await server.stop('SIGKILL');
    const events = log();
    const client = fleet.open({ source: 'a', ...events });
    await until('it is told', () => events.told.length > 0);
    await expect(syncOne(client, { campaignId })).rejects.toMatchObject({ code: 'unavailable' });
    await expect(client.ping()).rejects.toMatchObject({ code: 'unavailable' });
    await expect(client.claimNode('node', 'ledger', 1_000)).rejects.toMatchObject({ code: 'unavailable' });
    await pause(300);
    expect(events.told).toEqual(['down']);
    await server.resume();
    await until('it is connected', () => answers(client));
    expect(events.told).toEqual(['down', 'up']);
  });

  it('is found again after a crash, also when it has lost everything', async () => {
    const events = log();
    await server.aged();
    const client = await fleet.connected({ source: 'a', ...events });
    campaignId = await newCampaign(client);
    await syncOne(client, { campaignId, wantMicros: 300 });
    await server.stop('SIGKILL');
    await expect(syncOne(client, { campaignId, heldMicros: 300 })).rejects.toMatchObject({
      code: 'unavailable',
    });
    await server.resume();
    await until('it is connected', () => answers(client));
    expect(await syncOne(client, { campaignId, heldMicros: 300, wantMicros: 300 })).toMatchObject({
      leaseMicros: 300,
      wiped: true,
    });
    expect(events.told).toEqual(['up', 'down', 'up']);
  });
});

describe('a Redis that answers nothing', () => {
  it('is noticed when it stops to, and used again when it goes on', async () => {
    const events = log();
    const client = await fleet.connected({ source: 'a', commandTimeoutMs: TIMEOUT_MS, ...events });
    server.freeze();
    await expect(syncOne(client, { campaignId })).rejects.toMatchObject({ code: 'unavailable' });
    await until('it counts as down', () => events.told.includes('down'));
    server.thaw();
    await until('it is connected', () => answers(client));
    await syncOne(client, { campaignId });
  });

  it('is noticed when it never did', async () => {
    const silent = await SilentServer.start();
    const events = log();
    const silentFleet = new TestFleet(silent.target);
    const client = silentFleet.open({ source: 'a', commandTimeoutMs: TIMEOUT_MS, ...events });
    await until('it counts as down', () => events.told.includes('down'));
    await until('it is tried again', () => silent.connections > 1);
    await expect(syncOne(client, { campaignId })).rejects.toMatchObject({ code: 'unavailable' });
    expect(events.told).toEqual(['down']);
    silentFleet.close();
    await silent.stop();
  });
});

describe('a Redis that went back to an old snapshot', () => {
  it('lets no lease grow until every source could claim what the snapshot does not know', async () => {
    await server.aged();
    const busy = await fleet.connected({ source: 'busy' });
    campaignId = await newCampaign(busy);
    const idle = await fleet.connected({ source: 'idle' });
    await syncOne(busy, { campaignId, wantMicros: 100 });
    await syncOne(idle, { campaignId, wantMicros: 100 });
    await server.admin.save();
    expect(await syncOne(busy, { campaignId, heldMicros: 100, wantMicros: 500 })).toMatchObject({
      leaseMicros: 500,
    });
    await server.stop('SIGKILL');
    await server.resume();
    await until('idle is connected', () => answers(idle));
    // Nothing on record contradicts what it claims: only the server is another one.
    const grown = await syncOne(idle, { campaignId, heldMicros: 100, wantMicros: 900 });
    expect(grown).toMatchObject({ leaseMicros: 100, wiped: false });
    await until('busy is connected', () => answers(busy));
    const claim = { campaignId, heldMicros: 500, wantMicros: 500 };
    expect(await syncOne(busy, claim)).toMatchObject({ leaseMicros: 500, wiped: true });
    const later = await until('leases grow again', async () => {
      await syncOne(busy, claim);
      const reply = await syncOne(idle, { campaignId, heldMicros: 100, wantMicros: 900 });
      return reply.leaseMicros > 100 && reply;
    });
    expect(later.leaseMicros).toBeLessThanOrEqual(500);
  });
});

describe('a wiped Redis', () => {
  it('is noticed by a source that has nothing to flush', async () => {
    const client = await fleet.connected({ source: 'a' });
    const other = await fleet.connected({ source: 'a' });
    expect(await client.ping()).toBe(true);
    expect(await other.ping()).toBe(true);
    await server.admin.flushall();
    expect(await client.ping()).toBe(false);
    expect(await other.ping()).toBe(false);
    expect(await client.ping()).toBe(true);
  });
});

describe('a Redis with a password', () => {
  it('is used with it, and counts as down without it', async () => {
    const guarded = await TestRedis.start({ password: 'not-to-be-logged' });
    const known = new TestFleet(guarded.target);
    await syncOne(await known.source('a'), { campaignId });
    const causes: Error[] = [];
    const unknown = new TestFleet({ ...guarded.target, login: { ...guarded.login, password: 'guessed' } });
    const stranger = unknown.open({ source: 'b', onDown: (cause) => void causes.push(cause) });
    await until('it is told', () => causes.length > 0);
    await expect(syncOne(stranger, { campaignId })).rejects.toMatchObject({ code: 'unavailable' });
    expect(causes[0]?.message).toMatch(/WRONGPASS|invalid/i);
    expect(causes[0]?.message).not.toContain('guessed');
    known.close();
    unknown.close();
    await guarded.remove();
  });
});

describe('a NODE_ID', () => {
  it('is one ledger’s until it is given back or not renewed', async () => {
    const first = await fleet.connected({ source: 'a' });
    const second = await fleet.connected({ source: 'b' });
    expect(await first.claimNode('pod-1', 'ledger-1', 60_000)).toEqual({ claimed: true });
    expect(await first.claimNode('pod-1', 'ledger-1', 60_000)).toEqual({ claimed: true });
    const refused = await second.claimNode('pod-1', 'ledger-2', 60_000);
    expect(refused).toMatchObject({ claimed: false, ledgerId: 'ledger-1' });
    await second.giveBackNode('pod-1', 'ledger-2');
    expect(await second.claimNode('pod-1', 'ledger-2', 60_000)).toMatchObject({ claimed: false });
    await first.giveBackNode('pod-1', 'ledger-1');
    expect(await second.claimNode('pod-1', 'ledger-2', 20)).toEqual({ claimed: true });
    await until('the claim ends', async () => (await first.claimNode('pod-1', 'ledger-1', 1_000)).claimed);
  });
});

describe('released bids', () => {
  it('are heard by the other sources, also after the server was away, and not by the one that names them', async () => {
    const heard: unknown[] = [];
    const own: unknown[] = [];
    const publisher = await fleet.connected({ source: 'a' });
    const listener = await fleet.connected({ source: 'b' });
    publisher.subscribeReleased((released) => own.push(...released));
    listener.subscribeReleased((released) => heard.push(...released));
    const bids = [
      { campaignId: 'one', bidId: 'x:1' },
      { campaignId: 'two', bidId: 'y.2' },
    ];
    const subscribed = async () => (await server.admin.pubsub('NUMSUB', 'budget:released'))[1] === 2;
    await until('both listen', subscribed);
    await server.admin.publish('budget:released', 'no message of ours');
    await publisher.publishReleased(bids);
    await until('they are heard', () => heard.length > 0);
    expect(heard).toEqual(bids);
    await server.stop('SIGKILL');
    await server.resume();
    await until('both listen again', subscribed);
    await until('the publisher is connected', () => answers(publisher));
    await publisher.publishReleased(bids.slice(0, 1));
    await until('it is heard', () => heard.length > 2);
    expect(own).toEqual([]);
  });
});

/** Accepts connections, reads nothing and writes nothing. */
class SilentServer {
  connections = 0;
  readonly #server: Server;
  readonly #sockets: Socket[] = [];

  private constructor() {
    this.#server = createServer((socket) => {
      this.connections += 1;
      this.#sockets.push(socket.on('error', () => {}));
    });
  }

  static async start(): Promise<SilentServer> {
    const silent = new SilentServer();
    await new Promise<void>((resolve) => silent.#server.listen(0, '127.0.0.1', resolve));
    return silent;
  }

  get target(): RedisTarget {
    const { port } = this.#server.address() as AddressInfo;
    const login = { username: null, password: null, database: 0, tls: false };
    return { kind: 'single', node: { host: '127.0.0.1', port }, login };
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
