/** What of a shard's history is told when: money with the next flush, the rest in turns, so that Postgres is not kept busy with it. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { HistoryFlush } from '../../../src/shard/history-flush.ts';
import { closePostgres, openPostgres, type Sql } from '../../../src/sinks/postgres/client.ts';
import { HistoryStore } from '../../../src/sinks/postgres/history-store.ts';
import { migrate } from '../../../src/sinks/postgres/migrate.ts';
import { allocateMeters, Meters } from '../../../src/table/meters.ts';
import { SHARD_HISTORY_SINCE_MS, SHARD_METERS } from '../../../src/table/thread-meters.ts';
import { TestPostgres } from '../../support/postgres.ts';
import { campaignOf, ShardHarness } from '../../support/shard-harness.ts';

const BUDGET_MICROS = 100_000_000;
const BID_MICROS = 10_000;
const IDS = Array.from({ length: 40 }, (_, at) => `c-${at}`);

describe('telling the history', () => {
  let server: TestPostgres;
  let sql: Sql;
  let harness: ShardHarness;
  let history: HistoryFlush;
  let meters: Meters;

  beforeAll(async () => {
    server = await TestPostgres.start();
    sql = openPostgres({ url: server.url }, { connectionsMax: 1 });
    await migrate(sql);
  });
  afterAll(async () => {
    await closePostgres(sql);
    await server.remove();
  });
  beforeEach(async () => {
    await sql`TRUNCATE spend_hourly, pacing_history`;
    meters = new Meters(SHARD_METERS, allocateMeters(SHARD_METERS));
    harness = new ShardHarness({ campaignsMax: 2_048 });
    history = harness.tellHistory(
      new HistoryStore({ url: server.url }, { statementTimeoutMs: 1000 }),
      meters,
    );
    await Promise.all(IDS.map((id) => harness.upsert(campaignOf(id, BUDGET_MICROS))));
    await history.flush(); // tells of the new campaigns
  });
  afterEach(async () => {
    await history.end();
    await harness.close();
  });

  async function askAll(): Promise<void> {
    for (const id of IDS) harness.decide(id, BID_MICROS);
    await harness.pass(1000);
  }
  async function spend(id: string): Promise<void> {
    const counted = harness.spend(id, BID_MICROS);
    await harness.committed();
    await counted;
  }
  const asked = async (): Promise<number> => (await sql`SELECT FROM spend_hourly WHERE asks > 0`).count;
  const spent = async (): Promise<number> =>
    (await sql`SELECT FROM spend_hourly WHERE spend_micros > 0`).count;
  /** What names the versions of the plans' rows: a write makes a new one. */
  const plans = async (): Promise<Map<string, string>> => {
    const rows = await sql<{ id: string; xmin: string }[]>`
      SELECT campaign_id AS id, xmin::text FROM pacing_history`;
    return new Map(rows.map(({ id, xmin }) => [id, xmin]));
  };

  it('counts of bids are told in turns, and of all campaigns within ten flushes', async () => {
    await askAll();
    await history.flush();
    expect(await asked()).toBe(IDS.length / 10);
    for (let flush = 0; flush < 9; flush++) {
      await askAll();
      await history.flush();
    }
    expect(await asked()).toBe(IDS.length);
  });

  it('all spend is told with the next flush, however many campaigns are bid for', async () => {
    await askAll();
    await Promise.all(IDS.map(spend));
    await history.flush();
    expect(await spent()).toBe(IDS.length);
    expect(await asked()).toBe(IDS.length); // with the spend
  });

  it('counts of bids have their turn also when more campaigns are spent on than a flush takes', async () => {
    const others = Array.from({ length: 2_000 }, (_, at) => `other-${at}`);
    await Promise.all(others.map((id) => harness.upsert(campaignOf(id, BUDGET_MICROS))));
    await history.flush();
    harness.decide('c-0', BID_MICROS);
    await harness.pass(1000);
    const counted = others.map((id) => harness.spend(id, BID_MICROS));
    await harness.committed();
    await Promise.all(counted);
    await history.flush();
    expect(await spent()).toBe(others.length);
    expect(await asked()).toBe(1);
  });

  it('an orderly end tells everything', async () => {
    await askAll();
    await history.end();
    expect(await asked()).toBe(IDS.length);
  });

  it('a plan is written when it is another one, and not with each spend', async () => {
    const before = await plans();
    expect(before.size).toBe(IDS.length);
    await spend('c-0');
    await harness.upsert(campaignOf('c-1', 2 * BUDGET_MICROS, { version: 2 }));
    await history.flush();
    const after = await plans();
    expect(after.get('c-0')).toBe(before.get('c-0'));
    expect(after.get('c-1')).not.toBe(before.get('c-1'));
    const [plan] = await sql<{ budget: number }[]>`
      SELECT budget_micros::float8 AS budget FROM pacing_history WHERE campaign_id = 'c-1'`;
    expect(plan?.budget).toBe(2 * BUDGET_MICROS);
  });

  it('the plan of the next hour is written with it', async () => {
    await harness.pass(1000);
    await harness.leap(3_600_000);
    await spend('c-0');
    await history.flush();
    const rows = await sql`SELECT FROM pacing_history WHERE campaign_id = 'c-0'`;
    expect(rows.count).toBe(2);
  });

  it('hours of a shard that there is no more are told by the one that speaks for it', async () => {
    await history.end();
    history = harness.tellHistory(new HistoryStore({ url: server.url }), meters, 1);
    await spend('c-0');
    await harness.leap(3_600_000);
    await history.flush();
    expect(await spent()).toBe(1);
  });

  it('plans are told again after Postgres was away, which may have been restored to an earlier state', async () => {
    await server.stop();
    await spend('c-0');
    await history.flush();
    await server.resume();
    await sql`TRUNCATE pacing_history`;
    await history.flush();
    expect(await spent()).toBe(1);
    await Promise.all(IDS.map(spend));
    await history.flush();
    expect((await plans()).size).toBe(IDS.length);
  });

  it('the lag is that of the spend that waits longest, not of the first there ever was', async () => {
    for (let second = 0; second < 5; second++) {
      await spend('c-0');
      const flushed = history.flush();
      await harness.pass(1000);
      await spend('c-1'); // while the flush is under way
      await flushed;
      expect(meters.get(SHARD_HISTORY_SINCE_MS)).toBe(harness.wallMs);
    }
    await history.flush();
    expect(meters.get(SHARD_HISTORY_SINCE_MS)).toBe(0);
  });

  it('the lag grows while Postgres is away', async () => {
    await spend('c-0');
    const sinceMs = harness.wallMs;
    await server.stop();
    await history.flush();
    await harness.pass(5000);
    await spend('c-1');
    await history.flush();
    expect(meters.get(SHARD_HISTORY_SINCE_MS)).toBe(sinceMs);
    await server.resume();
    await history.flush();
    expect(meters.get(SHARD_HISTORY_SINCE_MS)).toBe(0);
  });
});
