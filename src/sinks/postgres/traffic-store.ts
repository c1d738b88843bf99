/**
 * The traffic of the last two days by slots of five minutes (migration 0010): a row for each campaign, hour and pod, so
 * that a day is two dozen rows to read, and a slot that ended is one element of a row to write.
 */

import type { PostgresAddress } from './client.ts';
import { PostgresSession, type SessionOptions } from './session.ts';

export const TRAFFIC_SLOT_MS = 300_000;
const HOUR_MS = 3_600_000;
/** A local day of 25 hours, and one before it. */
const KEPT_MS = 50 * HOUR_MS;
/** Rows of one statement. */
const BATCH_MAX = 1_000;
const FORGOTTEN_MAX = 5_000;

/** What happened to a campaign's bids in a slot. Money in micros. */
export interface TrafficSlot {
  readonly asks: number;
  readonly allowed: number;
  /** Mean throttle rate over the asks, 0–1. */
  readonly throttle: number;
  /** Spent of the local day by the slot's end. */
  readonly spentMicros: number;
}

export interface CampaignSlot extends TrafficSlot {
  readonly campaignId: string;
}

/** Of all pods. */
export interface TrafficPoint extends TrafficSlot {
  /** When the slot began, ms since the epoch. */
  readonly startMs: number;
}

export class TrafficStore {
  readonly #session: PostgresSession;

  constructor(address: PostgresAddress, options: SessionOptions = {}) {
    this.#session = new PostgresSession(address, options);
  }

  /**
   * Keeps what a pod saw in one slot; may be repeated, and what is written later of the same slot never lowers a count.
   * @param source who saw it; its own for each pod
   * @throws AppError `unavailable`; earlier batches of the call are kept then.
   */
  async write(source: string, startMs: number, slots: readonly CampaignSlot[]): Promise<void> {
    const hourMs = Math.floor(startMs / HOUR_MS) * HOUR_MS;
    const hour = new Date(hourMs).toISOString();
    const at = String((startMs - hourMs) / TRAFFIC_SLOT_MS + 1);
    for (let from = 0; from < slots.length; from += BATCH_MAX) {
      const rows = JSON.stringify(slots.slice(from, from + BATCH_MAX).map(slotRow));
      await this.#session.run(
        (sql) => sql`
          WITH empty AS (SELECT array_fill(NULL::bigint, ARRAY[${at}::text::int - 1]) AS before)
          INSERT INTO traffic_slots AS old (campaign_id, hour_start, source, asks, allowed, throttle, spent_micros)
          SELECT campaign_id, ${hour}::text::timestamptz, ${source}::text, before || asks, before || allowed,
            before::real[] || throttle, before || spent_micros
          FROM empty, json_to_recordset(${rows}::text::json) AS given (
            campaign_id text, asks bigint, allowed bigint, throttle real, spent_micros bigint
          )
          ORDER BY campaign_id
          ON CONFLICT (campaign_id, hour_start, source) DO UPDATE SET
            asks[${at}::text::int] = greatest(old.asks[${at}::text::int], excluded.asks[${at}::text::int]),
            allowed[${at}::text::int] = greatest(old.allowed[${at}::text::int], excluded.allowed[${at}::text::int]),
            throttle[${at}::text::int] = excluded.throttle[${at}::text::int],
            spent_micros[${at}::text::int] = excluded.spent_micros[${at}::text::int]`,
      );
    }
  }

  /** The slots from one time to another that bids were asked for in, in their order. @throws AppError `unavailable`. */
  async read(campaignId: string, fromMs: number, toMs: number): Promise<TrafficPoint[]> {
    const from = new Date(fromMs).toISOString();
    const to = new Date(toMs).toISOString();
    return await this.#session.run(
      (sql) => sql<TrafficPoint[]>`
        SELECT (extract(epoch FROM start) * 1000)::bigint AS "startMs", sum(asks)::bigint AS asks,
          sum(allowed)::bigint AS allowed, (sum(throttle * asks) / sum(asks))::float8 AS throttle,
          max(spent)::bigint AS "spentMicros"
        FROM (
          SELECT hour_start + (at - 1) * interval '5 minutes' AS start, row.asks[at] AS asks, row.allowed[at] AS allowed,
            row.throttle[at] AS throttle, row.spent_micros[at] AS spent
          FROM traffic_slots AS row, generate_subscripts(row.asks, 1) AS at
          WHERE campaign_id = ${campaignId} AND hour_start > ${from}::text::timestamptz - interval '1 hour'
            AND hour_start < ${to}::text::timestamptz
        ) AS slot
        WHERE asks > 0 AND start >= ${from}::text::timestamptz AND start < ${to}::text::timestamptz
        GROUP BY start
        ORDER BY start`,
    );
  }

  /** Drops what is older than is kept. @throws AppError `unavailable`. */
  async forgetOld(nowMs: number): Promise<void> {
    const before = new Date(nowMs - KEPT_MS).toISOString();
    for (let dropped = FORGOTTEN_MAX; dropped === FORGOTTEN_MAX; ) {
      const { count } = await this.#session.run(
        (sql) => sql`
          DELETE FROM traffic_slots WHERE ctid IN (
            SELECT ctid FROM traffic_slots WHERE hour_start < ${before}::text::timestamptz
            LIMIT ${String(FORGOTTEN_MAX)}::text::int
          )`,
      );
      dropped = count;
    }
  }

  /** Ends the connection; a statement under way gets a moment. */
  close(graceMs?: number): Promise<void> {
    return this.#session.close(graceMs);
  }
}

const slotRow = ({ campaignId, asks, allowed, throttle, spentMicros }: CampaignSlot): object => ({
  campaign_id: campaignId,
  asks,
  allowed,
  throttle,
  spent_micros: spentMicros,
});
