/**
 * One connection to Postgres whose silence is bounded. A statement that is not answered in time is taken for
 * a dead connection (a peer that vanished sends no end): it is given up, and the next statement opens
 * another. So statements never queue up behind one that will not be answered. Owned by one caller.
 */
import { AppError } from '../../domain/app-error.ts';
import {
  answered,
  closePostgres,
  openPostgres,
  type PostgresAddress,
  type PostgresOptions,
  Silence,
  type Sql,
} from './client.ts';

/** The statement timeout is 5,000 ms when absent. */
export type SessionOptions = Omit<PostgresOptions, 'connectionsMax'>;

const STATEMENT_TIMEOUT_MS = 5_000;

export class PostgresSession {
  readonly #address: PostgresAddress;
  readonly #options: PostgresOptions & { readonly statementTimeoutMs: number };
  #sql: Sql | null = null;
  #closed = false;

  /** Nothing connects before the first statement. */
  constructor(address: PostgresAddress, options: SessionOptions = {}) {
    this.#address = address;
    this.#options = { statementTimeoutMs: STATEMENT_TIMEOUT_MS, ...options, connectionsMax: 1 };
  }

  /**
   * Runs one statement.
   * @throws AppError `unavailable`, as {@link answered} does; also once the session is closed.
   */
  async run<T>(statement: (sql: Sql) => PromiseLike<T>): Promise<T> {
    if (this.#closed) throw new AppError('unavailable', 'the database session is closed');
    this.#sql ??= this.#open();
    const sql = this.#sql;
    try {
      return await answered(statement(sql), this.#options.statementTimeoutMs);
    } catch (error) {
      if (error instanceof AppError && error.cause instanceof Silence) await this.#giveUp(sql);
      throw error;
    }
  }

  /** A statement under way gets `graceMs`, then the connection is cut. */
  async close(graceMs?: number): Promise<void> {
    this.#closed = true;
    const sql = this.#sql;
    this.#sql = null;
    if (sql !== null) await closePostgres(sql, graceMs);
  }

  #open(): Sql {
    const sql = openPostgres(this.#address, {
      ...this.#options,
      // One that was given up may end much later; what it says then is of no interest.
      onClose: () => {
        if (this.#sql === sql) this.#options.onClose?.();
      },
    });
    return sql;
  }

  async #giveUp(sql: Sql): Promise<void> {
    if (this.#sql !== sql) return;
    this.#sql = null;
    this.#options.onClose?.();
    await closePostgres(sql, 0);
  }
}
