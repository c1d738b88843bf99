/**
 * Brings a database to this release's schema: the numbered files in `migrations/`, in order, each in its
 * own transaction together with its entry in `schema_migrations`. An advisory lock taken inside that
 * transaction makes processes that start at once take turns, and whoever comes second finds the work done.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { answered, type Sql } from './client.ts';

export interface Migration {
  /** File name, such as `0001_campaigns.sql`; the order of names is the order of application. */
  readonly name: string;
  readonly text: string;
  readonly checksum: string;
}

/** The database and this release do not fit together; needs an operator, trying again does not help. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

/** Any number no other program takes: locks are per database. */
const MIGRATION_LOCK = 725_391_846;

/** Bound of one migration with its wait for the lock; far above what serving a request may take. */
const MIGRATION_TIMEOUT_MS = 600_000;

const FILE_NAME = /^\d{4}_[a-z0-9_]+\.sql$/;

/**
 * Applies what is missing and returns the names applied now.
 * @throws MigrationError when an applied file has changed, or the database has one this release lacks.
 * @throws AppError `unavailable` when the database cannot be reached.
 */
export async function migrate(sql: Sql, migrations?: readonly Migration[]): Promise<string[]> {
  const known = migrations ?? (await readMigrations());
  const applied: string[] = [];
  for (let step = 0; step <= known.length; step++) {
    const name = await answered(applyNext(sql, known), MIGRATION_TIMEOUT_MS);
    if (name === null) break;
    applied.push(name);
  }
  return applied;
}

/** The files that ship with this release, ordered by name. */
export async function readMigrations(
  folder: URL = new URL('./migrations/', import.meta.url),
): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => FILE_NAME.test(name)).sort();
  return Promise.all(
    names.map(async (name) => {
      // A checkout may have changed the line ends; that is not a changed migration.
      const text = (await readFile(new URL(name, folder), 'utf8')).replaceAll('\r\n', '\n');
      return { name, text, checksum: createHash('sha256').update(text).digest('hex') };
    }),
  );
}

/** Applies the first migration that is missing; null when none is. */
function applyNext(sql: Sql, known: readonly Migration[]): Promise<string | null> {
  return sql.begin(async (transaction) => {
    await transaction`SELECT set_config('statement_timeout', ${String(MIGRATION_TIMEOUT_MS)}, true)`;
    await transaction`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`;
    await transaction`
      CREATE TABLE IF NOT EXISTS schema_migrations (
        name text COLLATE "C" PRIMARY KEY,
        checksum text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
      )`;
    const applied = await transaction<{ name: string; checksum: string }[]>`
      SELECT name, checksum FROM schema_migrations ORDER BY name`;
    const next = firstMissing(known, applied);
    if (next === null) return null;
    // The one place with SQL from outside a template: our own file, whole, without parameters.
    await transaction.unsafe(next.text);
    await transaction`INSERT INTO schema_migrations (name, checksum) VALUES (${next.name}, ${next.checksum})`;
    return next.name;
  });
}

function firstMissing(
  known: readonly Migration[],
  applied: readonly { name: string; checksum: string }[],
): Migration | null {
  for (const [index, entry] of applied.entries()) {
    const expected = known[index];
    if (expected === undefined || !known.some((migration) => migration.name === entry.name)) {
      throw new MigrationError(`the database has migration ${entry.name}, which this release does not know`);
    }
    if (expected.name !== entry.name) {
      throw new MigrationError(`migration ${expected.name} comes before ${entry.name}, but was not applied`);
    }
    if (expected.checksum !== entry.checksum) {
      throw new MigrationError(`migration ${entry.name} was changed after it was applied`);
    }
  }
  return known[applied.length] ?? null;
}
