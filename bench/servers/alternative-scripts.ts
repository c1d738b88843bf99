/**
 * What the usual alternative does in Redis, one script a request. A campaign is one hash:
 *
 *   status · budget, spent, held (micros) · rate (micros a millisecond), burst, tokens, at: its pacing bucket
 *
 * Each request is one round trip and is atomic, as such services are commonly written. It is let off some of
 * what the pacer does: reservations do not expire, days do not end, and event ids are not remembered.
 */

/** KEYS: the campaign. ARGV: the bid, micros. Answers `{outcome, max bid in micros, throttle rate × 10,000}`. */
export const DECIDE = `
local c = redis.call('HMGET', KEYS[1], 'status', 'budget', 'spent', 'held', 'rate', 'burst', 'tokens', 'at')
if not c[1] then return {0, 0, 0} end
if c[1] ~= 'ACTIVE' then return {1, 0, 10000} end
local bid = tonumber(ARGV[1])
local held = tonumber(c[4])
local left = tonumber(c[2]) - tonumber(c[3]) - held
if left <= 0 then return {held > 0 and 3 or 2, 0, 10000} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local burst = tonumber(c[6])
local tokens = math.min(burst, tonumber(c[7]) + (now - tonumber(c[8])) * tonumber(c[5]))
if tokens <= 0 then return {4, 0, 10000} end
if bid > left then bid = left end
redis.call('HSET', KEYS[1], 'held', held + bid, 'tokens', tokens - bid, 'at', now)
return {5, bid, 0}
`;

/** The outcomes of {@link DECIDE}, by number. */
export const OUTCOMES = [
  'campaign_not_found',
  'campaign_paused',
  'budget_exhausted',
  'budget_reserved',
  'throttled',
  'within_budget',
] as const;
export const ALLOWED = OUTCOMES.indexOf('within_budget');

/** KEYS: the campaign. ARGV: the spend, micros. Answers 1, or 0 when there is no such campaign. */
export const SPEND = `
local held = redis.call('HGET', KEYS[1], 'held')
if not held then return 0 end
local spend = tonumber(ARGV[1])
redis.call('HINCRBY', KEYS[1], 'spent', ARGV[1])
if tonumber(held) > 0 then redis.call('HSET', KEYS[1], 'held', math.max(0, tonumber(held) - spend)) end
return 1
`;

export function campaignKey(id: string): string {
  return `campaign:${id}`;
}
