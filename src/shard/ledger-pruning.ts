/**
 * Lets the ledger forget campaigns that were deleted long ago. Their records are kept for late spend; one of a month later
 * is answered as for a campaign that never was. Each second looks at a few campaigns, whatever there is of them, so no
 * commit waits for it; a whole round through the ledger is made after the start, and then again an hour after the last.
 */
import type { Campaign } from '../domain/campaign.ts';
import type { Clock } from '../domain/clock.ts';
import type { Log } from '../threads/log.ts';
import { decodeRecord } from './account-record.ts';
import type { Ledger } from './ledger.ts';

/** How long a deleted campaign is kept after its deletion, and after its last late spend. */
export const DELETED_KEPT_MS = 30 * 24 * 3_600_000;
/** Campaigns looked at in one turn. */
const CAMPAIGNS_A_TURN = 100;
const ROUND_MS = 3_600_000;

export interface LedgerPruningParts {
  readonly ledger: Ledger;
  /** Whether a campaign is this shard's to forget: of its own, and its account is closed. */
  readonly mayForget: (campaignId: string) => boolean;
  readonly log: Log;
}

export class LedgerPruning {
  private readonly parts: LedgerPruningParts;
  /** The last campaign that was looked at in this round; empty before the first. */
  private lastId = '';
  /** When the next round begins, steady ms. */
  private nextAtMs = Number.NEGATIVE_INFINITY;
  private forgetting = false;
  private failing = false;

  constructor(parts: LedgerPruningParts) {
    this.parts = parts;
  }

  /** To be called each second. */
  turn(clock: Clock): void {
    if (this.forgetting || clock.steadyMs < this.nextAtMs) return;
    const { ledger, mayForget } = this.parts;
    const campaigns = ledger.campaignsAfter(this.lastId, CAMPAIGNS_A_TURN);
    const isLast = campaigns.length < CAMPAIGNS_A_TURN;
    if (isLast) this.nextAtMs = clock.steadyMs + ROUND_MS;
    this.lastId = isLast ? '' : (campaigns.at(-1)?.id ?? '');
    const over = campaigns.filter((campaign) => mayForget(campaign.id) && this.isOver(campaign, clock));
    if (over.length > 0) this.forget(over.map(({ id }) => id));
  }

  private isOver({ id, status, updatedAt }: Campaign, { wallMs }: Clock): boolean {
    if (status !== 'DELETED' || wallMs - Date.parse(updatedAt) < DELETED_KEPT_MS) return false;
    const record = this.parts.ledger.account(id);
    // An hour begins with what is counted in it, so none that is long past has late spend since.
    return record === undefined || wallMs - decodeRecord(record).counters.hourStartMs >= DELETED_KEPT_MS;
  }

  private forget(campaignIds: readonly string[]): void {
    const { ledger, log } = this.parts;
    this.forgetting = true;
    ledger
      .forget(campaignIds)
      .then(
        () => {
          this.failing = false;
        },
        (error: unknown) => {
          if (!this.failing)
            log.warn({ err: error }, 'deleted campaigns could not be forgotten; it is tried again');
          this.failing = true;
        },
      )
      .finally(() => {
        this.forgetting = false;
      });
  }
}
