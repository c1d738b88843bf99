/**
 * What a campaign would do: its coming hours, or a past day, under virtual time, decided by the production campaign
 * (domain/virtual-campaign.ts) on traffic that is the same for every variant of it. Pure and seeded; run in the job
 * pool, since a simulated day takes a tenth of a second.
 */
import type { Campaign } from '../domain/campaign.ts';
import { CurveCache } from '../domain/curve-cache.ts';
import type { KnownTraffic, TrafficHistory } from '../domain/day-traffic.ts';
import { GATE_OPEN } from '../domain/gate.ts';
import { type LocalDay, localDayAt, localHourAt } from '../domain/local-day.ts';
import type { EarlierSpend, PacingSettings } from '../domain/pacing-settings.ts';
import { targetAt } from '../domain/plan.ts';
import { seededRandom } from '../domain/seeded-random.ts';
import { VirtualCampaign } from '../domain/virtual-campaign.ts';
import { BidStream, spendPerAllowed, type TrafficModel } from './bid-stream.ts';

const SECOND_MS = 1_000;
/** Simulated seconds between two chances for others to run: some tens of microseconds of work. */
const YIELD_SECONDS = 10;
const HOUR_MS = 3_600_000;
/** Simulated bids in all, at most about; more traffic is thinned out. */
const BIDS_MAX = 150_000;
/** Never more than so many a second, and they are drawn one by one. */
const BIDS_A_SECOND_MAX = 20;
/** A budget is exhausted early when its plan would have gone on wanting to spend for so long. */
const EARLY_MS = 900_000;
/** What counts as all of a budget: the rest is less than a bid can use. */
const ALL = 0.999;

export interface WhatIf {
  /** Its variants, each of the same campaign with something changed. */
  readonly campaigns: readonly Campaign[];
  /** What was spent of it before; null for a new one. */
  readonly earlier: EarlierSpend | null;
  readonly startMs: number;
  readonly endMs: number;
  readonly traffic: TrafficModel;
  /** What the campaign has learned of its traffic, or null for nothing: seven rows of 24 weights. */
  readonly known: TrafficModel['asks'] | null;
  readonly slotMs: number;
  readonly seed: number;
  readonly reservationTtlMs: number;
  readonly breakerRecoveryMs: number;
  readonly breakerProbes: number;
}

/** One slot of a simulated run; amounts in micros. */
export interface SimulatedSlot {
  readonly startMs: number;
  readonly localDate: string;
  readonly localHour: number;
  readonly plannedMicros: number;
  readonly spentMicros: number;
  /** Of the local day, at the slot's end. */
  readonly daySpentMicros: number;
  /** Mean share of bids held back, 0–1. */
  readonly throttleRate: number;
  readonly bids: number;
  readonly allowed: number;
  readonly wins: number;
}

/** One local day of a simulated run, or the part of it that was simulated. */
export interface SimulatedDayEnd {
  readonly localDate: string;
  readonly budgetMicros: number;
  /** With what was spent of the day before the run began. */
  readonly spentMicros: number;
  /** When the budget was spent before its plan ended; null when it lasted. */
  readonly exhaustionMs: number | null;
}

export interface SimulatedRun {
  readonly slots: readonly SimulatedSlot[];
  readonly days: readonly SimulatedDayEnd[];
  readonly plannedMicros: number;
  readonly spentMicros: number;
  readonly overspentMicros: number;
  readonly bids: number;
  readonly allowed: number;
  readonly wins: number;
  readonly throttleRate: number;
}

/** Asks that one simulated bid stands for: 1 where the traffic is small enough to be simulated bid by bid. */
export function asksPerBid({ traffic, startMs, endMs }: WhatIf): number {
  const hours = (endMs - startMs) / HOUR_MS;
  const rows = traffic.asks.flat();
  const meanAsks = rows.reduce((sum, asks) => sum + asks, 0) / rows.length;
  const mostAsks = Math.max(...rows);
  return Math.max(1, (meanAsks * hours) / BIDS_MAX, mostAsks / 3600 / BIDS_A_SECOND_MAX);
}

/**
 * One run for each variant, in their order.
 * @param yielding called every few simulated seconds: where the thread lets others run
 */
export function simulate(whatIf: WhatIf, yielding: () => void = () => undefined): SimulatedRun[] {
  const thinned = asksPerBid(whatIf);
  return whatIf.campaigns.map((campaign) => new SimulatedCampaign(whatIf, campaign, thinned, yielding).run());
}

class SimulatedCampaign {
  private readonly of: WhatIf;
  private readonly virtual: VirtualCampaign;
  private readonly stream: BidStream;
  private readonly yielding: () => void;
  private readonly slots: SimulatedSlot[] = [];
  private readonly days: SimulatedDayEnd[] = [];
  private exhaustionMs: number | null = null;

  constructor(of: WhatIf, campaign: Campaign, thinned: number, yielding: () => void) {
    this.of = of;
    this.yielding = yielding;
    const { startMs, earlier, reservationTtlMs } = of;
    this.virtual = new VirtualCampaign(campaign, settingsOf(of), startMs, priorOf(of, campaign));
    if (earlier !== null) {
      this.virtual.paced.takeOver(earlier, this.virtual.now);
      this.virtual.change(campaign, startMs);
    }
    this.stream = new BidStream(this.virtual, of.traffic, thinned, reservationTtlMs, seededRandom(of.seed));
  }

  run(): SimulatedRun {
    const { startMs, endMs, slotMs } = this.of;
    for (let fromMs = startMs; fromMs < endMs; ) {
      const toMs = Math.min((Math.floor(fromMs / slotMs) + 1) * slotMs, endMs);
      this.slot(fromMs, toMs);
      fromMs = toMs;
    }
    this.endDay(this.virtual.paced.day);
    return { ...totalsOf(this.slots), slots: this.slots, days: this.days, overspentMicros: this.overspent() };
  }

  private slot(fromMs: number, toMs: number): void {
    const { virtual, stream } = this;
    const before = { ...stream.counts };
    this.advance(fromMs);
    const { paced } = virtual;
    const { day, plan } = paced;
    const hour = localHourAt(day, fromMs);
    let throttled = 0;
    let seconds = 0;
    for (let nowMs = fromMs; nowMs < toMs; nowMs += SECOND_MS) {
      this.advance(nowMs);
      stream.second(nowMs, paced.day.dayOfWeek, localHourAt(paced.day, nowMs));
      throttled += paced.gateAt(nowMs) === GATE_OPEN ? paced.pace.throttleRate : 1;
      seconds++;
      this.watchBudget(nowMs);
      if (seconds % YIELD_SECONDS === 0) this.yielding();
    }
    const { bids, allowed, wins, spentMicros } = stream.counts;
    this.slots.push({
      startMs: fromMs,
      localDate: day.date,
      localHour: hour,
      plannedMicros: Math.max(0, targetAt(plan, Math.min(toMs, day.endMs)) - targetAt(plan, fromMs)),
      spentMicros: spentMicros - before.spentMicros,
      daySpentMicros: paced.spentDayMicros,
      throttleRate: throttled / Math.max(seconds, 1),
      bids: bids - before.bids,
      allowed: allowed - before.allowed,
      wins: wins - before.wins,
    });
  }

  /** Lets time pass; a day that ends is told with what it had spent. */
  private advance(nowMs: number): void {
    const { day } = this.virtual.paced;
    if (nowMs >= day.endMs) {
      // At its last moment, before the counters begin anew.
      this.virtual.advance(day.endMs - 1);
      this.endDay(day);
    }
    this.virtual.advance(nowMs);
  }

  private endDay(day: LocalDay): void {
    const { paced } = this.virtual;
    this.days.push({
      localDate: day.date,
      budgetMicros: paced.budgetMicros,
      spentMicros: paced.spentDayMicros,
      exhaustionMs: this.exhaustionMs,
    });
    this.exhaustionMs = null;
  }

  private watchBudget(nowMs: number): void {
    const { paced } = this.virtual;
    if (this.exhaustionMs !== null || paced.spentDayMicros < ALL * paced.budgetMicros) return;
    if (paced.spentDayMicros === 0) return;
    if (targetAt(paced.plan, nowMs + EARLY_MS) < ALL * paced.budgetMicros) this.exhaustionMs = nowMs;
  }

  private overspent(): number {
    return this.virtual.paced.counters.overspentTotalMicros;
  }
}

function settingsOf({
  reservationTtlMs,
  breakerRecoveryMs,
  breakerProbes,
  known,
}: WhatIf): PacingSettings & { readonly history: TrafficHistory | null } {
  return {
    reservationTtlMs,
    breakerRecoveryMs,
    breakerProbes,
    curves: new CurveCache(),
    history: known === null ? null : historyOf(known),
    fleet: null,
    hourEnded: () => undefined,
    moved: () => undefined,
  };
}

/** A history that says the same of every day of a week, and keeps nothing. */
function historyOf(known: TrafficModel['asks']): TrafficHistory {
  return {
    turn: (_campaignId, _ended, dayOfWeek): KnownTraffic | null => {
      const hours = known[dayOfWeek];
      return hours === undefined ? null : { asks: hours, supply: hours };
    },
    keep: () => undefined,
    kept: () => null,
  };
}

/** What a campaign of this traffic would have known of yesterday. */
function priorOf({ traffic, startMs, known }: WhatIf, { timezone }: Campaign) {
  if (known === null) return undefined;
  const { dayOfWeek } = localDayAt(timezone, startMs);
  let potentialMicros = 0;
  let asks = 0;
  let wins = 0;
  for (let hour = 0; hour < 24; hour++) {
    const ofHour = traffic.asks[dayOfWeek]?.[hour] ?? 0;
    const won = ofHour * (traffic.winRate[dayOfWeek]?.[hour] ?? 0);
    asks += ofHour;
    wins += won;
    potentialMicros += won * (traffic.winMicros[dayOfWeek]?.[hour] ?? 0);
  }
  return { spendPerAllowed: asks > 0 ? spendPerAllowed(wins / asks) : Number.NaN, potentialMicros };
}

function totalsOf(slots: readonly SimulatedSlot[]) {
  const sum = (of: (slot: SimulatedSlot) => number): number =>
    slots.reduce((total, slot) => total + of(slot), 0);
  const bids = sum((slot) => slot.bids);
  return {
    plannedMicros: sum((slot) => slot.plannedMicros),
    spentMicros: sum((slot) => slot.spentMicros),
    bids,
    allowed: sum((slot) => slot.allowed),
    wins: sum((slot) => slot.wins),
    throttleRate: slots.length === 0 ? 0 : sum((slot) => slot.throttleRate) / slots.length,
  };
}
