/**
 * Thread entry: the embedded Postgres (PGlite), for a pod without a DATABASE_URL. Owns `<dataDir>/postgres`
 * and serves it on a unix socket, so that every other thread uses the client it would use for a real server.
 *
 * PGlite is Postgres in single-user mode: it has no checkpointer and no autovacuum, so this thread does
 * their work; otherwise the log and the tables would grow for ever, and with the log the next start's time.
 * Durability: a killed process loses nothing that was committed; PGlite does not fsync, so a power loss may.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { PGlite } from '@electric-sql/pglite';
import { DataFolder } from './data-folder.ts';
import type { DatabaseThreadData, DatabaseThreadReport, DatabaseThreadRequest } from './database-messages.ts';
import { Maintenance } from './maintenance.ts';
import { makeSocketFolder, removeSocketFolder } from './socket-folder.ts';
import { WireServer } from './wire-server.ts';

const MAINTENANCE_INTERVAL_MS = 30_000;

/** How long a clean end may take when the database broke. */
const ABANDON_AFTER_MS = 3_000;

const port = parentPort;
if (port === null) throw new Error('database-thread runs as a worker thread');
const { dataDir } = workerData as DatabaseThreadData;

function report(message: DatabaseThreadReport): void {
  port?.postMessage(message);
}

function fail(error: unknown): void {
  report({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
  // The report leaves with the next turn of the event loop.
  setTimeout(() => process.exit(1), 0);
}

async function start(): Promise<() => Promise<void>> {
  const folder = await DataFolder.claim(dataDir);
  const database: PGlite = await folder.open();
  const server = new WireServer(database, { onBroken: fail });
  const socketPath = await makeSocketFolder(dataDir);
  await server.listen(socketPath);
  const maintenance = new Maintenance(database, (message) => report({ type: 'warning', message }));
  const timer = setInterval(() => server.chore(() => maintenance.run()), MAINTENANCE_INTERVAL_MS);
  report({ type: 'ready', socketPath });
  return async () => {
    clearInterval(timer);
    await server.close();
    await database.close();
    await removeSocketFolder(dataDir);
    await folder.release();
  };
}

const started = start();
started.catch(fail);
port.on('message', (request: DatabaseThreadRequest) => {
  if (request.type !== 'stop') return;
  setTimeout(() => process.exit(1), ABANDON_AFTER_MS).unref();
  started
    .then((stop) => stop())
    .then(() => port.close())
    .catch(fail);
});
