/**
 * One NODE_ID, one ledger: a pod claims its id for as long as it renews the claim, so that a second pod with
 * the same id and another ledger, whose totals would hide behind the first one's, is refused.
 */
import type { RedisClient } from './connection.ts';

export type NodeClaim =
  | { readonly claimed: true }
  /** Another ledger has this id; `heldForMs` until its claim ends unless it is renewed. */
  | { readonly claimed: false; readonly ledgerId: string; readonly heldForMs: number };

const CLAIM_SCRIPT = `
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return { holder, redis.call('PTTL', KEYS[1]) } end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {}
`;

const GIVE_BACK_SCRIPT = `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
`;

/** Claims the id for this ledger, or renews the claim. @param ttlMs how long it lasts unless renewed */
export async function claimNode(
  client: RedisClient,
  nodeId: string,
  ledgerId: string,
  ttlMs: number,
): Promise<NodeClaim> {
  const held: unknown = await client.eval(CLAIM_SCRIPT, 1, keyOf(nodeId), ledgerId, ttlMs);
  if (!Array.isArray(held) || held.length === 0) return { claimed: true };
  return { claimed: false, ledgerId: String(held[0]), heldForMs: Number(held[1]) };
}

/** Gives the id back, if this ledger has it. */
export async function giveBackNode(client: RedisClient, nodeId: string, ledgerId: string): Promise<void> {
  await client.eval(GIVE_BACK_SCRIPT, 1, keyOf(nodeId), ledgerId);
}

function keyOf(nodeId: string): string {
  return `budget:node:{${nodeId}}`;
}
