/**
 * Alerts that wait to be sent to the webhook (migration 0007), by the database's own clock. A pod takes some for a
 * while; whoever comes next skips those, so that each is sent by one pod. What is not reported on in time, as after a
 * crash, is taken again. The one of an alert's end waits for the one of its beginning.
 */
import type { AlertRow } from './alert-store.ts';
import { answered, type Sql } from './client.ts';

export interface Delivery {
  readonly alertId: number;
  readonly event: 'raised' | 'resolved';
  /** This one included. */
  readonly attempts: number;
  readonly queuedAt: Date;
  readonly alert: AlertRow;
}

type DeliveryRow = Omit<Delivery, 'alert'> & AlertRow;

/** Older ones are given up, and so are the oldest when more wait than this. */
export const DELIVERY_HOURS_MAX = 24;
export const DELIVERIES_MAX = 10_000;

export class DeliveryQueue {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** From now on alerts wait here, for a day or until this is said again. @throws AppError `unavailable`. */
  async want(): Promise<void> {
    await answered(this.#sql`
      INSERT INTO alert_webhook (wanted_until)
      VALUES (clock_timestamp() + make_interval(hours => ${DELIVERY_HOURS_MAX}))
      ON CONFLICT (is_only) DO UPDATE SET wanted_until = greatest(alert_webhook.wanted_until, excluded.wanted_until)`);
  }

  /** Takes some that are due, for a while. @throws AppError `unavailable`. */
  async take(count: number, forMs: number): Promise<Delivery[]> {
    const rows = await answered(this.#sql<DeliveryRow[]>`
      WITH due AS (
        SELECT alert_id, event FROM alert_deliveries AS waiting
        WHERE due_at <= clock_timestamp() AND (event = 'raised' OR NOT EXISTS (
          SELECT FROM alert_deliveries AS first WHERE first.alert_id = waiting.alert_id AND first.event = 'raised'))
        ORDER BY alert_id LIMIT ${count} FOR UPDATE SKIP LOCKED
      ), taken AS (
        UPDATE alert_deliveries AS d
        SET attempts = d.attempts + 1, due_at = clock_timestamp() + make_interval(secs => ${forMs / 1_000}::double precision)
        FROM due WHERE d.alert_id = due.alert_id AND d.event = due.event
        RETURNING d.alert_id, d.event, d.attempts, d.queued_at
      )
      SELECT taken.alert_id AS "alertId", taken.event, taken.attempts, taken.queued_at AS "queuedAt", alerts.id,
        campaign_id, alert_type, severity, threshold_percentage, message, circuit_breaker_state, created_at, resolved_at
      FROM taken JOIN alerts ON alerts.id = taken.alert_id
      ORDER BY taken.alert_id, taken.event`);
    return rows.map(({ alertId, event, attempts, queuedAt, ...alert }) => ({
      alertId,
      event,
      attempts,
      queuedAt,
      alert,
    }));
  }

  /** It was taken by the webhook. @throws AppError `unavailable`: it may be sent once more. */
  async finish({ alertId, event }: Delivery): Promise<void> {
    await answered(this.#sql`DELETE FROM alert_deliveries WHERE alert_id = ${alertId} AND event = ${event}`);
  }

  /** It was not: it is due again after so long. @throws AppError `unavailable`. */
  async retry({ alertId, event, attempts }: Delivery, afterMs: number): Promise<void> {
    await answered(this.#sql`
      UPDATE alert_deliveries SET due_at = clock_timestamp() + make_interval(secs => ${afterMs / 1_000}::double precision)
      WHERE alert_id = ${alertId} AND event = ${event} AND attempts = ${attempts}`);
  }

  /** Gives up what is too old, and the oldest of too many. @returns how many @throws AppError `unavailable`. */
  async giveUp(): Promise<number> {
    const rows = await answered(this.#sql<{ count: number }[]>`
      WITH given_up AS (
        DELETE FROM alert_deliveries
        WHERE queued_at < clock_timestamp() - make_interval(hours => ${DELIVERY_HOURS_MAX}) OR alert_id < coalesce(
          (SELECT alert_id FROM alert_deliveries ORDER BY alert_id DESC, event DESC OFFSET ${DELIVERIES_MAX - 1} LIMIT 1), 0)
        RETURNING 1
      )
      SELECT count(*)::integer AS count FROM given_up`);
    return rows[0]?.count ?? 0;
  }
}
