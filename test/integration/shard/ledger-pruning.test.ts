/** What becomes of the records of deleted campaigns: kept for late spend, and forgotten a month later. */
import { open } from 'lmdb';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FLEET_SHAPE_ID, type StoredTraffic } from '../../../src/domain/stored-traffic.ts';
import { OUTCOME_SUCCESS, OUTCOME_UNKNOWN_CAMPAIGN } from '../../../src/messages/edge-shard.ts';
import { campaignOf, ShardHarness } from '../../support/shard-harness.ts';

const CENT = 10_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Deleted campaigns are closed a minute later. */
const CLOSING_MS = 62_000;
const CYCLES_A_SECOND = 20;
let harness: ShardHarness;

beforeEach(() => {
  harness = new ShardHarness({ campaignsMax: 512 });
});
afterEach(() => harness.close());

async function answered<T>(outcome: Promise<T>): Promise<T> {
  harness.send();
  await harness.committed();
  return outcome;
}

function spend(id: string): Promise<number> {
  return answered(harness.spend(id, CENT));
}

async function make(ids: readonly string[]): Promise<void> {
  await answered(Promise.all(ids.map((id) => harness.upsert(campaignOf(id, 100 * CENT)))));
}

async function remove(ids: readonly string[]): Promise<void> {
  const updatedAt = new Date(harness.wallMs).toISOString();
  const gone = { status: 'DELETED', version: 2, updatedAt } as const;
  await answered(Promise.all(ids.map((id) => harness.upsert(campaignOf(id, 100 * CENT, gone)))));
  await harness.leap(CLOSING_MS);
}

/** Lets days pass, and then the round through the ledger that begins an hour after the last. */
async function days(count: number): Promise<void> {
  await harness.leap(CLOSING_MS);
  await harness.leap(count * DAY_MS);
  await harness.leap(HOUR_MS);
}

/** Keys of everything that the ledger has, by what it is. */
async function keys(): Promise<Record<string, string[]>> {
  const root = open({ path: harness.folder, maxDbs: 12, cache: false });
  const names = ['accounts', 'campaigns', 'traffic'];
  const found = names.map((name) => [name, Array.from(root.openDB({ name }).getKeys(), String)] as const);
  await root.close();
  return Object.fromEntries(found);
}

/** What was learned of a campaign's traffic. */
function learned(campaignId: string): StoredTraffic {
  const week = Array.from({ length: 7 }, () => Array.from({ length: 24 }, () => 1 / 24));
  return { campaignId, days: 7, asks: week, supply: week };
}

async function nextSecond(): Promise<Record<string, string[]>> {
  await harness.pass(1000);
  return keys();
}

describe('late spend of a deleted campaign', () => {
  test('is recorded for 30 days, and then refused as of a campaign that never was', async () => {
    await make(['c']);
    await remove(['c']);
    await days(29);
    expect(await spend('c')).toBe(OUTCOME_SUCCESS);
    await days(29); // from the last late spend on
    expect(await spend('c')).toBe(OUTCOME_SUCCESS);
    expect(harness.status('c').total_spent_cents).toBe(2);
    await days(31);
    expect(await spend('c')).toBe(OUTCOME_UNKNOWN_CAMPAIGN);
    await harness.restart();
    expect(await spend('c')).toBe(OUTCOME_UNKNOWN_CAMPAIGN);
  });

  test("brings its account back among the shard's, until it is closed again", async () => {
    const ids = () => Array.from(harness.shard.allAccounts(), ({ campaign }) => campaign.id);
    await make(['b', 'c']);
    await remove(['c']);
    expect(ids()).toEqual(['b']);
    await spend('c');
    expect(ids()).toEqual(['b', 'c']); // told of to the fleet and to the history like any other
    await harness.leap(CLOSING_MS);
    expect(ids()).toEqual(['b']);
  });

  test('is refused from the moment on in which its campaign is being forgotten', async () => {
    await make(['c']);
    await remove(['c']);
    harness.wallMs += 31 * DAY_MS;
    harness.steadyMs += 31 * DAY_MS;
    for (let cycle = 0; cycle < CYCLES_A_SECOND; cycle++) harness.shard.cycle();
    expect(await spend('c')).toBe(OUTCOME_UNKNOWN_CAMPAIGN); // the ledger still has it on storage
    await expect.poll(async () => (await keys()).accounts).toEqual([]);
  });
});

describe('the ledger', () => {
  test('keeps nothing of campaigns that were deleted a month ago, and all of the others', async () => {
    const gone = Array.from({ length: 230 }, (_, at) => `c-${String(at).padStart(3, '0')}`);
    await make([...gone, 'b-paused', 'd-live']);
    await answered(harness.upsert(campaignOf('b-paused', CENT, { status: 'PAUSED', version: 2 })));
    await harness.shard.learn([learned('c-007'), learned('d-live'), learned(FLEET_SHAPE_ID)]);
    await remove(gone);
    await days(29);
    await make(['e-late']);
    await remove(['e-late']);
    expect((await keys()).campaigns).toHaveLength(gone.length + 3);
    await days(2);
    const kept = ['b-paused', 'd-live', 'e-late'];
    const traffic = [`stored/${FLEET_SHAPE_ID}`, 'stored/d-live'];
    await expect.poll(nextSecond).toEqual({ accounts: kept, campaigns: kept, traffic });
    expect(await spend('e-late')).toBe(OUTCOME_SUCCESS);
  });
});
