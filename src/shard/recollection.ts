/**
 * After a Redis that may have forgotten (wiped, an old snapshot): pods tell their own spend again, but nobody tells
 * that of pods that are gone. Postgres has it. Until it is back in Redis, or Postgres has not answered in time, no
 * lease of the campaign grows: a pod goes on with what it holds.
 */
import type { Clock } from '../domain/clock.ts';
import type { Log } from '../threads/log.ts';

/** How long leases wait for Postgres. */
const PATIENCE_MS = 5_000;
const RETRY_MS = 1_000;
const ACCOUNTS_A_TURN = 500;

/** What keeps a lease. */
interface LeaseHolder {
  holdLeaseUntil(steadyMs: number): void;
}

export interface RecollectionParts<Account extends LeaseHolder> {
  /** Brings what Postgres has of the campaigns' spend to Redis, where that has less. Rejects when it could not. */
  readonly restore: (accounts: readonly Account[]) => Promise<void>;
  /** The account is to be told to Redis again: its totals may be other ones, and its lease may grow. */
  readonly restored: (account: Account) => void;
  readonly readClock: () => Clock;
  readonly log: Log;
}

export class Recollection<Account extends LeaseHolder> {
  private readonly parts: RecollectionParts<Account>;
  private readonly doubted = new Set<Account>();
  private busy = false;
  private failing = false;
  private nextAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: RecollectionParts<Account>) {
    this.parts = parts;
  }

  /** Redis may have forgotten what others spent of the account's campaign. */
  doubt(account: Account): void {
    if (this.doubted.has(account)) return;
    account.holdLeaseUntil(this.parts.readClock().steadyMs + PATIENCE_MS);
    this.doubted.add(account);
  }

  /** Goes on with the work, without waiting for it; to be called often while Redis answers. */
  turn(): void {
    const { readClock, restore, restored, log } = this.parts;
    if (this.busy || this.doubted.size === 0 || readClock().steadyMs < this.nextAtMs) return;
    const some = [...this.doubted].slice(0, ACCOUNTS_A_TURN);
    for (const account of some) this.doubted.delete(account);
    this.busy = true;
    restore(some)
      .then(
        () => {
          this.failing = false;
          for (const account of some) {
            if (!this.doubted.has(account)) account.holdLeaseUntil(Number.NEGATIVE_INFINITY);
            restored(account);
          }
        },
        (error: unknown) => {
          if (!this.failing) log.warn({ err: error }, 'what others have spent cannot be told to Redis yet');
          this.failing = true;
          this.nextAtMs = readClock().steadyMs + RETRY_MS;
          for (const account of some) this.doubted.add(account);
        },
      )
      .finally(() => {
        this.busy = false;
      });
  }
}
