import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestPod } from '../../support/pod.ts';
import type { Bidder } from '../../support/pod-http.ts';
import { until } from '../../support/pod-wait.ts';
import { TestPostgres } from '../../support/postgres.ts';

const BUDGET_CENTS = 2000;
const TTL_MS = 6_000;
/** A win older than this is not reported any more: its reservation may be gone when it arrives. */
const WIN_AGE_MAX_MS = 1_000;
const PRICES = [0.15, 1, 7.5, 40, 120];

interface Win {
  readonly id: string;
  readonly cents: number;
  readonly bidId: string | null;
  readonly atMs: number;
}

const micros = (cents: number): number => Math.round(cents * 10_000);

/** Numbers from 0 to 1 that are the same in each run. */
function seeded(seed: number): () => number {
  let state = seed * 2_654_435_761;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 0x9e3779b9) | 0;
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  };
}

/** Bids, and reports wins late and in disorder; adds what was answered to the books. */
class Racer {
  readonly #bidders: readonly Bidder[];
  readonly #random: () => number;
  readonly #seed: number;
  readonly #books: Map<string, number>;
  #wins: Win[] = [];
  #bids = 0;

  /** @param bidders of whom this one is the `seed`th: it bids itself, wins are reported over any connection */
  constructor(bidders: readonly Bidder[], seed: number, books: Map<string, number>) {
    this.#bidders = bidders;
    this.#random = seeded(seed + 1);
    this.#seed = seed;
    this.#books = books;
  }

  async run(ids: readonly string[], bids: number): Promise<void> {
    for (let turn = 0; turn < bids; turn++) {
      await this.#bid(ids[Math.floor(this.#random() * ids.length)] ?? '');
      if (this.#random() < 0.6) await this.#settleOne();
    }
    while (this.#wins.length > 0) await this.#settleOne();
  }

  #connection(at: number): Bidder {
    const bidder = this.#bidders[at];
    if (bidder === undefined) throw new Error('there is no such connection');
    return bidder;
  }

  async #bid(id: string): Promise<void> {
    const bidId = this.#random() < 0.5 ? `${this.#seed}-${this.#bids++}` : null;
    const atMs = performance.now();
    const price = PRICES[Math.floor(this.#random() * PRICES.length)] ?? 1;
    const decision = await this.#connection(this.#seed).decide(id, price, bidId ?? undefined);
    if (!decision.allow_bid) return;
    expect(decision.max_bid_cents).toBeLessThanOrEqual(price);
    this.#wins.push({ id, cents: decision.max_bid_cents, bidId, atMs });
  }

  /** Wins, loses or forgets one of the bids under way, whichever. */
  async #settleOne(): Promise<void> {
    const [win] = this.#wins.splice(Math.floor(this.#random() * this.#wins.length), 1);
    if (win === undefined || performance.now() - win.atMs > WIN_AGE_MAX_MS) return;
    const chance = this.#random();
    const other = this.#connection(Math.floor(this.#random() * this.#bidders.length));
    if (chance < 0.05) return;
    if (chance < 0.25 && win.bidId !== null) {
      await other.lose(win.id, win.bidId);
      return;
    }
    const cents = chance < 0.6 ? win.cents : Math.floor(win.cents * 7_000) / 10_000;
    const named = win.bidId === null ? {} : { bid_id: win.bidId };
    await other.spend({ campaign_id: win.id, spend_cents: cents, ...named });
    this.#books.set(win.id, (this.#books.get(win.id) ?? 0) + micros(cents));
  }
}

describe('sixteen bidders that race for small budgets', () => {
  const ids = Array.from({ length: 6 }, (_, at) => `race-${at}`);
  const books = new Map<string, number>();
  let postgres: TestPostgres;
  let pod: TestPod;

  beforeAll(async () => {
    postgres = await TestPostgres.start();
    const threads = { EDGE_THREADS: 2, SHARDS: 2 };
    pod = await TestPod.start({
      env: { DATABASE_URL: postgres.url, RESERVATION_TTL_MS: TTL_MS, ...threads },
    });
    for (const id of ids) {
      await pod.createCampaign({ id, daily_budget_cents: BUDGET_CENTS, breaker_threshold: 1 });
    }
  });
  afterAll(async () => {
    await pod.remove();
    await postgres.remove();
  });

  it('never see more spent and reserved than the budget, in any status read during the race', async () => {
    let racing = true;
    const over: string[] = [];
    const watching = Promise.all(
      ids.map(async (id) => {
        while (racing) {
          const { daily_spent_cents: spent, reserved_cents: reserved } = await pod.core.status(id);
          if (micros(spent) + micros(reserved) > micros(BUDGET_CENTS))
            over.push(`${id}: ${spent} + ${reserved}`);
        }
      }),
    );
    const bidders = Array.from({ length: 16 }, () => pod.bidder());
    const racers = bidders.map((_, at) => new Racer(bidders, at, books));
    await Promise.all(racers.map((racer) => racer.run(ids, 500)));
    for (const bidder of bidders) bidder.close();
    racing = false;
    await watching;
    expect(over).toEqual([]);
    // No win came before its reservation, on whichever edge the two were answered.
    expect((await pod.core.metrics()).get('pacer_late_win_cents_total')).toBe(0);
  });

  it('have every answered cent counted, and none more', async () => {
    for (const id of ids) {
      const { daily_spent_cents, total_spent_cents } = await pod.core.status(id);
      expect(micros(daily_spent_cents)).toBe(books.get(id) ?? 0);
      expect(total_spent_cents).toBe(daily_spent_cents);
    }
  });

  it('get back what was not reported, once it expires, and can then spend the whole budget and no more', async () => {
    for (const id of ids) {
      await until('nothing is reserved', async () => (await pod.core.status(id)).reserved_cents === 0);
    }
    await Promise.all(
      ids.map(async (id) => {
        const bidder = pod.bidder();
        await until(`${id} is spent`, async () => {
          const decision = await bidder.decide(id, 25);
          if (!decision.allow_bid) return decision.reason === 'budget_exhausted';
          await bidder.spend({ campaign_id: id, spend_cents: decision.max_bid_cents });
          return false;
        });
        bidder.close();
        expect((await pod.core.status(id)).daily_spent_cents).toBe(BUDGET_CENTS);
      }),
    );
    const overspent = [...(await pod.core.metrics())].filter(
      ([name, cents]) => name.startsWith('pacer_overspend_cents_total') && cents > 0,
    );
    expect(overspent).toEqual([]);
  });
});
