/** Random histories of one campaign: whatever is reported in whatever order, the budget holds. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PACING_MODES } from '../../src/domain/campaign.ts';
import { CurveCache } from '../../src/domain/curve-cache.ts';
import { micros } from '../../src/domain/money.ts';
import { VirtualCampaign, type VirtualDecision } from '../../src/domain/virtual-campaign.ts';
import { someCampaign } from '../support/campaigns.ts';

const RUNS = 10_000;
const TTL_MS = 20_000;
/** An evening, so that some histories cross midnight. */
const START_MS = Date.UTC(2026, 2, 2, 23, 58);

/** A bid that the bidder holds: allowed, neither reported nor too old to be. */
interface Held {
  readonly bidId: string;
  readonly maxBidMicros: number;
  readonly bornMs: number;
}

const step = fc.record({
  kind: fc.constantFrom(
    'bid',
    'bid',
    'named bid',
    'named bid',
    'win',
    'win',
    'loss',
    'wait',
    'long wait',
    'raise',
  ),
  amount: fc.integer({ min: 1, max: 400 }),
  pick: fc.nat(1000),
});
const history = fc.record({
  budgetMicros: fc.integer({ min: 1, max: 2000 }),
  totalFactor: fc.constantFrom(null, 1, 1.5),
  mode: fc.constantFrom(...PACING_MODES),
  threshold: fc.constantFrom(0, 0.5, 0.95, 1),
  steps: fc.array(step, { minLength: 20, maxLength: 60 }),
});
type History = typeof history extends fc.Arbitrary<infer T> ? T : never;

class Bidder {
  readonly virtual: VirtualCampaign;
  nowMs = START_MS;
  /** What it reported as spent, by its own books. */
  reportedMicros = 0;
  private held: Held[] = [];
  private bids = 0;
  private readonly decision: VirtualDecision = { reason: 0, maxBidMicros: 0, throttleRate: 0 };

  constructor({ budgetMicros, totalFactor, mode, threshold }: History) {
    const campaign = someCampaign({
      dailyBudgetMicros: micros(budgetMicros),
      totalBudgetMicros: totalFactor === null ? null : micros(Math.floor(budgetMicros * totalFactor)),
      pacingMode: mode,
      breakerThreshold: threshold,
    });
    const settings = {
      reservationTtlMs: TTL_MS,
      breakerRecoveryMs: 5_000,
      breakerProbes: 2,
      curves: new CurveCache(),
      history: null,
      fleet: null,
      hourEnded: () => undefined,
      moved: () => undefined,
    };
    this.virtual = new VirtualCampaign(campaign, settings, START_MS);
  }

  take({ kind, amount, pick }: History['steps'][number]): void {
    if (kind === 'bid' || kind === 'named bid') this.bid(amount, kind === 'bid' ? '' : `b${this.bids++}`);
    else if (kind === 'win' || kind === 'loss') this.report(kind === 'win', pick);
    else if (kind === 'raise') this.raise(amount);
    else this.wait(kind === 'wait' ? amount * 5 : amount * 200);
  }

  private bid(bidMicros: number, bidId: string): void {
    this.virtual.decide(bidMicros, bidId, 0, this.nowMs, this.decision);
    const { maxBidMicros } = this.decision;
    expect(maxBidMicros).toBeLessThanOrEqual(bidMicros);
    if (maxBidMicros > 0) this.held.push({ bidId, maxBidMicros, bornMs: this.nowMs });
  }

  /** Wins any of the held bids, at or below its price; a loss needs an id. */
  private report(won: boolean, pick: number): void {
    const chosen = this.held[pick % Math.max(1, this.held.length)];
    if (chosen === undefined || (!won && chosen.bidId === '')) return;
    this.held = this.held.filter((bid) => bid !== chosen);
    if (won) {
      const price = 1 + (pick % chosen.maxBidMicros);
      this.reportedMicros += price;
      this.virtual.spend(price, chosen.bidId, this.nowMs);
    } else this.virtual.lose(chosen.bidId, this.nowMs);
  }

  private raise(amount: number): void {
    const { campaign } = this.virtual.paced;
    const raised = micros(campaign.dailyBudgetMicros + amount);
    const version = campaign.version + 1;
    this.virtual.change({ ...campaign, dailyBudgetMicros: raised, version }, this.nowMs);
  }

  private wait(ms: number): void {
    this.nowMs += ms;
    this.held = this.held.filter(({ bornMs }) => this.nowMs - bornMs < TTL_MS);
    this.virtual.advance(this.nowMs);
  }
}

describe('a campaign whose wins are reported in time and within their price', () => {
  test(`never spends over its budget, in ${RUNS} random histories`, () => {
    fc.assert(
      fc.property(history, (given) => {
        const bidder = new Bidder(given);
        const { paced } = bidder.virtual;
        for (const each of given.steps) {
          bidder.take(each);
          const { spentDayMicros, spentTotalMicros } = paced.counters;
          expect(spentDayMicros + paced.reservations.totalMicros).toBeLessThanOrEqual(paced.budgetMicros);
          const total = paced.campaign.totalBudgetMicros ?? Number.POSITIVE_INFINITY;
          expect(spentTotalMicros).toBeLessThanOrEqual(total);
        }
        expect(paced.counters.spentTotalMicros).toBe(bidder.reportedMicros);
        expect(paced.counters.overspentTotalMicros).toBe(0);
        expect(paced.counters.lateWinTotalMicros).toBe(0);
      }),
      { numRuns: RUNS },
    );
  });
});
