/**
 * What an account of a fleet goes by when it asks for a lease: how much it would like to hold, from what it allows in a
 * second, and what it is left while the budget is scarce. Amounts in micros, times in steady ms.
 */
import { budgetDay } from '../domain/budget-day.ts';
import type { Clock } from '../domain/clock.ts';
import type { FleetView } from '../domain/fleet-view.ts';
import type { PacedCampaign } from '../domain/paced-campaign.ts';
import type { LeaseReply, LeaseRequest } from '../sinks/redis/lease-request.ts';

/** How long a lease may be used after it was asked for. */
export const LEASE_MS = 600_000;
/** A lease is asked to cover so many seconds of the recent flow… */
const LEASE_FLOW_SECONDS = 120;
/** …or so many of the largest bids… */
const LEASE_BIDS = 2;
/** …or, before any bid is known, 20 dollars or a twentieth of the budget. */
const LEASE_FIRST_MICROS = 20_000_000;
const LEASE_FIRST_PARTS = 20;
const FLOW_MEMORY_SECONDS = 10;

export class LeaseAsks {
  readonly fleet: FleetView;
  /** What may be held above the floor while the budget is scarce; −1 while there is enough. */
  partMicros = -1;
  /** Until then no larger lease is asked for. */
  heldUntilMs = Number.NEGATIVE_INFINITY;
  /** How much is allowed in a second, as of the last lease that was asked for, and what it was reckoned from. */
  private rate = 0;
  private allowedMicros = 0;
  private steadyMs = 0;

  constructor(fleet: FleetView) {
    this.fleet = fleet;
  }

  /** What an open campaign would like to be leased above its floor: some bids, or the flow of a while. */
  wantedMicros({ budgetMicros, largestBidMicros }: PacedCampaign): number {
    const first = Math.min(LEASE_FIRST_MICROS, budgetMicros / LEASE_FIRST_PARTS);
    return Math.min(
      budgetMicros,
      Math.max(first, LEASE_BIDS * largestBidMicros, this.rate * LEASE_FLOW_SECONDS),
    );
  }

  /**
   * What to tell the fleet and what to ask of it.
   * @param floorMicros what cannot be given back
   * @param open whether it may bid
   */
  request(paced: PacedCampaign, floorMicros: number, open: boolean, clock: Clock): LeaseRequest {
    const { counters, campaign, day, largestBidMicros } = paced;
    const { lease } = this.fleet;
    this.followFlow(counters.allowedDayMicros, clock);
    const { partMicros } = this;
    const wantMicros = open ? Math.ceil(this.wantedMicros(paced)) : 0;
    const heldMicros = lease.claim(floorMicros, clock.steadyMs);
    const scarce = partMicros >= 0 && heldMicros > floorMicros + partMicros;
    const freeCapMicros = floorMicros + (scarce ? Math.min(partMicros, wantMicros) : wantMicros);
    const keeps = clock.steadyMs < this.heldUntilMs;
    const capMicros = keeps ? Math.max(floorMicros, Math.min(freeCapMicros, heldMicros)) : freeCapMicros;
    lease.ask(capMicros);
    return {
      campaignId: campaign.id,
      day: budgetDay(campaign, day.date),
      hour: paced.hour,
      version: campaign.version,
      dailyBudgetMicros: campaign.dailyBudgetMicros,
      totalBudgetMicros: campaign.totalBudgetMicros,
      spentDayMicros: counters.spentDayMicros,
      spentHourMicros: counters.spentHourMicros,
      spentTotalMicros: counters.spentTotalMicros,
      heldMicros,
      floorMicros,
      capMicros,
      wantMicros,
      largestBidMicros: Math.ceil(largestBidMicros),
      asks: Math.round(counters.asksDay),
      askedMicros: Math.round(counters.askedDayMicros),
      allowedMicros: Math.round(counters.allowedDayMicros),
      wins: counters.winsDay,
    };
  }

  /** Takes in what was granted, and what the fleet has spent. @param askedAt when the request was made */
  granted(paced: PacedCampaign, request: LeaseRequest, reply: LeaseReply, askedAt: Clock): void {
    const { fleet } = this;
    fleet.lease.granted(reply.leaseMicros, askedAt.steadyMs, LEASE_MS);
    this.partMicros = reply.partMicros;
    const totals = {
      spentDayMicros: reply.fleetSpentDayMicros,
      spentHourMicros: reply.fleetSpentHourMicros,
      spentTotalMicros: reply.fleetSpentTotalMicros,
      asks: reply.fleetAsks,
      askedMicros: reply.fleetAskedMicros,
      allowedMicros: reply.fleetAllowedMicros,
      wins: reply.fleetWins,
      sources: reply.liveSources,
    };
    fleet.learn(totals, {
      dayMicros: request.spentDayMicros,
      hourMicros: request.spentHourMicros,
      totalMicros: request.spentTotalMicros,
    });
    if (request.hour !== paced.hour) fleet.beginHour();
  }

  private followFlow(allowedDayMicros: number, { steadyMs }: Clock): void {
    const seconds = (steadyMs - this.steadyMs) / 1000;
    if (this.steadyMs > 0 && seconds > 0) {
      const rate = Math.max(0, allowedDayMicros - this.allowedMicros) / seconds;
      this.rate += (rate - this.rate) * -Math.expm1(-seconds / FLOW_MEMORY_SECONDS);
    }
    this.allowedMicros = allowedDayMicros;
    this.steadyMs = steadyMs;
  }
}
