/**
 * The pacing controller's turn for one account: gathers what edges counted since the last turn, runs the
 * controller, and publishes its answer. One instance for each shard; no allocation but for the projection, which is
 * made anew every other minute.
 */
import type { Clock } from '../domain/clock.ts';
import { newTickOutput, type TickOutput } from '../domain/controller-tick.ts';
import type { AskCounts } from '../domain/pacing-settings.ts';
import { projectDay } from '../domain/projection.ts';
import type { LaneSums, OwnerTable } from '../table/pacing-table.ts';
import type { Account } from './account.ts';
import { publishGauges, publishProjection } from './gauges.ts';

/** A projection costs as much as some fifty ticks. */
const PROJECTION_MS = 120_000;
/** Spreads the projections of accounts that were opened at once over that time. */
const SPREAD = 0.618034;

export class PacingTick {
  private readonly table: OwnerTable;
  private readonly sums: LaneSums = { asks: 0, askedMicros: 0, allowed: 0, largestMicros: 0 };
  private readonly counts: AskCounts = { asks: 0, askedMicros: 0, allowed: 0, largestMicros: 0 };
  private readonly output: TickOutput = newTickOutput();

  constructor(table: OwnerTable) {
    this.table = table;
  }

  /** Starts an account's counting from what the lanes hold now; they outlive a shard's thread. */
  begin(account: Account): void {
    this.table.sumLanes(account.slot, this.sums);
    account.activity.laneAsks = this.sums.asks;
    account.activity.laneAskedMicros = this.sums.askedMicros;
    account.activity.laneAllowed = this.sums.allowed;
    account.activity.projectedMs -= PROJECTION_MS * ((account.slot * SPREAD) % 1);
  }

  /** @returns bids asked for since the last turn */
  run(account: Account, clock: Clock): number {
    const { activity } = account;
    const { sums, counts } = this;
    this.table.sumLanes(account.slot, sums);
    counts.asks = sums.asks - activity.laneAsks;
    counts.askedMicros = sums.askedMicros - activity.laneAskedMicros;
    counts.allowed = sums.allowed - activity.laneAllowed;
    counts.largestMicros = sums.largestMicros;
    activity.laneAsks = sums.asks;
    activity.laneAskedMicros = sums.askedMicros;
    activity.laneAllowed = sums.allowed;
    const moved = account.paced.tick(counts, clock, this.output);
    this.publish(account);
    if (moved) account.publish(clock);
    if (clock.steadyMs - activity.projectedMs >= PROJECTION_MS) this.project(account, clock);
    else if (account.paced.day.startMs !== activity.projectedDayMs) this.forgetProjection(account);
    return counts.asks;
  }

  private project(account: Account, clock: Clock): void {
    const projection = projectDay(account.paced, clock);
    account.activity.projectedMs = clock.steadyMs;
    account.activity.projectedDayMs = account.paced.day.startMs;
    publishProjection(this.table, account.slot, projection);
  }

  /** What was projected is of another day. */
  private forgetProjection(account: Account): void {
    account.activity.projectedDayMs = account.paced.day.startMs;
    publishProjection(this.table, account.slot, null);
  }

  private publish(account: Account): void {
    const { table, output } = this;
    const { slot } = account;
    table.setPass(slot, output.passProbability, output.throttleRate);
    table.setBidCap(slot, output.bidCapMicros);
    table.fillTokens(slot, output.tokenFillMicros, output.tokenCapMicros);
    publishGauges(table, slot, account.paced, output.targetMicros);
  }
}
