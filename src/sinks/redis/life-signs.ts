/**
 * A key that a client leaves on every server and finds again the next time: a server that answers but has lost
 * it was wiped. A client that only renews its leases now and then would not notice that in time otherwise.
 */
import type { Cluster } from 'ioredis';
import { isCluster, type RedisClient } from './connection.ts';
import { slotOf } from './key-slot.ts';

/** Much longer than between two signs, and short enough that those of ended clients are soon gone. */
const SIGN_TTL_SECONDS = 3_600;
/** Tags that are tried for one in a master's slots: with a hundred masters none is missed in practice. */
const TAGS_MAX = 4_096;

/** Leaves a sign on every server. @param signature the client's own @returns whether each still had the last one */
export async function leaveSigns(client: RedisClient, signature: string): Promise<boolean> {
  const tags = isCluster(client) ? tagsOf(client, signature) : [signature];
  const signs = await Promise.all(tags.map((tag) => leaveSign(client, tag)));
  return signs.every((sign) => sign !== null);
}

function leaveSign(client: RedisClient, tag: string): Promise<string | null> {
  return client.set(`budget:sign:{${tag}}`, '1', 'EX', SIGN_TTL_SECONDS, 'GET');
}

/** A tag for each master, whose slot it has. @throws Error when the cluster is not connected */
function tagsOf(client: Cluster, signature: string): string[] {
  const masters = new Set(client.slots.map((owners) => owners[0] ?? ''));
  if (masters.size === 0) throw new Error('the cluster is not connected');
  const tags: string[] = [];
  for (let nth = 0; nth < TAGS_MAX && masters.size > 0; nth++) {
    const tag = `${signature}:${nth}`;
    if (masters.delete(client.slots[slotOf(tag)]?.[0] ?? '')) tags.push(tag);
  }
  return tags;
}
