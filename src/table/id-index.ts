/**
 * From a campaign's id to its slot: one open-addressing index for each shard, in shared memory. The owner
 * shard is its only writer; every edge reads it, without locks, while it changes. A campaign is found from
 * the moment the owner's insert returns: nothing has to be announced to the edges.
 *
 *   word 0   version: odd while the owner moves entries
 *   word 1   campaigns held
 *   word 2…  entries: in the low bits slot + 1, above them the hash's own bits; 0 = free
 *
 * One word an entry: the smaller the index, the nearer the cache that holds it. Removal closes the gap by moving later
 * entries forward, so lookups never slow down with churn. A reader that finds nothing while entries moved looks again;
 * one that finds its id has compared every byte of it.
 */
import { CAMPAIGN_ID_LENGTH_MAX } from '../domain/campaign.ts';
import { hashId, shardOf } from './hash.ts';
import {
  ID_REST_BYTES,
  ID_SLOT_BYTES,
  indexWords,
  SLOT_BYTES,
  SLOT_WORDS,
  slotBytes,
  slotWords,
  type TableMemory,
  WORD_ID,
  WORD_ID_LENGTH,
} from './layout.ts';

const VERSION = 0;
const COUNT = 1;
const FIRST = 2;
/** A reader gives up looking after this many moves under its eyes: a decision never waits. */
const LOOKS_MAX = 8;

export class IdIndex {
  private readonly shards: number;
  private readonly mask: number;
  /** The bits of an entry that are the slot's; the others are the hash's. */
  private readonly slotMask: number;
  private readonly words: readonly Int32Array[];
  private readonly slots: Int32Array;
  private readonly slotBytes: Buffer;
  private readonly rests: Buffer;
  /** The id that a string look-up is for. */
  private readonly sought = new Uint8Array(CAMPAIGN_ID_LENGTH_MAX);

  constructor(memory: TableMemory) {
    const bytes = indexWords(memory.indexEntries) * 4;
    this.shards = memory.shards;
    this.mask = memory.indexEntries - 1;
    this.slotMask = 2 ** Math.ceil(Math.log2(memory.slotsPerShard * memory.shards + 1)) - 1;
    this.words = Array.from(
      { length: memory.shards },
      (_, shard) => new Int32Array(memory.indexes, shard * bytes, bytes / 4),
    );
    this.slots = slotWords(memory);
    this.slotBytes = slotBytes(memory);
    this.rests = Buffer.from(memory.ids);
  }

  /** The slot of a campaign, or −1. @param id of a campaign's form */
  find(id: string): number {
    const { sought } = this;
    for (let at = 0; at < id.length; at++) sought[at] = id.charCodeAt(at);
    return this.findBytes(sought, 0, id.length, hashId(id));
  }

  /** The same of an id that stands in bytes from `start` up to `end`. @param hash of the id, as hashId gives it */
  findBytes(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const words = this.words[shardOf(hash, this.shards)] as Int32Array;
    const slot = this.probe(words, hash, bytes, start, end, false);
    return slot >= 0 ? slot : this.lookAgain(words, hash, bytes, start, end);
  }

  /** Nothing was found: that holds only if no entry moved meanwhile. */
  private lookAgain(words: Int32Array, hash: number, bytes: Uint8Array, start: number, end: number): number {
    for (let look = 0; look < LOOKS_MAX; look++) {
      const version = Atomics.load(words, VERSION);
      const slot = this.probe(words, hash, bytes, start, end, true);
      if (slot >= 0) return slot;
      if ((version & 1) === 0 && Atomics.load(words, VERSION) === version) return -1;
    }
    return -1;
  }

  /** Campaigns that a shard holds. */
  count(shard: number): number {
    return Atomics.load(this.words[shard] as Int32Array, COUNT);
  }

  /** What changes whenever a campaign of the shard is inserted or removed. */
  stampOf(shard: number): string {
    const words = this.words[shard] as Int32Array;
    return `${Atomics.load(words, VERSION)}:${Atomics.load(words, COUNT)}`;
  }

  /** Owner only: names the slot and makes it findable. The id must not be in the index yet. */
  insert(id: string, slot: number): void {
    const first = slot * SLOT_BYTES + WORD_ID * 4;
    const rest = slot * ID_REST_BYTES - ID_SLOT_BYTES;
    for (let at = 0; at < id.length; at++) {
      if (at < ID_SLOT_BYTES) this.slotBytes[first + at] = id.charCodeAt(at);
      else this.rests[rest + at] = id.charCodeAt(at);
    }
    Atomics.store(this.slots, slot * SLOT_WORDS + WORD_ID_LENGTH, id.length);
    const hash = hashId(id);
    this.link(this.words[shardOf(hash, this.shards)] as Int32Array, hash, slot);
  }

  /** Owner only: forgets the campaign. */
  remove(id: string): void {
    const slot = this.find(id);
    if (slot < 0) return;
    const hash = hashId(id);
    const words = this.words[shardOf(hash, this.shards)] as Int32Array;
    let gap = hash & this.mask;
    while (this.slotAt(words, gap) !== slot) gap = (gap + 1) & this.mask;
    Atomics.add(words, VERSION, 1);
    for (let next = (gap + 1) & this.mask; ; next = (next + 1) & this.mask) {
      const moving = this.slotAt(words, next);
      if (moving < 0) break;
      const home = hashId(this.idOf(moving)) & this.mask;
      // The entry may move into the gap when the gap lies between its home and where it stands.
      if (((next - home) & this.mask) < ((next - gap) & this.mask)) continue;
      Atomics.store(words, FIRST + gap, words[FIRST + next] as number);
      gap = next;
    }
    Atomics.store(words, FIRST + gap, 0);
    Atomics.sub(words, COUNT, 1);
    Atomics.add(words, VERSION, 1);
  }

  /**
   * Owner only, when it starts: links anew what an earlier owner thread left, which may have died while it
   * moved entries, and returns it.
   */
  recover(shard: number): Map<string, number> {
    const words = this.words[shard] as Int32Array;
    const found = new Map<string, number>();
    for (const slot of this.slotsOf(shard)) found.set(this.idOf(slot), slot);
    if (found.size === 0) return found;
    Atomics.store(words, VERSION, Atomics.load(words, VERSION) | 1);
    words.fill(0, COUNT);
    for (const [id, slot] of found) this.link(words, hashId(id), slot);
    Atomics.add(words, VERSION, 1);
    return found;
  }

  /** The slots that a shard's campaigns hold, in no order. */
  *slotsOf(shard: number): Generator<number> {
    const words = this.words[shard] as Int32Array;
    for (let entry = 0; entry <= this.mask; entry++) {
      const slot = this.slotAt(words, entry);
      if (slot >= 0) yield slot;
    }
  }

  /** The id that a slot carries. */
  idOf(slot: number): string {
    const length = Atomics.load(this.slots, slot * SLOT_WORDS + WORD_ID_LENGTH);
    const first = slot * SLOT_BYTES + WORD_ID * 4;
    const id = this.slotBytes.toString('latin1', first, first + Math.min(length, ID_SLOT_BYTES));
    if (length <= ID_SLOT_BYTES) return id;
    const rest = slot * ID_REST_BYTES;
    return id + this.rests.toString('latin1', rest, rest + length - ID_SLOT_BYTES);
  }

  private link(words: Int32Array, hash: number, slot: number): void {
    let entry = hash & this.mask;
    while (this.slotAt(words, entry) >= 0) entry = (entry + 1) & this.mask;
    Atomics.store(words, FIRST + entry, (hash & ~this.slotMask) | (slot + 1));
    Atomics.add(words, COUNT, 1);
  }

  /** The slot that an entry leads to; −1 when it is free. */
  private slotAt(words: Int32Array, entry: number): number {
    return ((words[FIRST + entry] as number) & this.slotMask) - 1;
  }

  /** @param ordered whether what is read must not be older than what was read before: an atomic reading is a call */
  private probe(
    words: Int32Array,
    hash: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    ordered: boolean,
  ): number {
    const { mask, slotMask } = this;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const entry = ordered ? Atomics.load(words, FIRST + at) : (words[FIRST + at] as number);
      if (entry === 0) return -1;
      if (((entry ^ hash) & ~slotMask) !== 0) continue;
      const slot = (entry & slotMask) - 1;
      if (this.matches(slot, bytes, start, end)) return slot;
    }
  }

  private matches(slot: number, bytes: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    if (this.slots[slot * SLOT_WORDS + WORD_ID_LENGTH] !== length) return false;
    const first = slot * SLOT_BYTES + WORD_ID * 4;
    const inSlot = length < ID_SLOT_BYTES ? length : ID_SLOT_BYTES;
    for (let at = 0; at < inSlot; at++) {
      if (this.slotBytes[first + at] !== bytes[start + at]) return false;
    }
    return length <= ID_SLOT_BYTES || this.restMatches(slot, bytes, start + ID_SLOT_BYTES, end);
  }

  private restMatches(slot: number, bytes: Uint8Array, start: number, end: number): boolean {
    const offset = slot * ID_REST_BYTES - start;
    for (let at = start; at < end; at++) {
      if (this.rests[offset + at] !== bytes[at]) return false;
    }
    return true;
  }
}
