/**
 * One campaign being paced: its counters, reservations, breaker, plan and controller, and the rules by which
 * they move each other. Pure: time is an argument. Who decides bids, and from what, is not its business: the
 * service puts allowance on a shared table (shard/account.ts), replay and simulations decide one bid at a time
 * (virtual-campaign.ts); both keep, whatever is reported in whatever order,
 *
 *     spent + held + what was given out and is not reserved yet <= budget
 *
 * where held is all that is reserved, unless the campaign asked for the confidence gate. Spend that no
 * reservation covers (money that was spent was spent) is recorded and closes the gate.
 */
import { type BreakerState, clearFailures, newBreaker, restoreBreaker, throttleFloorOf } from './breaker.ts';
import { budgetDay, isRestOfDay } from './budget-day.ts';
import type { CampaignTerms } from './campaign.ts';
import {
  beginAnew,
  recoversAtMs,
  settleBid,
  settleSilent,
  spendFailed,
  watchPace,
  watchSpend,
} from './campaign-breaker.ts';
import { CampaignMoney } from './campaign-money.ts';
import { campaignNumbers } from './campaign-numbers.ts';
import { CampaignTraffic } from './campaign-traffic.ts';
import type { Clock } from './clock.ts';
import { newRhoPeak, observeRhoPeak } from './confidence-gate.ts';
import {
  asapThrottle,
  beginControllerDay,
  type ControllerState,
  copyController,
  newController,
  tick,
} from './controller.ts';
import { controllerMemory, restoreController } from './controller-memory.ts';
import { newTickInput, type TickInput, type TickOutput } from './controller-tick.ts';
import { type AppliedSpend, beginDay, beginHour, resetDay } from './counters.ts';
import { nextGateChange, shareAt, type TargetCurve } from './curve.ts';
import type { KnownTraffic } from './day-traffic.ts';
import { type FlightBounds, flightBounds } from './flight.ts';
import { GATE_OPEN } from './gate.ts';
import { budgetGate, scheduleGate } from './gate-rules.ts';
import { type LocalDay, localDayAt, localHourAt, localHourStart, nextHourChange } from './local-day.ts';
import {
  type AskCounts,
  type CampaignRecord,
  type EarlierSpend,
  type HourRecord,
  NOTHING_KNOWN,
  type Pace,
  type PacingSettings,
} from './pacing-settings.ts';
import { keepPlan, keptPlan, type Plan, readPlan, replan, startPlan, targetAt } from './plan.ts';
import { type TrafficShape, trafficShape } from './supply-guard.ts';
import { beginTally, meanDelaySeconds } from './tick-tally.ts';

/** Filled and read within one tick. */
let tickInput: TickInput | null = null;
const look = { spentMicros: 0, targetMicros: 0, budgetMicros: 0, meanWinMicros: 0, planned: false };
const NO_ASKS: AskCounts = { asks: 0, askedMicros: 0, allowed: 0, largestMicros: 0 };

export class PacedCampaign extends CampaignMoney {
  readonly controller: ControllerState;
  readonly settings: PacingSettings;
  day: LocalDay;
  flight: FlightBounds;
  /** What the plan wants of the running hour may be something else than when it was last told; who tells it takes this back. */
  planIsNews = true;
  /** What the plan follows. */
  private target: TargetCurve;
  private readonly traffic: CampaignTraffic;
  private shape: TrafficShape | null = null;

  /**
   * @param record what is known of the campaign, or null when it is new
   * @param numbers a new record to keep its numbers in, for this campaign alone
   */
  constructor(
    campaign: CampaignTerms,
    record: CampaignRecord | null,
    settings: PacingSettings,
    clock: Clock,
    prior = NOTHING_KNOWN,
    numbers = campaignNumbers(),
  ) {
    super(campaign, record, settings, clock, numbers);
    this.settings = settings;
    this.day = localDayAt(campaign.timezone, clock.wallMs);
    this.flight = flightBounds(campaign);
    this.traffic = new CampaignTraffic(campaign.id, settings.history);
    const meanWinMicros = record?.memory.meanWinMicros ?? 0;
    const known = this.traffic.begin(this.day, campaign.timezone, meanWinMicros, clock.wallMs);
    this.target = this.curve(known);
    if (record === null) {
      this.counters.dayStartMs = this.day.startMs;
      newBreaker(this.day.startMs, this.budgetMicros, numbers);
      const { spendPerAllowed, potentialMicros } = prior;
      this.controller = newController({ lastRho: spendPerAllowed, potentialMicros }, numbers);
      this.plan = startPlan(this.target, this.budgetMicros, clock.wallMs);
    } else {
      restoreBreaker(record.breaker, numbers);
      this.controller = restoreController(record.memory, numbers);
      this.plan = restorePlan(record, this.target);
    }
    this.shape = this.expectedShape(known);
    this.turn(clock);
  }

  get breaker(): BreakerState {
    return this.numbers;
  }

  /** What the last tick came to. */
  get pace(): Pace {
    return this.numbers;
  }

  /** The local hour, 0–23. */
  get hour(): number {
    return this.numbers.hour;
  }

  get plan(): Plan {
    return keptPlan(this.target, this.numbers);
  }

  private set plan(plan: Plan) {
    this.target = plan.curve;
    keepPlan(plan, this.numbers);
    this.planIsNews = true;
  }

  get throttleFloor(): number {
    const ofBreaker = throttleFloorOf(this.breaker, this.campaign.pacingMode);
    return Math.max(ofBreaker, this.settings.fleet?.throttleFloor ?? 0);
  }

  /** How the day's traffic is expected to spread over it, or null before any history. */
  get trafficShape(): TrafficShape | null {
    return this.shape;
  }

  /** How long a lost bid holds its budget because nobody reports it, s; 0 where losses are reported. */
  unreportedSeconds(steadyMs: number): number {
    return this.reportsLosses(steadyMs) ? 0 : this.settings.reservationTtlMs / 1000;
  }

  /** Whether it may bid at all now: a GATE code, or the REASON why not. */
  gateAt(wallMs: number): number {
    const schedule = scheduleGate(this.campaign, this.flight, this.day, wallMs);
    return schedule === GATE_OPEN ? budgetGate(this.campaign, this, this.breaker) : schedule;
  }

  /**
   * Counts a spend and releases its bid; {@link settled} must follow.
   * @param bidId empty when the bid had none
   */
  spend(
    spendMicros: number,
    impressions: number,
    clicks: number,
    bidId: string,
    clock: Clock,
  ): AppliedSpend & { readonly covered: boolean } {
    this.turn(clock);
    return this.count(spendMicros, impressions, clicks, bidId, clock);
  }

  /** A spend is on record. */
  recorded(applied: AppliedSpend): void {
    clearFailures(this.breaker);
    if (applied.elsewhereBidId === '') return;
    this.settings.fleet?.wonElsewhere(this.campaign.id, applied.elsewhereBidId);
  }

  /** Takes a spend back that could not be recorded; several in a row open the breaker. */
  takeBack(applied: AppliedSpend, clock: Clock): void {
    this.uncount(applied, clock);
    spendFailed(this, clock.wallMs);
  }

  /** Releases a lost bid; {@link settled} must follow when it was in flight. @returns whether it was */
  lose(bidId: string, clock: Clock): boolean {
    this.numbers.lastLossSteadyMs = clock.steadyMs;
    return this.reservations.settle(bidId) >= 0;
  }

  /** A bid was won or lost; `covered` when what it cost was reserved for it. @returns whether the breaker moved */
  settled(covered: boolean, clock: Clock): boolean {
    const settledMoved = settleBid(this, covered, clock.wallMs);
    return this.watch(clock) || settledMoved;
  }

  /** Probes that nobody reports on are settled when nothing is in flight any more. */
  settleSilentProbes(probesTaken: number, clock: Clock): void {
    if (this.reservations.totalMicros === 0) settleSilent(this, probesTaken, clock.wallMs);
  }

  /** Replaces the campaign by a newer version of it, without a jump in its plan. */
  change(campaign: CampaignTerms, clock: Clock): void {
    this.turn(clock);
    const before = this.campaign;
    if (campaign.timezone !== before.timezone) this.traffic.changeClock();
    this.campaign = campaign;
    this.flight = flightBounds(campaign);
    const nameBefore = budgetDay(before, this.day.date);
    this.day = localDayAt(campaign.timezone, clock.wallMs);
    const name = budgetDay(campaign, this.day.date);
    if (name > nameBefore && campaign.zoneChange?.day === nameBefore) {
      // It hears of the change of zone only now: the day that went on is over.
      this.turnDay(clock);
    } else {
      // A change of zone is no new day: what was spent today stays spent.
      this.counters.dayStartMs = Math.max(this.counters.dayStartMs, this.day.startMs);
      const { breaker } = this;
      breaker.watchedDayMs = Math.max(breaker.watchedDayMs, this.day.startMs);
    }
    if (name > nameBefore && isRestOfDay(name)) this.reset(clock);
    else this.replan(clock);
  }

  /**
   * This pod sees the campaign for the first time, but it is older: others have paced it, and its plan began with
   * the day, or with the campaign.
   */
  takeOver(earlier: EarlierSpend, clock: Clock): void {
    this.turn(clock);
    const { counters, day, campaign } = this;
    counters.earlierDayMicros = earlier.date === day.date ? earlier.dayMicros : 0;
    counters.earlierTotalMicros = earlier.totalMicros;
    const begunAtMs = Math.max(day.startMs, Math.min(Date.parse(campaign.createdAt), clock.wallMs));
    this.beginPlan(this.knownTraffic, begunAtMs);
  }

  /**
   * Starts the day's counters anew: nothing of the daily budget is spent, the breaker is closed, and the plan
   * spreads the budget over what is left of the day. What is in flight stays reserved; the total budget still
   * counts everything.
   */
  private reset(clock: Clock): void {
    const { counters, plan } = this;
    this.fleet?.beginDay(counters.spentDayMicros);
    const plannedMicros = targetAt(plan, clock.wallMs) - targetAt(plan, counters.hourStartMs);
    resetDay(counters, Math.max(0, plannedMicros), clock.wallMs);
    beginAnew(this, clock.wallMs);
    this.beginPlan(this.knownTraffic, clock.wallMs);
  }

  /** Whether it goes on without the fleet's shared state. */
  get degraded(): boolean {
    return this.settings.fleet !== null && !this.settings.fleet.connected;
  }

  /** Takes in what the past says of the day's traffic, without a jump in the plan. */
  expect(traffic: KnownTraffic | null, clock: Clock): void {
    this.traffic.told = traffic;
    this.replan(clock);
  }

  /** Whether nothing is known of its own traffic, only what its fleet's is like. */
  get knowsNoSupply(): boolean {
    return this.shape === null;
  }

  /** Asks its history anew what to expect of the day, which has learned, without a jump in the plan. */
  relearn(clock: Clock): void {
    this.turn(clock);
    this.replan(clock);
  }

  /** Lets time pass: expiries, a new hour, a new day. */
  advance(clock: Clock): void {
    this.expire(clock.steadyMs);
    this.turn(clock);
  }

  /** Brings the breaker up to date; returns whether it moved. */
  watch(clock: Clock): boolean {
    const { dayStartMs } = this.counters;
    return watchSpend(this, dayStartMs, this.spentDayMicros, this.budgetMicros, clock.wallMs);
  }

  /**
   * The controller's turn: takes in what happened since the last one. The caller publishes the output.
   * @returns whether the breaker moved
   */
  tick(counts: AskCounts, clock: Clock, output: TickOutput): boolean {
    tickInput ??= newTickInput(this.plan);
    this.gather(tickInput, counts, clock);
    this.countAsks(counts);
    const { settings, fleet } = this;
    fleet?.widen(tickInput, tickInput.elapsedSeconds, settings.fleet?.connected ?? true);
    tick(this.controller, tickInput, output);
    const { allowedMicros, spendMicros } = this.tally;
    if (counts.asks > 0 || spendMicros > 0) {
      this.traffic.count(this.day, this.hour, counts.asks, allowedMicros, spendMicros);
    }
    beginTally(this.tally, clock.steadyMs);
    if (fleet !== null) takeShare(output, fleet.share);
    if (this.campaign.confidenceGate) {
      this.rhoPeak ??= newRhoPeak(clock.steadyMs);
      observeRhoPeak(this.rhoPeak, output.winRate, clock.steadyMs);
    }
    this.pace.passProbability = output.passProbability;
    this.pace.throttleRate = output.throttleRate;
    return this.watchVelocity(output.targetMicros, clock);
  }

  /** What a tick would come to now, from what the last one knew; changes nothing. */
  previewTick(clock: Clock, output: TickOutput): void {
    const preview = newTickInput(this.plan);
    this.gather(preview, NO_ASKS, clock);
    preview.elapsedSeconds = preview.allowedMicros = preview.wins = preview.spendMicros = 0;
    preview.noticeDelaySeconds = Number.NaN;
    tick(copyController(this.controller), preview, output);
  }

  /** ASAP's throttle steps hold from the spend that crosses them; returns whether fewer bids pass now. */
  stepDown(): boolean {
    if (this.campaign.pacingMode !== 'ASAP') return false;
    const spentShare = this.spentDayMicros / this.budgetMicros;
    const throttle = Math.max(asapThrottle(spentShare), this.throttleFloor);
    if (1 - throttle >= this.pace.passProbability) return false;
    this.pace.passProbability = 1 - throttle;
    this.pace.throttleRate = throttle;
    return true;
  }

  /** When flight, daypart, day or breaker next change by themselves, ms since the epoch. */
  nextDueMs(wallMs: number): number {
    const { startMs, endMs } = this.flight;
    const change = nextGateChange(this.day, this.campaign.dayparts, startMs, endMs, wallMs);
    return Math.min(change, recoversAtMs(this, this.spentDayMicros, this.budgetMicros));
  }

  /** The hour its counters are of. */
  hourRecord(atMs: number): HourRecord {
    const { counters, campaign, plan } = this;
    const { hourStartMs } = counters;
    // As a rule it still is the campaign's own: to ask for it would have the zone's next day forgotten.
    const held = hourStartMs >= this.day.startMs && hourStartMs < this.day.endMs;
    const day = held ? this.day : localDayAt(campaign.timezone, hourStartMs);
    const planned = targetAt(plan, nextHourChange(day, hourStartMs)) - targetAt(plan, hourStartMs);
    return {
      campaignId: campaign.id,
      hourStartMs,
      localDate: day.date,
      localHour: localHourAt(day, hourStartMs),
      spendMicros: counters.spentHourMicros,
      impressions: counters.impressionsHour,
      clicks: counters.clicksHour,
      wins: counters.winsHour,
      asks: counters.asksHour,
      allowed: counters.allowedHour,
      plannedMicros: Math.max(0, Math.round(planned + counters.plannedBeforeResetMicros)),
      budgetMicros: plan.budgetMicros,
      pacingMode: campaign.pacingMode,
      campaignVersion: campaign.version,
      atMs,
    };
  }

  /** Keeps what today's traffic looks like so far. */
  keepTraffic(): void {
    this.traffic.keep();
  }

  /** What to keep. @param outstandingMicros at least what may be in flight until the next record */
  record(outstandingMicros: number): CampaignRecord {
    return {
      counters: this.counters,
      outstandingMicros,
      planAnchorMs: this.plan.anchorMs,
      planAnchorMicros: this.plan.anchorMicros,
      planBudgetMicros: this.plan.budgetMicros,
      breaker: this.breaker,
      memory: controllerMemory(this.controller),
    };
  }

  private countAsks(counts: AskCounts): void {
    const { counters } = this;
    counters.asksDay += counts.asks;
    counters.askedDayMicros += counts.askedMicros;
    counters.asksHour += counts.asks;
    counters.allowedHour += counts.allowed;
  }

  private watchVelocity(targetMicros: number, clock: Clock): boolean {
    look.spentMicros = this.spentDayMicros;
    look.targetMicros = targetMicros;
    look.budgetMicros = this.budgetMicros;
    look.meanWinMicros = this.controller.flow.meanWinMicros;
    look.planned = this.campaign.pacingMode !== 'ASAP';
    return watchPace(this, look, clock.wallMs);
  }

  private gather(input: TickInput, counts: AskCounts, clock: Clock): void {
    const { tally, campaign } = this;
    const { reservationTtlMs } = this.settings;
    this.numbers.largestBidMicros = Math.max(this.largestBidMicros, counts.largestMicros);
    input.nowMs = clock.wallMs;
    input.elapsedSeconds = Math.max(0, clock.steadyMs - tally.tickedMs) / 1000;
    input.asks = counts.asks;
    input.askedMicros = counts.askedMicros;
    input.largestBidMicros = counts.largestMicros;
    input.allowedMicros = tally.allowedMicros;
    input.wins = tally.wins;
    input.spendMicros = tally.spendMicros;
    input.noticeDelaySeconds = meanDelaySeconds(tally);
    input.spentMicros = this.spentDayMicros;
    input.budgetMicros = this.budgetMicros;
    readPlan(this.target, this.numbers, input.plan);
    input.shape = this.shape;
    input.mode = campaign.pacingMode;
    input.lever = campaign.pacingLever;
    input.reservationTtlSeconds = reservationTtlMs / 1000;
    input.lossesReported = this.reportsLosses(clock.steadyMs);
    input.throttleFloor = this.throttleFloor;
  }

  private reportsLosses(steadyMs: number): boolean {
    return steadyMs - this.numbers.lastLossSteadyMs < this.settings.reservationTtlMs;
  }

  private get knownTraffic(): KnownTraffic | null {
    return this.traffic.known(this.day, this.controller.flow.meanWinMicros);
  }

  private beginPlan(known: KnownTraffic | null, fromMs: number): void {
    this.plan = startPlan(this.curve(known), this.budgetMicros, fromMs);
    this.shape = this.expectedShape(known);
  }

  private replan(clock: Clock): void {
    const known = this.knownTraffic;
    const change = { curve: this.curve(known), budgetMicros: this.budgetMicros };
    this.plan = replan(this.plan, change, clock.wallMs);
    this.shape = this.expectedShape(known);
  }

  private curve(known: KnownTraffic | null): TargetCurve {
    return this.settings.curves.curveFor(this.campaign, this.day, this.flight, known);
  }

  private expectedShape(known: KnownTraffic | null): TrafficShape | null {
    if (known === null || known.supply === null) return null;
    return trafficShape(this.target, known.supply);
  }

  /** Turns hour and day when their time has come; the hour that ends is told while its day still stands. */
  private turn(clock: Clock): void {
    const { hourStartMs } = this.counters;
    const hourEnds = clock.wallMs >= this.numbers.hourEndMs;
    const day = hourEnds ? localDayAt(this.campaign.timezone, clock.wallMs) : this.day;
    if (hourEnds && hourStartMs > 0 && localHourStart(day, clock.wallMs) > hourStartMs) {
      this.settings.hourEnded(this.hourRecord(clock.wallMs));
    }
    this.turnDay(clock);
    if (hourEnds) this.turnHour(clock);
  }

  private turnDay(clock: Clock): void {
    const { counters } = this;
    if (clock.wallMs < this.day.endMs && counters.dayStartMs >= this.day.startMs) return;
    this.day = localDayAt(this.campaign.timezone, clock.wallMs);
    // A clock that was set back does not bring a spent day back.
    if (this.day.startMs <= counters.dayStartMs) return;
    this.fleet?.beginDay(counters.spentDayMicros);
    beginDay(counters, this.day.startMs);
    beginControllerDay(this.controller);
    const known = this.traffic.turn(this.day, this.controller.flow.meanWinMicros, clock.wallMs);
    this.beginPlan(known, this.day.startMs);
  }

  private turnHour(clock: Clock): void {
    const { counters, day } = this;
    const hourStartMs = localHourStart(day, clock.wallMs);
    this.numbers.hourEndMs = nextHourChange(day, clock.wallMs);
    this.numbers.hour = localHourAt(day, clock.wallMs);
    if (hourStartMs <= counters.hourStartMs) return;
    beginHour(counters, hourStartMs);
    this.planIsNews = true;
    this.fleet?.beginHour();
    this.traffic.keep();
  }
}

/** This pod's part of the fleet's token flow; the bucket holds at least a bid. */
function takeShare(output: TickOutput, share: number): void {
  output.tokenFillMicros *= share;
  output.tokenCapMicros = Math.max(share * output.tokenCapMicros, output.meanBidMicros);
}

function restorePlan(record: CampaignRecord, curve: TargetCurve): Plan {
  const { planAnchorMs: anchorMs, planAnchorMicros: anchorMicros, planBudgetMicros: budgetMicros } = record;
  return { curve, budgetMicros, anchorMs, anchorMicros, anchorShare: shareAt(curve, anchorMs) };
}
