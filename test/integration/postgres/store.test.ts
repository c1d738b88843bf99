import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { micros } from '../../../src/domain/money.ts';
import { CampaignStore } from '../../../src/sinks/postgres/campaign-store.ts';
import { closePostgres, openPostgres } from '../../../src/sinks/postgres/client.ts';
import {
  type Migration,
  MigrationError,
  migrate,
  readMigrations,
} from '../../../src/sinks/postgres/migrate.ts';
import { someCampaign } from '../../support/campaigns.ts';
import { databaseKinds, startDatabase, type TestDatabase } from '../../support/databases.ts';

describe.each(databaseKinds)('the %s database', (kind) => {
  let database: TestDatabase;
  let store: CampaignStore;
  let shipped: Migration[];

  beforeAll(async () => {
    database = await startDatabase(kind);
    store = new CampaignStore(database.sql);
    shipped = await readMigrations();
  });
  afterAll(() => database.remove());

  it('is migrated once by two processes that start at once', async () => {
    const other = openPostgres(database.address);
    const applied = await Promise.all([migrate(database.sql), migrate(other)]);
    await closePostgres(other);
    // They may take turns, so each knows only of its own.
    expect(applied.flat().sort()).toEqual(shipped.map((migration) => migration.name));
  });

  it('has nothing to do in a second migration', async () => {
    expect(await migrate(database.sql)).toEqual([]);
  });

  it('refuses a migration that was changed after it was applied', async () => {
    const changed = shipped.map((migration) => ({ ...migration, checksum: 'other' }));
    await expect(migrate(database.sql, changed)).rejects.toThrow(MigrationError);
    await expect(migrate(database.sql, changed)).rejects.toThrow('0001_campaigns.sql was changed');
  });

  it('is refused when it is newer than the release', async () => {
    await expect(migrate(database.sql, shipped.slice(0, -1))).rejects.toThrow('does not know');
  });

  it('keeps nothing of a migration that fails half way', async () => {
    const broken = { name: '9999_broken.sql', text: 'CREATE TABLE half (a int); SELECT 1/0;', checksum: 'x' };
    await expect(migrate(database.sql, [...shipped, broken])).rejects.toThrow('division by zero');
    const [row] = await database.sql`SELECT to_regclass('half') AS half`;
    expect(row?.half).toBeNull();
    expect(await migrate(database.sql)).toEqual([]);
  });

  it('gives a campaign back exactly as it was stored', async () => {
    const campaign = someCampaign({
      id: 'a:exact_1.0-x',
      name: "O'Neil; DROP TABLE campaigns -- 😀",
      dailyBudgetMicros: micros(2 ** 53),
      totalBudgetMicros: micros(2 ** 53 - 1),
      startDate: '2026-03-01',
      endDate: '2026-03-31T23:59:59.5+02:00',
      timezone: 'America/New_York',
      breakerThreshold: 0.1 + 0.2,
      dayparts: [
        { dayOfWeek: 0, startHour: 9, endHour: 24 },
        { startHour: 1, endHour: 2 },
      ],
      hourMultipliers: [{ hour: 9, multiplier: 1.5 }],
      targeting: { b: 1, a: [null, 'nul \0', '\ud800', 1e308, { deep: true }] },
      creative: 'a string',
    });
    await store.insert(campaign);
    const stored = await store.get(campaign.id);
    expect(stored).toEqual(campaign);
    expect(JSON.stringify(stored?.targeting)).toBe(JSON.stringify(campaign.targeting));
  });

  it('refuses a second campaign with the same id, also when the first is deleted', async () => {
    const campaign = someCampaign({ id: 'b-twice' });
    await store.insert(campaign);
    await expect(store.insert(campaign)).rejects.toMatchObject({ code: 'already_exists' });
    await store.update({ ...campaign, status: 'DELETED', version: 2 }, 1);
    await expect(store.insert(campaign)).rejects.toMatchObject({ code: 'already_exists' });
  });

  it('lets one of two edits of the same version win', async () => {
    const campaign = someCampaign({ id: 'c-raced' });
    await store.insert(campaign);
    const edits = ['first', 'second'].map((name) => store.update({ ...campaign, name, version: 2 }, 1));
    const outcomes = (await Promise.allSettled(edits)).map((edit) =>
      edit.status === 'rejected' ? edit.reason.code : 'won',
    );
    expect(outcomes.sort()).toEqual(['stale_version', 'won']);
    expect((await store.get('c-raced'))?.version).toBe(2);
  });

  it('does not change a campaign that is deleted or was never there', async () => {
    await expect(store.update(someCampaign({ id: 'none' }), 1)).rejects.toMatchObject({
      code: 'campaign_not_found',
    });
    await expect(store.update(someCampaign({ id: 'b-twice', version: 3 }), 2)).rejects.toMatchObject({
      code: 'campaign_not_found',
    });
  });

  it('lists in pages by id, byte by byte, and finds parts of ids and names', async () => {
    for (const id of ['z-1', 'Z-2', 'z.3', 'z:4'])
      await store.insert(someCampaign({ id, name: `Größe 100%_${id}` }));
    const seen: string[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < 10; page++) {
      const { campaigns, nextCursor } = await store.list({
        limit: 3,
        text: 'GRÖSSE'.replace('SS', 'ß'),
        ...(cursor === undefined ? {} : { cursor }),
      });
      seen.push(...campaigns.map((campaign) => campaign.id));
      if (nextCursor === null) break;
      cursor = nextCursor;
    }
    expect(seen).toEqual(['Z-2', 'z-1', 'z.3', 'z:4']);
    expect((await store.list({ limit: 10, text: '%_Z' })).campaigns).toHaveLength(4);
    expect((await store.list({ limit: 10, text: 'o%e' })).campaigns).toHaveLength(0);
    expect((await store.list({ limit: 10, status: 'DELETED' })).campaigns.map((c) => c.id)).toEqual([
      'b-twice',
    ]);
  });

  it('gives every campaign that is not deleted, whatever the page size', async () => {
    for (const pageSize of [1, 2, 1000]) {
      const ids: string[] = [];
      for await (const page of store.livePages(pageSize)) ids.push(...page.map((campaign) => campaign.id));
      expect(ids).toEqual(['Z-2', 'a:exact_1.0-x', 'c-raced', 'z-1', 'z.3', 'z:4']);
    }
  });

  it('keeps what an update says of its day', async () => {
    const campaign = someCampaign({ id: 'b-moved' });
    await store.insert(campaign);
    const at = '2026-03-02T01:00:00.000Z';
    const day = {
      dayReset: { date: '2026-03-01', count: 2, at },
      zoneChange: { from: '2026-03-02', to: '2026-03-01', count: 1, day: '2026-03-02', since: at },
    };
    await store.update({ ...campaign, ...day, version: 2 }, 1);
    expect(await store.get('b-moved')).toMatchObject(day);
  });

  it('serves many clients at once without mixing up their rows', async () => {
    const clients = Array.from({ length: 4 }, () => openPostgres(database.address, { connectionsMax: 3 }));
    const wrong: number[] = [];
    const worker = async (sql: (typeof clients)[number], first: number) => {
      for (let value = first; value < first + 40; value++) {
        const [row] = await sql<
          { v: number; t: string }[]
        >`SELECT ${value}::int AS v, ${`x${value}`}::text AS t`;
        if (row?.v !== value || row.t !== `x${value}`) wrong.push(value);
        if (value % 5 === 0) await expect(sql`SELECT 1 / ${0}::int`).rejects.toThrow('division by zero');
        if (value % 7 === 0) {
          const rows = await sql.begin(
            (transaction) => transaction<{ v: number }[]>`SELECT ${value}::int AS v`,
          );
          if (rows[0]?.v !== value) wrong.push(value);
        }
      }
    };
    await Promise.all(
      clients.flatMap((sql, client) => [0, 1, 2].map((lane) => worker(sql, client * 1000 + lane * 100))),
    );
    await Promise.all(clients.map((sql) => closePostgres(sql)));
    expect(wrong).toEqual([]);
  });

  it('rolls back the transaction of a client that vanishes', async () => {
    const vanishing = openPostgres(database.address, { connectionsMax: 1 });
    const lost = vanishing.begin(async (transaction) => {
      await transaction`UPDATE campaigns SET name = 'half done' WHERE id = 'c-raced'`;
      await vanishing.end({ timeout: 0 });
    });
    await expect(lost).rejects.toThrow();
    await database.sql`UPDATE campaigns SET version = 3 WHERE id = 'c-raced'`;
    expect((await store.get('c-raced'))?.name).not.toBe('half done');
  });

  // The embedded one answers nobody else while a transaction is open.
  it.skipIf(kind === 'embedded')(
    'shows a new campaign to nobody before what must come first is done, and not at all when it fails',
    async () => {
      const campaign = someCampaign({ id: 'd-unseen' });
      const seen: unknown[] = [];
      const look = async () => void seen.push(await store.get('d-unseen'));
      const failing = store.insert(campaign, null, async () => {
        await look();
        throw new Error('it failed');
      });
      await expect(failing).rejects.toThrow('it failed');
      await look();
      expect(await store.insert(campaign, null, look)).toEqual(campaign);
      expect(seen).toEqual([null, null, null]);
      expect(await store.get('d-unseen')).toEqual(campaign);
      await expect(store.insert(campaign, null, look)).rejects.toMatchObject({ code: 'already_exists' });
      expect(seen).toHaveLength(3);
    },
  );
});
