import { pino } from 'pino';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Account } from '../../../src/shard/account.ts';
import { type FleetLink, FleetSync } from '../../../src/shard/fleet-sync.ts';
import type { LeaseReply, LeaseRequest } from '../../../src/sinks/redis/lease-request.ts';
import { GRACE_MS } from '../../../src/sinks/redis/lease-script.ts';
import { allocateMeters, Meters } from '../../../src/table/meters.ts';
import { SHARD_METERS } from '../../../src/table/thread-meters.ts';

/** An account that always wants a larger lease. */
class Wanting {
  hasBeenLeased = false;
  readonly allowanceShort = false;
  readonly wantsLease = true;
  readonly id: string;

  constructor(id: string) {
    this.id = id;
  }

  get isKnownToFleet(): boolean {
    return this.hasBeenLeased;
  }

  askForLease(): LeaseRequest {
    return { campaignId: this.id } as unknown as LeaseRequest;
  }

  leased(): void {
    this.hasBeenLeased = true;
  }

  leaseEndsWithin(): boolean {
    return false;
  }
}

describe('a shard in a fleet', () => {
  const clock = { wallMs: 0, steadyMs: 0 };
  const forgotten = new Set<string>();
  let accounts: Wanting[];
  /** Campaigns of each flush. */
  let flushes: string[][];
  let sync: FleetSync;

  const link: FleetLink = {
    sync: async (requests: readonly LeaseRequest[]) => {
      const ids = requests.map(({ campaignId }) => campaignId);
      flushes.push(ids);
      return ids.map((id) => ({ wiped: forgotten.has(id) }) as LeaseReply);
    },
    release: async () => [],
    publishReleased: async () => undefined,
    claimEvents: async () => [],
    markCounted: async () => undefined,
    forgoEvents: async () => undefined,
    ping: async () => true,
    close: () => undefined,
  };

  beforeEach(async () => {
    accounts = [];
    flushes = [];
    forgotten.clear();
    sync = new FleetSync({
      redis: link,
      conditions: { connected: true, throttleFloor: 0, wonElsewhere: () => undefined },
      flushMs: 100,
      degradedThrottle: 0.5,
      meters: new Meters(SHARD_METERS, allocateMeters(SHARD_METERS)),
      log: pino({ level: 'silent' }),
      readClock: () => ({ ...clock }),
      commit: async () => true,
      record: () => undefined,
      accountAt: (place) => accounts[place] as unknown as Account,
      places: () => accounts.length,
      showDegraded: () => undefined,
    });
    await flush(); // finds Redis
  });

  function enter(id: string): void {
    const account = new Wanting(id);
    accounts.push(account);
    sync.mark(account as unknown as Account, clock.wallMs);
  }

  async function flush(afterMs = 100): Promise<readonly string[]> {
    clock.wallMs += afterMs;
    clock.steadyMs += afterMs;
    const before = flushes.length;
    await sync.flush();
    return flushes[before] ?? [];
  }

  test('does not tell all its campaigns anew for each that Redis hears of for the first time', async () => {
    for (const id of ['a', 'b', 'c']) {
      forgotten.add(id);
      enter(id);
      expect(await flush()).toEqual([id]);
    }
  });

  test('tells all its campaigns anew when Redis has forgotten one that it was told', async () => {
    for (const id of ['a', 'b', 'c']) {
      forgotten.add(id);
      enter(id);
    }
    await flush();
    await flush(); // those that wait for their leases to grow are not asked for
    sync.mark(accounts[1] as unknown as Account, clock.wallMs);
    expect(await flush()).toEqual(['b']);
    expect(new Set(await flush())).toEqual(new Set(['a', 'b', 'c']));
  });

  test('asks for a lease of what Redis has forgotten when it may grow again, and not before', async () => {
    forgotten.add('a');
    enter('a');
    await flush();
    forgotten.clear();
    for (let passedMs = 100; passedMs < GRACE_MS; passedMs += 100) expect(await flush()).toEqual([]);
    expect(await flush()).toEqual(['a']);
    expect(await flush()).toEqual(['a']);
  });
});
