/**
 * The audit log: its entries are added by the statement that makes the change they tell of (campaign-store.ts,
 * alert-store.ts), and read here. Nothing changes or removes one.
 */
import { answered, type Sql, type TransactionSql } from './client.ts';

/** What is noted of a change beside the campaign's id and version. */
export interface ChangeNote {
  /** Name of the token, or `anonymous`. */
  readonly actor: string;
  /** Such as `budget.adjust`. */
  readonly action: string;
  readonly reason: string | null;
  readonly requestId: string | null;
  /** The fields that changed, as the API shows them; null of a creation. */
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>>;
}

export interface AuditEntry extends ChangeNote {
  readonly id: number;
  readonly at: Date;
  readonly campaignId: string | null;
  readonly version: number | null;
}

export interface AuditFilter {
  readonly campaignId?: string;
  /** Most entries in the page. */
  readonly limit: number;
  /** The page begins below this id; the `nextCursor` of the page before. */
  readonly cursor?: number;
}

export interface AuditPage {
  /** Newest first. */
  readonly entries: readonly AuditEntry[];
  /** Cursor of the next page, or null when this one is the last. */
  readonly nextCursor: number | null;
}

interface AuditRow extends Omit<AuditEntry, 'campaignId' | 'requestId'> {
  readonly campaign_id: string | null;
  readonly request_id: string | null;
}

/**
 * Part of a statement: adds an entry for each row of the common table expression `changed`, which has the
 * campaign's `id` and `version`. Empty when there is nothing to note.
 */
export function alsoNote(sql: Sql | TransactionSql, note: ChangeNote | null) {
  if (note === null) return sql``;
  const { actor, action, reason, requestId, before, after } = note;
  const beforeText = before === null ? null : JSON.stringify(before);
  return sql`, noted AS (
    INSERT INTO audit_log (actor, action, campaign_id, version, before, after, reason, request_id)
    SELECT ${actor}::text, ${action}::text, changed.id, changed.version, ${beforeText}::text::json,
      ${JSON.stringify(after)}::text::json, ${reason}::text, ${requestId}::text
    FROM changed)`;
}

export class AuditStore {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** One page of entries. @throws AppError `unavailable`. */
  async list({ campaignId, limit, cursor }: AuditFilter): Promise<AuditPage> {
    const sql = this.#sql;
    const rows = await answered(sql<AuditRow[]>`
      SELECT id, at, actor, action, campaign_id, version, before, after, reason, request_id
      FROM audit_log
      WHERE true
        ${campaignId === undefined ? sql`` : sql`AND campaign_id = ${campaignId}`}
        ${cursor === undefined ? sql`` : sql`AND id < ${cursor}`}
      ORDER BY id DESC
      LIMIT ${limit + 1}`);
    const entries = rows.slice(0, limit).map(entryOf);
    return { entries, nextCursor: rows.length > limit ? (entries.at(-1)?.id ?? null) : null };
  }
}

function entryOf({ campaign_id, request_id, ...row }: AuditRow): AuditEntry {
  return { ...row, campaignId: campaign_id, requestId: request_id };
}
