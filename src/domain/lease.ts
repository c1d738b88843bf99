/**
 * A pod's lease of one campaign's day: the pod may have `spent + in flight + on its table <= lease`, where spent is
 * the pod's own of that local day. It only grows by what Redis grants and only shrinks by what the pod itself
 * gives back, so a lost or late reply never leaves the pod with more than Redis counts:
 *
 *   ask    the pod says what it may be using (held), what it cannot give back (floor) and what it wants (cap);
 *          from then on it uses min(held, cap), whatever becomes of the request
 *   reply  held becomes what was granted, at least min(held, cap) and floor
 *   lost   held stays min(held, cap): Redis counts at least that
 *   moved  a bid that was allowed here ended elsewhere, or without a word: what it held may be another pod's spend
 *          now, and is free again only when Redis, which knows both, grants it anew
 *
 * A lease ends by the pod's own steady clock, counted from when it asked: before Redis takes it for ended.
 */

/** The part of a lease's time that the pod uses; the rest is for clocks that do not run alike. */
const USED_PART = 0.9;

export class Lease {
  private held = 0;
  private asked = Number.POSITIVE_INFINITY;
  private untilMs = Number.NEGATIVE_INFINITY;
  /** Moved since the request that is on its way, which Redis dealt without knowing of it. */
  private moved = 0;

  /** What the pod keeps to, micros, whether or not the lease has ended. */
  get heldMicros(): number {
    return Math.max(0, Math.min(this.held, this.asked) - this.moved);
  }

  /** What the pod may be using, micros, for the next request: of a lease that has ended only what is its floor. */
  claim(floorMicros: number, steadyMs: number): number {
    return steadyMs < this.untilMs ? this.heldMicros : Math.min(this.heldMicros, floorMicros);
  }

  /** How much the pod may use now, micros; 0 once the lease has ended. */
  usable(steadyMs: number): number {
    return steadyMs < this.untilMs ? this.heldMicros : 0;
  }

  /** When it ends unless it is renewed, steady ms. */
  get endsAtMs(): number {
    return this.untilMs;
  }

  /** A request with this cap is on its way; one at a time. */
  ask(capMicros: number): void {
    this.held = this.heldMicros;
    this.moved = 0;
    this.asked = capMicros;
  }

  /** What a bid had held counts elsewhere, or may: it must not be bid here again. */
  moveAway(micros: number): void {
    this.moved += micros;
  }

  /** @param askedAtMs when the request was sent, steady ms */
  granted(leaseMicros: number, askedAtMs: number, leaseMs: number): void {
    this.held = Math.max(0, leaseMicros - this.moved);
    this.moved = 0;
    this.asked = Number.POSITIVE_INFINITY;
    this.untilMs = askedAtMs + USED_PART * leaseMs;
  }

  /** No reply came, or none that says anything. */
  lost(): void {
    this.held = this.heldMicros;
    this.moved = 0;
    this.asked = Number.POSITIVE_INFINITY;
  }

  /**
   * A new local day has a lease of its own. It begins with what was left of the last one: what is in flight wins
   * on the new day, and bidding goes on until the first reply.
   * @param spentMicros what the pod spent of the day that ended
   */
  beginDay(spentMicros: number): void {
    this.held = Math.max(0, this.heldMicros - spentMicros);
    this.moved = 0;
    this.asked = Number.POSITIVE_INFINITY;
  }
}
