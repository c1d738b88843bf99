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
 * for the same reason. A bucket expires a whole TTL after the last moment it can hold a bid of.
 */

interface Bucket {
  micros: number;
  readonly expiresAtMs: number;
}

/** Bids with an id that one campaign keeps apart; past it they stay unnamed, which only reserves longer. */
export const NAMED_MAX = 1_000_000;
const BUCKETS_A_TTL = 64;

export class Reservations {
  private readonly ttlMs: number;
  private readonly bucketMs: number;
  private readonly buckets: Bucket[] = [];
  private readonly named = new Map<string, Bucket>();
  private unnamedMicros = 0;
  private namedMicros = 0;
  /** How long the bid that {@link settle} last found had been in flight, ms. */
  settledAgeMs = 0;

  constructor(ttlMs: number) {
    this.ttlMs = ttlMs;
    this.bucketMs = Math.max(1, Math.floor(ttlMs / BUCKETS_A_TTL));
  }

  /** Everything in flight, micros. */
  get totalMicros(): number {
    return this.unnamedMicros + this.namedMicros;
  }

  /** Whether nothing is in flight. */
  get empty(): boolean {
    return this.buckets.length === 0 && this.named.size === 0;
  }

  /** Reserves what edges were seen to have taken from the allowance. */
  take(micros: number, nowMs: number): void {
    if (micros <= 0) return;
    const expiresAtMs = (Math.floor(nowMs / this.bucketMs) + 1) * this.bucketMs + this.ttlMs;
    const last = this.buckets.at(-1);
    if (last !== undefined && last.expiresAtMs >= expiresAtMs) last.micros += micros;
    else this.buckets.push({ micros, expiresAtMs });
    this.unnamedMicros += micros;
  }

  /** Gives a part of what was taken its bid's id. */
  name(bidId: string, micros: number, nowMs: number): void {
    const moved = this.releaseOldest(micros);
    const standing = this.named.get(bidId);
    if (standing === undefined && this.named.size >= NAMED_MAX) {
      this.take(moved, nowMs);
      return;
    }
    // A bid asked for twice under one id: both amounts stand until it is settled, from the later time on.
    this.named.delete(bidId);
    this.named.set(bidId, { micros: moved + (standing?.micros ?? 0), expiresAtMs: nowMs + this.ttlMs });
    this.namedMicros += moved;
  }

  /** Whether a bid with this id is in flight. */
  has(bidId: string): boolean {
    return this.named.has(bidId);
  }

  /**
   * Settles a bid by its id.
   * @returns micros released, or −1 when no such bid is in flight: it expired, or there never was one
   */
  settle(bidId: string, nowMs: number): number {
    const reserved = this.named.get(bidId);
    if (reserved === undefined) return -1;
    this.settledAgeMs = nowMs - (reserved.expiresAtMs - this.ttlMs);
    this.named.delete(bidId);
    this.namedMicros -= reserved.micros;
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
    for (
      let oldest = this.buckets[0];
      oldest !== undefined && oldest.expiresAtMs <= nowMs;
      oldest = this.buckets[0]
    ) {
      this.unnamedMicros -= oldest.micros;
      this.buckets.shift();
    }
    for (const [bidId, reserved] of this.named) {
      if (reserved.expiresAtMs > nowMs) break;
      this.named.delete(bidId);
      this.namedMicros -= reserved.micros;
    }
    return before - this.totalMicros;
  }

  private releaseOldest(micros: number): number {
    let owed = micros;
    for (let oldest = this.buckets[0]; owed > 0 && oldest !== undefined; oldest = this.buckets[0]) {
      if (oldest.micros > owed) {
        oldest.micros -= owed;
        owed = 0;
      } else {
        owed -= oldest.micros;
        this.buckets.shift();
      }
    }
    this.unnamedMicros -= micros - owed;
    return micros - owed;
  }
}
