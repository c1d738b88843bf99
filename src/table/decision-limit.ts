/**
 * The pod's limit of decisions a second: one bucket in shared memory, which every edge takes from. A share for
 * each edge would need no shared word, but the kernel spreads connections unevenly, and a bidder with few of them
 * would be refused far below the limit.
 *
 *   tokens       thousandths of a decision; at most one second's worth
 *   refilled at  ms of the steady clock, modulo 2^32: whoever moves it on adds what that time is worth
 *
 * Rates are whole numbers a second and time is whole ms, so a token count in thousandths is exact.
 */
const TOKENS = 0;
const REFILLED_AT = 1;
const WORDS = 2;

const SCALE = 1_000;
const SECOND_MS = 1_000;

/** Edges come here slightly after reading the clock: a little earlier than the last is not a clock that wrapped. */
const EDGES_APART_MS = -1_000;

/** An empty bucket: the first refill finds that much time has passed, and fills it. */
export function allocateDecisionLimit(): SharedArrayBuffer {
  return new SharedArrayBuffer(WORDS * 4);
}

export class DecisionLimit {
  private readonly words: Int32Array;
  private readonly perSecond: number;
  private readonly tokensMax: number;

  /** @param perSecond from 1 to 2,000,000 */
  constructor(memory: SharedArrayBuffer, perSecond: number) {
    this.words = new Int32Array(memory);
    this.perSecond = perSecond;
    this.tokensMax = perSecond * SCALE;
  }

  /**
   * Takes so many decisions, all or none; of more than a second's worth, a full bucket. Nothing waits.
   * @param nowMs read just now, ms of a clock that all edges share and that never goes back
   */
  take(decisions: number, nowMs: number): boolean {
    this.refill(nowMs);
    const wanted = Math.min(decisions * SCALE, this.tokensMax);
    for (;;) {
      const tokens = Atomics.load(this.words, TOKENS);
      if (tokens < wanted) return false;
      if (Atomics.compareExchange(this.words, TOKENS, tokens, tokens - wanted) === tokens) return true;
    }
  }

  private refill(nowMs: number): void {
    const now = nowMs | 0;
    const before = Atomics.load(this.words, REFILLED_AT);
    const passedMs = (now - before) | 0;
    if (passedMs <= 0 && passedMs > EDGES_APART_MS) return;
    if (Atomics.compareExchange(this.words, REFILLED_AT, before, now) !== before) return;
    // Beyond half the clock's range the difference is negative: that is many seconds too.
    const fillMs = passedMs < 0 ? SECOND_MS : Math.min(passedMs, SECOND_MS);
    const room = this.tokensMax - Atomics.load(this.words, TOKENS);
    // Others only take meanwhile, but for one who refills for a later ms: that much it may stand above the mark.
    Atomics.add(this.words, TOKENS, Math.max(0, Math.min(room, fillMs * this.perSecond)));
  }
}
