/**
 * Takes campaigns in from management. Those that others have paced before wait for what was spent of them; the
 * rest goes to the shard within the call, so that changes keep their order. What was taken in before the history
 * failed stays: offered again, it is known.
 */
import type { Campaign } from '../domain/campaign.ts';
import type { Shard } from './shard.ts';
import { type EarlierSpends, NOTHING_EARLIER, type Takeover } from './takeover.ts';

/** Campaigns of one question: a pod with a long history must get on although an answer is awaited for so long only. */
const CAMPAIGNS_A_QUESTION = 50;

export interface Intake {
  /** Campaigns that there was no room for. */
  readonly refused: number;
  /** Whether all the others are in the ledger. */
  readonly written: boolean;
}

export class CampaignIntake {
  private readonly owner: Shard;
  private readonly takeover: Takeover;

  constructor(owner: Shard, takeover: Takeover) {
    this.owner = owner;
    this.takeover = takeover;
  }

  /** Resolves when every edge decides on all of them. @throws AppError `unavailable` without the history */
  async take(campaigns: readonly Campaign[]): Promise<Intake> {
    const paced = new Set(
      this.takeover.pacedBefore(campaigns.filter((campaign) => this.owner.isNew(campaign.id))),
    );
    const rest = campaigns.filter((campaign) => !paced.has(campaign));
    const taken = [this.upsert(rest, NOTHING_EARLIER)];
    const waiting = [...paced];
    for (let at = 0; at < waiting.length; at += CAMPAIGNS_A_QUESTION) {
      const some = waiting.slice(at, at + CAMPAIGNS_A_QUESTION);
      taken.push(this.upsert(some, await this.takeover.ask(some)));
    }
    const results = await Promise.all(taken);
    return {
      refused: results.reduce((sum, { refused }) => sum + refused, 0),
      written: results.every(({ written }) => written),
    };
  }

  private async upsert(campaigns: readonly Campaign[], earlier: EarlierSpends): Promise<Intake> {
    const results = await Promise.all(
      campaigns.map((campaign) => {
        return new Promise<string>((resolve) => {
          this.owner.upsert(campaign, resolve, earlier.get(campaign.id));
        });
      }),
    );
    return {
      refused: results.filter((result) => result === 'no_room').length,
      written: !results.includes('not_written'),
    };
  }
}
