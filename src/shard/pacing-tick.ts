/**
 * The pacing controller's turn for one campaign: gathers what edges counted and what spend was notified since
 * the last turn, runs the controller, and publishes its answer. One instance for each shard; no allocation.
 */
import { tick } from '../domain/controller.ts';
import { newTickInput, newTickOutput, type TickInput, type TickOutput } from '../domain/controller-tick.ts';
import {
  GAUGE_BUDGET,
  GAUGE_OVERSPENT_TOTAL,
  GAUGE_RESERVED,
  GAUGE_SPENT,
  GAUGE_SPENT_TOTAL,
  GAUGE_TARGET,
} from '../table/layout.ts';
import type { LaneSums, OwnerTable } from '../table/pacing-table.ts';
import type { Account } from './account.ts';
import type { Clock } from './clock.ts';

export class PacingTick {
  private readonly table: OwnerTable;
  private readonly ttlMs: number;
  private readonly sums: LaneSums = { asks: 0, askedMicros: 0, allowed: 0, largestMicros: 0 };
  private readonly output: TickOutput = newTickOutput();
  private input: TickInput | null = null;

  constructor(table: OwnerTable, reservationTtlMs: number) {
    this.table = table;
    this.ttlMs = reservationTtlMs;
  }

  /** Starts an account's counting from what the lanes hold now; they outlive a shard's thread. */
  begin(account: Account): void {
    this.table.sumLanes(account.slot, this.sums);
    account.tally.asks = this.sums.asks;
    account.tally.askedMicros = this.sums.askedMicros;
  }

  /** @returns bids asked for since the last turn */
  run(account: Account, clock: Clock): number {
    const { tally, slot } = account;
    this.table.sumLanes(slot, this.sums);
    const asks = this.sums.asks - tally.asks;
    this.input ??= newTickInput(account.plan);
    this.gather(this.input, account, clock);
    tick(account.controller, this.input, this.output);
    tally.asks = this.sums.asks;
    tally.askedMicros = this.sums.askedMicros;
    tally.steadyMs = clock.steadyMs;
    tally.wins = tally.spendMicros = tally.allowedMicros = 0;
    this.publish(account);
    return asks;
  }

  private gather(input: TickInput, account: Account, clock: Clock): void {
    const { tally, campaign, counters } = account;
    input.nowMs = clock.wallMs;
    input.elapsedSeconds = Math.max(0, clock.steadyMs - tally.steadyMs) / 1000;
    input.asks = this.sums.asks - tally.asks;
    input.askedMicros = this.sums.askedMicros - tally.askedMicros;
    input.allowedMicros = tally.allowedMicros;
    input.wins = tally.wins;
    input.spendMicros = tally.spendMicros;
    input.noticeDelaySeconds = Number.NaN;
    input.spentMicros = counters.spentDayMicros;
    input.budgetMicros = account.budgetMicros;
    input.plan = account.plan;
    input.mode = campaign.pacingMode;
    input.lever = campaign.pacingLever;
    input.largestBidMicros = this.sums.largestMicros;
    input.reservationTtlSeconds = this.ttlMs / 1000;
    input.lossesReported = clock.steadyMs - account.lastLossSteadyMs < this.ttlMs;
    input.throttleFloor = account.throttleFloor;
  }

  private publish(account: Account): void {
    const { table, output } = this;
    const { slot, pace, counters } = account;
    pace.passProbability = output.passProbability;
    pace.allowRate = output.allowRate;
    pace.askRate = output.askRate;
    pace.winRate = output.winRate;
    table.setPassProbability(slot, output.passProbability);
    table.setBidCap(slot, output.bidCapMicros);
    table.fillTokens(slot, output.tokenFillMicros, output.tokenCapMicros);
    table.setGauge(slot, GAUGE_SPENT, counters.spentDayMicros);
    table.setGauge(slot, GAUGE_BUDGET, account.campaign.dailyBudgetMicros);
    table.setGauge(slot, GAUGE_RESERVED, account.reservations.totalMicros);
    table.setGauge(slot, GAUGE_SPENT_TOTAL, counters.spentTotalMicros);
    table.setGauge(slot, GAUGE_TARGET, output.targetMicros);
    table.setGauge(slot, GAUGE_OVERSPENT_TOTAL, counters.overspentTotalMicros);
  }
}
