/** Which alerts were raised or resolved since a reader last looked; migration 0006 tells how a look is bounded. */
import type { AlertRow } from './alert-store.ts';
import { type ChangeHorizon, readHorizon } from './changed-campaigns.ts';
import { answered, type Sql } from './client.ts';

/** Changes that one look returns, the newest: whoever is further behind reads the list. */
export const ALERT_CHANGES_MAX = 1_000;

export class AlertChanges {
  readonly #sql: Sql;
  #horizon: ChangeHorizon | null = null;
  /** What was returned and may be read once more: id and whether it was resolved. */
  #returned = new Set<string>();

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** The next look returns what changes from now on, and perhaps something from just before. @throws AppError `unavailable` */
  async mark(): Promise<void> {
    this.#horizon = await readHorizon(this.#sql);
    this.#returned.clear();
  }

  /**
   * The alerts that were raised or resolved since the last look, in the order of their ids; each of the two once.
   * The first look returns none, and so does one at another server than before.
   * @throws AppError `unavailable`: what changed is then returned by the next look.
   */
  async look(): Promise<AlertRow[]> {
    const from = this.#horizon;
    const horizon = await readHorizon(this.#sql);
    const begins = from === null || from.server !== horizon.server;
    const { oldestOpen } = begins ? horizon : from;
    const rows = await answered(this.#sql<AlertRow[]>`
      SELECT id, campaign_id, alert_type, severity, threshold_percentage, message, circuit_breaker_state,
        created_at, resolved_at
      FROM alerts
      WHERE changed_in >= ${oldestOpen}::text::xid8 AND changed_in < pg_snapshot_xmax(pg_current_snapshot())
      ORDER BY changed_in DESC, id DESC
      LIMIT ${ALERT_CHANGES_MAX}`);
    this.#horizon = horizon;
    const before = this.#returned;
    this.#returned = new Set(rows.map(keyOf));
    if (begins) return [];
    return rows.filter((row) => !before.has(keyOf(row))).sort((a, b) => a.id - b.id);
  }
}

function keyOf({ id, resolved_at }: AlertRow): string {
  return `${id}${resolved_at === null ? '' : ' resolved'}`;
}
