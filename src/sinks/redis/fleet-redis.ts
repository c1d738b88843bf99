/**
 * A shard's side of the fleet's Redis: absolute totals up, leases down, at each flush. Never waits long and
 * queues nothing: whatever failed is told again, newer, by the next flush.
 *
 * A lease is valid for `leaseMs` from the moment its flush was sent, on the pod's monotonic clock. Redis keeps
 * it from others for leaseMs + the life of a reservation + a margin, from the moment it heard the flush, which
 * is later: when that hold ends, the last bid that the lease paid for is settled or expired. The margin covers
 * the clocks' rates, and the clock of a replica that takes over.
 */
import { randomUUID } from 'node:crypto';
import { AppError } from '../../domain/app-error.ts';
import {
  COMMAND_TIMEOUT_MS,
  cannotServe,
  cutConnection,
  isCluster,
  isUnanswered,
  openRedis,
  type RedisClient,
  type RedisEvents,
  redisUnavailable,
} from './connection.ts';
import { claimEvents, type EventKey, forgoEvents, markCounted } from './event-claims.ts';
import { type LeaseAnswer, LeasePipeline } from './lease-pipeline.ts';
import { type LeaseRequest, releaseOf } from './lease-request.ts';
import { STALE_MARK } from './lease-script.ts';
import { leaveSigns } from './life-signs.ts';
import { announceCampaign } from './new-campaign.ts';
import { claimNode, giveBackNode, type NodeClaim } from './node-claim.ts';
import type { RedisTarget } from './redis-target.ts';
import { type ReleasedBid, ReleasedBids } from './released-bids.ts';
import { type KnownSpend, restoreSpends } from './restore-spend.ts';

export interface FleetRedisOptions extends RedisEvents {
  /** The stable id of this pod's ledger: 1–128 characters of `A-Z a-z 0-9 . _ : -`. */
  readonly source: string;
  /** How long a lease may be used after its flush was sent. */
  readonly leaseMs: number;
  readonly reservationTtlMs: number;
  /** How long an answer may take; 1,000 when absent. */
  readonly commandTimeoutMs?: number;
  /** The time in place of the server's, ms since the epoch: for tests of what time does. */
  readonly nowMs?: () => number;
  /** What carries flushes in place of the connection: for tests of what is lost or late on the way. */
  readonly pipeline?: Pick<LeasePipeline, 'run'>;
}

const HOLD_MARGIN_MS = 5_000;
const SOURCE = /^[A-Za-z0-9._:-]{1,128}$/;

export class FleetRedis {
  readonly #options: FleetRedisOptions;
  readonly #client: RedisClient;
  readonly #pipeline: Pick<LeasePipeline, 'run'>;
  readonly #released: ReleasedBids;
  readonly #holdMs: number;
  /** This client's own: other shards of the pod have the same source. */
  readonly #signature = randomUUID();
  /** Of the last flush. Grows over restarts too, because less than one flush is sent in a millisecond. */
  #sequence: number;

  /** Connects with the first command, or by {@link connect}. */
  constructor(target: RedisTarget, options: FleetRedisOptions) {
    if (!SOURCE.test(options.source)) throw new RangeError('not a source id');
    const commandTimeoutMs = options.commandTimeoutMs ?? COMMAND_TIMEOUT_MS;
    this.#options = options;
    this.#client = openRedis(target, options, commandTimeoutMs);
    this.#pipeline = options.pipeline ?? new LeasePipeline(this.#client);
    this.#sequence = options.nowMs?.() ?? Date.now();
    this.#released = new ReleasedBids(target, options.source, commandTimeoutMs);
    this.#holdMs = options.leaseMs + options.reservationTtlMs + HOLD_MARGIN_MS;
  }

  /** Begins to connect, and keeps at it: `onUp` and `onDown` tell what came of it. */
  connect(): void {
    this.#client.connect().catch(() => {});
  }

  /**
   * Tells the absolute spends and asks for leases, in one round trip per 2,048 campaigns. A campaign appears at
   * most once. An Error stands for a campaign that failed alone; it may have been heard all the same.
   * @throws AppError `unavailable` when Redis could not be spoken to at all; it may have heard all the same
   */
  async sync(requests: readonly LeaseRequest[]): Promise<LeaseAnswer[]> {
    if (requests.length === 0) return [];
    this.#sequence += 1;
    const { source, nowMs } = this.#options;
    const head = { source, sequence: this.#sequence, holdMs: this.#holdMs, nowMs: nowMs?.() ?? null };
    const answers = await this.#pipeline.run(head, requests);
    this.#overtake(answers);
    const [first] = answers;
    if (first instanceof AppError && answers.every((answer) => answer instanceof AppError)) throw first;
    return answers;
  }

  /**
   * The orderly end: gives back what is neither spent nor in flight, and leaves the deal. Nothing may be bid
   * on these campaigns from now on. Answers and errors as in {@link sync}.
   */
  release(requests: readonly LeaseRequest[]): Promise<LeaseAnswer[]> {
    return this.sync(requests.map(releaseOf));
  }

  /**
   * Names bids whose wins were reported here and that this pod did not allow. Only after the flush that told
   * their spends was answered: whoever releases their reservations must not find the spend missing.
   * @throws AppError `unavailable`
   */
  async publishReleased(released: readonly ReleasedBid[]): Promise<void> {
    await this.#served(this.#released.publish(this.#client, released));
  }

  /** Listens for what other sources name by {@link publishReleased}, on a connection of its own. Once. */
  subscribeReleased(heard: (released: readonly ReleasedBid[]) => void): void {
    this.#released.subscribe(heard);
  }

  /**
   * Claims spend events for this source, so that the fleet counts each once.
   * @returns EVENT_CLAIMED, EVENT_COUNTED or EVENT_PENDING of each
   * @throws AppError `unavailable`
   */
  claimEvents(events: readonly EventKey[]): Promise<number[]> {
    return this.#served(claimEvents(this.#client, this.#options.source, events));
  }

  /** Says that this source has counted events. @throws AppError `unavailable` */
  markCounted(events: readonly EventKey[]): Promise<void> {
    return this.#served(markCounted(this.#client, events));
  }

  /** Gives up claims of events that were not counted. @throws AppError `unavailable` */
  forgoEvents(events: readonly EventKey[]): Promise<void> {
    return this.#served(forgoEvents(this.#client, this.#options.source, events));
  }

  /**
   * Claims a NODE_ID for a ledger for `ttlMs`, or renews the claim; refused while another ledger has it.
   * @throws AppError `unavailable`
   */
  claimNode(nodeId: string, ledgerId: string, ttlMs: number): Promise<NodeClaim> {
    return this.#served(claimNode(this.#client, nodeId, ledgerId, ttlMs));
  }

  /** Gives a claim back. @throws AppError `unavailable` */
  giveBackNode(nodeId: string, ledgerId: string): Promise<void> {
    return this.#served(giveBackNode(this.#client, nodeId, ledgerId));
  }

  /**
   * Says that a campaign is new: that no source knows it yet. Its budget is then dealt without a pause for leases
   * that might have been forgotten.
   * @param day the name of its budget's day
   * @throws AppError `unavailable`
   */
  announce(campaignId: string, day: string): Promise<void> {
    return this.#served(announceCampaign(this.#client, campaignId, day));
  }

  /** Raises what Redis has of sources' spend to what the history has. @throws AppError `unavailable` */
  restoreSpends(spends: readonly KnownSpend[]): Promise<void> {
    return this.#served(restoreSpends(this.#client, spends));
  }

  /**
   * Asks every server for a sign of life, and whether it still knows the one that was left there the last time.
   * @returns false when one does not: it was wiped, and every lease must be told again at once. Also the first time.
   * @throws AppError `unavailable` when one does not answer in time
   */
  ping(): Promise<boolean> {
    return this.#served(leaveSigns(this.#client, this.#signature));
  }

  /** Closes the connections at once; what is under way fails. */
  close(): void {
    this.#released.close();
    this.#client.disconnect();
  }

  /** A sequence that is behind the one on record, as after a clock that was set back, jumps ahead of it. */
  #overtake(answers: readonly LeaseAnswer[]): void {
    for (const answer of answers) {
      if (!(answer instanceof Error) || !answer.message.startsWith(STALE_MARK)) continue;
      this.#sequence = Math.max(this.#sequence, Number(answer.message.slice(STALE_MARK.length)));
    }
  }

  async #served<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      if (isUnanswered(error) && !isCluster(this.#client)) cutConnection(this.#client);
      throw error instanceof Error && cannotServe(error) ? redisUnavailable(error) : error;
    }
  }
}
