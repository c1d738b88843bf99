/**
 * Accounts that changed and are to be told of, each once: those that wait, the longest waiting first, and those that are
 * being told. One that changes while it is being told waits again.
 */
import type { Account } from './account.ts';

export class ChangedAccounts {
  /** Since when each waits, ms since the epoch, in the order in which they came. */
  private readonly waiting = new Map<Account, number>();
  /** Those that were not told when they should have been: they came before all that wait. */
  private readonly failed = new Map<Account, number>();
  private readonly underWay = new Map<Account, number>();

  /** Accounts that wait or are being told; one that changed while it is being told counts twice. */
  get size(): number {
    return this.waiting.size + this.failed.size + this.underWay.size;
  }

  /** Since when the one that changed first is not told, ms since the epoch; 0 = all are told. */
  get sinceMs(): number {
    for (const accounts of [this.failed, this.underWay, this.waiting]) {
      for (const sinceMs of accounts.values()) return sinceMs;
    }
    return 0;
  }

  add(account: Account, nowMs: number): void {
    if (!this.waiting.has(account) && !this.failed.has(account)) this.waiting.set(account, nowMs);
  }

  /** Those to be told next, at most so many; {@link told} or {@link putBack} must follow for each. */
  take(max: number): Account[] {
    const taken: Account[] = [];
    for (const accounts of [this.failed, this.waiting]) {
      for (const [account, sinceMs] of accounts) {
        if (taken.length === max) return taken;
        accounts.delete(account);
        this.underWay.set(account, sinceMs);
        taken.push(account);
      }
    }
    return taken;
  }

  told(account: Account): void {
    this.underWay.delete(account);
  }

  /** It could not be told: it waits as long as it did. */
  putBack(account: Account): void {
    const sinceMs = this.underWay.get(account);
    if (sinceMs === undefined) return;
    this.underWay.delete(account);
    this.waiting.delete(account);
    this.failed.set(account, sinceMs);
  }
}
