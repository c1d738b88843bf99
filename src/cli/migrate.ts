/** `pacer migrate`: brings the database of DATABASE_URL up to date, for deployments that do so before the pods start. */
import { parseArgs } from 'node:util';
import { ConfigError, environmentFrom, readConfig } from '../config/config.ts';
import { answered, closePostgres, openPostgres } from '../sinks/postgres/client.ts';
import { migrate } from '../sinks/postgres/migrate.ts';

export async function runMigrate(words: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...words],
    options: { json: { type: 'boolean', default: false } },
  });
  const config = readConfig(environmentFrom(process.env, process.cwd()));
  if (config.databaseUrl === null) {
    throw new ConfigError(
      'DATABASE_URL is not set: the embedded database is brought up to date by the pod itself',
    );
  }
  const sql = openPostgres({ url: config.databaseUrl }, { connectionsMax: 1 });
  try {
    await answered(sql`select 1`);
    const applied = await migrate(sql);
    process.stdout.write(values.json ? `${JSON.stringify({ applied })}\n` : sentence(applied));
  } finally {
    await closePostgres(sql);
  }
}

function sentence(applied: readonly string[]): string {
  return applied.length === 0 ? 'the database is up to date\n' : `applied ${applied.join(', ')}\n`;
}
