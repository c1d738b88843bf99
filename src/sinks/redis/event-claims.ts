/**
 * Spend events that must count once in the whole fleet, whichever pod they are reported to:
 *
 *   budget:event:{campaign}:<event>   "?source"  a source is about to count it            30 s
 *                                     "="        it is counted and on stable storage      24 h
 *
 * A pod claims an event before it counts it and says that it did once its ledger has it. A claim of a pod that died
 * in between ends by itself; started again, the pod says what its ledger has (shard/fleet-sync.ts).
 */
import { isCluster, type RedisClient } from './connection.ts';
import { slotOf } from './key-slot.ts';

/** The event is this source's to count. */
export const EVENT_CLAIMED = 0;
/** It was counted before. */
export const EVENT_COUNTED = 1;
/** Another source is about to count it, or has died over it. */
export const EVENT_PENDING = 2;

/** How long a claim lasts, and so how long an event waits whose pod died over it. */
export const CLAIM_MS = 30_000;
/** How long a counted event is remembered. */
const MEMORY_MS = 24 * 3_600_000;
/** Bounds how long one call keeps Redis busy. */
const EVENTS_A_CALL = 500;

const CLAIM_SCRIPT = `
local mine, verdicts = '?' .. ARGV[1], {}
for at, key in ipairs(KEYS) do
  local found = redis.call('GET', key)
  if not found or found == mine then
    redis.call('SET', key, mine, 'PX', ARGV[2])
    verdicts[at] = ${EVENT_CLAIMED}
  elseif found == '=' then verdicts[at] = ${EVENT_COUNTED}
  else verdicts[at] = ${EVENT_PENDING} end
end
return verdicts
`;

const COUNTED_SCRIPT = `
for _, key in ipairs(KEYS) do redis.call('SET', key, '=', 'PX', ARGV[1]) end
`;

const FORGO_SCRIPT = `
for _, key in ipairs(KEYS) do
  if redis.call('GET', key) == '?' .. ARGV[1] then redis.call('DEL', key) end
end
`;

/** An event's campaign and its id, as `campaign/event`: ids hold no slash. */
export type EventKey = string;

/** Claims events for a source. @returns EVENT_CLAIMED, EVENT_COUNTED or EVENT_PENDING of each, in their order */
export async function claimEvents(
  client: RedisClient,
  source: string,
  events: readonly EventKey[],
): Promise<number[]> {
  const verdicts: number[] = new Array(events.length).fill(EVENT_PENDING);
  const claim = async (ats: readonly number[]): Promise<void> => {
    const replies: unknown = await call(client, CLAIM_SCRIPT, pick(events, ats), [source, CLAIM_MS]);
    if (!Array.isArray(replies)) throw new Error('the claim script answered something else');
    for (const [nth, at] of ats.entries()) verdicts[at] = Number(replies[nth]);
  };
  await Promise.all(callsOf(client, events).map(claim));
  return verdicts;
}

/** Says that events are counted. */
export async function markCounted(client: RedisClient, events: readonly EventKey[]): Promise<void> {
  const calls = callsOf(client, events);
  await Promise.all(calls.map((ats) => call(client, COUNTED_SCRIPT, pick(events, ats), [MEMORY_MS])));
}

/** Gives up claims of events that could not be counted. */
export async function forgoEvents(
  client: RedisClient,
  source: string,
  events: readonly EventKey[],
): Promise<void> {
  const calls = callsOf(client, events);
  await Promise.all(calls.map((ats) => call(client, FORGO_SCRIPT, pick(events, ats), [source])));
}

/** The places of the events of each call: of one slot in a cluster, because the keys of a call must be. */
function callsOf(client: RedisClient, events: readonly EventKey[]): number[][] {
  const bySlot = new Map<number, number[]>();
  for (const [at, event] of events.entries()) {
    const slot = isCluster(client) ? slotOf(event.slice(0, event.indexOf('/'))) : 0;
    const ats = bySlot.get(slot);
    if (ats === undefined) bySlot.set(slot, [at]);
    else ats.push(at);
  }
  return [...bySlot.values()].flatMap((ats) => {
    const calls: number[][] = [];
    for (let from = 0; from < ats.length; from += EVENTS_A_CALL)
      calls.push(ats.slice(from, from + EVENTS_A_CALL));
    return calls;
  });
}

function call(
  client: RedisClient,
  script: string,
  events: readonly EventKey[],
  values: readonly (string | number)[],
): Promise<unknown> {
  return client.eval(script, events.length, ...events.map(keyOf), ...values);
}

function pick(events: readonly EventKey[], ats: readonly number[]): EventKey[] {
  return ats.flatMap((at) => events[at] ?? []);
}

function keyOf(event: EventKey): string {
  const slash = event.indexOf('/');
  return `budget:event:{${event.slice(0, slash)}}:${event.slice(slash + 1)}`;
}
