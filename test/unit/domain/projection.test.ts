import { describe, expect, test } from 'vitest';
import type { Campaign } from '../../../src/domain/campaign.ts';
import { CurveCache } from '../../../src/domain/curve-cache.ts';
import { micros } from '../../../src/domain/money.ts';
import { NOTHING_KNOWN, type Prior } from '../../../src/domain/pacing-settings.ts';
import { type Projection, projectDay } from '../../../src/domain/projection.ts';
import { VirtualCampaign, type VirtualDecision } from '../../../src/domain/virtual-campaign.ts';
import { someCampaign } from '../../support/campaigns.ts';

const START_MS = Date.UTC(2026, 2, 2);
const BUDGET = 100_000_000;
const BID = 100_000;
const FLAT = new Array<number>(24).fill(1);

/** Every second a bid; of those allowed every fifth is won at its price, half a minute later. */
class Traffic {
  readonly virtual: VirtualCampaign;
  private readonly decision: VirtualDecision = { reason: 0, maxBidMicros: 0, throttleRate: 0 };
  private readonly won: { readonly second: number; readonly id: string; readonly micros: number }[] = [];
  private second = 0;
  private bids = 0;
  private allowed = 0;

  constructor(changes: Partial<Campaign> = {}, prior: Prior = NOTHING_KNOWN) {
    const campaign = someCampaign({ dailyBudgetMicros: micros(BUDGET), breakerThreshold: 1, ...changes });
    const settings = {
      reservationTtlMs: 120_000,
      breakerRecoveryMs: 300_000,
      breakerProbes: 2,
      curves: new CurveCache(),
      history: null,
      fleet: null,
      hourEnded: () => undefined,
      moved: () => undefined,
    };
    this.virtual = new VirtualCampaign(campaign, settings, START_MS, prior);
  }

  run(seconds: number, bidMicros = BID): this {
    for (const end = this.second + seconds; this.second < end; this.second++) this.step(bidMicros);
    return this;
  }

  project(): Projection | null {
    return projectDay(this.virtual.paced, this.virtual.now);
  }

  private step(bidMicros: number): void {
    const nowMs = START_MS + this.second * 1000;
    while (this.won[0] !== undefined && this.won[0].second <= this.second) {
      const { id, micros } = this.won.shift() as { id: string; micros: number };
      this.virtual.spend(micros, id, nowMs);
    }
    const id = `bid-${this.bids}`;
    this.virtual.decide(bidMicros, id, (this.bids * 0.618034) % 1, nowMs, this.decision);
    this.bids++;
    const { maxBidMicros } = this.decision;
    if (maxBidMicros === 0) return;
    if (this.allowed++ % 5 === 0) this.won.push({ second: this.second + 30, id, micros: maxBidMicros });
  }
}

describe('a projection', () => {
  test('is unknown before a bid, before ten wins and in the first five minutes', () => {
    expect(new Traffic().project()).toBeNull();
    expect(new Traffic().run(290, BID / 20).project()).toBeNull();
    expect(new Traffic().run(600, 10 * BID).project()).toBeNull();
    expect(new Traffic().run(400, BID / 20).project()).not.toBeNull();
  });

  test('is known from the first minutes on when the past says what to expect', () => {
    const traffic = new Traffic({}, { spendPerAllowed: 0.2, potentialMicros: 10 * BUDGET });
    traffic.virtual.expect(FLAT, START_MS);
    expect(traffic.run(200, BID / 20).project()).not.toBeNull();
  });

  test('of a plan that the traffic carries is the budget, and is not exhausted early', () => {
    const projection = new Traffic().run(7200).project();
    expect(projection?.spendMicros).toBeGreaterThan(0.97 * BUDGET);
    expect(projection?.highMicros).toBeLessThanOrEqual(BUDGET);
    expect(projection?.exhaustionMs).toBeNull();
  });

  test('of too little traffic is what it carries, within its range', () => {
    // A bid of 10 cents a second, of which a fifth is won, comes to a quarter of $100 in a day.
    const flatMicros = (86_400 * BID) / 5;
    const traffic = new Traffic({ dailyBudgetMicros: micros(4 * flatMicros) }, { ...NOTHING_KNOWN });
    traffic.virtual.expect(FLAT, START_MS);
    const projection = traffic.run(14_400).project();
    expect(Math.abs((projection?.spendMicros ?? 0) / flatMicros - 1)).toBeLessThan(0.1);
    expect(projection?.lowMicros).toBeLessThan(flatMicros);
    expect(projection?.highMicros).toBeGreaterThan(flatMicros);
    expect(projection?.exhaustionMs).toBeNull();
  });

  test('of ASAP says when the budget is exhausted, and between when and when', () => {
    const traffic = new Traffic({ pacingMode: 'ASAP' }).run(1800, 2 * BID);
    const projection = traffic.project();
    const spentRate = (2 * BID) / 5;
    const secondsToEighty = (0.8 * BUDGET) / spentRate;
    expect(projection?.spendMicros).toBe(BUDGET);
    expect(projection?.exhaustionMs).toBeGreaterThan(START_MS + 1000 * secondsToEighty);
    expect(projection?.exhaustionEarliestMs).toBeLessThan(projection?.exhaustionMs ?? 0);
    expect(projection?.exhaustionLatestMs).toBeGreaterThan(projection?.exhaustionMs ?? 0);
  });

  test('of a spent budget is what was spent, exhausted when that happened', () => {
    const traffic = new Traffic({ pacingMode: 'ASAP' }).run(3_000, 100 * BID);
    const { paced } = traffic.virtual;
    expect(paced.spentDayMicros).toBe(BUDGET);
    const exhaustionMs = paced.breaker.openedAtMs;
    const spent = { spendMicros: BUDGET, lowMicros: BUDGET, highMicros: BUDGET };
    expect(traffic.project()).toEqual({
      ...spent,
      exhaustionMs,
      exhaustionEarliestMs: exhaustionMs,
      exhaustionLatestMs: exhaustionMs,
    });
    expect(exhaustionMs).toBeLessThan(START_MS + 3_000_000);
  });

  test('of a paused campaign is what it has spent', () => {
    const traffic = new Traffic().run(3_600);
    const { virtual } = traffic;
    virtual.change({ ...virtual.paced.campaign, version: 2, status: 'PAUSED' }, virtual.now.wallMs);
    const { spentDayMicros } = virtual.paced;
    expect(spentDayMicros).toBeGreaterThan(0);
    expect(traffic.project()).toMatchObject({ lowMicros: spentDayMicros, highMicros: spentDayMicros });
  });
});
