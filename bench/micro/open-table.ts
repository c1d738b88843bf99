/** A pacing table with open campaigns on it, made without a shard: what the table itself costs is measured on it. */
import { GATE_OPEN } from '../../src/domain/gate.ts';
import { IdIndex } from '../../src/table/id-index.ts';
import {
  allocateTable,
  FLAG_NO_TOKENS,
  type TableMemory,
  UNIT_SHIFT_MAX,
  UNITS_MAX,
} from '../../src/table/layout.ts';
import { OwnerTable } from '../../src/table/pacing-table.ts';

/** One unit: the table holds two thousand million of them for each campaign, so that no run empties it. */
export const BID_MICROS = 2 ** UNIT_SHIFT_MAX;

export interface OpenTable {
  readonly memory: TableMemory;
  readonly owner: OwnerTable;
  readonly index: IdIndex;
  readonly slots: readonly number[];
}

export function openTable(ids: readonly string[], edges: number): OpenTable {
  const memory = allocateTable(ids.length, 1, edges);
  const owner = new OwnerTable(memory, 0);
  const index = new IdIndex(memory);
  const slots = ids.map((id, slot) => {
    owner.prepare(slot, UNIT_SHIFT_MAX);
    index.insert(id, slot);
    owner.setPass(slot, 1, 0);
    owner.setFlags(slot, FLAG_NO_TOKENS);
    owner.addAllowance(slot, UNITS_MAX);
    owner.setGate(slot, GATE_OPEN);
    return slot;
  });
  return { memory, owner, index, slots };
}
