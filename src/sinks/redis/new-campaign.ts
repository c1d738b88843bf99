/**
 * The mark of a campaign that nobody can know yet, left before it is told to anybody: its lease hash, with no lease
 * in it. A campaign without a hash may have leases that Redis forgot, and waits for its sources to claim them.
 */
import type { RedisClient } from './connection.ts';
import { leaseKeyOf } from './lease-request.ts';

const LEASES_TTL_SECONDS = 48 * 3_600;

/** @param date the campaign's local day, `YYYY-MM-DD` */
export async function announceCampaign(client: RedisClient, campaignId: string, date: string): Promise<void> {
  const key = leaseKeyOf({ campaignId, date });
  await Promise.all([client.hset(key, '#new', 1), client.expire(key, LEASES_TTL_SECONDS)]);
}
