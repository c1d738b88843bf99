/** The two kinds of database every store test runs on: a real server, and the embedded one. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  closePostgres,
  openPostgres,
  type PostgresAddress,
  type Sql,
} from '../../src/sinks/postgres/client.ts';
import { TestDatabaseThread } from './database-thread.ts';
import { TestPostgres } from './postgres.ts';

export interface TestDatabase {
  readonly address: PostgresAddress;
  readonly sql: Sql;
  remove(): Promise<void>;
}

export const databaseKinds = ['real', 'embedded'] as const;

/** A new, empty database of a kind, with a client. */
export async function startDatabase(kind: (typeof databaseKinds)[number]): Promise<TestDatabase> {
  return kind === 'real' ? startReal() : startEmbedded();
}

async function startReal(): Promise<TestDatabase> {
  const server = await TestPostgres.start();
  const address = { url: server.url };
  const sql = openPostgres(address);
  return {
    address,
    sql,
    remove: async () => {
      await closePostgres(sql);
      await server.remove();
    },
  };
}

async function startEmbedded(): Promise<TestDatabase> {
  const dataDir = await mkdtemp(join(tmpdir(), 'pacer-test-data-'));
  const thread = await TestDatabaseThread.start(dataDir);
  const address = { socketPath: thread.socketPath };
  const sql = openPostgres(address);
  return {
    address,
    sql,
    remove: async () => {
      await closePostgres(sql);
      await thread.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
