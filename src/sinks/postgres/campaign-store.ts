/**
 * The campaigns table: the one place that knows its columns. A change names the version it was made from,
 * so that of two edits at once exactly one wins. Rows are never removed once a shard may know them:
 * deletion is a status. A change with a note adds its entry to the audit log in the same statement: both are
 * there, or neither. Only changes that nobody asked for come without one.
 */
import { AppError } from '../../domain/app-error.ts';
import type { Campaign, CampaignStatus } from '../../domain/campaign.ts';
import { alsoNote, type ChangeNote } from './audit-store.ts';
import { type CampaignRow, campaignOf, jsonText } from './campaign-row.ts';
import { answered, type Sql, type TransactionSql } from './client.ts';

export interface CampaignFilter {
  /** Without a status: every one but `DELETED`. */
  readonly status?: CampaignStatus;
  /** Part of the id or the name, letter case ignored. */
  readonly text?: string;
  /** With those taken back, which do not exist to clients. */
  readonly takenBack?: boolean;
  /** Most campaigns in the page. */
  readonly limit: number;
  /** The page begins after this id; the `nextCursor` of the page before. */
  readonly cursor?: string;
}

export interface CampaignPage {
  /** Ordered by id, byte by byte. */
  readonly campaigns: readonly Campaign[];
  /** Cursor of the next page, or null when this one is the last. */
  readonly nextCursor: string | null;
}

export class CampaignStore {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /**
   * Adds a campaign and returns it as it stands: in the place of one that was taken back it continues that
   * one's versions, so that a shard which heard of the first takes in the second.
   * @param beforeSeen is awaited while the row stands and nobody can see it yet
   * @throws AppError `already_exists` when the id is taken, also by a deleted campaign; `unavailable`.
   */
  async insert(
    campaign: Campaign,
    note: ChangeNote | null = null,
    beforeSeen?: (stored: Campaign) => Promise<void>,
  ): Promise<Campaign> {
    if (beforeSeen === undefined) return answered(insertRow(this.#sql, campaign, note));
    const inserted = this.#sql.begin(async (transaction) => {
      const stored = await insertRow(transaction, campaign, note);
      await beforeSeen(stored);
      return stored;
    });
    return answered(inserted);
  }

  /** The campaign whatever its status, or null; null also when it was taken back. @throws AppError `unavailable`. */
  async get(id: string): Promise<Campaign | null> {
    const rows = await answered(
      this.#sql<CampaignRow[]>`SELECT * FROM campaigns WHERE id = ${id} AND NOT taken_back`,
    );
    return rows[0] === undefined ? null : campaignOf(rows[0]);
  }

  /** One page of campaigns by id. @throws AppError `unavailable`. */
  async list(filter: CampaignFilter): Promise<CampaignPage> {
    const sql = this.#sql;
    const { status, text, takenBack, limit, cursor } = filter;
    const rows = await answered(sql<CampaignRow[]>`
      SELECT * FROM campaigns
      WHERE ${status === undefined ? sql`status <> 'DELETED'` : sql`status = ${status}`}
        ${takenBack === true ? sql`` : sql`AND NOT taken_back`}
        ${text === undefined ? sql`` : sql`AND (strpos(lower(name), lower(${text})) > 0 OR strpos(lower(id), lower(${text})) > 0)`}
        ${cursor === undefined ? sql`` : sql`AND id > ${cursor}`}
      ORDER BY id
      LIMIT ${limit + 1}`);
    const campaigns = rows.slice(0, limit).map(campaignOf);
    return { campaigns, nextCursor: rows.length > limit ? (campaigns.at(-1)?.id ?? null) : null };
  }

  /**
   * Replaces the row whose version is `fromVersion` by `campaign`. A deleted one cannot change any more.
   * @throws AppError `stale_version` when another edit came first, `campaign_not_found`, `unavailable`.
   */
  async update(campaign: Campaign, fromVersion: number, note: ChangeNote | null = null): Promise<void> {
    const c = campaign;
    const updated = await answered(this.#sql`
      WITH changed AS (UPDATE campaigns SET
        name = ${c.name}, daily_budget_micros = ${c.dailyBudgetMicros},
        total_budget_micros = ${c.totalBudgetMicros}, start_date = ${c.startDate}, end_date = ${c.endDate},
        timezone = ${c.timezone}, pacing_mode = ${c.pacingMode}, pacing_lever = ${c.pacingLever},
        status = ${c.status}, breaker_threshold = ${c.breakerThreshold},
        confidence_gate = ${c.confidenceGate}, day_reset = ${jsonText(c.dayReset)}::text::jsonb,
        zone_change = ${jsonText(c.zoneChange)}::text::jsonb,
        dayparts = ${jsonText(c.dayparts)}::text::jsonb,
        hour_multipliers = ${jsonText(c.hourMultipliers)}::text::jsonb,
        targeting = ${jsonText(c.targeting)}::text::json, creative = ${jsonText(c.creative)}::text::json,
        version = ${c.version}, updated_at = ${c.updatedAt}
      WHERE id = ${c.id} AND version = ${fromVersion} AND status <> 'DELETED'
      RETURNING id, version)
      ${alsoNote(this.#sql, note)}
      SELECT id FROM changed`);
    if (updated.count === 1) return;
    const current = await this.get(c.id);
    if (current === null || current.status === 'DELETED') throw campaignNotFound(c.id);
    throw new AppError(
      'stale_version',
      `the campaign is at version ${current.version}, not ${fromVersion}: read it again`,
      'version',
    );
  }

  /**
   * Takes back an insert that no shard accepted. Only a row still at that version goes. It goes by being
   * deleted, with a version of its own, so that it is also taken from other pods that have heard of it.
   * @throws AppError `unavailable`.
   */
  async takeBack(campaign: Campaign, note: ChangeNote | null = null): Promise<void> {
    await answered(this.#sql`
      WITH changed AS (UPDATE campaigns SET status = 'DELETED', taken_back = true, version = version + 1
      WHERE id = ${campaign.id} AND version = ${campaign.version}
      RETURNING id, version)
      ${alsoNote(this.#sql, note)}
      SELECT id FROM changed`);
  }

  /** All campaigns that are not deleted, ordered by id, a page at a time. @throws AppError `unavailable`. */
  livePages(pageSize = 500): AsyncGenerator<readonly Campaign[], void, undefined> {
    return this.#pages({ limit: pageSize });
  }

  /** All deleted campaigns and those taken back, in the same way. @throws AppError `unavailable`. */
  deletedPages(pageSize = 500): AsyncGenerator<readonly Campaign[], void, undefined> {
    return this.#pages({ limit: pageSize, status: 'DELETED', takenBack: true });
  }

  async *#pages(filter: CampaignFilter): AsyncGenerator<readonly Campaign[], void, undefined> {
    let cursor: string | null | undefined;
    while (cursor !== null) {
      const page: CampaignPage = await this.list(cursor === undefined ? filter : { ...filter, cursor });
      if (page.campaigns.length > 0) yield page.campaigns;
      cursor = page.nextCursor;
    }
  }
}

async function insertRow(
  sql: Sql | TransactionSql,
  campaign: Campaign,
  note: ChangeNote | null,
): Promise<Campaign> {
  const c = campaign;
  const rows = await sql<CampaignRow[]>`
      WITH changed AS (INSERT INTO campaigns (
        id, name, daily_budget_micros, total_budget_micros, start_date, end_date, timezone, pacing_mode,
        pacing_lever, status, breaker_threshold, confidence_gate, dayparts, hour_multipliers, targeting,
        creative, version, created_at, updated_at
      ) VALUES (
        ${c.id}, ${c.name}, ${c.dailyBudgetMicros}, ${c.totalBudgetMicros}, ${c.startDate}, ${c.endDate},
        ${c.timezone}, ${c.pacingMode}, ${c.pacingLever}, ${c.status}, ${c.breakerThreshold}, ${c.confidenceGate},
        ${jsonText(c.dayparts)}::text::jsonb, ${jsonText(c.hourMultipliers)}::text::jsonb,
        ${jsonText(c.targeting)}::text::json, ${jsonText(c.creative)}::text::json, ${c.version},
        ${c.createdAt}, ${c.updatedAt}
      )
      ON CONFLICT (id) DO UPDATE SET (
        name, daily_budget_micros, total_budget_micros, start_date, end_date, timezone, pacing_mode,
        pacing_lever, status, breaker_threshold, confidence_gate, dayparts, hour_multipliers, targeting,
        creative, version, created_at, updated_at, taken_back
      ) = (
        excluded.name, excluded.daily_budget_micros, excluded.total_budget_micros, excluded.start_date,
        excluded.end_date, excluded.timezone, excluded.pacing_mode, excluded.pacing_lever, excluded.status,
        excluded.breaker_threshold, excluded.confidence_gate, excluded.dayparts, excluded.hour_multipliers,
        excluded.targeting, excluded.creative, campaigns.version + excluded.version, excluded.created_at,
        excluded.updated_at, false
      ) WHERE campaigns.taken_back
      RETURNING *)
      ${alsoNote(sql, note)}
      SELECT * FROM changed`;
  if (rows[0] !== undefined) return campaignOf(rows[0]);
  throw new AppError('already_exists', `a campaign with the id ${c.id} exists already`, 'id');
}

export function campaignNotFound(id: string): AppError {
  return new AppError('campaign_not_found', `there is no campaign with the id ${id}`);
}
