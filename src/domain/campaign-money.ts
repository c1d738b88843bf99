/**
 * A campaign's money on this pod: what is spent, what is reserved, and what of the day's budget is free. It holds
 *
 *     spent + held <= budget,  and in a fleet  own spent + held <= lease
 *
 * as long as no more is taken than is free and spend is covered by reservations; spend that is not (money that was
 * spent was spent) is counted all the same. Paced by paced-campaign.ts.
 */
import type { CampaignTerms } from './campaign.ts';
import type { CampaignNumbers } from './campaign-numbers.ts';
import type { Clock } from './clock.ts';
import { heldWithConfidence, type RhoPeak } from './confidence-gate.ts';
import { type AppliedSpend, type Counters, countSpend, NEW_COUNTERS, uncountSpend } from './counters.ts';
import { FleetView } from './fleet-view.ts';
import { MICROS_MAX } from './money.ts';
import { copyNumbers } from './number-record.ts';
import type { CampaignRecord, PacingSettings } from './pacing-settings.ts';
import { Reservations } from './reservations.ts';
import type { TickTally } from './tick-tally.ts';

/**
 * In a fleet a reservation stands so much longer than bidders are told: a win that is reported at another pod in the
 * last moment is to be in the fleet's sum before the bid's own pod takes the bid for lost.
 */
const TOLD_MS = 2_000;

export class CampaignMoney {
  campaign: CampaignTerms;
  readonly reservations: Reservations;
  /** Null for a pod of its own. */
  readonly fleet: FleetView | null;
  /** Null until the campaign asks for the confidence gate. */
  protected rhoPeak: RhoPeak | null = null;
  protected readonly numbers: CampaignNumbers;

  /**
   * @param record what is known of the campaign, or null when it is new
   * @param numbers a new record, for this campaign alone
   */
  constructor(
    campaign: CampaignTerms,
    record: CampaignRecord | null,
    settings: PacingSettings,
    clock: Clock,
    numbers: CampaignNumbers,
  ) {
    this.campaign = campaign;
    this.numbers = numbers;
    numbers.steadyMs = numbers.tickedMs = clock.steadyMs;
    this.fleet = settings.fleet === null ? null : new FleetView();
    const lifeMs = settings.reservationTtlMs + (settings.fleet === null ? 0 : TOLD_MS);
    this.reservations = new Reservations(lifeMs, numbers);
    if (record !== null) copyNumbers(NEW_COUNTERS, record.counters, numbers);
    // Whatever was reserved or given out when the record was written may be in flight. Records once had parts of a micro.
    const outstandingMicros = Math.ceil(record?.outstandingMicros ?? 0);
    this.reservations.take(outstandingMicros, clock.steadyMs);
    if (outstandingMicros > 0) numbers.restoredUntilMs = clock.steadyMs + lifeMs;
  }

  get counters(): Counters {
    return this.numbers;
  }

  /** What happened since the last tick. */
  get tally(): TickTally {
    return this.numbers;
  }

  /** The largest bid ever asked for, micros. */
  get largestBidMicros(): number {
    return this.numbers.largestBidMicros;
  }

  /** B: the day's effective budget, the lesser of the daily budget and what the total leaves of it. */
  get budgetMicros(): number {
    const { dailyBudgetMicros, totalBudgetMicros } = this.campaign;
    if (totalBudgetMicros === null) return dailyBudgetMicros;
    const spentBefore = this.spentTotalMicros - this.spentDayMicros;
    return Math.min(dailyBudgetMicros, Math.max(0, totalBudgetMicros - spentBefore));
  }

  /** S, spent of the local day by the whole fleet and by pods before this one, as far as this pod knows. */
  get spentDayMicros(): number {
    const { spentDayMicros, earlierDayMicros } = this.counters;
    return spentDayMicros + Math.max(this.fleet?.othersDayMicros ?? 0, earlierDayMicros);
  }

  /** Spent in all by the whole fleet and by pods before this one, as far as this pod knows. */
  get spentTotalMicros(): number {
    const { spentTotalMicros, earlierTotalMicros } = this.counters;
    return spentTotalMicros + Math.max(this.fleet?.othersTotalMicros ?? 0, earlierTotalMicros);
  }

  /** What the gate takes for spent of what is in flight: all of it, always, without the confidence gate. */
  get heldMicros(): number {
    const reserved = this.reservations.totalMicros;
    if (this.rhoPeak === null || !this.campaign.confidenceGate) return reserved;
    return heldWithConfidence(this.rhoPeak, reserved, this.largestBidMicros);
  }

  /**
   * Budget that is neither spent nor held; in a fleet also of what is leased to this pod. Negative after uncovered
   * spend and when a lease has ended.
   */
  get freeMicros(): number {
    const held = this.heldMicros;
    const free = this.budgetMicros - this.spentDayMicros - held;
    if (this.fleet === null) return free;
    return Math.min(
      free,
      this.fleet.lease.usable(this.numbers.steadyMs) - this.counters.spentDayMicros - held,
    );
  }

  /** In a fleet: whether what is free is bounded by this pod's lease, not by the budget. */
  get leaseBinds(): boolean {
    if (this.fleet === null) return false;
    const { lease } = this.fleet;
    return (
      lease.usable(this.numbers.steadyMs) - this.counters.spentDayMicros <
      this.budgetMicros - this.spentDayMicros
    );
  }

  /** Reserves what bids were given. */
  take(micros: number, clock: Clock): void {
    this.numbers.steadyMs = clock.steadyMs;
    this.tally.allowedMicros += micros;
    this.counters.allowedDayMicros += micros;
    this.reservations.take(micros, clock.steadyMs);
  }

  /** Another pod says that the bid was won: its spend is counted there. @returns whether it was in flight here */
  wonElsewhere(bidId: string): boolean {
    const releasedMicros = this.reservations.settle(bidId);
    if (releasedMicros < 0) return false;
    this.fleet?.lease.moveAway(releasedMicros);
    return true;
  }

  /** Drops reservations whose time is over; in a fleet their bids may have been won at other pods. */
  protected expire(steadyMs: number): void {
    this.numbers.steadyMs = steadyMs;
    const endedMicros = this.reservations.expire(steadyMs);
    this.fleet?.lease.moveAway(endedMicros);
  }

  /** Whether one more spend of this size can still be counted exactly. */
  canCount(spendMicros: number): boolean {
    return this.counters.spentTotalMicros <= MICROS_MAX - spendMicros;
  }

  /**
   * Counts a spend and releases its bid.
   * @param bidId empty when the bid had none
   */
  protected count(
    spendMicros: number,
    impressions: number,
    clicks: number,
    bidId: string,
    clock: Clock,
  ): AppliedSpend & { readonly covered: boolean } {
    const { reservations, tally } = this;
    const ageMs = reservations.ageMs(bidId, clock.steadyMs);
    const named = bidId === '' ? 0 : reservations.settle(bidId);
    // The ids of what was in flight at a restart are forgotten: until its time is over no win is called late.
    const forgotten = named < 0 && clock.steadyMs < this.numbers.restoredUntilMs;
    // In a fleet another pod may have allowed the bid: nothing here says whether it did, and how long ago.
    const elsewhere = this.fleet !== null && (bidId === '' || named < 0);
    const lateMicros = named < 0 && !forgotten && !elsewhere ? spendMicros : 0;
    const releasedMicros = this.released(spendMicros, bidId, named);
    const covered = forgotten || elsewhere || spendMicros <= releasedMicros;
    const overspentMicros = Math.min(
      spendMicros,
      Math.max(0, this.spentDayMicros + spendMicros - this.budgetMicros),
    );
    const applied = {
      spendMicros,
      releasedMicros,
      impressions,
      clicks,
      lateMicros,
      overspentMicros,
      covered,
      elsewhereBidId: elsewhere ? bidId : '',
      countedFromMs: this.counters.countedFromMs,
    };
    countSpend(this.counters, applied);
    tally.wins += 1;
    tally.spendMicros += spendMicros;
    if (named >= 0 && bidId !== '') {
      tally.delayWins += 1;
      tally.delayMs += ageMs;
    }
    return applied;
  }

  /**
   * What a spend releases: its bid's reservation, or its own amount of the oldest when the bid had no id. In a
   * fleet nothing without an id: the bid may be another pod's, and the reservation here another bid's.
   */
  private released(spendMicros: number, bidId: string, named: number): number {
    if (bidId !== '') return Math.max(0, named);
    return this.fleet === null ? this.reservations.settleUnnamed(spendMicros) : 0;
  }

  /** Takes a counted spend back, and reserves what it had released. */
  protected uncount(applied: AppliedSpend, clock: Clock): void {
    uncountSpend(this.counters, applied);
    this.reservations.take(applied.releasedMicros, clock.steadyMs);
  }
}
