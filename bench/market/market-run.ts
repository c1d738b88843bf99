/**
 * One lever's run through the whole market under virtual time, second by second: notices and expiries first,
 * then the auctions of the second, then the pacers' turn. First price: the highest bid wins and pays itself;
 * outside competitors win ties.
 */
import { BudgetAccount, DELIVERED_SHARE, EARLY_SECONDS, type Gate } from './budget-account.ts';
import type { Lever, Pacer } from './levers/lever.ts';
import { DAY_SECONDS, type Market, TTL_SECONDS } from './market.ts';
import { Random } from './random.ts';

/** The EVEN plan's time of the delivered share, less what is early. */
const EARLY_BEFORE_SECOND = DELIVERED_SHARE * DAY_SECONDS - EARLY_SECONDS;

export interface Outcome {
  readonly lever: Lever;
  readonly gate: Gate;
  readonly spentMicros: number;
  /** Spent beyond the budget, over all campaign-days. */
  readonly overspentMicros: number;
  readonly impressions: number;
  /** What the campaigns would have bid for what they won, had no lever lowered it. */
  readonly valueMicros: number;
  /** Campaign-days whose budget was spent more than 30 minutes before plan. */
  readonly daysEndedEarly: number;
  /** Those of them that one win ended which alone cost more than the plan spends in 30 minutes. */
  readonly daysEndedByOneWin: number;
  readonly campaignDays: number;
}

/** Dollars per thousand impressions. */
export function cpmOf(outcome: Outcome): number {
  return outcome.impressions > 0 ? outcome.spentMicros / 1000 / outcome.impressions : Number.NaN;
}

export function runMarket(market: Market, lever: Lever, gate: Gate): Outcome {
  const run = new MarketRun(market, lever, gate);
  const seconds = market.size.days * DAY_SECONDS;
  for (let second = 0; second < seconds; second++) {
    if (second > 0 && second % DAY_SECONDS === 0) run.turnDay(second / DAY_SECONDS);
    run.passSecond(second);
  }
  // Bids end with the last day; the notices still due count on it.
  for (let second = seconds; second <= seconds + TTL_SECONDS + 1; second++) run.settle(second, DAY_SECONDS);
  return run.close();
}

class MarketRun {
  private readonly market: Market;
  private readonly lever: Lever;
  private readonly gate: Gate;
  private readonly accounts: readonly BudgetAccount[];
  private readonly pacers: readonly Pacer[];
  /** Reserved for the offers of one impression; 0 = no bid. */
  private readonly bids: Float64Array;
  private spentMicros = 0;
  private overspentMicros = 0;
  private impressions = 0;
  private valueMicros = 0;
  private daysEndedEarly = 0;
  private daysEndedByOneWin = 0;
  private campaignDays = 0;

  constructor(market: Market, lever: Lever, gate: Gate) {
    this.market = market;
    this.lever = lever;
    this.gate = gate;
    const toss = new Random(market.size.seed + 1).uniform;
    this.accounts = market.campaigns.map((campaign) => new BudgetAccount(campaign.dailyBudgetMicros, gate));
    this.pacers = this.accounts.map((account) => lever.startPacer({ account, toss }));
    this.bids = new Float64Array(market.campaigns.length);
  }

  passSecond(second: number): void {
    const secondOfDay = second % DAY_SECONDS;
    this.settle(second, secondOfDay);
    const { firstOfSecond } = this.market.impressions;
    const end = firstOfSecond[second + 1] ?? 0;
    for (let impression = firstOfSecond[second] ?? 0; impression < end; impression++) {
      this.auction(second, impression);
    }
    for (const pacer of this.pacers) pacer.endSecond(secondOfDay + 1);
  }

  settle(second: number, secondOfDay: number): void {
    for (const account of this.accounts) {
      account.beginSecond(second, secondOfDay);
      this.impressions += account.notified.wins;
    }
  }

  turnDay(day: number): void {
    this.closeDay();
    for (const account of this.accounts) account.beginDay();
    for (const pacer of this.pacers) pacer.beginDay(day);
  }

  close(): Outcome {
    this.closeDay();
    const { lever, gate, spentMicros, overspentMicros, impressions, valueMicros } = this;
    const { daysEndedEarly, daysEndedByOneWin, campaignDays } = this;
    return {
      lever,
      gate,
      spentMicros,
      overspentMicros,
      impressions,
      valueMicros,
      daysEndedEarly,
      daysEndedByOneWin,
      campaignDays,
    };
  }

  private closeDay(): void {
    for (const { spentMicros, budgetMicros, endedAtSecond, endedByOneWin } of this.accounts) {
      this.spentMicros += spentMicros;
      this.overspentMicros += Math.max(spentMicros - budgetMicros, 0);
      if (endedAtSecond < EARLY_BEFORE_SECOND) {
        this.daysEndedEarly++;
        if (endedByOneWin) this.daysEndedByOneWin++;
      }
      this.campaignDays++;
    }
  }

  private auction(second: number, impression: number): void {
    const { firstOffer, rivalMicros, noticeSeconds, offerMicros } = this.market.impressions;
    const first = firstOffer[impression] ?? 0;
    const end = firstOffer[impression + 1] ?? 0;
    let best = rivalMicros[impression] ?? 0;
    let winner = -1;
    for (let offer = first; offer < end; offer++) {
      const bidMicros = this.collectBid(offer);
      this.bids[offer - first] = bidMicros;
      if (bidMicros <= best) continue;
      best = bidMicros;
      winner = offer;
    }
    for (let offer = first; offer < end; offer++) {
      const micros = this.bids[offer - first] ?? 0;
      if (micros === 0) continue;
      const account = this.accountOf(offer);
      if (offer !== winner) account.lose(second, micros);
      else account.win(second, micros, noticeSeconds[impression] ?? 0);
    }
    if (winner >= 0) this.valueMicros += offerMicros[winner] ?? 0;
  }

  /** What a campaign bids and its gate lets through, reserved by the caller; 0 for nothing. */
  private collectBid(offer: number): number {
    const { offerCampaign, offerMicros } = this.market.impressions;
    const pacer = this.pacers[offerCampaign[offer] ?? 0];
    if (pacer === undefined) throw new Error('an offer to a campaign that is not in the market');
    const wanted = pacer.bid(offerMicros[offer] ?? 0);
    if (wanted < 1) return 0;
    const allowed = this.accountOf(offer).leaves(wanted);
    if (allowed < 1) return 0;
    pacer.allowed(allowed);
    return allowed;
  }

  private accountOf(offer: number): BudgetAccount {
    const account = this.accounts[this.market.impressions.offerCampaign[offer] ?? 0];
    if (account === undefined) throw new Error('an offer to a campaign that is not in the market');
    return account;
  }
}
