/** Gives a Redis that forgot it what sources have spent, as the history has it: what is on record is never lowered. */
import type { RedisClient } from './connection.ts';

/** What one source has spent of one campaign, in all and on one day, micros. */
export interface KnownSpend {
  readonly campaignId: string;
  readonly source: string;
  /** The name of the budget's day. */
  readonly day: string;
  readonly dayMicros: number;
  readonly totalMicros: number;
}

const SPENDS_AT_ONCE = 500;
const DAY_TTL_SECONDS = 48 * 3_600;

const RESTORE_SCRIPT = `
for at, key in ipairs(KEYS) do
  local spent = ARGV[at + 1]
  if tonumber(redis.call('HGET', key, ARGV[1]) or '0') < tonumber(spent) then
    redis.call('HSET', key, ARGV[1], spent)
    if at == 1 and redis.call('TTL', key) < 0 then redis.call('EXPIRE', key, ${DAY_TTL_SECONDS}) end
  end
end
`;

export async function restoreSpends(client: RedisClient, spends: readonly KnownSpend[]): Promise<void> {
  for (let from = 0; from < spends.length; from += SPENDS_AT_ONCE) {
    await Promise.all(spends.slice(from, from + SPENDS_AT_ONCE).map((spend) => restoreSpend(client, spend)));
  }
}

function restoreSpend(client: RedisClient, spend: KnownSpend): Promise<unknown> {
  const { campaignId, source, day, dayMicros, totalMicros } = spend;
  const keys = [`budget:day:{${campaignId}}:${day}`, `budget:total:{${campaignId}}`];
  return client.eval(RESTORE_SCRIPT, keys.length, ...keys, source, dayMicros, totalMicros);
}
