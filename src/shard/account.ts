/**
 * A paced campaign on the shared table, owned by its shard alone. The table gives budget out ahead of the bids,
 * so what edges see and take goes through here, and keeps, at all times and whatever edges do meanwhile,
 *
 *     spent + held + allowance on the table <= budget
 *
 * as long as spend is covered by reservations (domain/paced-campaign.ts). The gate word is what edges see: it
 * closes before the allowance is withdrawn and opens after it was put out.
 */
import { budgetDay } from '../domain/budget-day.ts';
import type { CampaignTerms } from '../domain/campaign.ts';
import type { Clock } from '../domain/clock.ts';
import type { AppliedSpend } from '../domain/counters.ts';
import { GATE_HALF_OPEN, GATE_VACANT } from '../domain/gate.ts';
import { isOpen } from '../domain/gate-rules.ts';
import { PacedCampaign } from '../domain/paced-campaign.ts';
import { type CampaignRecord, NOTHING_KNOWN, type PacingSettings } from '../domain/pacing-settings.ts';
import type { LeaseReply, LeaseRequest } from '../sinks/redis/lease-request.ts';
import { FLAG_LAST, FLAG_LISTENS, FLAG_NO_TOKENS, FLAG_RESERVED } from '../table/layout.ts';
import type { OwnerTable } from '../table/pacing-table.ts';
import { type AccountActivity, type AccountNumbers, accountNumbers } from './account-numbers.ts';
import { encodeRecord } from './account-record.ts';
import { type Allowances, recorded, recording } from './allowance.ts';
import { publishMoney } from './gauges.ts';
import { LeaseAsks } from './lease-asks.ts';

export interface AccountSettings extends PacingSettings {
  readonly breakerProbes: number;
  readonly table: OwnerTable;
  readonly allowances: Allowances;
  /**
   * By place among the shard's slots: when flight, daypart, day, breaker or lease next change by themselves, ms since the
   * epoch. In one array, which is looked through each second.
   */
  readonly dueAtMs: Float64Array;
}

export class Account {
  readonly paced: PacedCampaign;
  readonly slot: number;
  /** The table wants more than the ledger's record covers: a commit will raise it. */
  allowanceShort = false;
  /** Nobody asked since the last turn: edges say so when somebody does. */
  listens = true;
  private gate = GATE_VACANT;
  /** Null for a pod of its own. */
  private readonly asks: LeaseAsks | null;
  /** Edges were told that all of the budget is out: what comes back must not wait for the next cycle. */
  private showsLast = false;
  private readonly settings: AccountSettings;
  private readonly numbers: AccountNumbers;

  /** @param record what the ledger has of the campaign, or null when it is new */
  constructor(
    campaign: CampaignTerms,
    slot: number,
    record: CampaignRecord | null,
    settings: AccountSettings,
    clock: Clock,
  ) {
    this.slot = slot;
    this.settings = settings;
    this.dueAtMs = 0; // the slot may have been another's
    const numbers = accountNumbers();
    this.numbers = numbers;
    settings.allowances.begin(slot, numbers, clock.steadyMs);
    numbers.touchedMs = numbers.projectedMs = clock.steadyMs;
    this.paced = new PacedCampaign(campaign, record, settings, clock, NOTHING_KNOWN, numbers);
    this.asks = this.paced.fleet === null ? null : new LeaseAsks(this.paced.fleet);
  }

  get activity(): AccountActivity {
    return this.numbers;
  }

  get campaign(): CampaignTerms {
    return this.paced.campaign;
  }

  /** When its controller last had its turn, steady ms. */
  get tickedMs(): number {
    return this.paced.tally.tickedMs;
  }

  /** When it next changes by itself, ms since the epoch. */
  get dueAtMs(): number {
    return this.settings.dueAtMs[this.place] as number;
  }

  private set dueAtMs(atMs: number) {
    this.settings.dueAtMs[this.place] = atMs;
  }

  /** Among the shard's slots. */
  get place(): number {
    return this.slot - this.settings.table.firstSlot;
  }

  /** What stands on the table, as last observed. */
  get onTableMicros(): number {
    return this.settings.allowances.onTableMicros(this.slot, this.numbers);
  }

  /** Free budget: neither spent, nor held, nor on the table. Negative after uncovered spend. */
  get leftMicros(): number {
    return this.paced.freeMicros - this.onTableMicros;
  }

  /** Whether nothing is in flight. */
  get atRest(): boolean {
    return this.paced.reservations.empty;
  }

  /** Whether the fleet counts anything of this pod for the campaign: spend, or a lease. */
  get isKnownToFleet(): boolean {
    const { counters, fleet } = this.paced;
    return fleet !== null && (counters.spentTotalMicros > 0 || fleet.lease.heldMicros > 0);
  }

  /** Whether this process has ever been granted a lease of the campaign. */
  get hasBeenLeased(): boolean {
    return (this.paced.fleet?.lease.endsAtMs ?? Number.NEGATIVE_INFINITY) > Number.NEGATIVE_INFINITY;
  }

  /** Whether the pod would use more than it is leased. */
  get wantsLease(): boolean {
    const { asks } = this;
    if (asks === null || !isOpen(this.gate)) return false;
    return asks.fleet.lease.heldMicros < this.floorMicros + asks.wantedMicros(this.paced) / 2;
  }

  /** Whether an open campaign's lease ends within so long, or there is none. */
  leaseEndsWithin(ms: number, steadyMs: number): boolean {
    const { fleet } = this.paced;
    return fleet !== null && isOpen(this.gate) && fleet.lease.endsAtMs < steadyMs + ms;
  }

  /** Takes what edges took since the last look as reserved; returns it. */
  observe(clock: Clock): number {
    const takenMicros = this.settings.allowances.observe(this.slot, this.numbers);
    this.paced.take(takenMicros, clock);
    return takenMicros;
  }

  /** An edge says which bid took a part of the allowance. */
  name(bidId: string, takenMicros: number, clock: Clock): void {
    this.observe(clock);
    this.paced.reservations.name(bidId, takenMicros, clock.steadyMs);
  }

  /** Records a spend; it counts from here on, and is answered once it is in the ledger. */
  spend(spendMicros: number, impressions: number, clicks: number, bidId: string, clock: Clock): AppliedSpend {
    this.observe(clock);
    const applied = this.paced.spend(spendMicros, impressions, clicks, bidId, clock);
    this.settled(applied.covered, clock);
    return applied;
  }

  /** Takes a spend back whose commit failed: it was not answered and will be reported again. */
  takeBack(applied: AppliedSpend, clock: Clock): void {
    this.paced.takeBack(applied, clock);
    this.publish(clock);
  }

  /** @returns whether the bid was in flight */
  lose(bidId: string, clock: Clock): boolean {
    this.observe(clock);
    const found = this.paced.lose(bidId, clock);
    if (found) this.settled(true, clock);
    return found;
  }

  /** Another pod says that the bid was won: its spend is counted there. */
  wonElsewhere(bidId: string, clock: Clock): void {
    this.observe(clock);
    if (this.paced.wonElsewhere(bidId)) this.settled(true, clock);
  }

  /** What to tell the fleet and what to ask of it; {@link leased} or {@link leaseLost} must follow. */
  askForLease(clock: Clock): LeaseRequest {
    this.observe(clock);
    this.paced.advance(clock);
    // What stands on the table is of a lease that has ended, say while the process stood still: it is no claim.
    if (this.leftMicros < 0) this.withdraw(clock);
    if (this.asks === null) throw new Error('a pod of its own asks for no lease');
    return this.asks.request(this.paced, this.floorMicros, isOpen(this.gate), clock);
  }

  /** @param askedAt when the request was made */
  leased(request: LeaseRequest, reply: LeaseReply, askedAt: Clock, clock: Clock): void {
    const { campaign, day } = this.paced;
    if (this.asks === null || request.day !== budgetDay(campaign, day.date)) {
      this.leaseLost();
      return;
    }
    this.observe(clock);
    this.asks.granted(this.paced, request, reply, askedAt);
    this.publish(clock);
  }

  /** Until then, steady ms, it asks for no larger lease than it has. */
  holdLeaseUntil(steadyMs: number): void {
    if (this.asks !== null) this.asks.heldUntilMs = steadyMs;
  }

  /** No reply came to {@link askForLease}. */
  leaseLost(): void {
    this.paced.fleet?.lease.lost();
  }

  /** Replaces the campaign by a newer version of it. */
  change(campaign: CampaignTerms, clock: Clock): void {
    this.observe(clock);
    this.paced.change(campaign, clock);
    this.publish(clock);
  }

  /** Lets time pass: expiries, a new hour or day, the breaker's recovery, flight and dayparts. */
  advance(clock: Clock): void {
    this.observe(clock);
    this.settings.allowances.follow(this.slot, this.numbers, clock.steadyMs);
    this.paced.advance(clock);
    if (this.gate === GATE_HALF_OPEN) {
      const { breakerProbes, table } = this.settings;
      this.paced.settleSilentProbes(breakerProbes - table.probes(this.slot), clock);
    }
    this.publish(clock);
  }

  /**
   * Brings the breaker up to date and shows edges what holds now. Closing, the gate word comes first and then
   * the allowance is withdrawn; opening, it comes last.
   */
  publish(clock: Clock): void {
    this.paced.watch(clock);
    const { table } = this.settings;
    const gate = this.paced.gateAt(clock.wallMs);
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
    table.setBreaker(this.slot, this.paced.breaker.position);
    this.dueAtMs = Math.min(this.paced.nextDueMs(clock.wallMs), this.leaseEndMs(clock));
  }

  /** Edges called: sees what they took and puts allowance on the table for the next moments. */
  supply(clock: Clock): void {
    this.observe(clock);
    // Nothing is left: what expired since the last turn is wanted now.
    if (this.showsLast) this.paced.advance(clock);
    this.settings.allowances.follow(this.slot, this.numbers, clock.steadyMs);
    this.putOut();
  }

  /** @param asked since the last turn, so that the next ask needs no saying */
  heard(asked: boolean): void {
    if (this.listens === !asked) return;
    this.listens = !asked;
    this.publishFlags();
  }

  /** Takes all allowance off the table. */
  withdraw(clock: Clock): void {
    this.paced.take(this.settings.allowances.withdraw(this.slot, this.numbers), clock);
  }

  /**
   * The record to commit now; {@link committed} must follow.
   * @param last nothing will be put on the table after this one
   */
  encode(last: boolean): Buffer {
    const { slot, numbers } = this;
    const { allowances } = this.settings;
    const reserved = this.paced.reservations.totalMicros;
    const outstandingMicros = last ? reserved : allowances.toRecord(slot, numbers, reserved, this.leftMicros);
    recording(numbers, outstandingMicros);
    return encodeRecord(this.paced.record(outstandingMicros));
  }

  /** The commit of {@link encode}'s record ended. */
  committed(success: boolean): void {
    recorded(this.numbers, success);
    if (!success) return;
    this.putOut();
    publishMoney(this.settings.table, this.slot, this.paced);
  }

  /** A bid is settled: won or lost; `covered` when what it cost was reserved for it. */
  private settled(covered: boolean, clock: Clock): void {
    const moved = this.paced.settled(covered, clock);
    if (moved || (this.leftMicros < 0 && isOpen(this.gate))) this.publish(clock);
    else if (this.showsLast) this.putOut();
    if (this.paced.stepDown()) {
      const { passProbability, throttleRate } = this.paced.pace;
      this.settings.table.setPass(this.slot, passProbability, throttleRate);
    }
  }

  /** When the lease ends, by the wall clock: nobody may find its allowance on the table then. */
  private leaseEndMs({ wallMs, steadyMs }: Clock): number {
    const endsAtMs = this.paced.fleet?.lease.endsAtMs ?? Number.NEGATIVE_INFINITY;
    return endsAtMs > steadyMs ? wallMs + endsAtMs - steadyMs : Number.POSITIVE_INFINITY;
  }

  /** What cannot be given back of a lease: spent today, in flight, and on the table. */
  private get floorMicros(): number {
    const { counters, reservations } = this.paced;
    return counters.spentDayMicros + reservations.totalMicros + this.onTableMicros;
  }

  private refill(): void {
    const { slot, numbers } = this;
    const { allowances } = this.settings;
    const wanting = allowances.wanting(slot, numbers, this.leftMicros);
    const reserved = this.paced.reservations.totalMicros;
    const added = wanting > 0 ? allowances.add(slot, numbers, wanting, reserved) : 0;
    this.allowanceShort = added < wanting;
  }

  /** Puts allowance on the table of an open campaign. */
  private putOut(): void {
    if (!isOpen(this.gate)) return;
    this.refill();
    this.publishFlags();
  }

  private publishFlags(): void {
    // Where only the lease is used up, not the budget, more may come at the next flush: bids wait for it.
    const leaseBinds = this.paced.leaseBinds && (this.asks?.partMicros ?? -1) < 0;
    this.showsLast = this.leftMicros < this.settings.allowances.unitMicros(this.slot) && !leaseBinds;
    const last = this.showsLast ? FLAG_LAST : 0;
    const tokens = this.campaign.pacingMode === 'ASAP' ? FLAG_NO_TOKENS : 0;
    // What stands on the table can only go to bids: once it is gone it is in flight.
    const inFlight = this.paced.reservations.totalMicros > 0 || this.onTableMicros > 0;
    const reserved = inFlight ? FLAG_RESERVED : 0;
    const listens = this.listens ? FLAG_LISTENS : 0;
    this.settings.table.setFlags(this.slot, last | tokens | reserved | listens);
  }
}
