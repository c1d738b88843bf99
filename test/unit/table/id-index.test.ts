import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CampaignSlots } from '../../../src/table/campaign-slots.ts';
import { hashId, shardOf } from '../../../src/table/hash.ts';
import { IdIndex } from '../../../src/table/id-index.ts';
import { allocateTable } from '../../../src/table/layout.ts';

const id = fc.stringMatching(/^[A-Za-z0-9._:-]{1,128}$/);

describe('routing', () => {
  test('sends an id to the same shard always, and spreads ids evenly', () => {
    const counts = [0, 0, 0, 0];
    for (let at = 0; at < 40_000; at++) {
      const shard = shardOf(hashId(`camp-${at}`), 4);
      counts[shard] = (counts[shard] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400);
    fc.assert(
      fc.property(id, fc.integer({ min: 1, max: 64 }), (text, shards) => {
        expect(shardOf(hashId(text), shards)).toBe(shardOf(hashId(text), shards));
        expect(shardOf(hashId(text), shards)).toBeLessThan(shards);
      }),
    );
  });
});

/** An index and the slots it was told, through any sequence of inserts and removals. */
describe('the index', () => {
  test('finds exactly the campaigns that were inserted and not removed', () => {
    const commands = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 60 })), { maxLength: 300 });
    fc.assert(
      fc.property(commands, (steps) => {
        const index = new IdIndex(allocateTable(32, 1, 1));
        const model = new Map<string, number>();
        const free = Array.from({ length: 32 }, (_, slot) => slot);
        for (const [insert, number] of steps) {
          const name = `c${number}`;
          const slot = model.get(name);
          if (insert && slot === undefined && free.length > 0) {
            const taken = free.pop() ?? 0;
            index.insert(name, taken);
            model.set(name, taken);
          } else if (!insert && slot !== undefined) {
            index.remove(name);
            model.delete(name);
            free.push(slot);
          }
        }
        for (let number = 0; number <= 60; number++) {
          expect(index.find(`c${number}`)).toBe(model.get(`c${number}`) ?? -1);
        }
        expect(index.count(0)).toBe(model.size);
      }),
    );
  });

  test('does not mistake one id for another of the same length or prefix', () => {
    fc.assert(
      fc.property(fc.uniqueArray(id, { minLength: 2, maxLength: 20 }), (ids) => {
        const index = new IdIndex(allocateTable(64, 2, 1));
        const [absent, ...present] = ids;
        const perShard = [0, 64];
        for (const name of present) {
          const shard = shardOf(hashId(name), 2);
          const slot = (perShard[shard] ?? 0) + shard;
          perShard[shard] = (perShard[shard] ?? 0) + 1;
          index.insert(name, slot);
          expect(index.find(name)).toBe(slot);
          expect(index.idOf(slot)).toBe(name);
        }
        expect(index.find(absent ?? '')).toBe(-1);
      }),
    );
  });

  test('holds 100,000 campaigns and stays as quick after all of them were replaced', () => {
    const memory = allocateTable(100_000, 2, 1);
    const index = new IdIndex(memory);
    const next = [0, memory.slotsPerShard];
    const slots = new Map<string, number>();
    for (let at = 0; at < 100_000; at++) {
      const name = `campaign-${at}`;
      const shard = shardOf(hashId(name), 2);
      const slot = next[shard] ?? 0;
      next[shard] = slot + 1;
      slots.set(name, slot);
      index.insert(name, slot);
    }
    expect(index.count(0) + index.count(1)).toBe(100_000);
    for (const [name, slot] of slots) expect(index.find(name)).toBe(slot);
    for (const name of slots.keys()) index.remove(name);
    expect(index.count(0) + index.count(1)).toBe(0);
    expect(index.find('campaign-1')).toBe(-1);
    expect([...index.slotsOf(0)]).toEqual([]);
  });

  test('is whole again after an owner that died while it moved entries', () => {
    const memory = allocateTable(32, 1, 1);
    const index = new IdIndex(memory);
    for (let at = 0; at < 20; at++) index.insert(`c${at}`, at);
    const words = new Int32Array(memory.indexes);
    words[0] = 7; // odd: in the middle of a removal
    const entry = words.findIndex((word, at) => at >= 2 && (word & 63) === 20);
    words[words.indexOf(0, 2)] = words[entry] ?? 0; // and an entry that was copied but not yet cleared
    expect(new IdIndex(memory).recover(0).size).toBe(20);
    expect(index.count(0)).toBe(20);
    for (let at = 0; at < 20; at++) expect(index.find(`c${at}`)).toBe(at);
    index.remove('c19');
    expect(index.find('c19')).toBe(-1);
    expect(index.find('absent')).toBe(-1);
  });
});

describe('the slots of campaigns', () => {
  test('are those of the index, whatever came and went since they were read', () => {
    const memory = allocateTable(64, 2, 1);
    const index = new IdIndex(memory);
    const slots = new CampaignSlots(memory);
    const shown = () => [0, 1].flatMap((shard) => [...slots.of(shard)]).sort((a, b) => a - b);
    expect(shown()).toEqual([]);
    index.insert('a', 3);
    index.insert('b', 9);
    expect(shown()).toEqual([3, 9]);
    index.remove('a');
    index.insert('a', 5);
    expect(shown()).toEqual([5, 9]);
    const [first, again] = [slots.of(0), slots.of(0)];
    expect(again).toBe(first);
  });
});
