/** `pacer migrate`: brings the database of DATABASE_URL up to date, for deployments that do so before the pods start. */
import { ConfigError, environmentFrom, readConfig } from '../config/config.ts';
import { answered, closePostgres, openPostgres } from '../sinks/postgres/client.ts';
import { migrate } from '../sinks/postgres/migrate.ts';

export async function runMigrate(): Promise<void> {
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
    process.stdout.write(
      applied.length === 0 ? 'the database is up to date\n' : `applied ${applied.join(', ')}\n`,
    );
  } finally {
    await closePostgres(sql);
  }
}
