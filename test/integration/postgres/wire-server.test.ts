import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { closePostgres, openPostgres } from '../../../src/sinks/postgres/client.ts';
import { Maintenance } from '../../../src/sinks/postgres/embedded/maintenance.ts';
import { WireServer } from '../../../src/sinks/postgres/embedded/wire-server.ts';

describe('the wire server of the embedded database', () => {
  let folder: string;
  let socketPath: string;
  let database: PGlite;
  let server: WireServer;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pacer-test-wire-'));
    socketPath = join(folder, 's');
    database = await PGlite.create();
    server = new WireServer(database, {
      connectionsMax: 4,
      silenceMaxMs: 1000,
      onBroken: (error) => {
        throw error;
      },
    });
    await server.listen(socketPath);
  });
  afterAll(async () => {
    await server.close();
    await database.close();
    await rm(folder, { recursive: true, force: true });
  });

  const open = (connectionsMax = 1) => openPostgres({ socketPath }, { connectionsMax });

  it('takes the session away from a client that stays silent in a transaction, whatever others ask', async () => {
    const silent = open();
    const busy = open();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const transaction = silent.begin(async (begun) => {
      await begun`CREATE TABLE silent (a int)`;
      await held;
    });
    const lost = expect(transaction).rejects.toThrow();
    const [row] = await busy`SELECT to_regclass('silent') AS found`;
    expect(row?.found).toBeNull();
    release();
    await lost;
    await Promise.all([closePostgres(silent), closePostgres(busy)]);
  });

  it('forgets the statements of clients that are gone', async () => {
    for (let client = 0; client < 3; client++) {
      const sql = open();
      await sql`SELECT ${client}::int AS value`;
      await closePostgres(sql);
    }
    await vi.waitFor(async () => {
      const statements = new Promise<unknown[]>((resolve) => {
        const query = 'SELECT name FROM pg_prepared_statements';
        server.chore(() => database.query(query).then(({ rows }) => resolve(rows)));
      });
      expect(await statements).toEqual([]);
    });
  });

  it('refuses more connections than it may have, and accepts again when one has ended', async () => {
    const full = Array.from({ length: 4 }, () => open());
    await Promise.all(full.map((sql) => sql`SELECT 1`));
    const refused = openPostgres({ socketPath }, { connectionsMax: 1 });
    const waiting = refused`SELECT 1 AS one`;
    waiting.catch(() => {});
    await Promise.all(full.map((sql) => closePostgres(sql)));
    const late = open();
    expect(await late`SELECT 1 AS one`).toEqual([{ one: 1 }]);
    await Promise.all([closePostgres(late), closePostgres(refused, 0)]);
  });

  it('carries a statement and an answer of several megabytes', async () => {
    const sql = open();
    const text = 'é'.repeat(2_000_000);
    const [row] = await sql<{ text: string }[]>`SELECT ${text}::text AS text`;
    expect(row?.text === text).toBe(true);
    await closePostgres(sql);
  });

  it('is checkpointed and vacuumed between the statements of its clients', async () => {
    const warnings: string[] = [];
    const maintenance = new Maintenance(database, (message) => warnings.push(message));
    const sql = open();
    await sql`CREATE TABLE churn AS SELECT g AS id, repeat('x', 100) AS filler FROM generate_series(1, 3000) g`;
    for (let round = 0; round < 20; round++)
      await sql`UPDATE churn SET filler = repeat(${String(round)}::text, 100)`;
    const before = await checkpoint(database);
    await new Promise<void>((resolve) => server.chore(() => maintenance.run().then(resolve)));
    expect(warnings).toEqual([]);
    const [dead] = await sql<{ dead: number }[]>`
      SELECT n_dead_tup AS dead FROM pg_stat_user_tables WHERE relname = 'churn'`;
    expect(dead?.dead).toBeLessThan(1000);
    expect(await checkpoint(database)).not.toBe(before);
    await closePostgres(sql);
  });
});

async function checkpoint(database: PGlite): Promise<string | undefined> {
  const { rows } = await database.query<{ lsn: string }>(
    'SELECT checkpoint_lsn::text AS lsn FROM pg_control_checkpoint()',
  );
  return rows[0]?.lsn;
}
