/**
 * A database that already holds campaigns, for pods that are to start with more of them than the API makes in a
 * reasonable time: the same rich ASAP campaigns as {@link createCampaigns} makes.
 */
import { pathToFileURL } from 'node:url';
import { openPostgres } from '../../src/sinks/postgres/client.ts';
import { migrate, readMigrations } from '../../src/sinks/postgres/migrate.ts';
import { DAILY_BUDGET_CENTS, ID_DIGITS } from './campaigns.ts';
import type { Databases } from './databases.ts';

const MICROS_A_CENT = 10_000;
const STATEMENT_TIMEOUT_MS = 60_000;

/**
 * @param root of the repository
 * @returns the database's URL; its campaigns have the ids of `campaignIds(count)`
 */
export async function seededDatabase(databases: Databases, root: string, count: number): Promise<string> {
  const url = await databases.fresh();
  const sql = openPostgres({ url }, { connectionsMax: 1, statementTimeoutMs: STATEMENT_TIMEOUT_MS });
  try {
    const folder = pathToFileURL(`${root}/src/sinks/postgres/migrations/`);
    await migrate(sql, await readMigrations(folder));
    await sql`
      INSERT INTO campaigns (id, name, daily_budget_micros, timezone, pacing_mode, pacing_lever, status,
        breaker_threshold, version, created_at, updated_at)
      SELECT 'bench-' || lpad(n::text, greatest(${ID_DIGITS}::int, length(n::text)), '0'), 'Bench',
        ${DAILY_BUDGET_CENTS * MICROS_A_CENT}, 'UTC', 'ASAP', 'THROTTLE', 'ACTIVE', 0.95, 1, now(), now()
      FROM generate_series(1, ${count}::int) AS n`;
  } finally {
    await sql.end();
  }
  return url;
}
