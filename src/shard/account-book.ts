/**
 * The accounts of a shard, by slot. By id they are found in the index, where edges find them too; so only those have a
 * map of their own that are not in it: an account is on the books from its campaign's first mention, edges see it once
 * the ledger has it, and deleted ones that were opened again for late spend have no slot.
 */
import { AppError } from '../domain/app-error.ts';
import type { Campaign } from '../domain/campaign.ts';
import type { Clock } from '../domain/clock.ts';
import { GATE_VACANT } from '../domain/gate.ts';
import { keptCampaign } from '../domain/kept-campaign.ts';
import { hashId, shardOf } from '../table/hash.ts';
import type { IdIndex } from '../table/id-index.ts';
import type { OwnerTable } from '../table/pacing-table.ts';
import { Account, type AccountSettings } from './account.ts';
import { decodeRecord } from './account-record.ts';
import { unitShiftFor } from './allowance.ts';
import type { Ledger } from './ledger.ts';
import { SlotPool } from './slot-pool.ts';

const TOO_MANY = 'the ledger holds more campaigns than the pacing table has room for';

export interface LoadedAccount {
  readonly account: Account;
  /** Its campaign, when the ledger has it in a form of before. */
  readonly olderForm: Campaign | null;
}

export class AccountBook {
  private readonly table: OwnerTable;
  private readonly index: IdIndex;
  private readonly ledger: Ledger;
  private readonly settings: AccountSettings;
  /** Accounts that are not in the index. */
  private readonly unshown = new Map<string, Account>();
  private readonly bySlot: (Account | undefined)[] = [];
  private readonly slots: SlotPool;
  /**
   * Stands for a slot of accounts that were reopened for late spend: deleted campaigns are closed for good and
   * put nothing on the table, so they share one, which no index names.
   */
  private readonly closedSlot: number;
  /** Slots that an earlier owner thread left in the index, until {@link load} has taken them over. */
  private readonly left: Map<string, number>;

  constructor(shard: number, index: IdIndex, ledger: Ledger, settings: AccountSettings) {
    this.table = settings.table;
    this.index = index;
    this.ledger = ledger;
    this.settings = settings;
    this.left = index.recover(shard);
    this.closedSlot = this.table.firstSlot + this.table.slotCount - 1;
    this.slots = new SlotPool(this.table.firstSlot, this.table.campaignsMax, new Set(this.left.values()));
  }

  /** Those with a slot of their own, and then those that were opened again for late spend. */
  *all(): Generator<Account> {
    for (const account of this.bySlot) {
      if (account !== undefined) yield account;
    }
    for (const account of this.unshown.values()) {
      if (account.slot === this.closedSlot) yield account;
    }
  }

  get(campaignId: string): Account | undefined {
    const slot = this.index.find(campaignId);
    return slot < 0 ? this.unshown.get(campaignId) : this.bySlot[slot - this.table.firstSlot];
  }

  /** By an edge's slot, or by id when the edge found none. */
  find(slot: number, campaignId: string): Account | undefined {
    return slot < 0 ? this.get(campaignId) : this.bySlot[slot - this.table.firstSlot];
  }

  /** By its place among the shard's slots, 0 … slotCount − 1. */
  at(place: number): Account | undefined {
    return this.bySlot[place];
  }

  /** When the account at each place next changes by itself; see {@link AccountSettings}. */
  get dueAtMs(): Float64Array {
    return this.settings.dueAtMs;
  }

  /** Places that may hold an account: 0 … places − 1. */
  get places(): number {
    return this.bySlot.length;
  }

  /** Takes over every live campaign of this shard that the ledger holds; edges see them at once, closed. */
  *load(shard: number, shards: number, clock: Clock): Generator<LoadedAccount> {
    for (const { campaign, isOlderForm } of this.ledger.allCampaigns()) {
      if (shardOf(hashId(campaign.id), shards) !== shard || campaign.status === 'DELETED') continue;
      const account = this.open(campaign, clock);
      if (account === null) throw new AppError('campaign_limit', TOO_MANY);
      this.show(account);
      yield { account, olderForm: isOlderForm ? campaign : null };
    }
    for (const [id, slot] of this.left) {
      this.index.remove(id);
      this.slots.release(slot, clock.steadyMs);
    }
    this.left.clear();
  }

  /** Opens an account with what the ledger has of it; null when there is no slot for it. */
  open(campaign: Campaign, clock: Clock): Account | null {
    const standing = this.left.get(campaign.id);
    this.left.delete(campaign.id);
    const slot = standing ?? this.slots.take(clock.steadyMs);
    if (slot < 0) return null;
    if (standing === undefined) this.table.prepare(slot, unitShiftFor(campaign.dailyBudgetMicros));
    else this.table.reclaim(slot);
    const account = this.enter(campaign, slot, clock);
    this.bySlot[slot - this.table.firstSlot] = account;
    return account;
  }

  /** A campaign that was deleted and closed long ago, opened again for a late spend. */
  reopen(campaignId: string, clock: Clock): Account | undefined {
    const campaign = this.ledger.campaign(campaignId);
    return campaign === undefined ? undefined : this.enter(campaign, this.closedSlot, clock);
  }

  /** Lets edges find the account. */
  show(account: Account): void {
    const { id } = account.campaign;
    if (this.index.find(id) < 0) this.index.insert(id, account.slot);
    this.unshown.delete(id);
  }

  /** Closes an account: edges no longer find it and its slot is given out again, later. */
  close(account: Account, clock: Clock): void {
    this.unshown.delete(account.campaign.id);
    if (account.slot === this.closedSlot) return;
    this.bySlot[account.slot - this.table.firstSlot] = undefined;
    this.table.setGate(account.slot, GATE_VACANT);
    this.index.remove(account.campaign.id);
    this.slots.release(account.slot, clock.steadyMs);
  }

  private enter(campaign: Campaign, slot: number, clock: Clock): Account {
    const stored = this.ledger.account(campaign.id);
    const record = stored === undefined ? null : decodeRecord(stored);
    const account = new Account(keptCampaign(campaign), slot, record, this.settings, clock);
    this.unshown.set(account.campaign.id, account);
    return account;
  }
}
