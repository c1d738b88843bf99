/**
 * A paced campaign on the shared table, owned by its shard alone. The table gives budget out ahead of the bids,
 * so what edges see and take goes through here, and keeps, at all times and whatever edges do meanwhile,
 *
 *     spent + held + allowance on the table <= budget
 *
 * as long as spend is covered by reservations (domain/paced-campaign.ts). The gate word is what edges see: it
 * closes before the allowance is withdrawn and opens after it was put out.
 */
import type { Campaign } from '../domain/campaign.ts';
import type { Clock } from '../domain/clock.ts';
import type { AppliedSpend } from '../domain/counters.ts';
import { GATE_HALF_OPEN, GATE_VACANT } from '../domain/gate.ts';
import { isOpen } from '../domain/gate-rules.ts';
import { PacedCampaign } from '../domain/paced-campaign.ts';
import type { CampaignRecord, PacingSettings } from '../domain/pacing-settings.ts';
import { FLAG_LAST, FLAG_NO_TOKENS, FLAG_RESERVED } from '../table/layout.ts';
import type { OwnerTable } from '../table/pacing-table.ts';
import { encodeRecord } from './account-record.ts';
import { Allowance } from './allowance.ts';

export interface AccountSettings extends PacingSettings {
  readonly breakerProbes: number;
  readonly table: OwnerTable;
}

/** What the shard has counted of an account's lanes, and when it last saw it do anything. */
export interface AccountActivity {
  /** When the last bid, spend or change was seen, steady ms. */
  touchedMs: number;
  /** The lanes' sums at the last tick. */
  asks: number;
  askedMicros: number;
  allowed: number;
}

export class Account {
  readonly paced: PacedCampaign;
  readonly slot: number;
  readonly allowance: Allowance;
  readonly activity: AccountActivity;
  /** When flight, daypart, day or breaker next change by themselves, ms since the epoch. */
  dueAtMs = 0;
  /** The table wants more than the ledger's record covers: a commit will raise it. */
  allowanceShort = false;
  private gate = GATE_VACANT;
  /** Edges were told that all of the budget is out: what comes back must not wait for the next cycle. */
  private showsLast = false;
  private readonly settings: AccountSettings;

  /** @param record what the ledger has of the campaign, or null when it is new */
  constructor(
    campaign: Campaign,
    slot: number,
    record: CampaignRecord | null,
    settings: AccountSettings,
    clock: Clock,
  ) {
    this.slot = slot;
    this.settings = settings;
    this.allowance = new Allowance(settings.table, slot);
    this.activity = { touchedMs: clock.steadyMs, asks: 0, askedMicros: 0, allowed: 0 };
    this.paced = new PacedCampaign(campaign, record, settings, clock);
  }

  get campaign(): Campaign {
    return this.paced.campaign;
  }

  /** Free budget: neither spent, nor held, nor on the table. Negative after uncovered spend. */
  get leftMicros(): number {
    return this.paced.freeMicros - this.allowance.onTableMicros;
  }

  /** Whether nothing is in flight. */
  get atRest(): boolean {
    return this.paced.reservations.empty;
  }

  /** Takes what edges took since the last look as reserved; returns it. */
  observe(clock: Clock): number {
    const takenMicros = this.allowance.observe();
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

  /** Replaces the campaign by a newer version of it. */
  change(campaign: Campaign, clock: Clock): void {
    this.paced.change(campaign, clock);
    this.publish(clock);
  }

  /** Lets time pass: expiries, a new hour or day, the breaker's recovery, flight and dayparts. */
  advance(clock: Clock): void {
    this.observe(clock);
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
    table.setBreaker(this.slot, this.paced.breaker.state.position);
    this.dueAtMs = this.paced.nextDueMs(clock.wallMs);
  }

  /** A turn of the duty cycle: sees what edges took and puts allowance on the table for the next moments. */
  cycle(clock: Clock): void {
    this.allowance.follow(this.observe(clock));
    this.putOut();
  }

  /** Takes all allowance off the table. */
  withdraw(clock: Clock): void {
    this.paced.take(this.allowance.withdraw(), clock);
  }

  /**
   * The record to commit now; {@link committed} must follow.
   * @param last nothing will be put on the table after this one
   */
  encode(last: boolean): Buffer {
    const reserved = this.paced.reservations.totalMicros;
    const outstandingMicros = last ? reserved : this.allowance.toRecord(reserved, this.leftMicros);
    this.allowance.recording(outstandingMicros);
    return encodeRecord(this.paced.record(outstandingMicros));
  }

  /** The commit of {@link encode}'s record ended. */
  committed(success: boolean): void {
    this.allowance.recorded(success);
    if (success) this.putOut();
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

  private refill(): void {
    const wanting = this.allowance.wanting(this.leftMicros);
    const added = wanting > 0 ? this.allowance.add(wanting, this.paced.reservations.totalMicros) : 0;
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
    const inFlight = this.paced.reservations.totalMicros > 0 || this.allowance.onTableMicros > 0;
    const reserved = inFlight ? FLAG_RESERVED : 0;
    this.settings.table.setFlags(this.slot, last | tokens | reserved);
  }
}
