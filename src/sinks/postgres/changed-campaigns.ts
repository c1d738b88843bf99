/**
 * What other pods changed: who listens hears the ids, who looks again reads what changed since it last
 * looked. Migration 0004 tells why a look is bounded by transactions, and what a notification is.
 */
import type { Campaign } from '../../domain/campaign.ts';
import { type CampaignRow, campaignOf } from './campaign-row.ts';
import { answered, type Sql } from './client.ts';
import type { PostgresSession } from './session.ts';

/** The channel that migration 0004 notifies, with `id version` as the payload. */
export const CAMPAIGN_CHANNEL = 'campaign_changed';

/** How far a reader has seen the changes of campaigns. */
export interface ChangeHorizon {
  /**
   * The server process by its start. Another one may be a restored or a promoted copy, which draws
   * transaction ids that were drawn before: nothing seen on the one bounds a look at the other.
   */
  readonly server: string;
  /** Oldest transaction that was still open: every one before it has ended, and was seen. */
  readonly oldestOpen: string;
}

/** Campaigns read by one statement. */
const PAGE_SIZE = 500;

/** To be read before the campaigns are: a change that commits in between is then seen twice, never missed. */
export async function readHorizon(sql: Sql): Promise<ChangeHorizon> {
  const [row] = await answered(sql<{ server: string; oldest_open: string }[]>`
    SELECT pg_postmaster_start_time()::text AS server,
      pg_snapshot_xmin(pg_current_snapshot())::text AS oldest_open`);
  if (row === undefined) throw new RangeError('a select without a table gives one row');
  return { server: row.server, oldestOpen: row.oldest_open };
}

export class ChangedCampaigns {
  readonly #session: PostgresSession;

  constructor(session: PostgresSession) {
    this.#session = session;
  }

  /** From now on the session's `onNotify` hears of every change. @throws AppError `unavailable`. */
  async listen(): Promise<void> {
    await this.#session.run((sql) => sql`LISTEN campaign_changed`);
  }

  /** @throws AppError `unavailable`. */
  horizon(): Promise<ChangeHorizon> {
    return this.#session.run(readHorizon);
  }

  /**
   * The campaigns, deleted ones too, that changed at or after a horizon of this server, a page at a time.
   * Ids of the future are of a server that this one was copied from.
   * @throws AppError `unavailable`.
   */
  async *since({ oldestOpen }: ChangeHorizon): AsyncGenerator<readonly Campaign[], void, undefined> {
    for (let cursor = ''; ; ) {
      const rows = await this.#session.run(
        (sql) => sql<CampaignRow[]>`
          SELECT * FROM campaigns
          WHERE changed_in >= ${oldestOpen}::text::xid8
            AND changed_in < pg_snapshot_xmax(pg_current_snapshot())
            AND id > ${cursor}
          ORDER BY id LIMIT ${PAGE_SIZE}`,
      );
      if (rows.length > 0) yield rows.map(campaignOf);
      if (rows.length < PAGE_SIZE) return;
      cursor = rows.at(-1)?.id ?? '';
    }
  }

  /** The campaigns with these ids, deleted ones too. @throws AppError `unavailable`. */
  async byId(ids: readonly string[]): Promise<Campaign[]> {
    const rows = await this.#session.run(
      (sql) => sql<CampaignRow[]>`
        SELECT * FROM campaigns WHERE id IN (SELECT json_array_elements_text(${JSON.stringify(ids)}::text::json))`,
    );
    return rows.map(campaignOf);
  }
}
