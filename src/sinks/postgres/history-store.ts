/**
 * The history of all pods: counters by hour, plans, breaker events, alerts. Every write states what is, never
 * what changed: it may be repeated, delayed or reordered, and may have taken effect when it is answered with
 * `unavailable`. So nothing is queued here; whoever keeps the ledger writes again until it is answered.
 * Rows go a thousand to a statement, as one JSON parameter, so that the statement is prepared once; within
 * a statement they are locked in the order of their keys, so that two pods do not wait for each other.
 */
import type { PostgresAddress } from './client.ts';
import type {
  Alert,
  AlertResolution,
  BreakerEvent,
  HourTotals,
  LocalHour,
  PlannedHour,
  SourceSpend,
  SpendQuestion,
} from './history-rows.ts';
import { PostgresSession, type SessionOptions } from './session.ts';

/** Rows of one statement. */
export const HISTORY_BATCH_MAX = 1_000;

/** Campaigns of one question: each may have a row for every hour of its flight and every source. */
const QUESTION_BATCH_MAX = 50;

export class HistoryStore {
  readonly #session: PostgresSession;

  /** Statements are bounded to 5 s unless the options say otherwise. */
  constructor(address: PostgresAddress, options: SessionOptions = {}) {
    this.#session = new PostgresSession(address, options);
  }

  /**
   * Raises each counter to the given one; a lower one changes nothing.
   * @throws AppError `unavailable`; earlier batches of the call are kept then.
   */
  async writeHours(hours: readonly HourTotals[]): Promise<void> {
    for (const rows of batches(hours, hourRow)) {
      await this.#session.run(
        (sql) => sql`
          INSERT INTO spend_hourly AS old
          SELECT campaign_id, hour_start, source, max(local_start), max(spend_micros), max(impressions),
            max(clicks), max(wins), max(asks), max(allowed)
          FROM json_to_recordset(${rows}::text::json) AS given (
            campaign_id text, hour_start timestamptz, source text, local_start timestamp, spend_micros bigint,
            impressions bigint, clicks bigint, wins bigint, asks bigint, allowed bigint
          )
          GROUP BY campaign_id, hour_start, source
          ORDER BY campaign_id, hour_start, source
          ON CONFLICT (campaign_id, hour_start, source) DO UPDATE SET
            local_start = greatest(old.local_start, excluded.local_start),
            spend_micros = greatest(old.spend_micros, excluded.spend_micros),
            impressions = greatest(old.impressions, excluded.impressions),
            clicks = greatest(old.clicks, excluded.clicks),
            wins = greatest(old.wins, excluded.wins),
            asks = greatest(old.asks, excluded.asks),
            allowed = greatest(old.allowed, excluded.allowed)
          WHERE excluded.local_start > old.local_start OR excluded.spend_micros > old.spend_micros
            OR excluded.impressions > old.impressions OR excluded.clicks > old.clicks
            OR excluded.wins > old.wins OR excluded.asks > old.asks OR excluded.allowed > old.allowed`,
      );
    }
  }

  /**
   * Keeps the newest plan of each hour: by the campaign's version, then by when it was made.
   * @throws AppError `unavailable`; earlier batches of the call are kept then.
   */
  async writePlans(plans: readonly PlannedHour[]): Promise<void> {
    for (const rows of batches(plans, planRow)) {
      await this.#session.run(
        (sql) => sql`
          INSERT INTO pacing_history AS old
          SELECT DISTINCT ON (campaign_id, hour_start) *
          FROM json_to_recordset(${rows}::text::json) AS given (
            campaign_id text, hour_start timestamptz, local_start timestamp, planned_micros bigint,
            budget_micros bigint, pacing_mode text, campaign_version integer, planned_at timestamptz
          )
          ORDER BY campaign_id, hour_start, campaign_version DESC, planned_at DESC, planned_micros DESC
          ON CONFLICT (campaign_id, hour_start) DO UPDATE SET
            local_start = excluded.local_start, planned_micros = excluded.planned_micros,
            budget_micros = excluded.budget_micros, pacing_mode = excluded.pacing_mode,
            campaign_version = excluded.campaign_version, planned_at = excluded.planned_at
          WHERE (excluded.campaign_version, excluded.planned_at, excluded.planned_micros)
            > (old.campaign_version, old.planned_at, old.planned_micros)`,
      );
    }
  }

  /** Adds those it does not have yet. @throws AppError `unavailable`; earlier batches are kept then. */
  async writeBreakerEvents(events: readonly BreakerEvent[]): Promise<void> {
    for (const rows of batches(events, eventRow)) {
      await this.#session.run(
        (sql) => sql`
          INSERT INTO breaker_events (campaign_id, source, at, from_state, to_state, reason)
          SELECT campaign_id, source, at, from_state, to_state, reason
          FROM json_to_recordset(${rows}::text::json) AS given (
            campaign_id text, source text, at timestamptz, from_state text, to_state text, reason text
          )
          ORDER BY campaign_id, at, source, to_state
          ON CONFLICT DO NOTHING`,
      );
    }
  }

  /**
   * Adds alerts it does not have yet, and resolves those given as resolved; none is opened again by its key.
   * @throws AppError `unavailable`; earlier batches of the call are kept then.
   */
  async writeAlerts(alerts: readonly Alert[]): Promise<void> {
    for (const rows of batches(alerts, alertRow)) {
      await this.#session.run(
        (sql) => sql`
          INSERT INTO alerts AS old (dedupe_key, campaign_id, alert_type, severity, threshold_percentage,
            message, circuit_breaker_state, created_at, resolved_at)
          SELECT DISTINCT ON (dedupe_key) dedupe_key, campaign_id, alert_type, severity,
            threshold_percentage, message, circuit_breaker_state, created_at,
            min(resolved_at) OVER (PARTITION BY dedupe_key)
          FROM json_to_recordset(${rows}::text::json) AS given (
            dedupe_key text, campaign_id text, alert_type text, severity text,
            threshold_percentage double precision, message text, circuit_breaker_state text,
            created_at timestamptz, resolved_at timestamptz
          )
          ORDER BY dedupe_key, created_at
          ON CONFLICT (dedupe_key) DO UPDATE SET resolved_at = least(old.resolved_at, excluded.resolved_at)
          WHERE excluded.resolved_at IS NOT NULL
            AND (old.resolved_at IS NULL OR excluded.resolved_at < old.resolved_at)`,
      );
    }
  }

  /** Resolves what stands by then; later alerts stay. @throws AppError `unavailable`, as {@link writeAlerts} does. */
  async resolveAlerts(resolutions: readonly AlertResolution[]): Promise<void> {
    for (const rows of batches(resolutions, resolutionRow)) {
      await this.#session.run(
        (sql) => sql`
          WITH given AS (
            SELECT * FROM json_to_recordset(${rows}::text::json) AS given (
              campaign_id text, key_prefix text, resolved_at timestamptz
            )
          ), over AS (
            SELECT id, min(given.resolved_at) AS resolved_at
            FROM given JOIN alerts ON alerts.campaign_id IS NOT DISTINCT FROM given.campaign_id
            WHERE alerts.resolved_at IS NULL AND alerts.created_at <= given.resolved_at
              AND starts_with(alerts.dedupe_key, given.key_prefix)
            GROUP BY id
          )
          UPDATE alerts SET resolved_at = over.resolved_at
          FROM over WHERE alerts.id = over.id AND alerts.resolved_at IS NULL`,
      );
    }
  }

  /** Resolves what stands of some types and was raised before a time. @throws AppError `unavailable`. */
  async resolveOlder(alertTypes: readonly string[], raisedBeforeMs: number, nowMs: number): Promise<void> {
    await this.#session.run(
      (sql) => sql`
        UPDATE alerts SET resolved_at = greatest(created_at, ${instant(nowMs)}::text::timestamptz)
        WHERE resolved_at IS NULL AND created_at < ${instant(raisedBeforeMs)}::text::timestamptz
          AND alert_type IN (SELECT json_array_elements_text(${JSON.stringify(alertTypes)}::text::json))`,
    );
  }

  /**
   * What each source has spent of each campaign, in all, from the first hour of its day on, and in the hour that runs. For
   * a pod whose ledger is empty, and for a Redis that was wiped. Sources that counted nothing have no row.
   * @throws AppError `unavailable`.
   */
  async spentBySource(questions: readonly SpendQuestion[]): Promise<SourceSpend[]> {
    const spends: SourceSpend[] = [];
    for (const rows of batches(questions, questionRow, QUESTION_BATCH_MAX)) {
      const answer = await this.#session.run(
        (sql) => sql<SourceSpend[]>`
          SELECT campaign_id AS "campaignId", source,
            sum(spend_micros)::bigint AS "totalMicros",
            coalesce(sum(spend_micros) FILTER (WHERE s.hour_start >= asked.counted_from), 0)::bigint AS "dayMicros",
            coalesce(sum(spend_micros) FILTER (WHERE s.hour_start = asked.hour_start), 0)::bigint AS "hourMicros"
          FROM json_to_recordset(${rows}::text::json) AS asked (
            campaign_id text, counted_from timestamptz, hour_start timestamptz
          )
          JOIN spend_hourly AS s USING (campaign_id)
          GROUP BY campaign_id, source
          ORDER BY campaign_id, source`,
      );
      spends.push(...answer);
    }
    return spends;
  }

  /** Ends the connection; a statement under way gets a moment. */
  close(): Promise<void> {
    return this.#session.close();
  }
}

/** The rows in batches, each as the JSON text of its columns. */
function* batches<Row>(
  rows: readonly Row[],
  columns: (row: Row) => object,
  size = HISTORY_BATCH_MAX,
): Generator<string, void, undefined> {
  for (let at = 0; at < rows.length; at += size) {
    yield JSON.stringify(rows.slice(at, at + size).map(columns));
  }
}

const hourRow = (hour: HourTotals): object => ({
  campaign_id: hour.campaignId,
  hour_start: instant(hour.hourStartMs),
  source: hour.source,
  local_start: wallClock(hour),
  spend_micros: hour.spendMicros,
  impressions: hour.impressions,
  clicks: hour.clicks,
  wins: hour.wins,
  asks: hour.asks,
  allowed: hour.allowed,
});

const planRow = (plan: PlannedHour): object => ({
  campaign_id: plan.campaignId,
  hour_start: instant(plan.hourStartMs),
  local_start: wallClock(plan),
  planned_micros: plan.plannedMicros,
  budget_micros: plan.budgetMicros,
  pacing_mode: plan.pacingMode,
  campaign_version: plan.campaignVersion,
  planned_at: instant(plan.plannedAtMs),
});

const eventRow = (event: BreakerEvent): object => ({
  campaign_id: event.campaignId,
  source: event.source,
  at: instant(event.atMs),
  from_state: event.from,
  to_state: event.to,
  reason: event.reason,
});

const alertRow = (alert: Alert): object => ({
  dedupe_key: alert.dedupeKey,
  campaign_id: alert.campaignId,
  alert_type: alert.alertType,
  severity: alert.severity,
  threshold_percentage: alert.thresholdPercentage,
  message: alert.message,
  circuit_breaker_state: alert.circuitBreakerState,
  created_at: instant(alert.createdAtMs),
  resolved_at: alert.resolvedAtMs === null ? null : instant(alert.resolvedAtMs),
});

const resolutionRow = (resolution: AlertResolution): object => ({
  campaign_id: resolution.campaignId,
  key_prefix: resolution.keyPrefix,
  resolved_at: instant(resolution.resolvedAtMs),
});

const questionRow = (question: SpendQuestion): object => ({
  campaign_id: question.campaignId,
  counted_from: instant(question.countedFromMs),
  hour_start: instant(question.hourStartMs),
});

const instant = (ms: number): string => new Date(ms).toISOString();

const wallClock = ({ localDate, localHour }: LocalHour): string => `${localDate} ${localHour}:00`;
