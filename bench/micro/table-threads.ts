/** Threads that decide on one shared table and do nothing else, as edges without HTTP. */
import { Worker } from 'node:worker_threads';
import type { TableMemory } from '../../src/table/layout.ts';
import { campaignIds } from '../servers/campaigns.ts';
import { openTable } from './open-table.ts';

const CAMPAIGNS = 1000;

/** Which campaigns the threads decide on: a half each, all of them, or one. */
export type TableShare = 'own' | 'same' | 'one';

export interface TableThreadStart {
  readonly memory: TableMemory;
  readonly edge: number;
  readonly ids: readonly string[];
  /** Threads that are ready, of {@link threads}; all begin at once. */
  readonly ready: SharedArrayBuffer;
  readonly threads: number;
  readonly seconds: number;
}

/** @returns decisions a second of all threads together */
export async function tableRate(share: TableShare, threads: number, seconds: number): Promise<number> {
  const ids = campaignIds(CAMPAIGNS);
  const { memory } = openTable(ids, threads);
  const ready = new SharedArrayBuffer(4);
  const rates = await Promise.all(
    Array.from({ length: threads }, (_, edge) => {
      const workerData: TableThreadStart = {
        memory,
        edge,
        ids: idsOf(share, ids, edge),
        ready,
        threads,
        seconds,
      };
      return rateOf(new Worker(new URL('./table-thread.js', import.meta.url), { workerData }));
    }),
  );
  return rates.reduce((sum, rate) => sum + rate, 0);
}

function idsOf(share: TableShare, ids: readonly string[], edge: number): readonly string[] {
  if (share === 'one') return ids.slice(0, 1);
  if (share === 'same') return ids;
  const half = ids.length / 2;
  return ids.slice((edge % 2) * half, ((edge % 2) + 1) * half);
}

function rateOf(worker: Worker): Promise<number> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}
