/**
 * Notices campaigns whose wins are reported after their reservations have expired: money that the gate did not know of
 * any more. Once for each campaign and hour, when that was more than a hundredth of the day's budget; such an alert
 * stands for an hour.
 */
import { HOUR_MS } from '../../domain/local-day.ts';
import type { Alert } from '../../sinks/postgres/history-rows.ts';
import { dollars } from '../budget-alert-rules.ts';
import type { CampaignFigures } from './projection-alert-rules.ts';

export const LATE_WINS = 'late_wins';
const BUDGET_PARTS = 100;

export class LateWinAlerts {
  /** By slot of the table: its campaign's total when the hour began, or when it was first seen in it; NaN before that. */
  readonly #begun: Float64Array;
  #hourStartMs = 0;
  /** Told in this hour. */
  readonly #told = new Set<string>();

  /** @param slotCount of the table */
  constructor(slotCount: number) {
    this.#begun = new Float64Array(slotCount).fill(Number.NaN);
  }

  /** The alerts that are to be raised; {@link raised} must follow when they are. */
  find(campaigns: Iterable<CampaignFigures>, nowMs: number): Alert[] {
    const hourStartMs = nowMs - (nowMs % HOUR_MS);
    if (hourStartMs !== this.#hourStartMs) {
      this.#hourStartMs = hourStartMs;
      this.#begun.fill(Number.NaN);
      this.#told.clear();
    }
    const alerts: Alert[] = [];
    for (const { campaignId, slot, lateWinTotalMicros: total, budgetMicros } of campaigns) {
      const before = this.#begun[slot] as number;
      // Totals only grow: a smaller one is that of the next campaign in the slot.
      const begun = before <= total ? before : total;
      this.#begun[slot] = begun;
      const lateMicros = total - begun;
      if (lateMicros <= 0 || BUDGET_PARTS * lateMicros < budgetMicros || this.#told.has(campaignId)) continue;
      alerts.push({
        dedupeKey: `${LATE_WINS}:${campaignId}:${hourStartMs}`,
        campaignId,
        alertType: LATE_WINS,
        severity: 'warning',
        thresholdPercentage: null,
        message: `${campaignId} had ${dollars(lateMicros)} of wins within the hour whose reservations had expired: report wins sooner, or raise RESERVATION_TTL_MS`,
        circuitBreakerState: null,
        createdAtMs: nowMs,
        resolvedAtMs: null,
      });
    }
    return alerts;
  }

  raised(alerts: readonly Alert[]): void {
    for (const { campaignId } of alerts) if (campaignId !== null) this.#told.add(campaignId);
  }
}
