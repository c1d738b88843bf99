/**
 * Sends a flush: groups the requests by the server that owns their keys, and runs the lease script for them in
 * pipelines of bounded size. On a server of its own one call carries several campaigns (each command costs
 * about 8 µs of this thread); in a cluster a call carries one, because its keys must be of one slot.
 */
import { createHash } from 'node:crypto';
import { Cluster, type Redis } from 'ioredis';
import { AppError } from '../../domain/app-error.ts';
import {
  cannotServe,
  cutConnection,
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

const CAMPAIGNS_A_PIPELINE = 512;
const CAMPAIGNS_A_CALL = 16;
/** The place of the only server there is. */
const ALONE = 'redis';
const SCRIPT_SHA = createHash('sha1').update(LEASE_SCRIPT).digest('hex');
const NOT_SENT = redisUnavailable(new Error('no server has this slot, or its connection failed'));

/** The requests of one server, by their places in the flush. */
interface Route {
  readonly connection: Redis;
  readonly place: string;
  readonly ats: number[];
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
  readonly #campaignsACall: number;

  constructor(client: RedisClient) {
    this.#client = client;
    this.#campaignsACall = client instanceof Cluster ? 1 : CAMPAIGNS_A_CALL;
    this.#memory.survey(this.#servers());
  }

  /** The answers, in the requests' order. Never rejects: what could not be sent is answered by its error. */
  async run(head: FlushHead, requests: readonly LeaseRequest[]): Promise<LeaseAnswer[]> {
    const answers = requests.map((): LeaseAnswer => NOT_SENT);
    const servers = this.#servers();
    this.#memory.survey(servers);
    const routes = this.#routes(requests, servers);
    await Promise.all(routes.map((route) => this.#runRoute(head, requests, route, answers)));
    if (this.#client instanceof Cluster && answers.some(isElsewhere)) this.#client.refreshSlotsCache();
    return answers;
  }

  #servers(): ReadonlyMap<string, Redis> {
    if (!(this.#client instanceof Cluster)) return new Map([[ALONE, this.#client]]);
    return new Map(this.#client.nodes('master').map((node) => [placeOf(node), node]));
  }

  #routes(requests: readonly LeaseRequest[], servers: ReadonlyMap<string, Redis>): Route[] {
    const routes = new Map<string, Route>();
    for (const [place, connection] of servers) routes.set(place, { connection, place, ats: [] });
    const slots = this.#client instanceof Cluster ? this.#client.slots : null;
    for (const [at, { campaignId }] of requests.entries()) {
      routes.get(slots === null ? ALONE : (slots[slotOf(campaignId)]?.[0] ?? ''))?.ats.push(at);
    }
    return [...routes.values()].filter((route) => route.ats.length > 0);
  }

  async #runRoute(
    head: FlushHead,
    requests: readonly LeaseRequest[],
    { connection, place, ats }: Route,
    answers: LeaseAnswer[],
  ): Promise<void> {
    for (let from = 0; from < ats.length; from += CAMPAIGNS_A_PIPELINE) {
      const some = ats.slice(from, from + CAMPAIGNS_A_PIPELINE);
      const calls = this.#calls(head, requests, some, this.#memory.isDoubted(place));
      await send(connection, head.source, calls);
      takeResults(calls, answers);
      // A connection that failed would let the rest wait as long for the same: they stay unsent.
      if (calls.some(({ result }) => isConnectionFailure(result))) {
        if (calls.some(({ result }) => isUnanswered(result))) cutConnection(connection);
        return;
      }
    }
  }

  #calls(
    head: FlushHead,
    requests: readonly LeaseRequest[],
    places: readonly number[],
    doubted: boolean,
  ): Call[] {
    const calls: Call[] = [];
    for (let from = 0; from < places.length; from += this.#campaignsACall) {
      const ats = places.slice(from, from + this.#campaignsACall);
      const some = ats.flatMap((at) => requests[at] ?? []);
      calls.push({ ats, keys: some.map(leaseKeyOf), packed: packCall(head, doubted, some), result: null });
    }
    return calls;
  }
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
