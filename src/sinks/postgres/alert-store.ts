/** Reads alerts, and resolves one by hand. They are written by history-store.ts. */
import { AppError } from '../../domain/app-error.ts';
import { alsoNote, type ChangeNote } from './audit-store.ts';
import { answered, type Sql } from './client.ts';
import type { Alert } from './history-rows.ts';

/** An alert on record. */
export interface AlertRow {
  readonly id: number;
  /** null when it concerns a pod. */
  readonly campaign_id: string | null;
  readonly alert_type: string;
  readonly severity: Alert['severity'];
  readonly threshold_percentage: number | null;
  readonly message: string;
  readonly circuit_breaker_state: Alert['circuitBreakerState'];
  readonly created_at: Date;
  readonly resolved_at: Date | null;
}

export interface AlertFilter {
  /** Without one, alerts of all campaigns and of pods. */
  readonly campaignId?: string;
  readonly unresolvedOnly: boolean;
  /** Most alerts in the page. */
  readonly limit: number;
  /** The page begins below this id; the `nextCursor` of the page before. */
  readonly cursor?: number;
}

export interface AlertPage {
  /** The newest first, in the order in which they were recorded. */
  readonly alerts: readonly AlertRow[];
  /** Cursor of the next page, or null when this one is the last. */
  readonly nextCursor: number | null;
}

/** An alert that nobody has resolved, and nothing has by itself. */
export interface StandingAlert {
  readonly campaignId: string;
  readonly dedupeKey: string;
  readonly thresholdPercentage: number;
  readonly createdAtMs: number;
}

/** Campaigns that a look for standing alerts returns at most. */
export const STANDING_MAX = 10_000;

export class AlertStore {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** @throws AppError `unavailable`. */
  async list({ campaignId, unresolvedOnly, limit, cursor }: AlertFilter): Promise<AlertPage> {
    const sql = this.#sql;
    const rows = await answered(sql<AlertRow[]>`
      SELECT id, campaign_id, alert_type, severity, threshold_percentage, message, circuit_breaker_state,
        created_at, resolved_at
      FROM alerts
      WHERE true
        ${campaignId === undefined ? sql`` : sql`AND campaign_id = ${campaignId}`}
        ${unresolvedOnly ? sql`AND resolved_at IS NULL` : sql``}
        ${cursor === undefined ? sql`` : sql`AND id < ${cursor}`}
      ORDER BY id DESC
      LIMIT ${limit + 1}`);
    const alerts = rows.slice(0, limit);
    return { alerts, nextCursor: rows.length > limit ? (alerts.at(-1)?.id ?? null) : null };
  }

  /**
   * Resolves an alert by hand and returns it; one that is resolved already stays as it is, and nothing is noted.
   * @param noteOf what the audit log says of it
   * @throws AppError `not_found`, `unavailable`.
   */
  async resolve(
    id: number,
    nowMs: number,
    noteOf: (standing: AlertRow, resolvedAt: Date) => ChangeNote,
  ): Promise<AlertRow> {
    const standing = await this.#get(id);
    if (standing.resolved_at !== null) return standing;
    const resolvedAt = new Date(Math.max(nowMs, standing.created_at.getTime()));
    const sql = this.#sql;
    const rows = await answered(sql<AlertRow[]>`
      WITH resolved AS (
        UPDATE alerts SET resolved_at = ${resolvedAt.toISOString()}::text::timestamptz
        WHERE id = ${id} AND resolved_at IS NULL
        RETURNING id, campaign_id, alert_type, severity, threshold_percentage, message, circuit_breaker_state,
          created_at, resolved_at
      ), changed AS (SELECT campaign_id AS id, NULL::integer AS version FROM resolved)
      ${alsoNote(sql, noteOf(standing, resolvedAt))}
      SELECT * FROM resolved`);
    return rows[0] ?? this.#get(id); // somebody else was first
  }

  async #get(id: number): Promise<AlertRow> {
    const rows = await answered(this.#sql<AlertRow[]>`
      SELECT id, campaign_id, alert_type, severity, threshold_percentage, message, circuit_breaker_state,
        created_at, resolved_at
      FROM alerts WHERE id = ${id}`);
    if (rows[0] !== undefined) return rows[0];
    throw new AppError('not_found', 'there is no alert with this id', 'id');
  }

  /** The standing alerts of a type, of some campaigns. @throws AppError `unavailable`. */
  standing(alertType: string, campaignIds: readonly string[]): Promise<StandingAlert[]> {
    return answered(this.#sql<StandingAlert[]>`
      SELECT campaign_id AS "campaignId", dedupe_key AS "dedupeKey",
        threshold_percentage AS "thresholdPercentage",
        (extract(epoch FROM created_at) * 1000)::bigint AS "createdAtMs"
      FROM alerts
      WHERE resolved_at IS NULL AND alert_type = ${alertType}
        AND campaign_id IN (SELECT json_array_elements_text(${JSON.stringify(campaignIds)}::text::json))`);
  }

  /** What the database's clock says, ms since the epoch. @throws AppError `unavailable`. */
  async databaseClockMs(): Promise<number> {
    const rows = await answered(this.#sql<{ ms: number }[]>`
      SELECT (extract(epoch FROM clock_timestamp()) * 1000)::double precision AS ms`);
    return rows[0]?.ms ?? Number.NaN;
  }

  /** Campaigns with a standing alert of a type, some when there are very many. @throws AppError `unavailable`. */
  async campaignsWith(alertType: string): Promise<string[]> {
    const rows = await answered(this.#sql<{ id: string }[]>`
      SELECT DISTINCT campaign_id AS id FROM alerts
      WHERE resolved_at IS NULL AND alert_type = ${alertType} AND campaign_id IS NOT NULL
      LIMIT ${STANDING_MAX}`);
    return rows.map(({ id }) => id);
  }
}
