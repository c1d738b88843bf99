/**
 * The mark of a campaign that nobody can know yet, left before it is told to anybody: its lease hash, with no lease
 * in it (see lease-script.ts). A campaign without a hash may have leases that Redis forgot, and waits for its sources to claim them.
 */
import type { RedisClient } from './connection.ts';
import { leaseKeyOf } from './lease-request.ts';

const LEASES_TTL_SECONDS = 48 * 3_600;
const NEWEST_TTL_SECONDS = 96 * 3_600;

/** @param day the name of its budget's day */
export async function announceCampaign(client: RedisClient, campaignId: string, day: string): Promise<void> {
  const key = leaseKeyOf({ campaignId, day });
  await Promise.all([
    client.hset(key, '#new', 1),
    client.expire(key, LEASES_TTL_SECONDS),
    client.set(`budget:lease:{${campaignId}}`, day, 'EX', NEWEST_TTL_SECONDS),
  ]);
}
