/**
 * Databases for the servers under load: one real Postgres for the whole run, started when the first scenario
 * asks, and in it an empty database for each server. No decision or spend waits for it; it keeps the embedded
 * database's start and memory out of the figures. Needs nothing installed but this repository's packages.
 */
import { TestPostgres } from '../../test/support/postgres.ts';

export class Databases {
  private server: Promise<TestPostgres> | null = null;
  private made = 0;

  /** The URL of a new, empty database. */
  async fresh(): Promise<string> {
    this.server ??= TestPostgres.start();
    const name = `bench_${++this.made}`;
    return (await this.server).database(name);
  }

  /** Ends the server and removes its folder. */
  async close(): Promise<void> {
    await (await this.server?.catch(() => null))?.remove();
  }
}
