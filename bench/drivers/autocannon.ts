/** The driver that is always there: autocannon, in a process of its own, which serves one run and ends. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { AutocannonReport } from './autocannon-process.ts';
import { type Driver, type Load, type LoadResult, OVERTIME_MS } from './load.ts';

const entry = fileURLToPath(new URL('./autocannon-process.js', import.meta.url));

export const autocannonDriver: Driver = {
  name: 'autocannon',
  run(load: Load, signal: AbortSignal): Promise<LoadResult> {
    const timeout = load.durationSeconds * 1000 + OVERTIME_MS;
    return new Promise((resolve, reject) => {
      let report: AutocannonReport | undefined;
      const child = fork(entry, { signal, timeout, killSignal: 'SIGKILL', stdio: ['ignore', 2, 2, 'ipc'] });
      child.on('message', (message: AutocannonReport) => {
        report = message;
      });
      child.on('error', reject);
      child.on('exit', (code, killedBy) => {
        if (report?.ok) resolve(report.result);
        else reject(new Error(`autocannon ended (${killedBy ?? code}): ${report?.message ?? 'no report'}`));
      });
      child.send(load, (error) => {
        if (error !== null) reject(error);
      });
    });
  },
};
