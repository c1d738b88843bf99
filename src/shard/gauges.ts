/** What an owner shows of a campaign beside its slot: for metrics and live updates, never for a decision. */
import type { PacedCampaign } from '../domain/paced-campaign.ts';
import type { Projection } from '../domain/projection.ts';
import {
  GAUGE_BREAKER_REASON,
  GAUGE_BUDGET,
  GAUGE_DAY_BUDGET,
  GAUGE_DAY_START_MS,
  GAUGE_EXHAUSTION_LATEST_MS,
  GAUGE_EXHAUSTION_MS,
  GAUGE_LATE_WIN_TOTAL,
  GAUGE_OVERSPENT_TOTAL,
  GAUGE_PROJECTED,
  GAUGE_PROJECTED_HIGH,
  GAUGE_PROJECTED_LOW,
  GAUGE_RESERVED,
  GAUGE_SPENT,
  GAUGE_SPENT_HOUR,
  GAUGE_SPENT_TOTAL,
  GAUGE_TARGET,
} from '../table/layout.ts';
import type { OwnerTable } from '../table/pacing-table.ts';

/** All but the projection, with each turn of the controller. @param targetMicros what the plan wants spent by now */
export function publishGauges(
  table: OwnerTable,
  slot: number,
  paced: PacedCampaign,
  targetMicros: number,
): void {
  publishMoney(table, slot, paced);
  table.setGauge(slot, GAUGE_BUDGET, paced.campaign.dailyBudgetMicros);
  table.setGauge(slot, GAUGE_DAY_BUDGET, paced.budgetMicros);
  table.setGauge(slot, GAUGE_TARGET, targetMicros);
  table.setGauge(slot, GAUGE_BREAKER_REASON, paced.breaker.reason);
  table.setGauge(slot, GAUGE_DAY_START_MS, paced.day.startMs);
}

/** Where the day ends as things stand; null while too little is known. */
export function publishProjection(table: OwnerTable, slot: number, projection: Projection | null): void {
  table.setGauge(slot, GAUGE_PROJECTED, projection?.spendMicros ?? -1);
  table.setGauge(slot, GAUGE_PROJECTED_LOW, projection?.lowMicros ?? -1);
  table.setGauge(slot, GAUGE_PROJECTED_HIGH, projection?.highMicros ?? -1);
  table.setGauge(slot, GAUGE_EXHAUSTION_MS, projection?.exhaustionMs ?? 0);
  table.setGauge(slot, GAUGE_EXHAUSTION_LATEST_MS, projection?.exhaustionLatestMs ?? 0);
}

/** What spend moves, with each commit. */
export function publishMoney(table: OwnerTable, slot: number, paced: PacedCampaign): void {
  const { counters } = paced;
  const hourMicros = Math.max(0, counters.spentHourMicros - counters.hourBeforeResetMicros);
  table.setGauge(slot, GAUGE_SPENT, paced.spentDayMicros);
  table.setGauge(slot, GAUGE_SPENT_HOUR, hourMicros);
  table.setGauge(slot, GAUGE_RESERVED, paced.reservations.totalMicros);
  table.setGauge(slot, GAUGE_SPENT_TOTAL, counters.spentTotalMicros);
  table.setGauge(slot, GAUGE_OVERSPENT_TOTAL, counters.overspentTotalMicros);
  table.setGauge(slot, GAUGE_LATE_WIN_TOTAL, counters.lateWinTotalMicros);
}
