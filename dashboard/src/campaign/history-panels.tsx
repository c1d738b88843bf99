/** Hours of today and days of the last four weeks: planned beside spent. */
import { useMemo } from 'preact/hooks';
import { localDayAt, localHourAt } from '../../../src/domain/local-day.ts';
import type { BudgetStatus, Campaign, HourConfig, PerformanceRow } from '../api/types.ts';
import { type Bar, Bars } from '../charts/bars.tsx';
import { curveOf, hoursOf, plannedAhead } from '../charts/day-series.ts';
import { dayName, money } from '../format.ts';
import { Panel } from '../ui/notices.tsx';

const DAYS = 28;
const DAY_MS = 86_400_000;

export function HoursPanel(props: {
  readonly campaign: Campaign;
  readonly configs: readonly HourConfig[];
  readonly shape: readonly number[] | null;
  readonly status: BudgetStatus;
  readonly rows: readonly PerformanceRow[];
}) {
  const { campaign, configs, shape, status, rows } = props;
  const { timezone } = campaign;
  const nowMs = Date.now();
  const day = localDayAt(timezone, nowMs);
  const running = localHourAt(day, nowMs);
  // The curve changes at midnight, and with the campaign.
  const curve = useMemo(
    () => curveOf(campaign, configs, shape, nowMs),
    [campaign, configs, shape, day.startMs],
  );
  const ahead = plannedAhead({
    day,
    curve,
    nowMs,
    targetCents: status.target_spent_cents,
    budgetCents: status.daily_budget_cents,
  });
  const today = new Map(rows.filter((row) => row.date === day.date).map((row) => [row.hour, row]));
  const bars = hoursOf(day).map(({ hour }): Bar => {
    const row = today.get(hour);
    return {
      name: `${String(hour).padStart(2, '0')}:00`,
      tick: hour % 3 === 0 ? String(hour).padStart(2, '0') : '',
      planned: ahead.get(hour) ?? row?.planned_spend_cents ?? 0,
      actual: row?.actual_spend_cents ?? 0,
      isRunning: hour === running,
      isAhead: ahead.has(hour),
      accuracy: row?.pacing_accuracy ?? null,
    };
  });
  return (
    <Panel title="Hours of today" aside={<span class="soft small">Hours in {timezone}</span>}>
      <Bars label="Planned and actual spend of each hour of today" bars={bars} />
    </Panel>
  );
}

export function DaysPanel({
  rows,
  timezone,
}: {
  readonly rows: readonly PerformanceRow[];
  readonly timezone: string;
}) {
  const today = localDayAt(timezone, Date.now()).date;
  const todayMs = Date.parse(`${today}T00:00:00Z`);
  const sums = new Map<string, { planned: number; actual: number }>();
  for (const row of rows) {
    const sum = sums.get(row.date) ?? { planned: 0, actual: 0 };
    sum.planned += row.planned_spend_cents;
    sum.actual += row.actual_spend_cents;
    sums.set(row.date, sum);
  }
  const bars = Array.from({ length: DAYS }, (_, at): Bar => {
    const date = new Date(todayMs - (DAYS - 1 - at) * DAY_MS).toISOString().slice(0, 10);
    const { planned = 0, actual = 0 } = sums.get(date) ?? {};
    const most = Math.max(planned, actual);
    return {
      name: dayName(date),
      tick: (DAYS - 1 - at) % 7 === 0 ? date.slice(8) : '',
      planned,
      actual,
      isRunning: date === today,
      isAhead: false,
      accuracy: most === 0 ? null : 1 - Math.abs(actual - planned) / most,
    };
  });
  const spent = bars.reduce((sum, { actual }) => sum + actual, 0);
  return (
    <Panel title="Last 28 days" aside={<span class="soft small">{money(spent)} spent</span>}>
      <Bars label="Planned and actual spend of each of the last 28 days" bars={bars} />
    </Panel>
  );
}
