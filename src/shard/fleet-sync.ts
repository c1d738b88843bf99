/**
 * A shard's part in the fleet: at each flush it tells Redis the absolute totals of the campaigns that changed,
 * and is told what the others spent and what it may spend itself. A pod that cannot reach Redis goes on with the
 * leases it has, more carefully, and tells everything when Redis is back: that is an ordinary flush.
 *
 *   changed ──▶ ask (totals, floor, cap) ──▶ ledger commit ──▶ Redis ──▶ leases, fleet totals ──▶ table
 *
 * Nothing is told that the ledger does not have: after a crash Redis must not know of spend that was never
 * answered. One flush is under way at a time.
 */
import type { Clock } from '../domain/clock.ts';
import type { FleetConditions } from '../domain/pacing-settings.ts';
import type { FleetRedis } from '../sinks/redis/fleet-redis.ts';
import type { LeaseAnswer } from '../sinks/redis/lease-pipeline.ts';
import type { LeaseRequest } from '../sinks/redis/lease-request.ts';
import { GRACE_MS } from '../sinks/redis/lease-script.ts';
import type { ReleasedBid } from '../sinks/redis/released-bids.ts';
import type { Meters } from '../table/meters.ts';
import {
  SHARD_DEGRADED_SINCE_MS,
  SHARD_REDIS_PENDING,
  SHARD_REDIS_SINCE_MS,
  SHARD_REDIS_UP,
} from '../table/thread-meters.ts';
import type { Log } from '../threads/log.ts';
import { type Tracing, traced } from '../threads/tracing.ts';
import type { Account } from './account.ts';
import { ChangedAccounts } from './changed-accounts.ts';
import type { FleetEvents } from './event-claims.ts';
import { Recollection } from './recollection.ts';

/** A lease that nobody uses is renewed when this much of its time is left. */
const RENEW_MS = 240_000;
const FLUSH_MAX = 10_000;
/** Accounts that a turn looks at for leases that end soon. */
const RENEWAL_LOOKS = 2_000;
const RELEASED_MAX = 100_000;
/** Events counted while Redis is away that it is told of afterwards; of more, the oldest are not. */
const COUNTED_MAX = 200_000;
/** While Redis is away, a flush is tried this often. */
const RETRY_MS = 250;
/** A pod that starts does not miss Redis before this. */
const START_MS = 2_000;
/** The servers are asked whether they were wiped at least this often. */
const PING_MS = 1_000;

/** What a flush needs of Redis. */
export type FleetLink = Pick<
  FleetRedis,
  'sync' | 'release' | 'publishReleased' | 'claimEvents' | 'markCounted' | 'forgoEvents' | 'ping' | 'close'
>;

export interface FleetSyncParts {
  readonly redis: FleetLink;
  readonly conditions: FleetConditions & { connected: boolean; throttleFloor: number };
  readonly flushMs: number;
  readonly degradedThrottle: number;
  readonly meters: Meters;
  readonly log: Log;
  readonly tracing?: Tracing | null;
  readonly readClock: () => Clock;
  /** Resolves with whether all that was applied until now is in the ledger. */
  readonly commit: () => Promise<boolean>;
  /** Has the account's record written with the next commit, so that more of its lease may go on the table. */
  readonly record: (account: Account) => void;
  /** An account by its place among the shard's slots. */
  readonly accountAt: (place: number) => Account | undefined;
  readonly places: () => number;
  /** Shows edges whether the shard goes on without Redis. */
  readonly showDegraded: (degraded: boolean) => void;
  /** Tells Redis what the history has of the campaigns' spend by all sources; absent where there is none. */
  readonly restore?: (accounts: readonly Account[]) => Promise<void>;
  /** Redis is missed since then, ms since the epoch; once for each time. */
  readonly missed?: (sinceMs: number) => void;
  /** Redis is there, at the start (since 0) or again. */
  readonly found?: (sinceMs: number, atMs: number) => void;
}

interface Asked {
  readonly account: Account;
  readonly request: LeaseRequest;
}

export class FleetSync implements FleetEvents {
  private readonly parts: FleetSyncParts;
  private readonly changed = new ChangedAccounts();
  private readonly waiting = new Map<Account, (() => void)[]>();
  private wonElsewhere: ReleasedBid[] = [];
  /** Those whose leases do not grow before a time, steady ms, in the order of these. */
  private readonly inGrace = new Map<Account, number>();
  private counted: string[] = [];
  private forgone: string[] = [];
  private renewalPlace = 0;
  private timer: NodeJS.Timeout | undefined;
  private flushing: Promise<void> = Promise.resolve();
  private over = false;
  private readonly recollection: Recollection<Account> | null;
  private hadRedis = false;
  /** Since when Redis is missed and that was said, ms since the epoch; 0 = it is not. */
  private missedSinceMs = 0;
  private pingedAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: FleetSyncParts) {
    this.parts = parts;
    const { restore, readClock, log } = parts;
    const restored = (account: Account): void => this.mark(account, readClock().wallMs);
    this.recollection =
      restore === undefined ? null : new Recollection({ restore, restored, readClock, log });
    this.degrade(true); // until the first flush was answered
  }

  /** Flushes from now on, as often as configured. */
  begin(): void {
    this.schedule();
  }

  /** The account's totals changed, or it wants another lease. */
  mark(account: Account, nowMs: number): void {
    this.changed.add(account, nowMs);
  }

  /** Calls back when the account knows the fleet's totals of now, or when they cannot be had. */
  refresh(account: Account, known: () => void): void {
    if (!this.parts.conditions.connected) {
      known();
      return;
    }
    const others = this.waiting.get(account);
    if (others === undefined) this.waiting.set(account, [known]);
    else others.push(known);
    this.mark(account, this.parts.readClock().wallMs);
  }

  /** A win was reported here for a bid that another pod may have allowed: that one is told. */
  won(campaignId: string, bidId: string): void {
    if (this.wonElsewhere.length < RELEASED_MAX) this.wonElsewhere.push({ campaignId, bidId });
  }

  /** Whether other pods' events can be asked for. */
  get reachable(): boolean {
    return this.parts.conditions.connected && !this.over;
  }

  claimEvents(events: readonly string[]): Promise<readonly number[]> {
    return this.parts.redis.claimEvents(events);
  }

  /** Told with the next flush; also, at the start, what was counted last and may not have been told. */
  eventsEnded(events: Iterable<string>, committed: boolean): void {
    const list = committed ? this.counted : this.forgone;
    for (const event of events) list.push(event);
    if (list.length > COUNTED_MAX) list.splice(0, list.length - COUNTED_MAX);
  }

  private async tellEvents(): Promise<void> {
    const { counted, forgone } = this;
    this.counted = [];
    this.forgone = [];
    try {
      await this.parts.redis.markCounted(counted);
      await this.parts.redis.forgoEvents(forgone);
    } catch (error) {
      this.eventsEnded(counted.concat(this.counted.splice(0)), true);
      this.eventsEnded(forgone.concat(this.forgone.splice(0)), false);
      throw error;
    }
  }

  /** The connection failed. */
  lost(): void {
    if (this.over) return;
    this.degrade(true);
    this.miss();
  }

  /** Gives back every lease. Nothing may be on the table any more. */
  async end(accounts: Iterable<Account>): Promise<void> {
    this.over = true;
    clearTimeout(this.timer);
    await this.flushing;
    await this.tellEvents().catch(() => undefined); // of the next process
    const { readClock, redis, log } = this.parts;
    const requests = Array.from(accounts, (account) => this.ask(account, readClock()).request);
    await redis.release(requests).catch((error: unknown) => {
      log.warn({ err: error }, 'leases could not be given back; they end by themselves');
    });
    redis.close();
  }

  private schedule(): void {
    const { flushMs, conditions } = this.parts;
    this.timer = setTimeout(
      () => {
        this.flushing = this.flush().finally(() => {
          if (!this.over) this.schedule();
        });
      },
      conditions.connected ? flushMs : Math.max(flushMs, RETRY_MS),
    );
  }

  /** One flush. Never rejects. */
  async flush(): Promise<void> {
    const { commit, redis, readClock, log, meters, conditions } = this.parts;
    this.lookForRenewals();
    const clock = readClock();
    this.markGrown(clock);
    const asked = this.changed.take(FLUSH_MAX).map((account) => this.ask(account, clock));
    let won = this.wonElsewhere;
    this.wonElsewhere = [];
    let written = false;
    try {
      written = await commit();
      if (!written) throw new Error('the ledger cannot be written');
      if (asked.length > 0) {
        this.learn(asked, await this.sync(asked), clock);
        await commit(); // what was granted goes on the table once it is recorded
        for (const { account } of asked) this.told(account);
      }
      await this.tellEvents();
      await redis.publishReleased(won);
      won = [];
      // Campaigns on the other servers of a cluster are synchronised also while one server is away.
      const pingDue = clock.steadyMs - this.pingedAtMs >= PING_MS || !conditions.connected;
      if (asked.length === 0 || pingDue) await this.ping(clock);
      if (!conditions.connected) {
        this.degrade(false);
        this.tellAll(this.hadRedis);
      }
      this.regain();
      if (!this.over) this.recollection?.turn();
    } catch (error) {
      log.debug({ err: error }, 'a flush to Redis failed');
      for (const { account } of asked) {
        this.failed(account);
        this.told(account);
      }
      this.wonElsewhere = won.concat(this.wonElsewhere).slice(0, RELEASED_MAX);
      // A ledger that cannot be written says nothing about Redis.
      if (written) {
        this.degrade(true);
        this.miss();
      }
    }
    meters.set(SHARD_REDIS_SINCE_MS, this.changed.sinceMs);
    meters.set(SHARD_REDIS_PENDING, this.changed.size);
    meters.set(SHARD_REDIS_UP, conditions.connected ? 1 : 0);
  }

  private sync(asked: readonly Asked[]): Promise<readonly LeaseAnswer[]> {
    const { redis, tracing = null } = this.parts;
    const sync = () => redis.sync(asked.map(({ request }) => request));
    return traced(tracing, 'flush to Redis', { 'pacer.campaigns': asked.length }, sync);
  }

  /** A server that was wiped is told everything again, also what nobody bids for now. */
  private async ping(clock: Clock): Promise<void> {
    const first = this.pingedAtMs === Number.NEGATIVE_INFINITY;
    const remembered = await this.parts.redis.ping();
    this.pingedAtMs = clock.steadyMs;
    if (!remembered && !first) this.tellAll(true);
  }

  private miss(): void {
    if (this.missedSinceMs > 0) return;
    const { meters, readClock, missed, log } = this.parts;
    const sinceMs = meters.get(SHARD_DEGRADED_SINCE_MS);
    if (!this.hadRedis && readClock().wallMs - sinceMs < START_MS) return;
    this.missedSinceMs = sinceMs;
    log.warn('Redis cannot be reached: going on with the leases in hand');
    missed?.(sinceMs);
  }

  private regain(): void {
    if (this.hadRedis && this.missedSinceMs === 0) return;
    this.parts.found?.(this.missedSinceMs, this.parts.readClock().wallMs);
    this.hadRedis = true;
    this.missedSinceMs = 0;
  }

  private ask(account: Account, clock: Clock): Asked {
    return { account, request: account.askForLease(clock) };
  }

  private learn(asked: readonly Asked[], answers: readonly LeaseAnswer[], askedAt: Clock): void {
    const { log, readClock } = this.parts;
    const clock = readClock();
    let forgot = false;
    asked.forEach(({ account, request }, at) => {
      const answer = answers[at];
      if (answer === undefined || answer instanceof Error) {
        log.debug({ err: answer, campaign: request.campaignId }, 'a campaign was not synchronised');
        this.failed(account);
        return;
      }
      // Of a campaign that Redis is told of for the first time it has forgotten nothing that this pod had told it.
      forgot ||= answer.wiped && account.hasBeenLeased;
      if (answer.wiped) this.doubt(account, clock);
      account.leased(request, answer, askedAt, clock);
      if (account.allowanceShort) this.parts.record(account);
      if (account.wantsLease && !this.inGrace.has(account)) this.mark(account, clock.wallMs);
    });
    if (forgot) this.tellAll(false);
  }

  /** Redis has forgotten what it knew of the campaign, if it did: its lease does not grow for a while. */
  private doubt(account: Account, clock: Clock): void {
    this.recollection?.doubt(account);
    this.inGrace.delete(account);
    this.inGrace.set(account, clock.steadyMs + GRACE_MS);
  }

  /** Asks for leases that may grow again. */
  private markGrown(clock: Clock): void {
    for (const [account, atMs] of this.inGrace) {
      if (atMs > clock.steadyMs) return;
      this.inGrace.delete(account);
      if (account.wantsLease) this.mark(account, clock.wallMs);
    }
  }

  private failed(account: Account): void {
    account.leaseLost();
    this.changed.putBack(account);
    this.mark(account, this.parts.readClock().wallMs); // if it was told before something else failed
  }

  private told(account: Account): void {
    this.changed.told(account);
    for (const known of this.waiting.get(account) ?? []) known();
    this.waiting.delete(account);
  }

  /** Leases that end soon are renewed also when nobody bids: a bid must find one. */
  private lookForRenewals(): void {
    const { accountAt, places, readClock } = this.parts;
    const { wallMs, steadyMs } = readClock();
    const count = Math.min(RENEWAL_LOOKS, places());
    for (let looked = 0; looked < count; looked++) {
      const account = accountAt(this.renewalPlace);
      this.renewalPlace = (this.renewalPlace + 1) % places();
      if (account?.leaseEndsWithin(RENEW_MS, steadyMs)) this.mark(account, wallMs);
    }
  }

  /**
   * Redis may have forgotten everything: it is told everything again, and fills itself.
   * @param doubtful also what this pod cannot tell, because others spent it
   */
  private tellAll(doubtful: boolean): void {
    const { accountAt, places, readClock } = this.parts;
    const { wallMs } = readClock();
    for (let place = 0; place < places(); place++) {
      const account = accountAt(place);
      if (!account?.isKnownToFleet) continue;
      this.mark(account, wallMs);
      if (doubtful) this.recollection?.doubt(account);
    }
  }

  /** Goes on without Redis, or with it again. */
  private degrade(degraded: boolean): void {
    const { conditions, meters, log, degradedThrottle, readClock, showDegraded } = this.parts;
    if (conditions.connected === !degraded && meters.get(SHARD_DEGRADED_SINCE_MS) > 0 === degraded) return;
    conditions.connected = !degraded;
    conditions.throttleFloor = degraded ? degradedThrottle : 0;
    meters.set(SHARD_DEGRADED_SINCE_MS, degraded ? readClock().wallMs : 0);
    meters.set(SHARD_REDIS_UP, degraded ? 0 : 1);
    showDegraded(degraded);
    if (!degraded) log.info('Redis answers: budgets are shared');
  }
}
