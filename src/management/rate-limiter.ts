/**
 * A token bucket for each key, in bounded memory: beyond the bound the key that was seen longest ago is
 * forgotten, and begins anew with a full bucket. Owned by one thread.
 */

export interface RateLimit {
  readonly perSecond: number;
  readonly burst: number;
  readonly keysMax: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

export class RateLimiter {
  readonly #limit: RateLimit;
  /** In the order in which they were last seen. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(limit: RateLimit) {
    this.#limit = limit;
  }

  /** Whether the key may do one thing more. @param nowMs of a clock that never goes back */
  take(key: string, nowMs: number): boolean {
    const bucket = this.#bucketOf(key, nowMs);
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }

  #bucketOf(key: string, nowMs: number): Bucket {
    const { burst, keysMax, perSecond } = this.#limit;
    const known = this.#buckets.get(key);
    const bucket = known ?? { tokens: burst, atMs: nowMs };
    const refill = (Math.max(0, nowMs - bucket.atMs) / 1_000) * perSecond;
    bucket.tokens = Math.min(burst, bucket.tokens + refill);
    bucket.atMs = nowMs;
    this.#buckets.delete(key);
    if (this.#buckets.size >= keysMax) this.#forgetOldest();
    this.#buckets.set(key, bucket);
    return bucket;
  }

  #forgetOldest(): void {
    for (const oldest of this.#buckets.keys()) {
      this.#buckets.delete(oldest);
      return;
    }
  }
}
