/**
 * One campaign's whole day under virtual time, one second per step: notices that are due, then the second's
 * asks in their order against the throttle, the tokens and the gate, then (every second, in a rhythm of its own, or
 * at every sync of several pods) the controller's tick. Spend belongs to the day of its bid, so notices after midnight count.
 */
import { newTickInput, newTickOutput, type TickInput } from '../../src/domain/controller-tick.ts';
import { buildCurve } from '../../src/domain/curve.ts';
import { podPassProbability } from '../../src/domain/fleet-share.ts';
import { localDayAt } from '../../src/domain/local-day.ts';
import { type Plan, replan, startPlan, targetAt } from '../../src/domain/plan.ts';
import { trafficShape } from '../../src/domain/supply-guard.ts';
import { isAskedSeldom, SELDOM_TICK_MS } from '../../src/domain/tick-rhythm.ts';
import type { Controller, ControllerKind, Known } from './controllers/controller.ts';
import { Gate } from './gate.ts';
import { mix, STEP } from './random.ts';
import { DAY_SECONDS, NOON_SECOND, type Scenario } from './scenario.ts';
import {
  askCounter,
  auctionBits,
  clearingMicros,
  isWon,
  kindOf,
  noticeCounter,
  noticeDelay,
  type Traffic,
} from './traffic.ts';

/** Any plain day does: what differs between days is in the scenarios' hours. */
const day = localDayAt('UTC', Date.UTC(2026, 2, 2));
/** Nearly all of the budget: when it is spent, the campaign has ended. */
const ENDED_SHARE = 0.995;
const TWO_32 = 4_294_967_296;

/** What a day was like, sampled at the end of each minute from its start. */
export interface DayRecord {
  readonly spentMicros: Float64Array;
  readonly targetMicros: Float64Array;
  /** Budget in force at the sample. */
  readonly budgetsMicros: Float64Array;
  readonly pass: Float64Array;
  /** Minute of the day at which the first sample was taken. */
  readonly firstMinute: number;
  readonly budgetMicros: number;
  /** After the last notice. */
  readonly deliveredMicros: number;
  /** More than this may not be spent: the budget, or what was spent and reserved already when it was cut. */
  readonly ceilingMicros: number;
  /** Second of the day at which 99.5% was spent; {@link DAY_SECONDS} when it never was. */
  readonly endedSecond: number;
  /** The same, of the plan. */
  readonly planEndsSecond: number;
}

/** The plan of a scenario before any change of its budget. */
export function planOf(of: Scenario): Plan {
  const bounds = { flightStartMs: Number.NEGATIVE_INFINITY, flightEndMs: Number.POSITIVE_INFINITY };
  const { mode, shape } = of;
  const curve = buildCurve({ mode, day, multipliers: null, dayparts: null, shape, ...bounds });
  return startPlan(curve, of.budgetMicros, day.startMs + of.startHour * 3_600_000);
}

export function simulateDay(of: Scenario, traffic: Traffic, kind: ControllerKind): DayRecord {
  return new CampaignDay(of, traffic, kind).run();
}

class CampaignDay {
  private readonly of: Scenario;
  private readonly traffic: Traffic;
  private readonly gate: Gate;
  private readonly controller: Controller;
  private readonly input: TickInput;
  private readonly output = newTickOutput();
  /** p of each pod, times 2^32. */
  private readonly passBits: Float64Array;
  private passBitsMax = 0;
  private plan: Plan;
  private budgetMicros: number;
  /** S + R when the budget last changed. */
  private committedMicros = 0;
  private largestBidMicros = 0;
  private noticedSeconds = 0;
  /** What a second adds to the tokens until the next tick. */
  private fillPerSecond = 0;
  private tickedSecond = 0;
  /** The next tick may wait until then, if nothing happens that the controller is to know. */
  private restsUntilSecond = 0;
  /** Nobody asked before the last tick. */
  private listens = true;
  private endedSecond = DAY_SECONDS;

  constructor(of: Scenario, traffic: Traffic, kind: ControllerKind) {
    const known: Known = of.yesterdayKnown
      ? { lastRho: traffic.rhoAtMidnight, potentialMicros: traffic.potentialMicros }
      : { lastRho: Number.NaN, potentialMicros: Number.NaN };
    this.of = of;
    this.traffic = traffic;
    this.gate = new Gate(of.pods, of.ttlSeconds);
    this.controller = kind.create(known, of.budgetMicros);
    this.plan = planOf(of);
    this.budgetMicros = of.budgetMicros;
    this.passBits = new Float64Array(of.pods);
    this.input = newTickInput(this.plan);
    this.input.mode = of.mode;
    this.input.shape = of.yesterdayKnown ? trafficShape(this.plan.curve, traffic.hourlyWeights) : null;
    this.input.reservationTtlSeconds = of.ttlSeconds;
    this.input.lossesReported = of.lossNotices;
  }

  run(): DayRecord {
    const { gate, of } = this;
    const startSecond = of.startHour * 3600;
    const samples = (DAY_SECONDS - startSecond) / 60;
    const spent = new Float64Array(samples);
    const targets = new Float64Array(samples);
    const budgets = new Float64Array(samples);
    const pass = new Float64Array(samples);
    this.tick(startSecond, 0);
    for (let second = startSecond; second < DAY_SECONDS; second++) {
      if (second === NOON_SECOND && of.noonBudget !== 1) this.changeBudget(second);
      this.settle(second);
      this.ask(second);
      if (this.isTickDue(second + 1)) this.tick(second + 1, second + 1 - this.tickedSecond);
      else if (of.syncSeconds > 1) this.fillTokens(this.fillPerSecond);
      if (second % 60 === 59) {
        const sample = (second + 1 - startSecond) / 60 - 1;
        spent[sample] = gate.spentMicros;
        targets[sample] = targetAt(this.plan, day.startMs + (second + 1) * 1000);
        budgets[sample] = this.budgetMicros;
        // With the day its plan is over, so the last tick says nothing.
        pass[sample] = second + 1 < DAY_SECONDS ? this.output.passProbability : (pass[sample - 1] ?? 0);
      }
    }
    for (let second = DAY_SECONDS; second <= DAY_SECONDS + of.ttlSeconds + 1; second++) this.settle(second);
    return {
      spentMicros: spent,
      targetMicros: targets,
      budgetsMicros: budgets,
      pass,
      firstMinute: startSecond / 60 + 1,
      budgetMicros: this.budgetMicros,
      deliveredMicros: gate.spentMicros,
      ceilingMicros: Math.max(this.budgetMicros, this.committedMicros),
      endedSecond: this.endedSecond,
      planEndsSecond: this.planEnds(startSecond),
    };
  }

  private settle(second: number): void {
    const { gate, input } = this;
    gate.settle(second);
    input.wins += gate.due.wins;
    input.spendMicros += gate.due.spendMicros;
    this.noticedSeconds += gate.due.delaySeconds;
    if (this.endedSecond === DAY_SECONDS && gate.spentMicros >= ENDED_SHARE * this.budgetMicros) {
      this.endedSecond = Math.min(second, DAY_SECONDS);
    }
  }

  /**
   * The second's asks, in the order of their pass draws; the comparison's hot loop. Asks that cannot pass any
   * more, whatever they bid, are counted and not drawn.
   */
  private ask(second: number): void {
    const { gate, input, traffic, passBits } = this;
    const { cells, cellAsks } = traffic;
    input.asks += traffic.asks[second] ?? 0;
    input.askedMicros += traffic.askedMicros[second] ?? 0;
    this.largestBidMicros = Math.max(this.largestBidMicros, traffic.largestBidMicros[second] ?? 0);
    for (let cell = 0; cell < cells; cell++) {
      const from = (cell * TWO_32) / cells;
      if (from >= this.passBitsMax) return;
      const asks = cellAsks[second * cells + cell] ?? 0;
      let counter = askCounter(traffic.seed, second * cells + cell);
      for (let at = 0; at < asks; at++) {
        const bits = mix(counter);
        const pod = gate.pods === 1 ? 0 : bits % gate.pods;
        if (from + bits / cells < (passBits[pod] ?? 0) && !this.pass(second, pod, counter)) return;
        counter = (counter + 2 * STEP) | 0;
      }
    }
  }

  /** An ask that the throttle lets through: tokens, gate, auction. False when no other can follow it. */
  private pass(second: number, pod: number, counter: number): boolean {
    const { gate, input, of, traffic } = this;
    const others = gate.pods > 1;
    if (!((gate.tokens[pod] ?? 0) > 0)) return others;
    const bits = auctionBits(counter);
    const kind = kindOf(bits);
    const allowed = gate.reserve(pod, traffic.bidMicros[3 * second + kind] ?? 0);
    if (allowed === 0) return others;
    input.allowedMicros += allowed;
    const notice = noticeCounter(counter);
    if (isWon(traffic, second, kind, bits)) {
      const spend = clearingMicros(traffic, notice, allowed);
      gate.noteWin(pod, second, allowed, spend, noticeDelay(traffic, notice));
    } else {
      gate.noteLoss(pod, second, allowed, of.lossNotices ? noticeDelay(traffic, notice) : of.ttlSeconds);
    }
    return true;
  }

  private isTickDue(second: number): boolean {
    const { input, controller, of } = this;
    if (of.syncSeconds > 1 || controller.hasRhythm === undefined) return second % of.syncSeconds === 0;
    const happened = input.wins > 0 || (this.listens && input.asks > 0);
    return happened || second >= this.restsUntilSecond;
  }

  private tick(second: number, elapsedSeconds: number): void {
    const { gate, input, output, of } = this;
    this.tickedSecond = second;
    this.restsUntilSecond = isAskedSeldom(input.asks, elapsedSeconds)
      ? second + SELDOM_TICK_MS / 1000
      : second + 1;
    this.listens = input.asks === 0;
    input.nowMs = day.startMs + second * 1000;
    input.elapsedSeconds = elapsedSeconds;
    input.spentMicros = gate.spentMicros;
    input.budgetMicros = this.budgetMicros;
    input.plan = this.plan;
    input.largestBidMicros = this.largestBidMicros;
    input.noticeDelaySeconds = input.wins > 0 ? this.noticedSeconds / input.wins : Number.NaN;
    this.controller.tick(input, output);
    input.asks = input.askedMicros = input.allowedMicros = input.wins = input.spendMicros = 0;
    this.noticedSeconds = 0;
    gate.sync(this.budgetMicros, this.largestBidMicros);
    for (let pod = 0; pod < of.pods; pod++) {
      const part = podPassProbability(output.passProbability, of.pods, gate.shares[pod] ?? 0);
      this.passBits[pod] = part * TWO_32;
    }
    this.passBitsMax = Math.max(...this.passBits);
    // What a sync grants for several seconds comes second by second; the first bucket comes full.
    this.fillPerSecond = output.tokenFillMicros / (of.syncSeconds > 1 ? Math.max(elapsedSeconds, 1) : 1);
    this.fillTokens(this.fillPerSecond);
  }

  private fillTokens(fillMicros: number): void {
    this.gate.fillTokens(fillMicros, this.output.tokenCapMicros, this.output.meanBidMicros);
  }

  private changeBudget(second: number): void {
    this.committedMicros = this.gate.committedMicros();
    this.budgetMicros = Math.round(this.budgetMicros * this.of.noonBudget);
    this.plan = replan(this.plan, { budgetMicros: this.budgetMicros }, day.startMs + second * 1000);
  }

  private planEnds(startSecond: number): number {
    let before = startSecond;
    let after = DAY_SECONDS;
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2);
      const target = targetAt(this.plan, day.startMs + middle * 1000);
      if (target < ENDED_SHARE * this.budgetMicros) before = middle;
      else after = middle;
    }
    return after;
  }
}
