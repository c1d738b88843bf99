/**
 * Virtual time: what happens when, in order. Only the simulation moves it; whoever waits for something real (a
 * commit, a reply of the server) waits without time going on, so that a seed always gives the same history.
 */

interface Planned {
  readonly atMs: number;
  readonly happen: () => void | Promise<void>;
}

/** Turns of the event loop without anything under way after which nothing more will come by itself. */
const CALM_TURNS = 3;

export class Timeline {
  /** Since the beginning of the history. */
  nowMs = 0;
  /** Real work that was begun and has not ended: commits under way. */
  underWay = 0;
  private readonly planned: Planned[] = [];

  after(delayMs: number, happen: () => void | Promise<void>): void {
    const atMs = this.nowMs + delayMs;
    let place = this.planned.length;
    while (place > 0 && (this.planned[place - 1] as Planned).atMs > atMs) place--;
    this.planned.splice(place, 0, { atMs, happen });
  }

  /** Lets what is planned until then happen, each at its time, and what follows from it. */
  async passTo(untilMs: number): Promise<void> {
    for (let next = this.planned[0]; next !== undefined && next.atMs <= untilMs; next = this.planned[0]) {
      this.planned.shift();
      this.nowMs = Math.max(this.nowMs, next.atMs);
      await next.happen();
      await this.settled();
    }
    this.nowMs = untilMs;
    await this.settled();
  }

  /** Waits until everything that was caused has happened, as far as it needs no time. */
  async settled(): Promise<void> {
    for (let calm = 0; calm < CALM_TURNS; calm++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.underWay > 0) calm = -1;
    }
  }

  /** Counts real work as under way until it ends. */
  async during<T>(work: Promise<T>): Promise<T> {
    this.underWay++;
    try {
      return await work;
    } finally {
      this.underWay--;
    }
  }
}
