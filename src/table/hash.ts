/**
 * Where a campaign lives: its id's hash picks the owner shard and the place in that shard's index.
 * Ids are ASCII, so a hash over a string's character codes equals one over its bytes.
 */

/** 32-bit FNV-1a with murmur3's finalizer, which spreads the last characters into every bit. */
export function hashId(id: string): number {
  let hash = HASH_SEED;
  for (let at = 0; at < id.length; at++) hash = hashByte(hash, id.charCodeAt(at));
  return finishHash(hash);
}

/** The parts of {@link hashId}, for who has an id's bytes one by one: begin with this. */
export const HASH_SEED = 0x811c9dc5;

export function hashByte(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 0x01000193);
}

export function finishHash(of: number): number {
  let hash = Math.imul(of ^ (of >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The shard that owns the campaign with this hash: 0 … shards − 1. */
export function shardOf(hash: number, shards: number): number {
  return hash % shards;
}
