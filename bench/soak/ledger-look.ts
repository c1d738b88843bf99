/** Reads what a pod's ledger has, beside the pod that writes it. */
import { join } from 'node:path';
import { open } from 'lmdb';
import { decodeRecord } from '../../src/shard/account-record.ts';

export interface LedgerLook {
  /** Micros ever spent of each campaign, through this pod. */
  readonly spentMicros: ReadonlyMap<string, number>;
  /** Events that are remembered, those without an id left out. */
  readonly events: number;
}

export async function lookIntoLedger(dataDir: string): Promise<LedgerLook> {
  const root = open({ path: join(dataDir, 'ledger'), readOnly: true, maxDbs: 12, cache: false });
  try {
    const accounts = root.openDB<Buffer, string>({ name: 'accounts', encoding: 'binary' });
    const events = root.openDB<Buffer, string>({ name: 'events', encoding: 'binary' });
    const spent = new Map<string, number>();
    for (const { key, value } of accounts.getRange())
      spent.set(key, decodeRecord(value).counters.spentTotalMicros);
    const { entryCount } = events.getStats() as { readonly entryCount: number };
    return { spentMicros: spent, events: entryCount };
  } finally {
    await root.close();
  }
}
