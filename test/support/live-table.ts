/** A pacing table in this process with campaigns whose figures a test moves, and what serves it live. */
import { pino } from 'pino';
import { GATE_OPEN } from '../../src/domain/gate.ts';
import { CampaignCatalog } from '../../src/management/live/campaign-catalog.ts';
import { LiveRows } from '../../src/management/live/live-rows.ts';
import { CLIENTS_MAX, LiveUpdates, type LiveUpdatesParts } from '../../src/management/live/live-updates.ts';
import { hashId, shardOf } from '../../src/table/hash.ts';
import { IdIndex } from '../../src/table/id-index.ts';
import { allocateTable, GAUGE_SPENT } from '../../src/table/layout.ts';
import { OwnerTable } from '../../src/table/pacing-table.ts';
import { someCampaign } from './campaigns.ts';

const SHARDS = 2;
const MICROS_A_CENT = 10_000;

export class LiveTable {
  readonly catalog: CampaignCatalog;
  readonly rows: LiveRows;
  readonly #owners: readonly OwnerTable[];
  readonly #index: IdIndex;
  readonly #slots = new Map<string, number>();
  readonly #taken = new Array<number>(SHARDS).fill(0);

  constructor(campaignsMax: number) {
    const memory = allocateTable(campaignsMax, SHARDS, 1);
    this.catalog = new CampaignCatalog(memory);
    this.rows = new LiveRows(memory, this.catalog);
    this.#index = new IdIndex(memory);
    this.#owners = Array.from({ length: SHARDS }, (_, shard) => new OwnerTable(memory, shard));
  }

  /** Puts a campaign on the table. @param isKnown whether the catalog is told */
  add(id: string, isKnown = true): void {
    const shard = shardOf(hashId(id), SHARDS);
    const owner = this.#owners[shard] as OwnerTable;
    const taken = this.#taken[shard] as number;
    this.#taken[shard] = taken + 1;
    const slot = owner.firstSlot + taken;
    owner.prepare(slot, 0);
    owner.setGate(slot, GATE_OPEN);
    this.#index.insert(id, slot);
    this.#slots.set(id, slot);
    if (isKnown) this.catalog.learn(someCampaign({ id, name: `the campaign ${id}` }));
  }

  /** Takes it off the table. */
  remove(id: string): void {
    this.#index.remove(id);
    this.#slots.delete(id);
  }

  spend(id: string, cents: number): void {
    const slot = this.#slots.get(id) ?? 0;
    for (const owner of this.#owners) {
      const isOwn = slot >= owner.firstSlot && slot < owner.firstSlot + owner.slotCount;
      if (isOwn) owner.setGauge(slot, GAUGE_SPENT, cents * MICROS_A_CENT);
    }
  }

  /** @param parts what differs from a pod's; `totals` are asked for once a turn */
  live(
    intervalMs: number,
    parts: Partial<Pick<LiveUpdatesParts, 'beatMs' | 'restMsMax' | 'totals'>> = {},
  ): LiveUpdates {
    return new LiveUpdates({
      rows: this.rows,
      shards: {
        describe: async (ids) => {
          const briefs = ids.map((id) => someCampaign({ id, name: 'described' }));
          for (const brief of briefs) this.catalog.learn(brief);
          return briefs;
        },
      },
      totals: () => ({ qps: 0 }),
      intervalMs,
      clientsPerTokenMax: CLIENTS_MAX,
      log: pino({ level: 'silent' }),
      ...parts,
    });
  }
}
