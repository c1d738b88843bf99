/** Entry of the rollover's process: days of a shard under virtual time; sends what each left in memory, and ends. */
import { CYCLE_MS } from '../../src/shard/duty-cycle.ts';
import { campaignOf, ShardHarness } from '../../test/support/shard-harness.ts';
import { campaignIds } from '../servers/campaigns.ts';
import type { RolloverDay, RolloverStart } from './rollover.ts';

const START_MS = Date.parse('2026-03-02T00:00:10Z');
const DAY_MS = 24 * 3_600_000;
const HOURS_BID_IN = [2, 9, 14, 20];
const BIDS_AN_HOUR = 3;
const BID_MICROS = 100_000;
const RESERVATION_TTL_MS = 120_000;
const CYCLES_A_SECOND = 1000 / CYCLE_MS;

async function bid(harness: ShardHarness, ids: readonly string[], round: string): Promise<void> {
  const settled: Promise<number>[] = [];
  for (const id of ids) {
    for (let at = 0; at < BIDS_AN_HOUR; at++) {
      const bidId = `${round}-${at}`;
      const { takenMicros } = harness.decide(id, BID_MICROS, bidId);
      if (takenMicros === 0) continue;
      // One is won, one is lost, and one is left to expire.
      if (at === 0) settled.push(harness.spend(id, BID_MICROS, bidId, `${bidId}-event`));
      else if (at === 1) settled.push(harness.lose(id, bidId));
    }
  }
  await harness.pass(1000);
  await Promise.all(settled);
}

/** How long each cycle of the second from midnight on took, ms. */
async function midnight(harness: ShardHarness, atMs: number): Promise<number[]> {
  const leapMs = atMs - CYCLE_MS - harness.wallMs;
  harness.wallMs += leapMs;
  harness.steadyMs += leapMs;
  const cyclesMs: number[] = [];
  for (let cycle = 0; cycle < CYCLES_A_SECOND; cycle++) {
    harness.wallMs += CYCLE_MS;
    harness.steadyMs += CYCLE_MS;
    const startedAtMs = performance.now();
    harness.shard.cycle();
    cyclesMs.push(performance.now() - startedAtMs);
  }
  await harness.committed();
  return cyclesMs;
}

async function days({ campaigns, days: count }: RolloverStart): Promise<RolloverDay[]> {
  const harness = new ShardHarness({
    startMs: START_MS,
    campaignsMax: campaigns,
    reservationTtlMs: RESERVATION_TTL_MS,
  });
  const ids = campaignIds(campaigns);
  try {
    await Promise.all(ids.map((id) => harness.upsert(campaignOf(id, 1_000_000_000, { pacingMode: 'EVEN' }))));
    const found: RolloverDay[] = [];
    for (let day = 1; day <= count; day++) {
      const startMs = START_MS + (day - 1) * DAY_MS;
      for (const hour of HOURS_BID_IN) {
        await harness.leap(startMs + hour * 3_600_000 - harness.wallMs);
        await bid(harness, ids, `${day}-${hour}`);
      }
      await harness.leap(startMs + DAY_MS - 15_000 - harness.wallMs);
      const cyclesMs = await midnight(harness, startMs + DAY_MS);
      const midnightMs = cyclesMs.reduce((sum, ms) => sum + ms, 0);
      const longestMs = Math.max(...cyclesMs);
      globalThis.gc?.();
      const { heapUsed, rss } = process.memoryUsage();
      found.push({ day, heapMb: heapUsed / 2 ** 20, residentMb: rss / 2 ** 20, midnightMs, longestMs });
    }
    return found;
  } finally {
    await harness.close();
  }
}

process.once('disconnect', () => process.exit());
process.once('message', (start: RolloverStart) => {
  days(start).then(
    (found) => process.send?.(found, () => process.exit()),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
      process.exit(1);
    },
  );
});
