/**
 * Where a campaign lives: its id's hash picks the owner shard and the place in that shard's index.
 * Ids are ASCII, so a hash over a string's character codes equals one over its bytes.
 */

/** 32-bit FNV-1a with murmur3's finalizer, which spreads the last characters into every bit. */
export function hashId(id: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < id.length; at++) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The shard that owns the campaign with this hash: 0 … shards − 1. */
export function shardOf(hash: number, shards: number): number {
  return hash % shards;
}
