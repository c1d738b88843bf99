/** Child process for kill tests: opens the embedded database and writes row after row, reporting each commit. */
import { Worker } from 'node:worker_threads';
import postgres from 'postgres';

const entry = new URL('../../dist/sinks/postgres/embedded/database-thread.js', import.meta.url);
const worker = new Worker(entry, { workerData: { dataDir: process.argv[2] } });
const socketPath = await new Promise((resolve, reject) => {
  worker.once('error', reject);
  worker.on('message', (report) =>
    report.type === 'ready' ? resolve(report.socketPath) : reject(report.message),
  );
});
const sql = postgres({ path: socketPath, username: 'postgres', database: 'postgres', onnotice: () => {} });
await sql`CREATE TABLE IF NOT EXISTS written (value int PRIMARY KEY, filler text)`;
for (;;) {
  const [row] = await sql`
    INSERT INTO written SELECT coalesce(max(value), -1) + 1, repeat('x', 2000) FROM written RETURNING value`;
  process.send?.(row.value);
}
