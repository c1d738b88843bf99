import { type ChildProcess, fork } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { closePostgres, openPostgres } from '../../../src/sinks/postgres/client.ts';
import { TestDatabaseThread } from '../../support/database-thread.ts';

const WRITER = fileURLToPath(new URL('../../support/embedded-writer.js', import.meta.url));

describe('the embedded database', () => {
  let dataDir: string;

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'pacer-test-data-'));
  });
  afterEach(() => rm(dataDir, { recursive: true, force: true }));

  it('keeps what was committed over a stop and a start, and leaves no socket behind', async () => {
    const first = await TestDatabaseThread.start(dataDir);
    const sql = openPostgres({ socketPath: first.socketPath });
    await sql`CREATE TABLE kept AS SELECT 7 AS value`;
    await closePostgres(sql);
    expect(await first.stop()).toBe(0);
    await expect(readdir(dirname(first.socketPath))).rejects.toThrow('ENOENT');
    expect(await valuesIn(dataDir, 'kept')).toEqual([7]);
  });

  it('loses no committed row when its process is killed in the middle of writes, twice', async () => {
    let committed = -1;
    for (const rows of [50, 120]) {
      committed = await writeUntilKilled(dataDir, rows);
      const values = await valuesIn(dataDir, 'written');
      expect(values).toEqual(Array.from({ length: values.length }, (_none, index) => index));
      // The one under way at the kill may have been committed too.
      expect([committed + 1, committed + 2]).toContain(values.length);
    }
  });

  it('starts when a first start was killed half way, and over a stale pid file', async () => {
    const child = fork(WRITER, [dataDir], { stdio: 'ignore' });
    await until(async () => (await readdir(dataDir)).includes('postgres.new'));
    await killed(child);
    expect(await readdir(dataDir)).not.toContain('postgres');
    await (await TestDatabaseThread.start(dataDir)).stop();
    await writeFile(join(dataDir, 'postgres', 'postmaster.pid'), `${process.pid}\n/pglite/data\n`);
    const again = await TestDatabaseThread.start(dataDir);
    expect(await again.stop()).toBe(0);
    expect(await readdir(dataDir)).toEqual(['postgres']);
  });

  it('does not start twice on one folder', async () => {
    const first = await TestDatabaseThread.start(dataDir);
    await expect(TestDatabaseThread.start(dataDir)).rejects.toThrow('another process uses the database');
    await first.stop();
  });

  it('cuts off a client that speaks another protocol and goes on serving', async () => {
    const thread = await TestDatabaseThread.start(dataDir);
    const stranger = connect(thread.socketPath);
    stranger.on('error', () => {});
    stranger.write('GET / HTTP/1.1\r\n\r\n');
    await new Promise((resolve) => stranger.once('close', resolve));
    const sql = openPostgres({ socketPath: thread.socketPath });
    expect(await sql`SELECT 1 AS one`).toEqual([{ one: 1 }]);
    await closePostgres(sql);
    await thread.stop();
  });
});

/** Rows a child process had confirmed when it was killed while it was writing the next ones. */
async function writeUntilKilled(dataDir: string, rows: number): Promise<number> {
  const child = fork(WRITER, [dataDir], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  let committed = -1;
  await new Promise<void>((resolve, reject) => {
    child.once('exit', () => reject(new Error('the writer ended by itself')));
    child.on('message', (value: number) => {
      committed = value;
      if (value >= rows) resolve();
    });
  });
  child.removeAllListeners('exit');
  await killed(child);
  return committed;
}

function killed(child: ChildProcess): Promise<void> {
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGKILL');
  return gone;
}

async function valuesIn(dataDir: string, table: string): Promise<number[]> {
  const thread = await TestDatabaseThread.start(dataDir);
  const sql = openPostgres({ socketPath: thread.socketPath });
  const rows = await sql<{ value: number }[]>`SELECT value FROM ${sql(table)} ORDER BY value`;
  await closePostgres(sql);
  await thread.stop();
  return rows.map((row) => row.value);
}

async function until(condition: () => Promise<boolean>, deadlineMs = 20_000): Promise<void> {
  const end = Date.now() + deadlineMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('the condition did not come true');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
