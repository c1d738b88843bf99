/**
 * A ledger that an earlier release has written: records of all numbers, campaigns with the names of their fields. It is
 * made of one of today's, by writing what is in it as it was written then.
 */
import { open } from 'lmdb';
import { afterEach, describe, expect, test } from 'vitest';
import { OUTCOME_DUPLICATE, OUTCOME_SUCCESS } from '../../../src/messages/edge-shard.ts';
import { fromRow, isRow, type StoredCampaign } from '../../../src/shard/campaign-row.ts';
import { NumberPacking } from '../../../src/shard/number-packing.ts';
import { campaignOf, ShardHarness } from '../../support/shard-harness.ts';

const CENT = 10_000;
const NUMBERS = 46;
let harness: ShardHarness;

afterEach(() => harness.close());

async function answered(outcome: Promise<number>): Promise<number> {
  harness.send();
  await harness.committed();
  return outcome;
}

function openLedger() {
  const root = open({ path: harness.folder, maxDbs: 12, cache: false });
  return {
    accounts: root.openDB<Buffer, string>({ name: 'accounts', encoding: 'binary' }),
    campaigns: root.openDB<StoredCampaign, string>({ name: 'campaigns' }),
    close: () => root.close(),
  };
}

async function writeAsBefore(): Promise<void> {
  const { accounts, campaigns, close } = openLedger();
  const packing = new NumberPacking(NUMBERS);
  for (const { key, value } of Array.from(accounts.getRange())) {
    packing.unpack(value);
    await accounts.put(key, Buffer.from(new Float64Array(packing.numbers).buffer));
  }
  for (const { key, value } of Array.from(campaigns.getRange())) {
    await campaigns.put(key, fromRow(key, value));
  }
  await close();
}

describe('a ledger of an earlier release', () => {
  test('is taken over to the cent, and has the form of today from then on', async () => {
    harness = new ShardHarness();
    const made = [
      campaignOf('live', 100 * CENT, { targeting: { geo: ['DE'] } }),
      campaignOf('gone', 100 * CENT),
    ].map((campaign) => harness.upsert(campaign));
    await harness.committed();
    await Promise.all(made);
    harness.decide('live', 7 * CENT, 'bid');
    expect(await answered(harness.spend('live', 5 * CENT, '', 'event'))).toBe(OUTCOME_SUCCESS);
    expect(await answered(harness.spend('gone', 3 * CENT))).toBe(OUTCOME_SUCCESS);
    const deleted = harness.upsert(campaignOf('gone', 100 * CENT, { status: 'DELETED', version: 2 }));
    await harness.committed();
    await deleted;
    await harness.shard.end(); // what is in flight is known exactly
    await writeAsBefore();
    await harness.crash();

    const { daily_spent_cents, reserved_cents } = harness.status('live');
    expect({ daily_spent_cents, reserved_cents }).toEqual({ daily_spent_cents: 5, reserved_cents: 7 });
    expect(await answered(harness.spend('live', 5 * CENT, '', 'event'))).toBe(OUTCOME_DUPLICATE);
    expect(await answered(harness.spend('gone', CENT))).toBe(OUTCOME_SUCCESS);
    expect(harness.status('gone').total_spent_cents).toBe(4);

    const { accounts, campaigns, close } = openLedger();
    const live = campaigns.get('live');
    expect(live === undefined || isRow(live)).toBe(true);
    expect(live === undefined ? null : fromRow('live', live).targeting).toEqual({ geo: ['DE'] });
    for (const id of ['live', 'gone']) expect(accounts.get(id)?.length).toBeLessThan(NUMBERS * 8);
    await close();
  });
});
