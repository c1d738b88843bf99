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
  /** By campaign that had late wins: its total when the hour began. */
  readonly #begun = new Map<string, number>();
  #hourStartMs = 0;
  /** Told in this hour. */
  readonly #told = new Set<string>();

  /** The alerts that are to be raised; {@link raised} must follow when they are. */
  find(campaigns: readonly CampaignFigures[], nowMs: number): Alert[] {
    const hourStartMs = nowMs - (nowMs % HOUR_MS);
    if (hourStartMs !== this.#hourStartMs) {
      this.#hourStartMs = hourStartMs;
      this.#begun.clear();
      this.#told.clear();
    }
    const alerts: Alert[] = [];
    for (const { campaignId, lateWinTotalMicros: total, budgetMicros } of campaigns) {
      if (total === 0) {
        this.#begun.set(campaignId, 0);
        continue;
      }
      const begun = this.#begun.get(campaignId) ?? total;
      this.#begun.set(campaignId, begun);
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
