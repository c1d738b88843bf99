/**
 * The strict budget gate, the same for every controller: a bid is taken as min(bid, lease − S − R) and denied
 * under one micro; its worst case stays reserved until its notice or its TTL. One pod holds the whole budget
 * as its lease; several hold leases dealt at every sync. What falls due lies in rings of one slot per second.
 */
import { dealLeases, leaseWanted } from '../../src/domain/fleet-share.ts';
import { MICROS_MAX } from '../../src/domain/money.ts';

/** What came due in a second, over all pods. */
export interface Due {
  spendMicros: number;
  wins: number;
  delaySeconds: number;
}

export class Gate {
  readonly pods: number;
  /** Per pod. */
  readonly tokens: Float64Array;
  readonly shares: Float64Array;
  readonly due: Due = { spendMicros: 0, wins: 0, delaySeconds: 0 };
  /** S of the whole fleet. */
  spentMicros = 0;
  private readonly ttlSeconds: number;
  private readonly slots: number;
  private readonly spent: Float64Array;
  private readonly reserved: Float64Array;
  private readonly leases: Float64Array;
  private readonly allowedSinceSync: Float64Array;
  private readonly dueRelease: Float64Array;
  private readonly dueSpend: Float64Array;
  private readonly dueWins: Float64Array;
  private readonly dueDelay: Float64Array;
  private dealStart = 0;

  constructor(pods: number, ttlSeconds: number) {
    this.pods = pods;
    this.ttlSeconds = ttlSeconds;
    this.slots = ttlSeconds + 2;
    this.tokens = new Float64Array(pods);
    this.shares = new Float64Array(pods).fill(1 / pods);
    this.spent = new Float64Array(pods);
    this.reserved = new Float64Array(pods);
    this.leases = new Float64Array(pods);
    this.allowedSinceSync = new Float64Array(pods);
    this.dueRelease = new Float64Array(this.slots * pods);
    this.dueSpend = new Float64Array(this.slots * pods);
    this.dueWins = new Float64Array(this.slots);
    this.dueDelay = new Float64Array(this.slots);
  }

  /** Takes in the notices and expiries of a second; what they were is in {@link due}. */
  settle(second: number): void {
    const { due, pods } = this;
    const slot = second % this.slots;
    due.spendMicros = 0;
    due.wins = this.dueWins[slot] ?? 0;
    due.delaySeconds = this.dueDelay[slot] ?? 0;
    this.dueWins[slot] = this.dueDelay[slot] = 0;
    for (let pod = 0; pod < pods; pod++) {
      const at = slot * pods + pod;
      const spendMicros = this.dueSpend[at] ?? 0;
      due.spendMicros += spendMicros;
      this.spent[pod] = (this.spent[pod] ?? 0) + spendMicros;
      this.reserved[pod] = (this.reserved[pod] ?? 0) - (this.dueRelease[at] ?? 0);
      this.dueSpend[at] = this.dueRelease[at] = 0;
    }
    this.spentMicros += due.spendMicros;
  }

  /** The sync of the pods: gives each its lease until the next one. */
  sync(budgetMicros: number, largestBidMicros: number): void {
    const { pods, spent, reserved, leases } = this;
    if (pods === 1) {
      leases[0] = budgetMicros;
      return;
    }
    let held = 0;
    const wants = new Float64Array(pods);
    for (let pod = 0; pod < pods; pod++) {
      held += (spent[pod] ?? 0) + (reserved[pod] ?? 0);
      wants[pod] = leaseWanted(largestBidMicros, this.allowedSinceSync[pod] ?? 0);
    }
    const deal = dealLeases(budgetMicros - held, wants, largestBidMicros, this.dealStart);
    this.dealStart = deal.nextStart;
    for (let pod = 0; pod < pods; pod++) {
      leases[pod] = (spent[pod] ?? 0) + (reserved[pod] ?? 0) + (deal.grantsMicros[pod] ?? 0);
      this.shares[pod] = deal.shares[pod] ?? 0;
    }
    this.allowedSinceSync.fill(0);
  }

  /** S + R of the whole fleet. */
  committedMicros(): number {
    let committed = this.spentMicros;
    for (const reserved of this.reserved) committed += reserved;
    return committed;
  }

  /** Adds tokens, split by share; a pod holds at most its part of the cap, and never less than one bid. */
  fillTokens(fillMicros: number, capMicros: number, bidMicros: number): void {
    for (let pod = 0; pod < this.pods; pod++) {
      const share = this.shares[pod] ?? 0;
      const cap = capMicros >= MICROS_MAX ? capMicros : Math.max(capMicros * share, bidMicros);
      this.tokens[pod] = Math.min((this.tokens[pod] ?? 0) + fillMicros * share, cap);
    }
  }

  /** Reserves what the gate leaves of a bid and returns it, whole micros; 0 when it is denied. */
  reserve(pod: number, bidMicros: number): number {
    const room = (this.leases[pod] ?? 0) - (this.spent[pod] ?? 0) - (this.reserved[pod] ?? 0);
    const allowed = Math.floor(Math.min(bidMicros, room));
    if (allowed < 1) return 0;
    this.tokens[pod] = (this.tokens[pod] ?? 0) - allowed;
    this.reserved[pod] = (this.reserved[pod] ?? 0) + allowed;
    this.allowedSinceSync[pod] = (this.allowedSinceSync[pod] ?? 0) + allowed;
    return allowed;
  }

  /** A win's notice will come after `delaySeconds`: it ends the reservation and spends. */
  noteWin(
    pod: number,
    second: number,
    allowedMicros: number,
    spendMicros: number,
    delaySeconds: number,
  ): void {
    const slot = this.release(pod, second, allowedMicros, delaySeconds);
    const at = slot * this.pods + pod;
    this.dueSpend[at] = (this.dueSpend[at] ?? 0) + spendMicros;
    this.dueWins[slot] = (this.dueWins[slot] ?? 0) + 1;
    this.dueDelay[slot] = (this.dueDelay[slot] ?? 0) + delaySeconds;
  }

  /** A lost bid's reservation ends with its notice, or with its TTL when there is none. */
  noteLoss(pod: number, second: number, allowedMicros: number, delaySeconds: number): void {
    this.release(pod, second, allowedMicros, delaySeconds);
  }

  private release(pod: number, second: number, allowedMicros: number, delaySeconds: number): number {
    const slot = (second + 1 + Math.floor(Math.min(delaySeconds, this.ttlSeconds))) % this.slots;
    const at = slot * this.pods + pod;
    this.dueRelease[at] = (this.dueRelease[at] ?? 0) + allowedMicros;
    return slot;
  }
}
