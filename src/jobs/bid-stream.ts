/**
 * A campaign's traffic as single bids under virtual time, seeded: bids come by chance at the rate of their hour, some
 * are won, and what became of each is reported a little later. Many are thinned out: a stand-in for several asks at
 * their joint price, so that the money stays the same and a simulation stays bounded.
 */
import { poisson } from '../domain/seeded-random.ts';
import type { WeekShape } from '../domain/traffic-history.ts';
import type { VirtualCampaign, VirtualDecision } from '../domain/virtual-campaign.ts';

/** Bids relative to the mean one, how often they come, and how much oftener than usual they are won. */
const BIDS = [0.6, 1, 1.8] as const;
const WIN_FACTORS = [0.7, 1, 1.4] as const;
const MEAN_BID = 0.3 * 0.6 + 0.5 * 1 + 0.2 * 1.8;
/** Mean of bid × chance over the mean bid × the mean chance. */
const MEAN_WIN_FACTOR = 0.3 * 0.7 + 0.5 * 1 + 0.2 * 1.4;
const MEAN_WON = (0.3 * 0.6 * 0.7 + 0.5 * 1 * 1 + 0.2 * 1.8 * 1.4) / MEAN_WIN_FACTOR;
/** Delays of notices: lognormal, half within 2 s, 99 of 100 within 30 s. */
const DELAY_LOG_MEDIAN = Math.log(2);
const DELAY_LOG_DEVIATION = Math.log(15) / 2.3263;
/** No notice comes so near the end of its reservation. */
const DELAY_MARGIN_SECONDS = 1.5;

/** What the traffic of each hour is like; seven rows, Sunday first, of 24. */
export interface TrafficModel {
  /** Bids asked for in the hour. */
  readonly asks: WeekShape;
  /** Share of the allowed bids that is won. */
  readonly winRate: WeekShape;
  /** What a win costs on average, micros; bids are what they cost when won. */
  readonly winMicros: WeekShape;
}

interface Notice {
  readonly bidId: string;
  /** 0 = lost. */
  readonly micros: number;
}

/** What happened since the counts were last begun anew. */
export interface StreamCounts {
  bids: number;
  allowed: number;
  wins: number;
  spentMicros: number;
}

export class BidStream {
  readonly counts: StreamCounts = { bids: 0, allowed: 0, wins: 0, spentMicros: 0 };
  private readonly campaign: VirtualCampaign;
  private readonly traffic: TrafficModel;
  private readonly asksPerBid: number;
  private readonly delaySecondsMax: number;
  private readonly random: () => number;
  private readonly decision: VirtualDecision = { reason: 0, maxBidMicros: 0, throttleRate: 0 };
  private readonly due = new Map<number, Notice[]>();
  private bidNumber = 0;

  /** @param asksPerBid how many asks one simulated bid stands for, at least 1 */
  constructor(
    campaign: VirtualCampaign,
    traffic: TrafficModel,
    asksPerBid: number,
    reservationTtlMs: number,
    random: () => number,
  ) {
    this.campaign = campaign;
    this.traffic = traffic;
    this.asksPerBid = asksPerBid;
    this.delaySecondsMax = Math.max(0, reservationTtlMs / 1000 - DELAY_MARGIN_SECONDS);
    this.random = random;
  }

  /** One second of traffic: what is reported in it, then what is asked for. */
  second(nowMs: number, dayOfWeek: number, hour: number): void {
    this.report(nowMs);
    const at = <T>(rows: readonly (readonly T[])[]): T | undefined => rows[dayOfWeek]?.[hour];
    const asks = at(this.traffic.asks) ?? 0;
    if (!(asks > 0)) return;
    const winMicros = at(this.traffic.winMicros) ?? 0;
    const winRate = at(this.traffic.winRate) ?? 0;
    const bids = poisson(this.random, asks / 3600 / this.asksPerBid);
    for (let bid = 0; bid < bids; bid++) {
      this.bid(nowMs + Math.floor((1000 * bid) / bids), (winMicros / MEAN_WON) * this.asksPerBid, winRate);
    }
  }

  /** What is still out is reported, and no more is asked for. */
  drain(untilMs: number): void {
    const seconds = [...this.due.keys()].sort((a, b) => a - b);
    for (const second of seconds) if (second * 1000 <= untilMs) this.report(second * 1000);
  }

  private bid(nowMs: number, baseMicros: number, winRate: number): void {
    const { random, decision, counts } = this;
    const kindDraw = random();
    const passDraw = random();
    const winDraw = random();
    const delaySeconds = this.delay();
    const kind = kindDraw < 0.3 ? 0 : kindDraw < 0.8 ? 1 : 2;
    const bidMicros = Math.max(1, Math.round(baseMicros * BIDS[kind]));
    const bidId = String(this.bidNumber++);
    counts.bids++;
    this.campaign.decide(bidMicros, bidId, passDraw, nowMs, decision);
    const { maxBidMicros } = decision;
    if (maxBidMicros === 0) return;
    counts.allowed++;
    // A capped bid wins less often, in proportion.
    const chance = ((winRate * WIN_FACTORS[kind]) / MEAN_WIN_FACTOR) * (maxBidMicros / bidMicros);
    const micros = winDraw < chance ? maxBidMicros : 0;
    const second = Math.floor(nowMs / 1000 + 1 + delaySeconds);
    const notices = this.due.get(second);
    if (notices === undefined) this.due.set(second, [{ bidId, micros }]);
    else notices.push({ bidId, micros });
  }

  private report(nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    const notices = this.due.get(second);
    if (notices === undefined) return;
    this.due.delete(second);
    for (const { bidId, micros } of notices) {
      if (micros === 0) this.campaign.lose(bidId, nowMs);
      else {
        this.campaign.spend(micros, bidId, nowMs);
        this.counts.wins++;
        this.counts.spentMicros += micros;
      }
    }
  }

  private delay(): number {
    const { random } = this;
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return Math.min(Math.exp(DELAY_LOG_MEDIAN + DELAY_LOG_DEVIATION * normal), this.delaySecondsMax);
  }
}

/** Spend per allowed micro that the traffic of an hour comes to. */
export function spendPerAllowed(winRate: number): number {
  return (winRate * MEAN_WON) / MEAN_BID;
}
