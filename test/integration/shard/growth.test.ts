/**
 * A shard that runs for months must not hold on to what is over: campaigns that were deleted, days that have ended.
 * The heap is read after full collections; the first rounds fill what the later ones use again.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { campaignOf, ShardHarness } from '../../support/shard-harness.ts';

const CAMPAIGNS = 200;
/** Deleted campaigns are closed a minute later, and their slots rest for another. */
const CLOSING_MS = 62_000;
const HOUR_MS = 3_600_000;
const BID_MICROS = 100_000;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heapBytes(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

/** Bytes that each round after the first ones added: the least of the last three against the least of three before. */
function grownSince(heaps: readonly number[], settled: number): number {
  const before = Math.min(...heaps.slice(settled - 3, settled));
  const after = Math.min(...heaps.slice(-3));
  return (after - before) / (heaps.length - settled);
}

describe('the memory of a shard', () => {
  let harness: ShardHarness;

  beforeEach(() => {
    // Room for one wave of campaigns: the next finds slots only where the last has gone.
    harness = new ShardHarness({ campaignsMax: CAMPAIGNS + 8, startMs: Date.parse('2026-03-02T00:00:10Z') });
  });
  afterEach(() => harness.close());

  /** Bids that are won, one that is lost and one that expires, for each campaign. */
  async function bid(ids: readonly string[], round: string): Promise<void> {
    const settled: Promise<number>[] = [];
    for (const id of ids) {
      for (const end of ['won-1', 'won-2', 'won-3', 'lost', 'expired']) {
        const bidId = `${round}-${end}`;
        if (harness.decide(id, BID_MICROS, bidId).takenMicros === 0) continue;
        if (end.startsWith('won')) settled.push(harness.spend(id, BID_MICROS, bidId, bidId));
        if (end === 'lost') settled.push(harness.lose(id, bidId));
      }
    }
    expect(settled.length).toBeGreaterThan(ids.length);
    await harness.pass(1000);
    await Promise.all(settled);
  }

  it('does not grow with campaigns that were made and deleted', async () => {
    const waves = 12;
    const heaps: number[] = [];
    for (let wave = 0; wave < waves; wave++) {
      const campaigns = Array.from({ length: CAMPAIGNS }, (_, at) => campaignOf(`c-${wave}-${at}`, 1e9));
      const made = await Promise.all(campaigns.map((campaign) => harness.upsert(campaign)));
      expect(new Set(made)).toEqual(new Set(['done']));
      await bid(
        campaigns.map(({ id }) => id),
        'bid',
      );
      const deleted = campaigns.map((campaign) =>
        harness.upsert({ ...campaign, status: 'DELETED', version: 2 }),
      );
      await Promise.all(deleted);
      for (let leap = 0; leap < 3; leap++) await harness.leap(CLOSING_MS);
      expect([...harness.shard.allAccounts()]).toEqual([]);
      heaps.push(heapBytes());
    }
    // An account that is kept takes some 3,500.
    expect(grownSince(heaps, 6) / CAMPAIGNS).toBeLessThan(800);
  });

  it('does not grow with days that have ended', async () => {
    const days = 16;
    const ids = Array.from({ length: CAMPAIGNS / 2 }, (_, at) => `c-${at}`);
    // Those that are paced let few bids through at once; the others let all.
    const modes = ['ADAPTIVE', 'ASAP'] as const;
    const made = ids.map((id, at) =>
      harness.upsert(campaignOf(id, 1e9, { pacingMode: modes[at % 2] ?? 'ASAP' })),
    );
    await Promise.all(made);
    const heaps: number[] = [];
    for (let day = 1; day <= days; day++) {
      for (const hours of [8, 8, 8]) {
        await harness.leap(hours * HOUR_MS - 2000);
        await bid(ids, `${day}-${hours}-${harness.wallMs}`);
      }
      heaps.push(heapBytes());
    }
    expect(harness.status('c-0').local_day).toBe('2026-03-18');
    // The ids of its events, kept, take some 2,000.
    expect(grownSince(heaps, 10) / ids.length).toBeLessThan(900);
  });
});
