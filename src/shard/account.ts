/**
 * One campaign's money, owned by its shard alone: counters, reservations, allowance, breaker and plan. Every
 * movement goes through here and keeps, at all times and whatever edges do meanwhile,
 *
 *     spent + reserved + allowance on the table <= budget
 *
 * as long as spend is covered by reservations; spend that is not (money that was spent was spent) is recorded
 * and closes the campaign. The gate word is what edges see: it closes before the allowance is withdrawn and
 * opens after it was put out.
 */
import { newBreaker, throttleFloorOf } from '../domain/breaker.ts';
import type { Campaign } from '../domain/campaign.ts';
import {
  asapThrottle,
  beginControllerDay,
  type ControllerState,
  newController,
} from '../domain/controller.ts';
import { controllerMemory, restoreController } from '../domain/controller-memory.ts';
import { nextGateChange, shareAt, type TargetCurve } from '../domain/curve.ts';
import { type FlightBounds, flightBounds } from '../domain/flight.ts';
import { type LocalDay, localDayAt, localHourStart, nextHourChange } from '../domain/local-day.ts';
import { MICROS_MAX } from '../domain/money.ts';
import { type Plan, replan, startPlan } from '../domain/plan.ts';
import { Reservations } from '../domain/reservations.ts';
import { GATE_HALF_OPEN, GATE_OPEN, GATE_VACANT } from '../table/gate.ts';
import { FLAG_LAST, FLAG_NO_TOKENS, FLAG_RESERVED } from '../table/layout.ts';
import type { OwnerTable } from '../table/pacing-table.ts';
import { AccountBreaker, type BreakerSettings } from './account-breaker.ts';
import { type AccountRecord, beginDay, type Counters, encodeRecord, newCounters } from './account-record.ts';
import { Allowance } from './allowance.ts';
import type { Clock } from './clock.ts';
import type { CurveCache } from './curve-cache.ts';
import { budgetGate, isOpen, scheduleGate } from './gate-rules.ts';
import { newTally, type Pace, type TickTally } from './pacing-tally.ts';

export interface AccountSettings extends BreakerSettings {
  readonly reservationTtlMs: number;
  readonly table: OwnerTable;
  readonly curves: CurveCache;
}

/** A spend that was applied, so that it can be taken back when its commit fails. */
export interface AppliedSpend {
  readonly account: Account;
  readonly spendMicros: number;
  readonly releasedMicros: number;
  readonly impressions: number;
  readonly clicks: number;
  readonly lateMicros: number;
}

export class Account {
  campaign: Campaign;
  readonly slot: number;
  readonly reservations: Reservations;
  readonly allowance: Allowance;
  readonly tally: TickTally;
  readonly pace: Pace = { passProbability: 1, allowRate: 0, askRate: 0, winRate: 0 };
  readonly counters: Counters;
  readonly breaker: AccountBreaker;
  readonly controller: ControllerState;
  plan: Plan;
  day: LocalDay;
  flight: FlightBounds;
  /** When flight, daypart, day or breaker next change by themselves, ms since the epoch. */
  dueAtMs = 0;
  /** The table wants more than the ledger's record covers: a commit will raise it. */
  allowanceShort = false;
  lastLossSteadyMs = Number.NEGATIVE_INFINITY;
  private gate = GATE_VACANT;
  private hourEndMs = 0;
  /** Steady ms until which bids of before a restart may be in flight. */
  private restoredUntilMs = 0;
  /** Edges were told that all of the budget is out: what comes back must not wait for the next cycle. */
  private showsLast = false;
  private readonly settings: AccountSettings;

  /** @param record what the ledger has of the campaign, or null when it is new */
  constructor(
    campaign: Campaign,
    slot: number,
    record: AccountRecord | null,
    settings: AccountSettings,
    clock: Clock,
  ) {
    this.campaign = campaign;
    this.slot = slot;
    this.settings = settings;
    this.allowance = new Allowance(settings.table, slot);
    this.reservations = new Reservations(settings.reservationTtlMs);
    this.day = localDayAt(campaign.timezone, clock.wallMs);
    this.flight = flightBounds(campaign);
    this.tally = newTally(clock.steadyMs);
    this.counters = record?.counters ?? newCounters();
    if (record === null) {
      this.counters.dayStartMs = this.day.startMs;
      const breaker = newBreaker(this.day.startMs, this.budgetMicros);
      this.breaker = new AccountBreaker(breaker, campaign, settings);
      this.controller = newController({ lastRho: Number.NaN, potentialMicros: Number.NaN });
      this.plan = startPlan(this.curve(), this.budgetMicros, clock.wallMs);
    } else {
      this.breaker = new AccountBreaker(record.breaker, campaign, settings);
      this.controller = restoreController(record.memory);
      this.plan = restorePlan(record, this.curve());
      // Whatever was reserved or on the table when the record was written may be in flight.
      this.reservations.take(record.outstandingMicros, clock.steadyMs);
      if (record.outstandingMicros > 0) this.restoredUntilMs = clock.steadyMs + settings.reservationTtlMs;
    }
    this.turnDay(clock);
    this.turnHour(clock);
  }

  /** B: the day's effective budget, the lesser of the daily budget and what the total leaves of it. */
  get budgetMicros(): number {
    const { dailyBudgetMicros, totalBudgetMicros } = this.campaign;
    if (totalBudgetMicros === null) return dailyBudgetMicros;
    const spentBefore = this.counters.spentTotalMicros - this.counters.spentDayMicros;
    return Math.min(dailyBudgetMicros, Math.max(0, totalBudgetMicros - spentBefore));
  }

  /** Free budget: neither spent, nor in flight, nor on the table. Negative after uncovered spend. */
  get leftMicros(): number {
    const { spentDayMicros } = this.counters;
    return this.budgetMicros - spentDayMicros - this.reservations.totalMicros - this.allowance.onTableMicros;
  }

  get throttleFloor(): number {
    return throttleFloorOf(this.breaker.state, this.campaign.pacingMode);
  }

  /** Whether nothing is in flight. */
  get atRest(): boolean {
    return this.reservations.empty;
  }

  /** Takes what edges took since the last look as reserved; returns it. */
  observe(clock: Clock): number {
    const takenMicros = this.allowance.observe();
    this.tally.allowedMicros += takenMicros;
    this.reservations.take(takenMicros, clock.steadyMs);
    return takenMicros;
  }

  /** An edge says which bid took a part of the allowance. */
  name(bidId: string, takenMicros: number, clock: Clock): void {
    this.observe(clock);
    this.reservations.name(bidId, takenMicros, clock.steadyMs);
  }

  /** Whether one more spend of this size can still be counted exactly. */
  canCount(spendMicros: number): boolean {
    return this.counters.spentTotalMicros <= MICROS_MAX - spendMicros;
  }

  /** Records a spend; it counts from here on, and is answered once it is in the ledger. */
  spend(spendMicros: number, impressions: number, clicks: number, bidId: string, clock: Clock): AppliedSpend {
    this.turnDay(clock);
    this.turnHour(clock);
    this.observe(clock);
    const named = bidId === '' ? 0 : this.reservations.settle(bidId);
    // The ids of what was in flight at a restart are forgotten: until its time is over no win is called late.
    const forgotten = named < 0 && clock.steadyMs < this.restoredUntilMs;
    const lateMicros = named < 0 && !forgotten ? spendMicros : 0;
    const releasedMicros = bidId === '' ? this.reservations.settleUnnamed(spendMicros) : Math.max(0, named);
    const { counters } = this;
    counters.spentDayMicros += spendMicros;
    counters.spentHourMicros += spendMicros;
    counters.spentTotalMicros += spendMicros;
    counters.impressionsDay += impressions;
    counters.clicksDay += clicks;
    counters.winsDay += 1;
    counters.lateWinTotalMicros += lateMicros;
    const overspentMicros = Math.max(0, counters.spentDayMicros - this.budgetMicros);
    counters.overspentTotalMicros += Math.max(0, overspentMicros - counters.overspentDayMicros);
    counters.overspentDayMicros = Math.max(overspentMicros, counters.overspentDayMicros);
    this.tally.wins += 1;
    this.tally.spendMicros += spendMicros;
    this.settled(forgotten || spendMicros <= releasedMicros, clock);
    return { account: this, spendMicros, releasedMicros, impressions, clicks, lateMicros };
  }

  /** Takes a spend back whose commit failed: it was not answered and will be reported again. */
  takeBack(applied: AppliedSpend, clock: Clock): void {
    const { counters } = this;
    counters.spentDayMicros = Math.max(0, counters.spentDayMicros - applied.spendMicros);
    counters.spentHourMicros = Math.max(0, counters.spentHourMicros - applied.spendMicros);
    counters.spentTotalMicros -= applied.spendMicros;
    counters.impressionsDay = Math.max(0, counters.impressionsDay - applied.impressions);
    counters.clicksDay = Math.max(0, counters.clicksDay - applied.clicks);
    counters.winsDay = Math.max(0, counters.winsDay - 1);
    counters.lateWinTotalMicros -= applied.lateMicros;
    this.reservations.take(applied.releasedMicros, clock.steadyMs);
    this.publish(clock);
  }

  /** @returns whether the bid was in flight */
  lose(bidId: string, clock: Clock): boolean {
    this.observe(clock);
    this.lastLossSteadyMs = clock.steadyMs;
    const released = this.reservations.settle(bidId);
    if (released < 0) return false;
    this.settled(true, clock);
    return true;
  }

  /** Replaces the campaign by a newer version of it, without a jump in its plan. */
  change(campaign: Campaign, clock: Clock): void {
    this.turnDay(clock);
    this.campaign = campaign;
    this.breaker.change(campaign);
    this.flight = flightBounds(campaign);
    this.day = localDayAt(campaign.timezone, clock.wallMs);
    // A change of zone is no new day: what was spent today stays spent.
    this.counters.dayStartMs = Math.max(this.counters.dayStartMs, this.day.startMs);
    this.breaker.state.dayStartMs = Math.max(this.breaker.state.dayStartMs, this.day.startMs);
    this.plan = replan(this.plan, { curve: this.curve(), budgetMicros: this.budgetMicros }, clock.wallMs);
    this.publish(clock);
  }

  /** Lets time pass: expiries, a new hour or day, the breaker's recovery, flight and dayparts. */
  advance(clock: Clock): void {
    this.observe(clock);
    this.reservations.expire(clock.steadyMs);
    this.settleSilentProbes(clock);
    this.turnDay(clock);
    this.turnHour(clock);
    this.publish(clock);
  }

  /**
   * Brings the breaker up to date and shows edges what holds now. Closing, the gate word comes first and then
   * the allowance is withdrawn; opening, it comes last.
   */
  publish(clock: Clock): void {
    this.watch(clock);
    const { table } = this.settings;
    const schedule = scheduleGate(this.campaign, this.flight, this.day, clock.wallMs);
    const gate =
      schedule === GATE_OPEN ? budgetGate(this.campaign, this.counters, this.breaker.state) : schedule;
    if (!isOpen(gate)) {
      table.setGate(this.slot, gate);
      this.withdraw(clock);
    } else {
      if (this.leftMicros < 0) this.withdraw(clock);
      this.refill();
      if (gate === GATE_HALF_OPEN && this.gate !== GATE_HALF_OPEN) {
        table.setProbes(this.slot, this.settings.breakerProbes);
      }
      table.setGate(this.slot, gate);
    }
    this.gate = gate;
    this.publishFlags();
    table.setBreaker(this.slot, this.breaker.state.position);
    this.dueAtMs = this.nextDueMs(clock.wallMs);
  }

  /** A turn of the duty cycle: sees what edges took and puts allowance on the table for the next moments. */
  cycle(clock: Clock): void {
    this.allowance.follow(this.observe(clock));
    this.putOut();
  }

  /** Takes all allowance off the table. */
  withdraw(clock: Clock): void {
    const takenMicros = this.allowance.withdraw();
    this.tally.allowedMicros += takenMicros;
    this.reservations.take(takenMicros, clock.steadyMs);
  }

  /**
   * The record to commit now; {@link committed} must follow.
   * @param last nothing will be put on the table after this one
   */
  encode(last: boolean): Buffer {
    const reserved = this.reservations.totalMicros;
    const outstandingMicros = last ? reserved : this.allowance.toRecord(reserved, this.leftMicros);
    this.allowance.recording(outstandingMicros);
    return encodeRecord({
      counters: this.counters,
      outstandingMicros,
      planAnchorMs: this.plan.anchorMs,
      planAnchorMicros: this.plan.anchorMicros,
      planBudgetMicros: this.plan.budgetMicros,
      breaker: this.breaker.state,
      memory: controllerMemory(this.controller),
    });
  }

  /** The commit of {@link encode}'s record ended. */
  committed(success: boolean): void {
    this.allowance.recorded(success);
    if (success) this.putOut();
  }

  private curve(): TargetCurve {
    return this.settings.curves.curveFor(this.campaign, this.day, this.flight);
  }

  /** A bid is settled: won or lost; `covered` when what it cost was reserved for it. */
  private settled(covered: boolean, clock: Clock): void {
    const settledMoved = this.breaker.settled(covered, clock.wallMs);
    const moved = this.watch(clock) || settledMoved;
    if (moved || (this.leftMicros < 0 && isOpen(this.gate))) this.publish(clock);
    else if (this.showsLast) this.putOut();
    if (this.campaign.pacingMode === 'ASAP') this.publishAsapStep();
  }

  /** Probes that nobody reported on are settled when nothing is in flight any more. */
  private settleSilentProbes(clock: Clock): void {
    if (this.gate !== GATE_HALF_OPEN || this.reservations.totalMicros > 0) return;
    const { breakerProbes, table } = this.settings;
    this.breaker.settleSilent(breakerProbes - table.probes(this.slot), clock.wallMs);
  }

  private watch(clock: Clock): boolean {
    const { dayStartMs, spentDayMicros } = this.counters;
    return this.breaker.watch(dayStartMs, spentDayMicros, this.budgetMicros, clock.wallMs);
  }

  private refill(): void {
    const wanting = this.allowance.wanting(this.leftMicros);
    const added = wanting > 0 ? this.allowance.add(wanting, this.reservations.totalMicros) : 0;
    this.allowanceShort = added < wanting;
  }

  /** Puts allowance on the table of an open campaign. */
  private putOut(): void {
    if (!isOpen(this.gate)) return;
    this.refill();
    this.publishFlags();
  }

  private publishFlags(): void {
    this.showsLast = this.leftMicros < this.allowance.unitMicros;
    const last = this.showsLast ? FLAG_LAST : 0;
    const tokens = this.campaign.pacingMode === 'ASAP' ? FLAG_NO_TOKENS : 0;
    // What stands on the table can only go to bids: once it is gone it is in flight.
    const inFlight = this.reservations.totalMicros > 0 || this.allowance.onTableMicros > 0;
    const reserved = inFlight ? FLAG_RESERVED : 0;
    this.settings.table.setFlags(this.slot, last | tokens | reserved);
  }

  /** ASAP's throttle steps hold from the spend that crosses them, not from the next tick. */
  private publishAsapStep(): void {
    const throttle = Math.max(
      asapThrottle(this.counters.spentDayMicros / this.budgetMicros),
      this.throttleFloor,
    );
    if (1 - throttle >= this.pace.passProbability) return;
    this.pace.passProbability = 1 - throttle;
    this.settings.table.setPassProbability(this.slot, this.pace.passProbability);
  }

  private turnDay(clock: Clock): void {
    const { counters } = this;
    if (clock.wallMs < this.day.endMs && counters.dayStartMs >= this.day.startMs) return;
    this.day = localDayAt(this.campaign.timezone, clock.wallMs);
    // A clock that was set back does not bring a spent day back.
    if (this.day.startMs <= counters.dayStartMs) return;
    beginDay(counters, this.day.startMs);
    beginControllerDay(this.controller);
    this.plan = startPlan(this.curve(), this.budgetMicros, this.day.startMs);
  }

  private turnHour(clock: Clock): void {
    if (clock.wallMs < this.hourEndMs) return;
    const { counters, day } = this;
    const hourStartMs = localHourStart(day, clock.wallMs);
    this.hourEndMs = nextHourChange(day, clock.wallMs);
    if (hourStartMs <= counters.hourStartMs) return;
    counters.hourStartMs = hourStartMs;
    counters.spentHourMicros = 0;
  }

  private nextDueMs(wallMs: number): number {
    const { startMs, endMs } = this.flight;
    const change = nextGateChange(this.day, this.campaign.dayparts, startMs, endMs, wallMs);
    return Math.min(change, this.breaker.recoversAtMs(this.counters.spentDayMicros, this.budgetMicros));
  }
}

function restorePlan(record: AccountRecord, curve: TargetCurve): Plan {
  const { planAnchorMs: anchorMs, planAnchorMicros: anchorMicros, planBudgetMicros: budgetMicros } = record;
  return { curve, budgetMicros, anchorMs, anchorMicros, anchorShare: shareAt(curve, anchorMs) };
}
