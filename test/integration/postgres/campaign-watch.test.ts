import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../../../src/domain/app-error.ts';
import type { Campaign } from '../../../src/domain/campaign.ts';
import { CampaignChanges } from '../../../src/management/campaign-changes.ts';
import { CampaignWatch } from '../../../src/management/campaign-watch.ts';
import { CampaignStore } from '../../../src/sinks/postgres/campaign-store.ts';
import { readHorizon } from '../../../src/sinks/postgres/changed-campaigns.ts';
import { closePostgres, openPostgres, type Sql } from '../../../src/sinks/postgres/client.ts';
import { migrate } from '../../../src/sinks/postgres/migrate.ts';
import { someCampaign, someOrder } from '../../support/campaigns.ts';
import { until } from '../../support/pod-wait.ts';
import { TestPostgres } from '../../support/postgres.ts';
import { RecordingShards } from '../../support/recording-shards.ts';

/** So long that whatever arrives was notified. */
const NEVER_MS = 3_600_000;

/** The management of one pod, as far as changes go. */
class Pod {
  readonly shards = new RecordingShards();
  readonly changes: CampaignChanges;
  readonly #sql: Sql;
  readonly #watch: CampaignWatch;
  readonly #watching: Promise<void>;

  private constructor(sql: Sql, watch: (shards: RecordingShards) => CampaignWatch) {
    this.#sql = sql;
    this.changes = new CampaignChanges(new CampaignStore(sql), this.shards, pino({ level: 'silent' }), true);
    this.#watch = watch(this.shards);
    this.#watching = this.#watch.run();
  }

  static async start(url: string, refreshMs: number): Promise<Pod> {
    const sql = openPostgres({ url }, { connectionsMax: 1 });
    const horizon = await readHorizon(sql);
    const log = pino({ level: 'silent' });
    const common = { address: { url }, store: new CampaignStore(sql), log, horizon, refreshMs };
    return new Pod(sql, (shards) => new CampaignWatch({ ...common, shards }));
  }

  /** Waits until the shards have this version of the campaign. */
  async hears(id: string, version: number): Promise<Campaign> {
    return until(`${id}@${version} reaches the shards`, () => {
      const campaign = this.shards.campaigns.get(id);
      return campaign?.version === version && campaign;
    });
  }

  async stop(): Promise<void> {
    await this.#watch.close();
    await this.#watching;
    await closePostgres(this.#sql);
  }
}

describe('campaign changes between pods', () => {
  let server: TestPostgres;
  let sql: Sql;
  let store: CampaignStore;
  let pods: Pod[] = [];

  beforeAll(async () => {
    server = await TestPostgres.start();
    sql = openPostgres({ url: server.url }, { connectionsMax: 1 });
    store = new CampaignStore(sql);
    await migrate(sql);
  });
  afterAll(async () => {
    await closePostgres(sql);
    await server.remove();
  });
  beforeEach(() => sql`TRUNCATE campaigns`);
  afterEach(async () => {
    await Promise.all(pods.map((pod) => pod.stop()));
    pods = [];
  });

  /** Pods that have begun to listen. */
  async function startPods(count: number, refreshMs = NEVER_MS): Promise<Pod[]> {
    for (let at = 0; at < count; at++) pods.push(await Pod.start(server.url, refreshMs));
    await store.insert(someCampaign({ id: 'first' }));
    await Promise.all(pods.map((pod) => pod.hears('first', 1)));
    return pods;
  }
  const renamed = (name: string, from: Campaign): Campaign => ({ ...from, name, version: from.version + 1 });

  it('brings an insert, an update and a deletion by one pod to the other, without a refresh', async () => {
    const [one, other] = (await startPods(2)) as [Pod, Pod];
    await one.changes.create(someCampaign({ id: 'c' }), someOrder);
    await other.hears('c', 1);
    await other.changes.edit('c', someOrder, (current) => renamed('Summer', current));
    expect((await one.hears('c', 2)).name).toBe('Summer');
    await one.changes.remove('c', someOrder, Date.now());
    expect((await other.hears('c', 3)).status).toBe('DELETED');
  });

  it('brings a change that was made by hand in the database', async () => {
    const [pod] = (await startPods(1)) as [Pod];
    await sql`UPDATE campaigns SET status = 'PAUSED', version = version + 1 WHERE id = 'first'`;
    expect((await pod.hears('first', 2)).status).toBe('PAUSED');
  });

  it('brings hundreds of changes at once', async () => {
    const [one, other] = (await startPods(2)) as [Pod, Pod];
    const ids = Array.from({ length: 600 }, (_none, at) => `c${at}`);
    await Promise.all(ids.map((id) => one.changes.create(someCampaign({ id }), someOrder)));
    await sql`UPDATE campaigns SET name = 'all', version = version + 1`;
    for (const pod of [one, other]) await until('all', () => namesOf(pod).every((name) => name === 'all'));
    expect(other.shards.campaigns.size).toBe(ids.length + 1);
  });

  it('catches up and listens again when the listening connections are cut', async () => {
    const [pod] = (await startPods(1)) as [Pod];
    for (const version of [2, 4, 6]) {
      await sql`SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
        WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'`;
      await sql`UPDATE campaigns SET version = ${version} WHERE id = 'first'`;
      await pod.hears('first', version);
      // It has looked again with that; the next one can only have been notified.
      await sql`UPDATE campaigns SET version = ${version + 1} WHERE id = 'first'`;
      await pod.hears('first', version + 1);
    }
  });

  it('finds by refresh what no notification tells, however long its transaction took', async () => {
    await withoutNotifications(sql, async () => {
      pods = [await Pod.start(server.url, 50)];
      const [pod] = pods as [Pod];
      await store.insert(someCampaign({ id: 'slow' }));
      await pod.hears('slow', 1);
      const slow = openPostgres({ url: server.url }, { connectionsMax: 1 });
      await slow.begin(async (transaction) => {
        await transaction`UPDATE campaigns SET version = 2 WHERE id = 'slow'`;
        for (const id of ['quick-1', 'quick-2', 'quick-3']) {
          await store.insert(someCampaign({ id }));
          await pod.hears(id, 1);
        }
        expect(pod.shards.campaigns.get('slow')?.version).toBe(1);
      });
      await pod.hears('slow', 2);
      await closePostgres(slow);
    });
  });

  it('hands the shards only what changed since the last refresh', async () => {
    await withoutNotifications(sql, async () => {
      for (const id of ['a', 'b', 'c']) await store.insert(someCampaign({ id }));
      pods = [await Pod.start(server.url, 50)];
      const [pod] = pods as [Pod];
      await sql`UPDATE campaigns SET version = 2 WHERE id = 'b'`;
      await pod.hears('b', 2);
      await sql`UPDATE campaigns SET version = 2 WHERE id = 'c'`;
      await pod.hears('c', 2);
      expect([...pod.shards.campaigns.keys()]).toEqual(['b', 'c']);
    });
  });

  it('reads everything again from a server that was restarted, and hears what comes then', async () => {
    const [pod] = (await startPods(1)) as [Pod];
    await store.insert(someCampaign({ id: 'c' }));
    await pod.hears('c', 1);
    await server.stop('SIGKILL');
    await server.resume();
    pod.shards.campaigns.clear();
    await pod.hears('c', 1);
    await until('the writer is connected again', () =>
      store.update(someCampaign({ id: 'c', version: 2 }), 1).then(
        () => true,
        () => false,
      ),
    );
    await pod.hears('c', 2);
  });

  it('tells the shards again what they could not take in', async () => {
    const [pod] = (await startPods(1)) as [Pod];
    const upsertAll = pod.shards.upsertAll.bind(pod.shards);
    let failures = 0;
    pod.shards.upsertAll = async (campaigns) => {
      if (failures++ < 2) throw new AppError('unavailable', 'the shard is starting');
      return upsertAll(campaigns);
    };
    await store.insert(someCampaign({ id: 'c' }));
    await pod.hears('c', 1);
    expect(failures).toBeGreaterThan(2);
  });

  it('takes a campaign that one pod had no room for from the other, and lets its id be used again', async () => {
    const [full, other] = (await startPods(2)) as [Pod, Pod];
    full.shards.refusal = new AppError('campaign_limit', 'the pacing table is full');
    await expect(full.changes.create(someCampaign({ id: 'c' }), someOrder)).rejects.toMatchObject({
      code: 'campaign_limit',
    });
    await until('the other pod may not bid for it', () => {
      const heard = other.shards.campaigns.get('c');
      return heard === undefined || heard.status === 'DELETED';
    });
    expect(await store.get('c')).toBeNull();
    expect((await store.list({ limit: 10, status: 'DELETED' })).campaigns).toEqual([]);
    await expect(other.changes.remove('c', someOrder, Date.now())).rejects.toMatchObject({
      code: 'campaign_not_found',
    });
    full.shards.refusal = null;
    await full.changes.create(someCampaign({ id: 'c', name: 'again' }), someOrder);
    for (const pod of [full, other]) expect((await pod.hears('c', 3)).name).toBe('again');
    await expect(store.insert(someCampaign({ id: 'c' }))).rejects.toMatchObject({ code: 'already_exists' });
  });
});

function namesOf(pod: Pod): string[] {
  return [...pod.shards.campaigns.values()].map((campaign) => campaign.name);
}

/** Runs `act` while the database notifies nobody, as behind a pooler. */
async function withoutNotifications(sql: Sql, act: () => Promise<void>): Promise<void> {
  const [row] = await sql<{ definition: string }[]>`
    SELECT pg_get_functiondef('campaign_changed'::regproc) AS definition`;
  const definition = row?.definition ?? '';
  await sql.unsafe(definition.replace(/PERFORM pg_notify.*;/, ''));
  try {
    await act();
  } finally {
    await sql.unsafe(definition);
  }
}
