/**
 * What a Postgres server's background processes do and PGlite's single-user mode does not: checkpoints,
 * which bound the log and the time of the next start, and vacuums, which bound the tables.
 * Owned by the database thread; runs between the statements of the clients.
 */
import type { PGlite } from '@electric-sql/pglite';

const CHECKPOINT_LOG_BYTES = 16 * 1024 * 1024;

/** As Postgres' own default: a table is vacuumed when more than 20% of it, and 1000 rows, are dead. */
const DEAD_ROWS_MIN = 1_000;
const DEAD_ROWS_SHARE = 0.2;

export class Maintenance {
  readonly #database: PGlite;
  readonly #warn: (message: string) => void;
  #checkpointLsn = '0/0';

  constructor(database: PGlite, warn: (message: string) => void) {
    this.#database = database;
    this.#warn = warn;
  }

  /** One round: at most one vacuum, so that clients never wait for long. Reports failures, never rejects. */
  async run(): Promise<void> {
    try {
      await this.#vacuum();
      await this.#checkpoint();
    } catch (error) {
      this.#warn(error instanceof Error ? error.message : String(error));
    }
  }

  async #checkpoint(): Promise<void> {
    const { rows } = await this.#database.query<{ lsn: string; grown: boolean }>(
      `SELECT pg_current_wal_insert_lsn()::text AS lsn,
              pg_current_wal_insert_lsn() - $1::pg_lsn > $2::numeric AS grown`,
      [this.#checkpointLsn, CHECKPOINT_LOG_BYTES],
    );
    if (rows[0]?.grown !== true) return;
    await this.#database.exec('CHECKPOINT');
    this.#checkpointLsn = rows[0].lsn;
  }

  async #vacuum(): Promise<void> {
    // Counts are written at most once a second; what is still pending would be added again after the vacuum.
    await this.#database.exec('SELECT pg_stat_force_next_flush()');
    const { rows } = await this.#database.query<{ statement: string }>(
      `SELECT format('VACUUM (ANALYZE) %I.%I', schemaname, relname) AS statement
       FROM pg_stat_user_tables
       WHERE n_dead_tup > $1 AND n_dead_tup > $2::float8 * n_live_tup
       ORDER BY n_dead_tup DESC LIMIT 1`,
      [DEAD_ROWS_MIN, DEAD_ROWS_SHARE],
    );
    if (rows[0] !== undefined) await this.#database.exec(rows[0].statement);
  }
}
