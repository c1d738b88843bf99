/**
 * One campaign's whole day under virtual time, seeded: Poisson asks, wins, delayed notices, no loss notices
 * unless asked for, against the production campaign (domain/virtual-campaign.ts) with its strict gate.
 */
import type { BreakerTransition } from '../../src/domain/breaker.ts';
import type { PacingLever, PacingMode } from '../../src/domain/campaign.ts';
import { buildCurve, shareAt } from '../../src/domain/curve.ts';
import { CurveCache } from '../../src/domain/curve-cache.ts';
import { localDayAt } from '../../src/domain/local-day.ts';
import { micros } from '../../src/domain/money.ts';
import { targetAt } from '../../src/domain/plan.ts';
import { poisson, seededRandom } from '../../src/domain/seeded-random.ts';
import { VirtualCampaign, type VirtualDecision } from '../../src/domain/virtual-campaign.ts';
import { someCampaign } from '../support/campaigns.ts';

export const DAY_START_MS = Date.UTC(2026, 2, 2);
const DAY_SECONDS = 86_400;
/** Bids relative to the base bid, how often they come, and how much oftener than usual they win. */
const BIDS = [0.6, 1, 1.8] as const;
const WIN_FACTORS = [0.7, 1, 1.4] as const;
const MEAN_BID = 1.04;
const MEAN_WON = 1.13;
const FLAT: readonly number[] = new Array<number>(24).fill(1);

export interface SimulatedDay {
  readonly seed: number;
  readonly budgetMicros?: number;
  readonly mode?: PacingMode;
  readonly lever?: PacingLever;
  readonly breakerThreshold?: number;
  readonly confidenceGate?: boolean;
  /** Unthrottled spend of the whole day over the budget. */
  readonly supply: number;
  readonly asksPerSecond?: number;
  readonly winRate?: number;
  readonly ttlSeconds?: number;
  readonly lossesReported?: boolean;
  /** Whether bids have ids. */
  readonly named?: boolean;
  /** Traffic of an hour of the day (0–24, fractional), relative to the mean. */
  readonly traffic?: (hour: number) => number;
  /** What is expected of the traffic where that differs from what comes. */
  readonly expected?: (hour: number) => number;
  /** Called as each hour of the day begins. */
  readonly onHour?: (hour: number, virtual: VirtualCampaign) => void;
  /** Whether yesterday's ρ, potential and shape are known. */
  readonly yesterdayKnown?: boolean;
  readonly startHour?: number;
  /** Change of the budget at noon, as a factor. */
  readonly noonBudget?: number;
  /** A day before, whose campaign goes on into this one. */
  readonly after?: SimulatedOutcome;
}

export interface SimulatedOutcome {
  /** Spend over budget. */
  readonly delivered: number;
  readonly spentMicros: number;
  readonly overspentMicros: number;
  readonly rmse: number;
  readonly maxError: number;
  /** Standard deviation of the minute changes of p over mean p. */
  readonly hunting: number;
  readonly spentByHour: readonly number[];
  readonly bidCapMicros: number;
  readonly baseBidMicros: number;
  readonly meanClearingMicros: number;
  readonly transitions: readonly BreakerTransition[];
  readonly virtual: VirtualCampaign;
}

interface Notice {
  readonly bidId: string;
  /** 0 = lost. */
  readonly micros: number;
}

/** Runs a day; everything random comes from its seed. */
export function simulateDay(day: SimulatedDay): SimulatedOutcome {
  return new SimulatedTraffic(day).run();
}

class SimulatedTraffic {
  private readonly day: SimulatedDay;
  private readonly random: () => number;
  private readonly virtual: VirtualCampaign;
  private readonly transitions: BreakerTransition[] = [];
  private readonly decision: VirtualDecision = { reason: 0, maxBidMicros: 0, throttleRate: 0 };
  private readonly due: Notice[][] = [];
  private readonly startMs: number;
  private readonly baseBidMicros: number;
  private budgetMicros: number;
  private bids = 0;
  private wins = 0;
  private spentMicros = 0;

  constructor(day: SimulatedDay) {
    const { winRate = 0.2, asksPerSecond = 10, startHour = 0, ttlSeconds = 120 } = day;
    this.day = day;
    this.random = seededRandom(day.seed);
    this.budgetMicros = day.budgetMicros ?? 100_000_000;
    const potentialMicros = day.supply * this.budgetMicros;
    this.baseBidMicros = potentialMicros / (asksPerSecond * DAY_SECONDS * winRate * MEAN_WON);
    this.startMs = day.after === undefined ? DAY_START_MS : day.after.virtual.paced.day.endMs;
    const campaign = someCampaign({
      dailyBudgetMicros: micros(this.budgetMicros),
      pacingMode: day.mode ?? 'EVEN',
      pacingLever: day.lever ?? 'THROTTLE',
      breakerThreshold: day.breakerThreshold ?? 1,
      confidenceGate: day.confidenceGate ?? false,
    });
    const settings = {
      reservationTtlMs: ttlSeconds * 1000,
      breakerRecoveryMs: 300_000,
      breakerProbes: 2,
      curves: new CurveCache(),
      history: null,
      fleet: null,
      hourEnded: () => undefined,
      moved: (_campaign: unknown, transition: BreakerTransition) => this.transitions.push(transition),
    };
    const beginsMs = this.startMs + startHour * 3_600_000;
    const known = day.yesterdayKnown ?? true;
    const spendPerAllowed = (winRate * MEAN_WON) / MEAN_BID;
    const prior = known ? { spendPerAllowed, potentialMicros } : undefined;
    this.virtual = day.after?.virtual ?? new VirtualCampaign(campaign, settings, beginsMs, prior);
    if (known)
      this.virtual.expect(
        FLAT.map((_, hour) => (day.expected ?? day.traffic ?? (() => 1))(hour + 0.5)),
        beginsMs,
      );
  }

  run(): SimulatedOutcome {
    const { startHour = 0, ttlSeconds = 120, noonBudget } = this.day;
    const { virtual } = this;
    const { output } = virtual;
    let squares = 0;
    let maxError = 0;
    let minutes = 0;
    const passes: number[] = [];
    const spentByHour: number[] = new Array<number>(24).fill(0);
    for (let second = startHour * 3600; second < DAY_SECONDS; second++) {
      const nowMs = this.startMs + second * 1000;
      if (second % 3600 === 0) this.day.onHour?.(second / 3600, virtual);
      const before = this.spentMicros;
      this.notify(second, nowMs);
      const hour = Math.floor(second / 3600);
      spentByHour[hour] = (spentByHour[hour] ?? 0) + this.spentMicros - before;
      if (second === DAY_SECONDS / 2 && noonBudget !== undefined) this.changeBudget(noonBudget, nowMs);
      this.ask(second, nowMs);
      if (second % 60 !== 59) continue;
      const error = (this.spentMicros - targetAt(virtual.paced.plan, nowMs + 1000)) / this.budgetMicros;
      squares += error * error;
      maxError = Math.max(maxError, Math.abs(error));
      minutes++;
      passes.push(output.passProbability);
    }
    const bidCapMicros = output.bidCapMicros;
    // Notices that are still out come after midnight and count for the day's campaign all the same.
    for (let second = DAY_SECONDS; second <= DAY_SECONDS + ttlSeconds; second++) this.drain(second);
    return {
      delivered: this.spentMicros / this.budgetMicros,
      spentMicros: this.spentMicros,
      overspentMicros: Math.max(this.spentMicros - this.budgetMicros, 0),
      rmse: Math.sqrt(squares / minutes),
      maxError,
      hunting: huntingOf(passes),
      spentByHour,
      bidCapMicros,
      baseBidMicros: this.baseBidMicros,
      meanClearingMicros: this.spentMicros / Math.max(this.wins, 1),
      transitions: this.transitions,
      virtual,
    };
  }

  private traffic(hour: number): number {
    return this.day.traffic?.(hour) ?? 1;
  }

  private changeBudget(factor: number, nowMs: number): void {
    this.budgetMicros *= factor;
    const { campaign } = this.virtual.paced;
    const version = campaign.version + 1;
    this.virtual.change({ ...campaign, version, dailyBudgetMicros: micros(this.budgetMicros) }, nowMs);
  }

  private ask(second: number, nowMs: number): void {
    const { asksPerSecond = 10, winRate = 0.2, named = true } = this.day;
    const { random, decision } = this;
    const asks = poisson(random, asksPerSecond * this.traffic(second / 3600));
    for (let ask = 0; ask < asks; ask++) {
      const kindDraw = random();
      const passDraw = random();
      const winDraw = random();
      const delaySeconds = noticeDelay(random);
      const kind = kindDraw < 0.3 ? 0 : kindDraw < 0.8 ? 1 : 2;
      const bidMicros = Math.max(1, Math.round(this.baseBidMicros * BIDS[kind]));
      const bidId = named ? `${this.day.seed}-${this.bids++}` : '';
      this.virtual.decide(bidMicros, bidId, passDraw, nowMs + Math.floor((1000 * ask) / asks), decision);
      const { maxBidMicros } = decision;
      if (maxBidMicros === 0) continue;
      const won = winDraw < winRate * WIN_FACTORS[kind] * (maxBidMicros / bidMicros);
      this.schedule(second, delaySeconds, { bidId, micros: won ? maxBidMicros : 0 });
    }
  }

  private schedule(second: number, delaySeconds: number, notice: Notice): void {
    const { ttlSeconds = 120, lossesReported = false } = this.day;
    if (notice.micros === 0 && (!lossesReported || notice.bidId === '')) return;
    const at = second + 1 + Math.floor(Math.min(delaySeconds, ttlSeconds - 1.5));
    const notices = this.due[at];
    if (notices === undefined) this.due[at] = [notice];
    else notices.push(notice);
  }

  private notify(second: number, nowMs: number): void {
    for (const notice of this.due[second] ?? []) {
      if (notice.micros === 0) this.virtual.lose(notice.bidId, nowMs);
      else this.virtual.spend(notice.micros, notice.bidId, nowMs);
      this.count(notice);
    }
    delete this.due[second];
  }

  /** Counts what is reported after the day without letting the campaign's next day see it. */
  private drain(second: number): void {
    for (const notice of this.due[second] ?? []) this.count(notice);
  }

  private count(notice: Notice): void {
    this.spentMicros += notice.micros;
    if (notice.micros > 0) this.wins++;
  }
}

/** Share of the day's budget that a mode's curve wants by an hour of a plain UTC day. */
export function wantedBy(mode: PacingMode, hour: number): number {
  const day = localDayAt('UTC', DAY_START_MS);
  const bounds = { flightStartMs: Number.NEGATIVE_INFINITY, flightEndMs: Number.POSITIVE_INFINITY };
  const curve = buildCurve({ mode, day, multipliers: null, dayparts: null, ...bounds, shape: null });
  return shareAt(curve, day.startMs + hour * 3_600_000);
}

function huntingOf(passes: readonly number[]): number {
  const mean = passes.reduce((sum, pass) => sum + pass, 0) / passes.length;
  let squares = 0;
  for (let minute = 1; minute < passes.length; minute++) {
    squares += ((passes[minute] ?? 0) - (passes[minute - 1] ?? 0)) ** 2;
  }
  return Math.sqrt(squares / (passes.length - 1)) / mean;
}

/** Lognormal, p50 2 s, p99 30 s. */
function noticeDelay(random: () => number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Math.exp(Math.log(2) + (Math.log(15) / 2.3263) * normal);
}
