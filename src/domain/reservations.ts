/**
 * What one campaign has in flight: bids that were allowed and whose win or loss is not known yet. Owned by
 * the campaign's shard; times are monotonic milliseconds and only move forward.
 *
 *   allowance taken ──▶ unnamed buckets, oldest first ──(name: the bid has an id)──▶ named by bid id
 *                           │ spend without id: its amount, from the oldest           │ win or loss: all of it
 *                           └── expiry                                                └── expiry
 *
 * Invariant: `totalMicros` is never less than what is outstanding and not yet expired. A bid without an id
 * cannot be told from another, so its spend releases from the oldest bucket: after that the remaining buckets
 * hold at least as much, and expire no earlier, than the bids that remain. Naming takes from the oldest bucket
 * for the same reason. A bucket expires a whole TTL after the end of its window, the last moment it can hold a bid of.
 */

import {
  addToNewest,
  append,
  bucketCount,
  dropOldest,
  NO_BUCKETS,
  newestWindow,
  oldestMicros,
  oldestWindow,
  takeFromOldest,
} from './bucket-queue.ts';

/** What is in flight, micros: of bids with an id and of those without. */
export interface ReservedSums {
  namedMicros: number;
  unnamedMicros: number;
}

export const NOTHING_RESERVED: Readonly<ReservedSums> = { namedMicros: 0, unnamedMicros: 0 };

interface NamedBid {
  readonly micros: number;
  readonly expiresAtMs: number;
}

/** Bids with an id that one campaign keeps apart; past it they stay unnamed, which only reserves longer. */
export const NAMED_MAX = 1_000_000;
/** Each is 8 bytes of every campaign that is bid for, and so many hold a bid for a 24th of its time longer at most. */
const BUCKETS_A_TTL = 24;
/** Buckets of older windows than the last so many have expired, and wait to be dropped. */
const WINDOWS_MAX = BUCKETS_A_TTL + 2;

export class Reservations {
  private readonly ttlMs: number;
  /** Of bids without an id. */
  private buckets = NO_BUCKETS;
  /** Oldest first; null while there is none. */
  private named: Map<string, NamedBid> | null = null;
  private readonly sums: ReservedSums;

  /** @param sums of nothing yet, and changed by these reservations alone */
  constructor(ttlMs: number, sums: ReservedSums = { ...NOTHING_RESERVED }) {
    this.ttlMs = ttlMs;
    this.sums = sums;
  }

  /** A bucket holds the bids of so much time. */
  private get windowMs(): number {
    return Math.max(1, Math.floor(this.ttlMs / BUCKETS_A_TTL));
  }

  /** Everything in flight, micros. */
  get totalMicros(): number {
    return this.sums.unnamedMicros + this.sums.namedMicros;
  }

  /** Whether nothing is in flight. */
  get empty(): boolean {
    return bucketCount(this.buckets) === 0 && (this.named === null || this.named.size === 0);
  }

  /** Reserves what edges were seen to have taken from the allowance. */
  take(micros: number, nowMs: number): void {
    if (micros <= 0) return;
    const { buckets } = this;
    const window = Math.floor(nowMs / this.windowMs);
    const fits = bucketCount(buckets) > 0 && newestWindow(buckets) >= window;
    if (fits) addToNewest(buckets, micros);
    else this.buckets = append(buckets, micros, window, WINDOWS_MAX);
    this.sums.unnamedMicros += micros;
  }

  /** Gives a part of what was taken its bid's id. */
  name(bidId: string, micros: number, nowMs: number): void {
    const moved = this.releaseOldest(micros);
    this.named ??= new Map();
    const { named } = this;
    const standing = named.get(bidId);
    if (standing === undefined && named.size >= NAMED_MAX) {
      this.take(moved, nowMs);
      return;
    }
    // A bid asked for twice under one id: both amounts stand until it is settled, from the later time on.
    named.delete(bidId);
    named.set(bidId, { micros: moved + (standing?.micros ?? 0), expiresAtMs: nowMs + this.ttlMs });
    this.sums.namedMicros += moved;
  }

  /** Whether a bid with this id is in flight. */
  has(bidId: string): boolean {
    return this.named?.has(bidId) ?? false;
  }

  /** How long a bid with this id has been in flight, ms; NaN when none is. */
  ageMs(bidId: string, nowMs: number): number {
    const reserved = this.named?.get(bidId);
    return reserved === undefined ? Number.NaN : nowMs - (reserved.expiresAtMs - this.ttlMs);
  }

  /**
   * Settles a bid by its id.
   * @returns micros released, or −1 when no such bid is in flight: it expired, or there never was one
   */
  settle(bidId: string): number {
    const reserved = this.named?.get(bidId);
    if (reserved === undefined) return -1;
    this.named?.delete(bidId);
    this.sums.namedMicros -= reserved.micros;
    return reserved.micros;
  }

  /**
   * Settles a bid without an id.
   * @returns micros released: its amount, or less when less is in flight without an id
   */
  settleUnnamed(micros: number): number {
    return this.releaseOldest(micros);
  }

  /** Drops what has been in flight for a whole TTL; returns the micros released. */
  expire(nowMs: number): number {
    const before = this.totalMicros;
    const { windowMs } = this;
    const endsMs = nowMs - this.ttlMs;
    while (bucketCount(this.buckets) > 0 && (oldestWindow(this.buckets) + 1) * windowMs <= endsMs) {
      this.sums.unnamedMicros -= oldestMicros(this.buckets);
      this.buckets = dropOldest(this.buckets);
    }
    if (this.named !== null) this.expireNamed(this.named, nowMs);
    return before - this.totalMicros;
  }

  private expireNamed(named: Map<string, NamedBid>, nowMs: number): void {
    for (const [bidId, reserved] of named) {
      if (reserved.expiresAtMs > nowMs) break;
      named.delete(bidId);
      this.sums.namedMicros -= reserved.micros;
    }
    if (named.size === 0) this.named = null;
  }

  private releaseOldest(micros: number): number {
    let owed = micros;
    while (owed > 0 && bucketCount(this.buckets) > 0) {
      const oldest = oldestMicros(this.buckets);
      if (oldest > owed) {
        takeFromOldest(this.buckets, owed);
        owed = 0;
      } else {
        owed -= oldest;
        this.buckets = dropOldest(this.buckets);
      }
    }
    this.sums.unnamedMicros -= micros - owed;
    return micros - owed;
  }
}
