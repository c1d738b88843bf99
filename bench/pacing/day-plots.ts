/** The days that docs/pacing shows: cumulative spend and its distance from the target, several controllers. */
import type { DayRecord } from './campaign-day.ts';
import type { ScenarioOutcome } from './comparison.ts';
import { type Axis, type Chart, chartSvg, type Line } from './plot.ts';

interface DayPlot {
  readonly scenario: string;
  readonly file: string;
  readonly title: string;
  /** The lower panel shows errors within this share of the budget. */
  readonly errorShown: number;
}

const PLOTS: readonly DayPlot[] = [
  {
    scenario: 'spike',
    file: 'spike-day.svg',
    title: 'A day with ten times the traffic at 3, 10 and 20 h',
    errorShown: 0.06,
  },
  {
    scenario: 'collapse',
    file: 'collapse-day.svg',
    title: 'No traffic from 10 to 12 h, hardly any from 18 to 18:30',
    errorShown: 0.12,
  },
  {
    scenario: 'tight-supply',
    file: 'tight-supply-day.svg',
    title: 'Traffic that could spend 1.25 budgets, least of it at night',
    errorShown: 0.12,
  },
];

/** Who is drawn, in this order; colours that stay apart for colour-blind eyes. */
const COLORS: Readonly<Record<string, string>> = {
  'hourly-bucket': '#b8860b',
  'smart-pacing-15': '#cc79a7',
  mystique: '#009e73',
  'linkedin-ptr': '#e69f00',
  'pi-spend-ratio': '#56b4e9',
  ours: '#d1242f',
};

const X: Axis = {
  label: 'hour of the day',
  from: 0,
  to: 24,
  ticks: [0, 3, 6, 9, 12, 15, 18, 21, 24],
  tickText: (hour) => `${hour}:00`,
};

/** The plots whose scenario was run, by file name. */
export function dayPlots(results: readonly ScenarioOutcome[]): Map<string, string> {
  const plots = new Map<string, string>();
  for (const plot of PLOTS) {
    const result = results.find(({ scenario }) => scenario.name === plot.scenario);
    if (result !== undefined) plots.set(plot.file, chartSvg(chartOf(plot, result)));
  }
  return plots;
}

function chartOf(plot: DayPlot, { scenario, outcomes }: ScenarioOutcome): Chart {
  const drawn = outcomes
    .filter(({ controller }) => COLORS[controller.name] !== undefined)
    .map(({ controller, firstDay }) => ({ controller, day: firstDay, width: widthOf(controller.name) }));
  const first = drawn[0];
  const target: Line[] =
    first === undefined ? [] : [line('target', '#1f2933', shares(first.day, 'target'), 1.5, true)];
  const spend = drawn.map(({ controller, day, width }) =>
    line(controller.label, COLORS[controller.name] ?? '', shares(day, 'spent'), width, false),
  );
  const errors = drawn.map(({ controller, day, width }) =>
    line(controller.label, COLORS[controller.name] ?? '', shares(day, 'error'), width, false),
  );
  const { errorShown } = plot;
  return {
    title: plot.title,
    subtitle: `Scenario "${scenario.name}": ${scenario.describe}. The same traffic for all, seed 1.`,
    x: X,
    panels: [
      {
        axis: {
          label: 'spent, of the budget',
          from: 0,
          to: 1,
          ticks: [0, 0.25, 0.5, 0.75, 1],
          tickText: percent,
        },
        height: 250,
        lines: [...spend, ...target],
      },
      {
        axis: {
          label: 'spent less target',
          from: -errorShown,
          to: errorShown,
          ticks: [-1, -0.5, 0, 0.5, 1].map((part) => part * errorShown),
          tickText: (value) => `${value > 0 ? '+' : ''}${percent(value)}`,
        },
        height: 190,
        lines: errors,
      },
    ],
    legend: [...spend, ...target],
  };
}

function widthOf(name: string): number {
  return name === 'ours' ? 2.4 : 1.4;
}

function line(
  label: string,
  color: string,
  points: readonly (readonly [number, number])[],
  width: number,
  dashed: boolean,
): Line {
  return { label, color, points, width, dashed };
}

/** A point every five minutes. */
function shares(day: DayRecord, of: 'spent' | 'target' | 'error'): (readonly [number, number])[] {
  const points: (readonly [number, number])[] = [];
  for (let sample = 4; sample < day.spentMicros.length; sample += 5) {
    const spent = (day.spentMicros[sample] ?? 0) / (day.budgetsMicros[sample] ?? 1);
    const target = (day.targetMicros[sample] ?? 0) / (day.budgetsMicros[sample] ?? 1);
    const value = of === 'spent' ? spent : of === 'target' ? target : spent - target;
    points.push([(day.firstMinute + sample) / 60, value]);
  }
  return points;
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10}%`;
}
