/**
 * What alerts look at: each campaign on the table, with what the catalog knows of it. There may be 100,000 of them, so
 * their figures are never in memory at once.
 */
import { GATE_HALF_OPEN, GATE_OPEN } from '../../domain/gate.ts';
import { localDayAt } from '../../domain/local-day.ts';
import type { CampaignSlots } from '../../table/campaign-slots.ts';
import {
  GAUGE_DAY_BUDGET,
  GAUGE_DAY_START_MS,
  GAUGE_EXHAUSTION_LATEST_MS,
  GAUGE_LATE_WIN_TOTAL,
  GAUGE_PROJECTED,
  GAUGE_PROJECTED_HIGH,
  GAUGE_SPENT,
  GAUGE_TARGET,
  type TableMemory,
} from '../../table/layout.ts';
import { TableReader } from '../../table/table-reader.ts';
import type { CampaignCatalog } from '../live/campaign-catalog.ts';
import type { CampaignFigures } from './projection-alert-rules.ts';

export class CampaignLook {
  /** Slots of the table, whoever has them. */
  readonly slotCount: number;
  readonly #table: TableReader;
  readonly #catalog: CampaignCatalog;
  readonly #slots: CampaignSlots;
  readonly #shards: number;

  constructor(memory: TableMemory, catalog: CampaignCatalog, slots: CampaignSlots) {
    this.#table = new TableReader(memory);
    this.#catalog = catalog;
    this.#slots = slots;
    this.#shards = memory.shards;
    this.slotCount = memory.shards * memory.slotsPerShard;
  }

  /**
   * Can be walked any number of times, each time with the figures of then. Those that nobody has described yet are
   * left out.
   */
  campaigns(nowMs: number): Iterable<CampaignFigures> {
    return { [Symbol.iterator]: () => this.#walk(nowMs) };
  }

  *#walk(nowMs: number): Generator<CampaignFigures> {
    const table = this.#table;
    for (let shard = 0; shard < this.#shards; shard++) {
      for (const slot of this.#slots.of(shard)) {
        const brief = this.#catalog.of(slot);
        if (brief === undefined) continue;
        const day = localDayAt(brief.timezone, nowMs);
        const gate = table.gate(slot);
        yield {
          campaignId: brief.id,
          slot,
          isActive: brief.status === 'ACTIVE',
          mayBid: gate === GATE_OPEN || gate === GATE_HALF_OPEN,
          mode: brief.pacingMode,
          day: day.date,
          dayEndMs: day.endMs,
          isOfDay: table.gauge(slot, GAUGE_DAY_START_MS) === day.startMs,
          budgetMicros: table.gauge(slot, GAUGE_DAY_BUDGET),
          spentMicros: table.gauge(slot, GAUGE_SPENT),
          targetMicros: table.gauge(slot, GAUGE_TARGET),
          projectedMicros: table.gauge(slot, GAUGE_PROJECTED),
          projectedHighMicros: table.gauge(slot, GAUGE_PROJECTED_HIGH),
          exhaustionLatestMs: table.gauge(slot, GAUGE_EXHAUSTION_LATEST_MS),
          lateWinTotalMicros: table.gauge(slot, GAUGE_LATE_WIN_TOTAL),
        };
      }
    }
  }
}
