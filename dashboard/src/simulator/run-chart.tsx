/** Simulated runs in one picture: what each will have spent of its local day, slot by slot. */
import { useMemo } from 'preact/hooks';
import type uPlot from 'uplot';
import { localDayAt } from '../../../src/domain/local-day.ts';
import { axis, type Colours, Plot } from '../charts/plot.tsx';
import { clockIn, momentIn, money, shortMoney, word } from '../format.ts';
import type { SimulatedRun, Simulation } from './simulation.ts';

const DASHES: readonly (readonly number[])[] = [[], [7, 4], [2, 3], [9, 3, 2, 3]];
const DAY_SECONDS = 86_400;

/** The run that was asked for, and those it is compared with. */
export const runsOf = (simulation: Simulation): readonly SimulatedRun[] => [
  simulation,
  ...simulation.compared,
];

const lineColours = (colour: Colours): readonly string[] => [
  colour.accent,
  colour.plan,
  colour.ahead,
  colour.behind,
];

export function RunChart({
  simulation,
  height = 260,
}: {
  readonly simulation: Simulation;
  readonly height?: number;
}) {
  const runs = runsOf(simulation);
  const data = useMemo(() => dataOf(simulation), [simulation]);
  const zone = simulation.timezone;
  const label = runs.map((run) => `${nameOf(run)} spends ${money(run.total_spend_cents)}`).join('; ');
  return (
    <>
      <div class="chart-legend">
        {runs.map((run, at) => (
          <span key={at}>
            <i class={`key run-${at}`} /> {nameOf(run)}
          </span>
        ))}
      </div>
      <Plot
        label={`Simulated spend. ${label}`}
        height={height}
        data={data}
        shape={`runs ${runs.length} ${zone} ${simulation.starts_at} ${simulation.ends_at}`}
        options={(colour) => ({
          legend: { show: false },
          padding: [8, 20, 0, 0],
          cursor: { y: false, drag: { x: false, y: false } },
          scales: { y: { range: (_self, _min, max) => [0, Math.max(1, max) * 1.05] } },
          axes: [
            axis(colour, {
              size: 26,
              space: 72,
              values: (self, splits) => splits.map((at) => tickOf(self, zone, at)),
            }),
            axis(colour, { size: 58, space: 32, values: (_self, splits) => splits.map(shortMoney) }),
          ],
          series: [
            {},
            ...runs.map(
              (_run, at): uPlot.Series => ({
                stroke: lineColours(colour)[at] ?? colour.soft,
                width: at === 0 ? 2.5 : 1.8,
                dash: [...(DASHES[at] ?? [])],
                points: { show: false },
              }),
            ),
          ],
        })}
      />
    </>
  );
}

/** Runs that are compared here differ by their mode alone. */
export const nameOf = (run: SimulatedRun): string => word(run.pacing_mode);

function dataOf(simulation: Simulation): uPlot.AlignedData {
  const runs = runsOf(simulation);
  const starts = simulation.slots.map(({ starts_at }) => Date.parse(starts_at));
  const dates = starts.map((at) => localDayAt(simulation.timezone, at).date);
  const times: number[] = [];
  const lines = runs.map((): number[] => []);
  for (const [slot, startMs] of starts.entries()) {
    if (slot > 0 && dates[slot] !== dates[slot - 1]) {
      // A new day begins at nothing, at once and not over the length of a slot.
      times.push(startMs / 1000 + 1);
      for (const line of lines) line.push(0);
    }
    times.push((starts[slot + 1] ?? Date.parse(simulation.ends_at)) / 1000);
    for (const [at, run] of runs.entries()) lines[at]?.push(run.slots[slot]?.spent_today_cents ?? 0);
  }
  return [times, ...lines];
}

function tickOf(self: uPlot, zone: string, at: number): string {
  const { min = 0, max = 0 } = self.scales.x ?? {};
  const isLong = (max ?? 0) - (min ?? 0) > 1.2 * DAY_SECONDS;
  return isLong ? momentIn(zone, at * 1000) : clockIn(zone, at * 1000);
}
