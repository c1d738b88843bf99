/**
 * The script that shares budgets: it takes in a source's absolute spends and deals the day's lease, for one or
 * several campaigns of a flush, atomically per campaign. It is the only writer of these keys:
 *
 *   budget:lease:{id}:<date>     source → "lease floor spent want bid ends sequence asks asked allowed wins",
 *                                #budget → "version daily total", #grace → ms, #closed → 1,
 *                                #new → 1                                                       48 h
 *   budget:lease:{id}            the newest day                                                  96 h
 *   budget:day:{id}:<date>       source → micros spent that day                                  48 h
 *   budget:hour:{id}:<date-hour> source → micros spent in that hour                               3 h
 *   budget:total:{id}            source → micros spent in all                                    kept
 *
 * A lease is cumulative for the day: source j may have S_j + in flight + on its table <= L_j. Its exposure, the
 * most it can have spent when everything in flight is won, is E_j = max(L_j, F_j, S_j) until its hold ends
 * (holdMs after it was last heard), then S_j. F_j, its floor, is what cannot be taken from it any more.
 *
 * Invariant: after each call Σ E <= max(B, Σ E before, what claims and floors force), B = the day's budget.
 * Why: one call changes one E_i. Either L_i = min(floor + grant, B − Σ_{j≠i} E_j), and then Σ E <= B. Or
 * L_i = max(min(held, cap), floor): held is what the source may be using already, so it is at most the L_i that
 * was stored, and Σ E does not grow, unless this Redis has forgotten L_i; then the claim is the truth, and for
 * a while no lease of the campaign grows, until the other sources have claimed theirs. A claim of a lease whose
 * hold has ended is none: others may have it, and only the floor is honoured.
 * Why a source is never beyond its E: it holds itself to min(old lease, cap) from the moment it asks, which
 * L_i is never below: so a lost reply harms nothing. A call that arrives late, after a newer one of the same
 * source, is refused by its sequence. When a hold ends, the lease's own end and a reservation's whole life have
 * passed: nothing of it is in flight. (What a source spent and never told, cut off for longer than its hold, is
 * not known here: at most L_i − S_i, the bound of a partition.)
 * A day is a local day or, after a reset of its counters, what is left of it: <date> is then `YYYY-MM-DD.0001` and so on
 * (domain/budget-day.ts has the names for dates that come back with a change of zone), and days are in the order of
 * their names. A new day's first call carries over what every source may have in flight:
 * a bid of yesterday that wins today is today's spend. From then on no lease of an older day grows, and what a source
 * that is late still holds there is kept for it in the newest day.
 */

/**
 * How long leases do not grow after something was forgotten, ms: each source must be heard in that time, also
 * one that is still waiting to connect again.
 */
export const GRACE_MS = 3_000;

/** Text before the sequence that is on record, in the error of a call that is not newer. */
export const STALE_MARK = 'STALE ';

/** Numbers before the first request of a call: sequence, holdMs, now in ms or −1, whether this server is doubted. */
export const HEAD_NUMBERS = 4;

/** Numbers of one campaign's request. */
export const REQUEST_NUMBERS = 16;

/** Numbers of one campaign's reply, after {@link REPLY_MARK}. */
export const REPLY_NUMBERS = 12;

/** First byte of a campaign's reply; any other begins the text of its error. */
export const REPLY_MARK = '+';

/**
 * KEYS: the lease hash of each campaign. The other keys of a campaign are made from it: they have its hash tag,
 * and so its slot; spelling out all five would double the bytes of a flush.
 * ARGV: the source, and one string of little-endian doubles: the head, then a request for each key.
 */
export const LEASE_SCRIPT = `
local source, packed = ARGV[1], ARGV[2]
local sequence, hold_ms, now, doubted = struct.unpack('<dddd', packed)
if now < 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local DAY_TTL, HOUR_TTL, NEWEST_TTL = 48 * 3600, 3 * 3600, 96 * 3600
-- Places in an entry.
local LEASE, FLOOR, SPENT, WANT, BID, ENDS, SEQUENCE, ASKS, ASKED, ALLOWED, WINS = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
local ENTRY = '%.0f' .. string.rep(' %.0f', 10)
local REPLY = '<' .. string.rep('d', ${REPLY_NUMBERS})
local REQUEST = '<' .. string.rep('d', ${REQUEST_NUMBERS})
local max, min, floor_of = math.max, math.min, math.floor

-- The whole numbers of a text.
local function numbers(text)
  local list, at = {}, 0
  for number in string.gmatch(text, '[^ ]+') do
    at = at + 1
    list[at] = tonumber(number)
  end
  return list
end

-- The request at a place of the call.
local function read_request(place)
  local from = 1 + 8 * (${HEAD_NUMBERS} + (place - 1) * ${REQUEST_NUMBERS})
  local request = { struct.unpack(REQUEST, packed, from) }
  for at = 1, ${REQUEST_NUMBERS} do
    -- Also refuses what is not finite. A number that is not whole would be rounded when it is stored.
    if request[at] % 1 ~= 0 then error({ err = 'MALFORMED number ' .. at .. ' of the request is not whole' }) end
  end
  return request
end

-- A lease hash: source → entry, and its # fields by name. nil when there is none.
local function read_leases(key)
  local fields = redis.call('HGETALL', key)
  if #fields == 0 then return nil end
  local entries, marks = {}, {}
  for at = 1, #fields, 2 do
    local name = fields[at]
    if string.byte(name) == 35 then marks[name] = fields[at + 1]
    else entries[name] = numbers(fields[at + 1]) end
  end
  return entries, marks
end

-- A hash of absolute spends: source → micros, and their sum without this source's.
local function read_spends(key)
  local fields, spends, others = redis.call('HGETALL', key), {}, 0
  for at = 1, #fields, 2 do
    local spent = tonumber(fields[at + 1])
    spends[fields[at]] = spent
    if fields[at] ~= source then others = others + spent end
  end
  return spends, others
end

-- Raises this source's spend; what is on record is never lowered.
local function raise(key, stored, spent, ttl)
  if (stored or 0) >= spent then return stored or 0 end
  local added = redis.call('HSET', key, source, string.format('%.0f', spent))
  if added == 1 and ttl then redis.call('EXPIRE', key, ttl) end
  return spent
end

local function write_entry(key, name, entry)
  if redis.call('HSET', key, name, string.format(ENTRY, unpack(entry))) == 1 then
    redis.call('EXPIRE', key, DAY_TTL)
  end
end

-- The first call of a day: what each source may still have in flight from the last one, as its lease. Also returns
-- whether that was forgotten.
local function begin_day(key, newest_key, day)
  local newest = redis.call('GET', newest_key)
  if newest and newest > day then
    redis.call('HSET', key, '#closed', 1)
    return {}, { ['#closed'] = 1 }, false
  end
  redis.call('SET', newest_key, day, 'EX', NEWEST_TTL)
  local eve_key = newest_key .. ':' .. (newest or '')
  local entries, marks = read_leases(eve_key)
  if not entries then return {}, {}, true end
  local carried = {}
  for name, entry in pairs(entries) do
    local in_flight = max(entry[LEASE], entry[FLOOR]) - entry[SPENT]
    if entry[ENDS] > now and in_flight > 0 then
      carried[name] = { in_flight, in_flight, 0, 0, 0, entry[ENDS], entry[SEQUENCE], 0, 0, 0, 0 }
      write_entry(key, name, carried[name])
    end
  end
  marks['#closed'] = nil
  for name, mark in pairs(marks) do redis.call('HSET', key, name, mark) end
  redis.call('HSET', eve_key, '#closed', 1)
  return carried, marks, false
end

-- A source that still counts on a day that is over: what it may have in flight is kept from the others in the newest
-- one, too, for as long as it is heard. Where that did not know of it, others may have been dealt it.
local function carry_on(newest_key, day, entry)
  local newest = redis.call('GET', newest_key)
  local in_flight = max(entry[LEASE], entry[FLOOR]) - entry[SPENT]
  if not newest or newest <= day or in_flight <= 0 then return end
  local key = newest_key .. ':' .. newest
  local known = redis.call('HGET', key, source)
  if not known then
    write_entry(key, source, { in_flight, in_flight, 0, 0, 0, entry[ENDS], sequence, 0, 0, 0, 0 })
    redis.call('HSET', key, '#grace', string.format('%.0f', now + ${GRACE_MS}))
    return
  end
  local carried = numbers(known)
  if carried[SEQUENCE] >= sequence then return end
  carried[LEASE], carried[ENDS], carried[SEQUENCE] = max(carried[LEASE], in_flight), entry[ENDS], sequence
  write_entry(key, source, carried)
end

local function sync(place)
  local lease_key = KEYS[place]
  local tag, day = string.match(lease_key, '^budget:lease:({.*}):([^:]*)$')
  local day_key = 'budget:day:' .. tag .. ':' .. day
  local hour, version, daily, total, spent_day, spent_hour, spent_total, held, floor, cap, want, bid,
    asks, asked, allowed, wins = unpack(read_request(place))
  local hour_key = string.format('budget:hour:%s:%s-%02d', tag, string.match(day, '^[^.]*'), hour)
  local total_key = 'budget:total:' .. tag

  local entries, marks = read_leases(lease_key)
  local forgotten = false
  if not entries then entries, marks, forgotten = begin_day(lease_key, 'budget:lease:' .. tag, day) end
  local mine = entries[source]
  if mine and mine[SEQUENCE] >= sequence then return string.format('${STALE_MARK}%.0f', mine[SEQUENCE]) end

  -- Absolute totals up.
  local days, day_others = read_spends(day_key)
  local totals, total_others = read_spends(total_key)
  days[source] = raise(day_key, days[source], spent_day, DAY_TTL)
  local total_sum = total_others + raise(total_key, totals[source], spent_total)
  local day_sum = day_others + days[source]
  local hours, hour_others = read_spends(hour_key)
  local hour_sum = hour_others + raise(hour_key, hours[source], spent_hour, HOUR_TTL)

  -- The budget in force: of the highest version seen, less what the days before have spent of the total.
  local budgets = marks['#budget'] and numbers(marks['#budget'])
  if not budgets or version > budgets[1] then
    budgets = { version, daily, total }
    redis.call('HSET', lease_key, '#budget', string.format('%.0f %.0f %.0f', version, daily, total))
  end
  local budget = budgets[2]
  if budgets[3] >= 0 then budget = max(0, min(budget, budgets[3] - max(0, total_sum - day_sum))) end

  -- Has this Redis forgotten something? Then nobody's lease grows until each source has claimed its own.
  local standing = days[source]
  if mine and mine[ENDS] > now then standing = max(standing, mine[LEASE])
  elseif mine and doubted == 0 then
    -- Its hold has ended, and long before that its lease: others may have it by now.
    held = min(held, max(floor, standing))
    standing = max(standing, held)
  end
  local wiped = forgotten or held > standing
  local grace = tonumber(marks['#grace'] or '0')
  if wiped or doubted == 1 then
    grace = max(grace, now + ${GRACE_MS})
    redis.call('HSET', lease_key, '#grace', string.format('%.0f', grace))
  end

  -- Everybody's exposure, floor and wants. A source that was released (want −1) takes no part in the deal.
  floor = max(floor, days[source])
  cap = max(cap, floor)
  local exposed, committed, wants, largest, live = 0, floor, max(want, 0), bid, {}
  if want >= 0 then live[1] = source end
  for name, spent in pairs(days) do
    if name ~= source and not (entries[name] and entries[name][ENDS] > now) then
      exposed, committed = exposed + spent, committed + spent
    end
  end
  for name, entry in pairs(entries) do
    if name ~= source and entry[ENDS] > now then
      local sure = max(entry[FLOOR], days[name] or 0)
      exposed, committed = exposed + max(entry[LEASE], sure), committed + sure
      if entry[WANT] >= 0 then
        live[#live + 1] = name
        wants, largest = wants + entry[WANT], max(largest, entry[BID])
      end
    end
  end

  -- The deal: what each wants, else equal parts, else whole bids in turn.
  local pool, part, grant = budget - committed, -1, want
  if pool < wants and want >= 0 then
    part = max(0, floor_of(pool / #live))
    if part < 2 * largest then
      table.sort(live)
      part = live[floor_of(now / 1000) % #live + 1] == source and max(0, pool) or 0
    end
    grant = min(want, part)
  end

  local lease = max(min(held, cap), floor)
  if now >= grace and not marks['#closed'] then
    lease = max(lease, min(floor + grant, cap, budget - exposed))
  end
  if mine then
    asks, asked = max(asks, mine[ASKS]), max(asked, mine[ASKED])
    allowed, wins = max(allowed, mine[ALLOWED]), max(wins, mine[WINS])
  end
  entries[source] = { lease, floor, days[source], want, bid, now + hold_ms, sequence, asks, asked, allowed, wins }
  write_entry(lease_key, source, entries[source])
  if marks['#closed'] then carry_on('budget:lease:' .. tag, day, entries[source]) end

  local flow = { 0, 0, 0, 0 }
  for _, entry in pairs(entries) do
    for at = 1, 4 do flow[at] = flow[at] + entry[SEQUENCE + at] end
  end
  return '${REPLY_MARK}' .. struct.pack(REPLY, lease, day_sum, hour_sum, total_sum,
    flow[1], flow[2], flow[3], flow[4], #live, part, budget, wiped and 1 or 0)
end

local replies = {}
for place = 1, #KEYS do
  local ok, reply = pcall(sync, place)
  replies[place] = ok and reply or type(reply) == 'table' and reply.err or tostring(reply)
end
return replies
`;
