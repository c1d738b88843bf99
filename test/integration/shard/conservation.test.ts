/**
 * Random histories of bids, wins, losses, waits, budget changes, resets, thread deaths and crashes, on the real ledger
 * and the real table. After every step nothing may be over budget, and no answered cent may be missing.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OUTCOME_SUCCESS } from '../../../src/messages/edge-shard.ts';
import { campaignOf, ShardHarness } from '../../support/shard-harness.ts';

const CENT = 10_000;
const TTL_MS = 2_000;
const BUDGET_CENTS = 500;

interface HeldBid {
  readonly bidId: string;
  readonly micros: number;
  readonly bornMs: number;
}

const step = fc.record({
  kind: fc.constantFrom(
    'bid',
    'bid',
    'bid',
    'named bid',
    'named bid',
    'win',
    'win',
    'win',
    'loss',
    'wait',
    'long wait',
    'commit',
    'crash',
    'thread dies',
    'restart',
    'budget',
    'reset',
  ),
  cents: fc.integer({ min: 1, max: 120 }),
  pick: fc.nat(),
});

/** The history of one campaign as the bidders know it. */
class History {
  held: HeldBid[] = [];
  answeredMicros = 0;
  /** Since the day was last reset. */
  answeredDayMicros = 0;
  version = 1;
  private bids = 0;
  private readonly harness: ShardHarness;

  constructor(harness: ShardHarness) {
    this.harness = harness;
  }

  bid(named: boolean, micros: number): void {
    const bidId = named ? `b${this.bids++}` : '';
    const { maxBidMicros } = this.harness.decide('c', micros, bidId);
    if (maxBidMicros > 0) this.held.push({ bidId, micros: maxBidMicros, bornMs: this.harness.steadyMs });
  }

  async win(pick: number): Promise<void> {
    const bid = this.take(pick);
    if (bid === undefined) return;
    const price = 1 + (pick % bid.micros);
    const outcome = this.harness.spend('c', price, bid.bidId);
    this.harness.send();
    await this.harness.committed();
    if ((await outcome) !== OUTCOME_SUCCESS) return;
    this.answeredMicros += price;
    this.answeredDayMicros += price;
  }

  async reset(): Promise<void> {
    const result = this.harness.reset('c');
    await this.harness.committed();
    expect(await result).toBe('done');
    this.answeredDayMicros = 0;
  }

  async lose(pick: number): Promise<void> {
    const bid = this.take(pick);
    if (bid === undefined || bid.bidId === '') return;
    const outcome = this.harness.lose('c', bid.bidId);
    await this.harness.committed();
    await outcome;
  }

  /** What bidders hold that a win could still be reported for in time. */
  outstandingMicros(): number {
    const { steadyMs } = this.harness;
    this.held = this.held.filter((bid) => steadyMs - bid.bornMs < TTL_MS);
    return this.held.reduce((sum, bid) => sum + bid.micros, 0);
  }

  private take(pick: number): HeldBid | undefined {
    this.outstandingMicros();
    const bid = this.held[pick % Math.max(1, this.held.length)];
    this.held = this.held.filter((each) => each !== bid);
    return bid;
  }
}

async function play(
  harness: ShardHarness,
  history: History,
  kind: string,
  cents: number,
  pick: number,
): Promise<void> {
  if (kind === 'bid' || kind === 'named bid') history.bid(kind === 'named bid', cents * CENT);
  else if (kind === 'win') await history.win(pick);
  else if (kind === 'loss') await history.lose(pick);
  else if (kind === 'wait') await harness.pass(50 * (1 + (pick % 6)));
  else if (kind === 'long wait') await harness.pass(TTL_MS + 500);
  else if (kind === 'reset') await history.reset();
  else if (kind === 'commit') await harness.committed();
  else if (kind === 'crash') await harness.crash();
  else if (kind === 'thread dies') await harness.restartThread();
  else if (kind === 'restart') await harness.restart();
  else {
    history.version++;
    const budget = (BUDGET_CENTS + (pick % 200)) * CENT;
    await Promise.all([
      harness.upsert(campaignOf('c', budget, { version: history.version })),
      harness.committed(),
    ]);
  }
}

test('no history of bids, wins, crashes, resets and budget changes spends over the budget or loses an answered cent', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 120 }), async (steps) => {
      const harness = new ShardHarness({ reservationTtlMs: TTL_MS });
      try {
        const history = new History(harness);
        await Promise.all([harness.upsert(campaignOf('c', BUDGET_CENTS * CENT)), harness.committed()]);
        for (const { kind, cents, pick } of steps) {
          await play(harness, history, kind, cents, pick);
          const status = harness.status('c');
          const budget = Math.round(status.daily_budget_cents * CENT);
          const spent = Math.round(status.daily_spent_cents * CENT);
          const reserved = Math.round(status.reserved_cents * CENT);
          expect(spent).toBe(history.answeredDayMicros);
          expect(Math.round(status.total_spent_cents * CENT)).toBe(history.answeredMicros);
          const out = spent + history.outstandingMicros();
          // A budget cut below what is spent and in flight cannot call those bids back; it only stops new ones.
          if (kind !== 'budget' && history.version === 1) expect(out).toBeLessThanOrEqual(budget);
          expect(reserved).toBeGreaterThanOrEqual(history.outstandingMicros());
          const committed = spent + reserved + harness.onTable('c');
          if (harness.onTable('c') > 0)
            expect(committed).toBeLessThanOrEqual(Math.max(budget, spent + reserved));
        }
      } finally {
        await harness.close();
      }
    }),
    { numRuns: 60 },
  );
}, 120_000);
