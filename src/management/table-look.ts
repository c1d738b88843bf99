/** Walks the campaigns on the table, a bounded number at a time, all of them by and by. */
import { IdIndex } from '../table/id-index.ts';
import { GAUGE_BUDGET, GAUGE_SPENT, type TableMemory } from '../table/layout.ts';
import { TableReader } from '../table/table-reader.ts';
import { levelOf } from './budget-alert-rules.ts';
import type { ShownBudget } from './budget-alerts.ts';

/** Slots of one walk: about 1 ms. */
const SLOTS_MAX = 20_000;

export class TableLook {
  readonly #table: TableReader;
  readonly #index: IdIndex;
  readonly #slots: number;
  /** 1 for slots that were at a threshold when last looked at. */
  readonly #reached: Uint8Array;
  #next = 0;

  constructor(memory: TableMemory) {
    this.#table = new TableReader(memory);
    this.#index = new IdIndex(memory);
    this.#slots = memory.shards * memory.slotsPerShard;
    this.#reached = new Uint8Array(this.#slots);
  }

  /** Of the next slots, the campaigns that are at a threshold, or were when last looked at. */
  *budgets(): Generator<ShownBudget> {
    for (let looked = 0; looked < Math.min(SLOTS_MAX, this.#slots); looked++) {
      const slot = this.#next;
      this.#next = (slot + 1) % this.#slots;
      const spentMicros = this.#table.gauge(slot, GAUGE_SPENT);
      const budgetMicros = this.#table.gauge(slot, GAUGE_BUDGET);
      const reached = levelOf(spentMicros, budgetMicros) > 0 ? 1 : 0;
      if ((reached === 0 && this.#reached[slot] === 0) || !this.#table.isShown(slot)) continue;
      this.#reached[slot] = reached;
      yield { campaignId: this.#index.idOf(slot), spentMicros, budgetMicros };
    }
  }

  isShown(campaignId: string): boolean {
    const slot = this.#index.find(campaignId);
    return slot >= 0 && this.#table.isShown(slot);
  }
}
