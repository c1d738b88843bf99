/**
 * Sends a flush: groups the requests by the server that owns their keys, and runs the lease script for them in
 * pipelines of bounded size. A call of the script carries several campaigns, since each command costs about
 * 8 µs of this thread; in a cluster only campaigns of one slot, because the keys of a call must be.
 */
import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { AppError } from '../../domain/app-error.ts';
import {
  cannotServe,
  cutConnection,
  isCluster,
  isConnectionFailure,
  isUnanswered,
  type RedisClient,
  redisUnavailable,
} from './connection.ts';
import { slotOf } from './key-slot.ts';
import {
  type FlushHead,
  type LeaseReply,
  type LeaseRequest,
  leaseKeyOf,
  packCall,
  unpackReply,
} from './lease-request.ts';
import { LEASE_SCRIPT } from './lease-script.ts';
import { ServerMemory } from './server-memory.ts';

export type LeaseAnswer = LeaseReply | Error;

const CAMPAIGNS_A_CALL = 16;
/** Bounds how long the thread is busy at a stretch, and what one round trip waits for. */
const CALLS_A_PIPELINE = 128;
/** The place of the only server there is. */
const ALONE = 'redis';
const SCRIPT_SHA = createHash('sha1').update(LEASE_SCRIPT).digest('hex');
const NOT_SENT = redisUnavailable(new Error('no server has this slot, or its connection failed'));

/** The requests of one server, by their places in the flush. */
interface Route {
  readonly connection: Redis;
  readonly place: string;
  readonly stops: Stop[];
}

/** A request, by its place in the flush, and the slot of its keys; 0 where there is no cluster. */
interface Stop {
  readonly at: number;
  readonly slot: number;
}

/** One EVALSHA. */
interface Call {
  /** The places of its requests in the flush. */
  readonly ats: readonly number[];
  readonly keys: readonly string[];
  readonly packed: Buffer;
  /** Replies in the same order, or an Error. */
  result: unknown;
}

export class LeasePipeline {
  readonly #client: RedisClient;
  readonly #memory = new ServerMemory();

  constructor(client: RedisClient) {
    this.#client = client;
    this.#memory.survey(this.#servers());
  }

  /** The answers, in the requests' order. Never rejects: what could not be sent is answered by its error. */
  async run(head: FlushHead, requests: readonly LeaseRequest[]): Promise<LeaseAnswer[]> {
    const answers = requests.map((): LeaseAnswer => NOT_SENT);
    const servers = this.#servers();
    this.#memory.survey(servers);
    await this.#memory.told();
    const routes = this.#routes(requests, servers);
    await Promise.all(routes.map((route) => this.#runRoute(head, requests, route, answers)));
    if (isCluster(this.#client) && answers.some(isElsewhere)) this.#client.refreshSlotsCache();
    return answers;
  }

  #servers(): ReadonlyMap<string, Redis> {
    if (!isCluster(this.#client)) return new Map([[ALONE, this.#client]]);
    return new Map(this.#client.nodes('master').map((node) => [placeOf(node), node]));
  }

  #routes(requests: readonly LeaseRequest[], servers: ReadonlyMap<string, Redis>): Route[] {
    const routes = new Map<string, Route>();
    for (const [place, connection] of servers) routes.set(place, { connection, place, stops: [] });
    const owners = isCluster(this.#client) ? this.#client.slots : null;
    for (const [at, { campaignId }] of requests.entries()) {
      const slot = owners === null ? 0 : slotOf(campaignId);
      routes.get(owners === null ? ALONE : (owners[slot]?.[0] ?? ''))?.stops.push({ at, slot });
    }
    return [...routes.values()];
  }

  async #runRoute(
    head: FlushHead,
    requests: readonly LeaseRequest[],
    { connection, place, stops }: Route,
    answers: LeaseAnswer[],
  ): Promise<void> {
    const groups = groupsOf(stops);
    for (let from = 0; from < groups.length; from += CALLS_A_PIPELINE) {
      const doubted = this.#memory.isDoubted(place);
      const some = groups.slice(from, from + CALLS_A_PIPELINE);
      const calls = some.map((ats) => callOf(ats, head, doubted, requests));
      await send(connection, head.source, calls);
      takeResults(calls, answers);
      // A connection that failed would let the rest wait as long for the same: they stay unsent.
      if (calls.some(({ result }) => isConnectionFailure(result))) {
        if (calls.some(({ result }) => isUnanswered(result))) cutConnection(connection);
        return;
      }
    }
  }
}

/** Cuts a route into the requests of a call each: a bounded number, all of one slot. */
function groupsOf(stops: Stop[]): number[][] {
  const groups: number[][] = [];
  let slot = -1;
  for (const stop of stops.sort((one, other) => one.slot - other.slot)) {
    const last = groups.at(-1);
    if (last !== undefined && stop.slot === slot && last.length < CAMPAIGNS_A_CALL) last.push(stop.at);
    else groups.push([stop.at]);
    slot = stop.slot;
  }
  return groups;
}

function callOf(
  ats: readonly number[],
  head: FlushHead,
  doubted: boolean,
  requests: readonly LeaseRequest[],
): Call {
  const some = ats.flatMap((at) => requests[at] ?? []);
  return { ats, keys: some.map(leaseKeyOf), packed: packCall(head, doubted, some), result: null };
}

/** One round trip; a server that does not know the script yet gets it, and the calls it refused once more. */
async function send(connection: Redis, source: string, calls: readonly Call[]): Promise<void> {
  await sendOnce(connection, source, calls);
  const refused = calls.filter(
    ({ result }) => result instanceof Error && result.message.startsWith('NOSCRIPT'),
  );
  if (refused.length === 0) return;
  // When loading fails, so does what follows, and that error is the answer.
  await connection.script('LOAD', LEASE_SCRIPT).catch(() => {});
  await sendOnce(connection, source, refused);
}

async function sendOnce(connection: Redis, source: string, calls: readonly Call[]): Promise<void> {
  const pipeline = connection.pipeline();
  for (const { keys, packed } of calls) {
    pipeline.callBuffer('EVALSHA', SCRIPT_SHA, keys.length, ...keys, source, packed);
  }
  const results = await pipeline.exec();
  for (const [at, call] of calls.entries()) {
    const [error, value] = results?.[at] ?? [NOT_SENT, null];
    call.result = error ?? value;
  }
}

function takeResults(calls: readonly Call[], answers: LeaseAnswer[]): void {
  for (const { ats, result } of calls) {
    for (const [nth, at] of ats.entries()) {
      if (!(result instanceof Error)) answers[at] = unpackReply(Array.isArray(result) ? result[nth] : null);
      else answers[at] = cannotServe(result) ? redisUnavailable(result) : result;
    }
  }
}

/** Whether a cluster said that it has changed, or has no server for a slot. */
function isElsewhere(answer: LeaseAnswer): boolean {
  if (!(answer instanceof AppError)) return false;
  return (
    answer === NOT_SENT ||
    (answer.cause instanceof Error && /^(?:MOVED|ASK|CLUSTERDOWN)/.test(answer.cause.message))
  );
}

function placeOf({ options }: Redis): string {
  return `${options.host}:${options.port}`;
}
