/** Walks the campaigns on the table for those whose budget is used up to a threshold; some ms for 100,000 of them. */
import type { CampaignSlots } from '../table/campaign-slots.ts';
import { IdIndex } from '../table/id-index.ts';
import { GAUGE_BUDGET, GAUGE_SPENT, type TableMemory } from '../table/layout.ts';
import { TableReader } from '../table/table-reader.ts';
import { levelOf } from './budget-alert-rules.ts';
import type { ShownBudget } from './budget-alerts.ts';

export class TableLook {
  readonly #table: TableReader;
  readonly #index: IdIndex;
  readonly #slots: CampaignSlots;
  readonly #shards: number;
  /** 1 for slots that were at a threshold at the last walk. */
  readonly #reached: Uint8Array;

  constructor(memory: TableMemory, slots: CampaignSlots) {
    this.#table = new TableReader(memory);
    this.#index = new IdIndex(memory);
    this.#slots = slots;
    this.#shards = memory.shards;
    this.#reached = new Uint8Array(memory.shards * memory.slotsPerShard);
  }

  /** Every campaign that is at a threshold, or was at the last walk. */
  *budgets(): Generator<ShownBudget> {
    for (let shard = 0; shard < this.#shards; shard++) {
      for (const slot of this.#slots.of(shard)) {
        const spentMicros = this.#table.gauge(slot, GAUGE_SPENT);
        const budgetMicros = this.#table.gauge(slot, GAUGE_BUDGET);
        const reached = levelOf(spentMicros, budgetMicros) > 0 ? 1 : 0;
        if ((reached === 0 && this.#reached[slot] === 0) || !this.#table.isShown(slot)) continue;
        this.#reached[slot] = reached;
        yield { campaignId: this.#index.idOf(slot), spentMicros, budgetMicros };
      }
    }
  }

  isShown(campaignId: string): boolean {
    const slot = this.#index.find(campaignId);
    return slot >= 0 && this.#table.isShown(slot);
  }
}
