import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { micros } from '../../../src/domain/money.ts';
import { noteOf } from '../../../src/management/change-note.ts';
import { AuditStore } from '../../../src/sinks/postgres/audit-store.ts';
import { CampaignStore } from '../../../src/sinks/postgres/campaign-store.ts';
import { migrate } from '../../../src/sinks/postgres/migrate.ts';
import { someCampaign, someOrder } from '../../support/campaigns.ts';
import { databaseKinds, startDatabase, type TestDatabase } from '../../support/databases.ts';

describe.each(databaseKinds)('the audit log in the %s database', (kind) => {
  let database: TestDatabase;
  let store: CampaignStore;
  let audit: AuditStore;

  beforeAll(async () => {
    database = await startDatabase(kind);
    await migrate(database.sql);
    store = new CampaignStore(database.sql);
    audit = new AuditStore(database.sql);
  });
  afterAll(() => database.remove());

  const entriesOf = async (campaignId: string) => (await audit.list({ campaignId, limit: 100 })).entries;
  const created = (id: string) => {
    const campaign = someCampaign({ id });
    return store.insert(campaign, noteOf({ ...someOrder, action: 'campaign.create' }, null, campaign));
  };

  it('has an entry for a creation, an edit and a taking back, newest first', async () => {
    const campaign = await created('a');
    const edited = { ...campaign, name: "O'Neil; -- 😀", dailyBudgetMicros: micros(1), version: 2 };
    await store.update(edited, 1, noteOf({ ...someOrder, reason: 'cheaper' }, campaign, edited));
    const gone = { ...edited, status: 'DELETED' as const };
    await store.takeBack(edited, noteOf({ ...someOrder, action: 'campaign.take_back' }, edited, gone));
    const entries = await entriesOf('a');
    expect(entries).toMatchObject([
      {
        action: 'campaign.take_back',
        version: 3,
        before: { status: 'ACTIVE' },
        after: { status: 'DELETED' },
      },
      {
        actor: 'tester',
        action: 'campaign.patch',
        campaignId: 'a',
        version: 2,
        before: { name: 'Spring', daily_budget_cents: 100 },
        after: { name: "O'Neil; -- 😀", daily_budget_cents: 0.0001 },
        reason: 'cheaper',
        requestId: 'request-1',
      },
      { action: 'campaign.create', version: 1, before: null, after: { name: 'Spring' }, reason: null },
    ]);
    expect(Math.abs((entries[0]?.at.getTime() ?? 0) - Date.now())).toBeLessThan(60_000);
    // In the place of the one taken back: its versions go on.
    await created('a');
    expect((await entriesOf('a'))[0]).toMatchObject({ action: 'campaign.create', version: 4 });
  });

  it('has no entry for what did not happen: a taken id, a stale version, an unknown campaign', async () => {
    const campaign = await created('b');
    await expect(created('b')).rejects.toMatchObject({ code: 'already_exists' });
    const note = noteOf(someOrder, campaign, { ...campaign, name: 'x' });
    await expect(store.update({ ...campaign, version: 9 }, 8, note)).rejects.toMatchObject({
      code: 'stale_version',
    });
    await expect(store.update(someCampaign({ id: 'none' }), 1, note)).rejects.toMatchObject({
      code: 'campaign_not_found',
    });
    await store.takeBack({ ...campaign, version: 9 }, note);
    expect(await entriesOf('b')).toHaveLength(1);
    expect(await entriesOf('none')).toEqual([]);
  });

  it('and the change are one: neither stays when the entry cannot be written', async () => {
    const campaign = await created('c');
    const next = { ...campaign, name: 'half', version: 2 };
    const impossible = { ...noteOf(someOrder, campaign, next), actor: '' };
    await expect(store.update(next, 1, impossible)).rejects.toThrow('audit_log_actor_check');
    expect(await store.get('c')).toMatchObject({ name: 'Spring', version: 1 });
    await expect(store.insert(someCampaign({ id: 'd' }), impossible)).rejects.toThrow(
      'audit_log_actor_check',
    );
    expect(await store.get('d')).toBeNull();
    expect(await entriesOf('c')).toHaveLength(1);
  });

  it('has exactly the edit that won of many at once, in the order of the versions', async () => {
    let current = await created('e');
    for (let round = 0; round < 5; round++) {
      const from = current;
      const edits = Array.from({ length: 8 }, (_, at) => ({
        ...from,
        name: `${round}-${at}`,
        version: from.version + 1,
      }));
      const outcomes = await Promise.allSettled(
        edits.map((next) => store.update(next, from.version, noteOf(someOrder, from, next))),
      );
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      current = (await store.get('e')) ?? current;
      expect((await entriesOf('e'))[0]).toMatchObject({ after: { name: current.name } });
    }
    expect((await entriesOf('e')).map(({ version }) => version)).toEqual([6, 5, 4, 3, 2, 1]);
  });

  it('refuses to be changed, shortened or emptied, also by hand', async () => {
    const { sql } = database;
    await expect(sql`UPDATE audit_log SET actor = 'somebody else'`).rejects.toThrow('immutable');
    await expect(sql`DELETE FROM audit_log WHERE campaign_id = 'a'`).rejects.toThrow('immutable');
    await expect(sql`TRUNCATE audit_log`).rejects.toThrow('immutable');
    expect(await entriesOf('b')).toHaveLength(1);
  });

  it('is read in pages that neither skip nor repeat', async () => {
    const all = (await audit.list({ limit: 100 })).entries.map(({ id }) => id);
    const read: number[] = [];
    for (let cursor: number | null | undefined; cursor !== null; ) {
      const page = await audit.list(cursor === undefined ? { limit: 4 } : { limit: 4, cursor });
      expect(page.entries.length).toBeLessThanOrEqual(4);
      read.push(...page.entries.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    expect(read).toEqual(all);
    expect(read).toEqual([...read].sort((a, b) => b - a));
  });
});
