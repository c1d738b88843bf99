/**
 * What was learned of campaigns' traffic, the hours that it is learned from, and who learns when. Migration 0008 has
 * the tables. Written by whichever pod claimed a day's run, read by all.
 */
import type { HistoryHour, ShapeBacktest, WeekShape } from '../../domain/traffic-history.ts';
import type { ChangeHorizon } from './changed-campaigns.ts';
import { readHorizon } from './changed-campaigns.ts';
import type { Sql } from './client.ts';
import type { PostgresSession } from './session.ts';

/** Runs a statement, bounded in time: a session, or statements over a pool. */
export type Runs = Pick<PostgresSession, 'run'>;

/** A learned shape with what is known of it. */
export interface LearnedShape {
  readonly campaignId: string;
  readonly learnedAtMs: number;
  /** `YYYY-MM-DD`: the last day it learned from. */
  readonly throughDate: string;
  readonly wholeDays: number;
  /** The same, each by its weight. */
  readonly days: number;
  readonly asks: WeekShape;
  readonly supply: WeekShape;
  readonly backtest: ShapeBacktest | null;
}

/** Campaigns of one page. */
export const LEARN_PAGE_SIZE = 50;
/** A run that was claimed this long ago and is not finished is another pod's to take. */
const CLAIM_SECONDS = 900;
const SHAPES_PAGE_SIZE = 200;
const DIGITS = 6;

/** A time zone with campaigns, and the last of its days that somebody has claimed to learn for. */
export interface ZoneRun {
  readonly timezone: string;
  readonly claimedDate: string | null;
  readonly finished: boolean;
}

/** A campaign to learn of. */
export interface LearnableCampaign {
  readonly id: string;
  /** Its first whole day, `YYYY-MM-DD`: the one it was created in would teach an empty morning. */
  readonly since: string;
}

export class LearnedShapeStore {
  readonly #session: Runs;

  constructor(session: Runs) {
    this.#session = session;
  }

  /** Hours of campaigns' local days from one to another, both included, over all sources. @throws AppError `unavailable`. */
  async hours(
    campaignIds: readonly string[],
    fromDate: string,
    toDate: string,
  ): Promise<Map<string, HistoryHour[]>> {
    const rows = await this.#session.run(
      (sql) => sql<(HistoryHour & { readonly campaignId: string })[]>`
        SELECT campaign_id AS "campaignId", to_char(local_start, 'YYYY-MM-DD') AS date,
          extract(hour FROM local_start)::int AS hour, sum(asks)::bigint AS asks, sum(allowed)::bigint AS allowed,
          sum(wins)::bigint AS wins, sum(spend_micros)::bigint AS "spentMicros"
        FROM spend_hourly
        WHERE campaign_id IN (SELECT json_array_elements_text(${JSON.stringify(campaignIds)}::text::json))
          AND local_date BETWEEN ${fromDate}::text::date AND ${toDate}::text::date
        GROUP BY campaign_id, local_start
        ORDER BY campaign_id, local_start`,
    );
    const hours = new Map<string, HistoryHour[]>();
    for (const row of rows) {
      const known = hours.get(row.campaignId);
      if (known === undefined) hours.set(row.campaignId, [row]);
      else known.push(row);
    }
    return hours;
  }

  /** What was spent of a campaign before one of its days, micros. @throws AppError `unavailable`. */
  async spentBefore(campaignId: string, date: string): Promise<number> {
    const [row] = await this.#session.run(
      (sql) => sql<{ spent: number }[]>`
        SELECT coalesce(sum(spend_micros), 0)::bigint AS spent FROM spend_hourly
        WHERE campaign_id = ${campaignId} AND local_date < ${date}::text::date`,
    );
    return row?.spent ?? 0;
  }

  /** Replaces what was learned before. @throws AppError `unavailable`. */
  async write(shapes: readonly LearnedShape[]): Promise<void> {
    if (shapes.length === 0) return;
    const rows = JSON.stringify(shapes.map(rowOf));
    await this.#session.run(
      (sql) => sql`
        INSERT INTO learned_shapes (campaign_id, learned_at, through_date, whole_days, days, asks, supply, backtest)
        SELECT campaign_id, learned_at, through_date, whole_days, days, asks, supply, backtest
        FROM json_to_recordset(${rows}::text::json) AS given (
          campaign_id text, learned_at timestamptz, through_date date, whole_days integer, days double precision,
          asks json, supply json, backtest json
        )
        ORDER BY campaign_id
        ON CONFLICT (campaign_id) DO UPDATE SET
          learned_at = excluded.learned_at, through_date = excluded.through_date, whole_days = excluded.whole_days,
          days = excluded.days, asks = excluded.asks, supply = excluded.supply, backtest = excluded.backtest,
          changed_in = pg_current_xact_id()`,
    );
  }

  /** @throws AppError `unavailable`. */
  async get(campaignId: string): Promise<LearnedShape | null> {
    const [row] = await this.#session.run(
      (sql) => sql<ShapeRow[]>`SELECT ${columns(sql)} FROM learned_shapes WHERE campaign_id = ${campaignId}`,
    );
    return row === undefined ? null : shapeOf(row);
  }

  /** How far a reader that begins now will have seen. @throws AppError `unavailable`. */
  horizon(): Promise<ChangeHorizon> {
    return this.#session.run(readHorizon);
  }

  /** What was learned at or after a horizon of this server, or all, a page at a time. @throws AppError `unavailable`. */
  async *since(horizon: ChangeHorizon | null): AsyncGenerator<readonly LearnedShape[], void, undefined> {
    const oldestOpen = horizon?.oldestOpen ?? '0';
    for (let cursor = ''; ; ) {
      const rows = await this.#session.run(
        (sql) => sql<ShapeRow[]>`
          SELECT ${columns(sql)} FROM learned_shapes
          WHERE changed_in >= ${oldestOpen}::text::xid8 AND changed_in < pg_snapshot_xmax(pg_current_snapshot())
            AND campaign_id > ${cursor}
          ORDER BY campaign_id LIMIT ${SHAPES_PAGE_SIZE}`,
      );
      if (rows.length > 0) yield rows.map(shapeOf);
      if (rows.length < SHAPES_PAGE_SIZE) return;
      cursor = rows.at(-1)?.campaignId ?? '';
    }
  }

  /** The zones of campaigns that are not deleted. @throws AppError `unavailable`. */
  zones(): Promise<ZoneRun[]> {
    return this.#session.run(
      (sql) => sql<ZoneRun[]>`
        SELECT timezone, to_char(local_date, 'YYYY-MM-DD') AS "claimedDate", finished_at IS NOT NULL AS finished
        FROM (SELECT DISTINCT timezone FROM campaigns WHERE status <> 'DELETED') AS zones
        LEFT JOIN learning_runs USING (timezone)
        ORDER BY timezone`,
    );
  }

  /** Whether this pod is the one to learn for a zone's day. @throws AppError `unavailable`. */
  async claim(timezone: string, localDate: string, pod: string): Promise<boolean> {
    const rows = await this.#session.run(
      (sql) => sql`
        INSERT INTO learning_runs AS old (timezone, local_date, claimed_at, claimed_by)
        VALUES (${timezone}, ${localDate}::text::date, clock_timestamp(), ${pod})
        ON CONFLICT (timezone) DO UPDATE SET local_date = excluded.local_date, claimed_at = excluded.claimed_at,
          claimed_by = excluded.claimed_by, finished_at = NULL, campaigns = NULL
        WHERE old.local_date < excluded.local_date OR (
          old.local_date = excluded.local_date AND old.finished_at IS NULL
          AND old.claimed_at < clock_timestamp() - make_interval(secs => ${CLAIM_SECONDS})
        )
        RETURNING timezone`,
    );
    return rows.length > 0;
  }

  /** A run goes on, or is over, with so many campaigns learned. @throws AppError `unavailable`. */
  async report(timezone: string, pod: string, campaigns: number, over: boolean): Promise<void> {
    await this.#session.run(
      (sql) => sql`
        UPDATE learning_runs SET campaigns = ${campaigns}, claimed_at = clock_timestamp(),
          finished_at = CASE WHEN ${over} THEN clock_timestamp() END
        WHERE timezone = ${timezone} AND claimed_by = ${pod} AND finished_at IS NULL`,
    );
  }

  /** A page of a zone's campaigns that had a whole day before this one, by id. @throws AppError `unavailable`. */
  campaigns(timezone: string, today: string, afterId: string): Promise<LearnableCampaign[]> {
    return this.#session.run(
      (sql) => sql<LearnableCampaign[]>`
        SELECT id, ${firstWholeDay(sql)} AS since FROM campaigns
        WHERE timezone = ${timezone} AND status <> 'DELETED' AND id > ${afterId}
          AND ${firstWholeDay(sql)} < ${today}
        ORDER BY id LIMIT ${LEARN_PAGE_SIZE}`,
    );
  }

  /** Some campaigns of the whole fleet, the same ones as long as they live. @throws AppError `unavailable`. */
  sample(campaignsMax: number): Promise<LearnableCampaign[]> {
    return this.#session.run(
      (sql) => sql<LearnableCampaign[]>`
        SELECT id, ${firstWholeDay(sql)} AS since FROM campaigns
        WHERE status <> 'DELETED' ORDER BY md5(id) LIMIT ${campaignsMax}`,
    );
  }
}

function firstWholeDay(sql: Sql) {
  return sql`to_char((created_at AT TIME ZONE timezone)::date + 1, 'YYYY-MM-DD')`;
}

interface ShapeRow {
  readonly campaignId: string;
  readonly learnedAtMs: number;
  readonly throughDate: string;
  readonly wholeDays: number;
  readonly days: number;
  readonly asks: string;
  readonly supply: string;
  readonly backtest: string | null;
}

function columns(sql: Sql) {
  return sql`campaign_id AS "campaignId", (extract(epoch FROM learned_at) * 1000)::float8 AS "learnedAtMs",
    to_char(through_date, 'YYYY-MM-DD') AS "throughDate", whole_days AS "wholeDays", days,
    asks::text AS asks, supply::text AS supply, backtest::text AS backtest`;
}

function rowOf(shape: LearnedShape): object {
  const { campaignId, learnedAtMs, throughDate, wholeDays, days, asks, supply, backtest } = shape;
  return {
    campaign_id: campaignId,
    learned_at: new Date(learnedAtMs).toISOString(),
    through_date: throughDate,
    whole_days: wholeDays,
    days,
    asks: rounded(asks),
    supply: rounded(supply),
    backtest,
  };
}

function shapeOf({ asks, supply, backtest, ...row }: ShapeRow): LearnedShape {
  return {
    ...row,
    learnedAtMs: Math.round(row.learnedAtMs),
    asks: JSON.parse(asks) as WeekShape,
    supply: JSON.parse(supply) as WeekShape,
    backtest: backtest === null ? null : (JSON.parse(backtest) as ShapeBacktest),
  };
}

/** Weights are estimates: more digits say nothing. */
function rounded(week: WeekShape): number[][] {
  return week.map((hours) => hours.map((weight) => Number(weight.toPrecision(DIGITS))));
}
