/** Reads what a campaign's hours were planned to spend and did spend, over all sources. */
import { answered, type Sql } from './client.ts';

/** An hour as the campaign's clocks show it; one that they show twice is one. Money in micros. */
export interface HourPerformance {
  /** `YYYY-MM-DD`. */
  readonly date: string;
  /** 0–23. */
  readonly hour: number;
  readonly plannedMicros: number;
  readonly spentMicros: number;
  readonly impressions: number;
  readonly clicks: number;
}

export class PerformanceStore {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /**
   * The hours from one local date to another, both included, that have a plan, spend, impressions or clicks; in
   * their order.
   * @throws AppError `unavailable`.
   */
  hours(campaignId: string, startDate: string, endDate: string): Promise<HourPerformance[]> {
    return answered(this.#sql<HourPerformance[]>`
      WITH spent AS (
        SELECT local_start, sum(spend_micros) AS spent, sum(impressions) AS impressions, sum(clicks) AS clicks
        FROM spend_hourly
        WHERE campaign_id = ${campaignId} AND local_date BETWEEN ${startDate}::text::date AND ${endDate}::text::date
        GROUP BY local_start
      ), planned AS (
        SELECT local_start, sum(planned_micros) AS planned
        FROM pacing_history
        WHERE campaign_id = ${campaignId} AND local_date BETWEEN ${startDate}::text::date AND ${endDate}::text::date
        GROUP BY local_start
      )
      SELECT to_char(local_start, 'YYYY-MM-DD') AS date, extract(hour FROM local_start)::int AS hour,
        coalesce(planned, 0)::bigint AS "plannedMicros", coalesce(spent, 0)::bigint AS "spentMicros",
        coalesce(impressions, 0)::bigint AS impressions, coalesce(clicks, 0)::bigint AS clicks
      FROM spent FULL JOIN planned USING (local_start)
      WHERE planned > 0 OR spent > 0 OR impressions > 0 OR clicks > 0
      ORDER BY local_start`);
  }
}
