/**
 * Today in three pictures on one time axis: spend against the plan, the share of bids held back, the traffic. The
 * axis is the campaign's local day, or its last hour or quarter of one.
 */
import { useMemo, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { localDayAt } from '../../../src/domain/local-day.ts';
import type {
  BudgetStatus,
  Campaign,
  Explanation,
  HourConfig,
  PerformanceRow,
  TrafficSlot,
} from '../api/types.ts';
import { curveOf, type Point, spentLine, targetLine } from '../charts/day-series.ts';
import { axis, type Colours, Plot } from '../charts/plot.tsx';
import { allowedLine, askedLine, slotSpentLine, throttleLine } from '../charts/traffic-series.ts';
import {
  axisMoney,
  clockIn,
  clockSecondsIn,
  count,
  money,
  NOTHING,
  percent,
  rate,
  shortMoney,
} from '../format.ts';
import { live } from '../live/live-store.ts';
import { traces } from '../live/traces.ts';
import { refine } from '../router.ts';
import { Panel } from '../ui/notices.tsx';

const RANGES = [
  ['day', 'Day', 0],
  ['hour', 'Last hour', 3_600_000],
  ['quarter', 'Last 15 min', 900_000],
] as const;
const AXIS_WIDTH = 64;
const SYNC = 'campaign-day';
/** Figures of now are drawn this often. */
const STEP_MS = 1_000;

export interface DayChartProps {
  readonly campaign: Campaign;
  readonly status: BudgetStatus & { readonly explain: Explanation };
  readonly configs: readonly HourConfig[];
  readonly rows: readonly PerformanceRow[];
  readonly slots: readonly TrafficSlot[];
  readonly shape: readonly number[] | null;
  /** Where the day ends likely at least and at most, cents, when that is known. */
  readonly band: readonly [number, number] | null;
  readonly range: string;
}

export function DayChart(props: DayChartProps) {
  const { campaign, status, configs, rows, slots, shape, band, range } = props;
  const zone = campaign.timezone;
  const [, , rangeMs] = RANGES.find(([name]) => name === range) ?? RANGES[0];
  const nowMs = Math.floor(Date.now() / STEP_MS) * STEP_MS;
  const day = localDayAt(zone, nowMs);
  const row = live.campaigns.get(campaign.id);
  const spentCents = row?.daily_spent_cents ?? status.daily_spent_cents;
  const targetCents = row?.target_spent_cents ?? status.target_spent_cents;
  const projected = row?.projected_spend_cents ?? status.projected_spend_cents;
  const budgetCents = status.explain.budget_cents;
  const fromMs = rangeMs === 0 ? day.startMs : Math.max(day.startMs, nowMs - rangeMs);
  const toMs = rangeMs === 0 ? day.endMs : Math.min(day.endMs, nowMs + rangeMs / 15);
  const bandKey = band?.join() ?? '';

  const data = useMemo(() => {
    const seen = traces.since(campaign.id, day.startMs);
    const seenSpent = slotSpentLine(
      slots,
      seen.map(({ atMs, spentCents }): Point => [atMs, spentCents]),
    );
    const curve = curveOf(campaign, configs, shape, nowMs);
    const createdMs = Date.parse(campaign.created_at);
    const spent = spentLine({ day, createdMs, rows, seen: seenSpent, nowMs, spentCents });
    const target = targetLine({ day, createdMs, curve, rows, nowMs, targetCents, budgetCents });
    const ends = projectionEnds(spentCents, projected, band);
    const future: Point[][] = ends.map((end) =>
      end === null
        ? []
        : [
            [nowMs, spentCents],
            [day.endMs, end],
          ],
    );
    const low = future[0] ?? [];
    const middle = future[1] ?? [];
    const high = future[2] ?? [];
    const held = seen.map(({ atMs, throttle }): Point => [atMs, throttle]);
    const asked = seen.flatMap(({ atMs, askedPerMinute }) =>
      askedPerMinute === null ? [] : [[atMs, askedPerMinute] as const],
    );
    const allowed = seen.flatMap(({ atMs, allowedPerMinute }) =>
      allowedPerMinute === null ? [] : [[atMs, allowedPerMinute] as const],
    );
    return {
      money: joined([target, spent, middle, low, high]),
      held: joined([throttleLine(slots, held)]),
      asksNow: asked.at(-1)?.[1] ?? 0,
      traffic: joined([askedLine(slots, asked), allowedLine(slots, allowed)]),
    };
  }, [
    campaign,
    configs,
    rows,
    slots,
    shape,
    nowMs,
    spentCents,
    targetCents,
    budgetCents,
    projected,
    bandKey,
  ]);

  const [cursor, setCursor] = useState<number | null>(null);
  const window: readonly [number, number] = [fromMs / 1000, toMs / 1000];
  const key = `${range} ${day.startMs} ${Math.floor(nowMs / (rangeMs === 0 ? 1e15 : 10_000))}`;
  const throttle = row?.throttle_rate ?? status.throttle_rate;
  return (
    <Panel
      title={`Today, ${status.local_day}`}
      aside={
        <div class="segments">
          {RANGES.map(([name, text]) => (
            <button
              key={name}
              type="button"
              aria-pressed={name === range}
              onClick={() => refine({ range: name })}
            >
              {text}
            </button>
          ))}
        </div>
      }
    >
      <div class="chart-legend">
        <span>
          <i class="key spent" /> Spent
        </span>
        <span>
          <i class="key plan" /> Plan
        </span>
        <span>
          <i class="key band" /> Where the day is heading
        </span>
        <span>Times in {zone}</span>
      </div>
      <p class="readout">{readoutOf(data.money, cursor, zone)}</p>
      <Plot
        label={`Spend today against the plan: ${money(spentCents)} spent, ${money(targetCents)} planned by now, of ${money(budgetCents)}`}
        height={240}
        data={data.money}
        shape={`money ${key}`}
        onCursor={setCursor}
        options={(colour) => ({
          ...frame(colour, zone, window, rangeMs === 0 ? shortMoney : axisMoney),
          scales: {
            x: { range: [...window] },
            y: {
              range: (_, min, max) => (rangeMs === 0 ? [0, Math.max(1, max) * 1.05] : closeRange(min, max)),
            },
          },
          series: [
            {},
            { stroke: colour.plan, width: 1.5, dash: [5, 4], spanGaps: true, points: { show: false } },
            { stroke: colour.accent, width: 2.5, spanGaps: true, points: { show: false } },
            { stroke: colour.accent, width: 1.5, dash: [2, 4], spanGaps: true, points: { show: false } },
            { stroke: 'transparent', spanGaps: true, points: { show: false } },
            { stroke: 'transparent', spanGaps: true, points: { show: false } },
          ],
          bands: [{ series: [5, 4], fill: `${colour.accent}33` }],
        })}
      />
      <span class="plot-title">Bids held back by pacing, now {percent(throttle)}</span>
      <Plot
        label={`Share of bids held back by pacing: ${percent(throttle)} now`}
        height={84}
        data={data.held}
        shape={`held ${key}`}
        options={(colour) => ({
          ...frame(colour, zone, window, (value) => percent(value)),
          scales: { x: { range: [...window] }, y: { range: [0, 1] } },
          series: [
            {},
            {
              stroke: colour.ahead,
              fill: `${colour.ahead}2b`,
              width: 1.5,
              spanGaps: true,
              points: { show: false },
            },
          ],
        })}
      />
      <span class="plot-title">
        Bids a minute: <i class="key inline dashed" /> asked for, <i class="key inline spent" /> let through
      </span>
      <Plot
        label={`Traffic: ${count(data.asksNow)} bids a minute are asked for`}
        height={104}
        data={data.traffic}
        shape={`traffic ${key}`}
        options={(colour) => ({
          ...frame(colour, zone, window, rate),
          scales: { x: { range: [...window] }, y: { range: (_, __, max) => [0, Math.max(1, max) * 1.1] } },
          series: [
            {},
            { stroke: colour.soft, width: 1.5, dash: [5, 4], spanGaps: true, points: { show: false } },
            { stroke: colour.accent, width: 1.5, spanGaps: true, points: { show: false } },
          ],
        })}
      />
    </Panel>
  );
}

/** Of what is in sight, and not from 0: a quarter of an hour adds little to a day. */
function closeRange(min: number, max: number): [number, number] {
  const margin = Math.max(1, (max - min) / 10);
  return [Math.max(0, min - margin), max + margin];
}

/** Low, middle and high end of the day. */
function projectionEnds(
  spent: number,
  projected: number | null,
  band: readonly [number, number] | null,
): readonly (number | null)[] {
  if (projected === null) return [null, null, null];
  const end = Math.max(spent, projected);
  return band === null ? [null, end, null] : [Math.max(spent, band[0]), end, Math.max(spent, band[1])];
}

function joined(lines: readonly (readonly Point[])[]): uPlot.AlignedData {
  const tables = lines.map(
    (line): uPlot.AlignedData => [line.map(([at]) => at / 1000), line.map(([, value]) => value)],
  );
  return uPlot.join(tables.map(distinct));
}

/** The last of the points of one instant: a chart wants one each. */
function distinct([times, values]: uPlot.AlignedData): uPlot.AlignedData {
  const kept = new Map<number, number>();
  for (const [at, time] of Array.from(times).entries()) kept.set(time, values?.[at] ?? 0);
  return [[...kept.keys()], [...kept.values()]];
}

/** What the pictures have in common. */
function frame(
  colour: Colours,
  zone: string,
  [from, to]: readonly [number, number],
  valueText: (value: number) => string,
): Pick<uPlot.Options, 'legend' | 'cursor' | 'axes' | 'padding' | 'ms'> {
  const isShort = to - from < 8_000;
  return {
    legend: { show: false },
    padding: [8, 20, 0, 0],
    cursor: { sync: { key: SYNC }, y: false, points: { size: 7 }, drag: { x: false, y: false } },
    axes: [
      axis(colour, {
        size: 26,
        space: 64,
        splits: (_self, _axis, min, max) => ticksOf(zone, min, max),
        values: (_self, splits) => splits.map((at) => clockIn(zone, at * 1000)),
        ...(isShort ? { space: 48 } : {}),
      }),
      axis(colour, { size: AXIS_WIDTH, space: 32, values: (_self, splits) => splits.map(valueText) }),
    ],
  };
}

const STEPS_SECONDS = [60, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 14_400, 21_600];
const TICKS_MAX = 9;

/** On whole hours and minutes of the zone's wall clock: a zone may be half an hour off. */
function ticksOf(zone: string, min: number, max: number): number[] {
  const narrow = innerWidth < 520;
  const step = STEPS_SECONDS.find((seconds) => (max - min) / seconds <= (narrow ? 4 : TICKS_MAX)) ?? 21_600;
  const day = localDayAt(zone, min * 1000);
  const start = day.startMs / 1000;
  const ticks: number[] = [];
  for (let at = start + Math.ceil((min - start) / step) * step; at <= max; at += step) ticks.push(at);
  return ticks;
}

function readoutOf(data: uPlot.AlignedData, index: number | null, zone: string) {
  const at = index === null ? undefined : data[0][index];
  if (index === null || at === undefined) return 'Point at the chart, or read the tables below.';
  const plan = valueAt(data, 1, index);
  const spent = valueAt(data, 2, index);
  return (
    <>
      {clockSecondsIn(zone, at * 1000)} · spent <b>{spent === null ? NOTHING : money(spent)}</b> · plan{' '}
      <b>{plan === null ? NOTHING : money(plan)}</b>
    </>
  );
}

/** A line's value at any of the joint times: between two of its own points, in proportion; null outside them. */
function valueAt(data: uPlot.AlignedData, series: number, index: number): number | null {
  const times = data[0];
  const values = data[series] ?? [];
  let before = index;
  while (before >= 0 && values[before] == null) before--;
  let after = index;
  while (after < values.length && values[after] == null) after++;
  const [from, to] = [values[before], values[after]];
  if (from == null || to == null) return null;
  const span = (times[after] ?? 0) - (times[before] ?? 0);
  return span === 0 ? from : from + ((to - from) * ((times[index] ?? 0) - (times[before] ?? 0))) / span;
}
