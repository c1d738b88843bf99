/** The comparison's tables, as cells: for the terminal and for docs/pacing/results.md alike. */
import { fixed } from '../report/table.ts';
import { OURS, type ScenarioOutcome, type Standing } from './comparison.ts';
import type { Verdict } from './limits.ts';
import type { Figure } from './metrics.ts';

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const MET = '✓';
const MISSED = '✗';

/** A verdict's column, and how many digits its figures have. */
const LIMIT_COLUMNS: readonly { readonly name: string; readonly figures: readonly Figure[] }[] = [
  { name: 'delivered ≥', figures: ['delivered', 'deliveredOfSupply'] },
  { name: 'RMSE ≤', figures: ['rmse'] },
  { name: 'feasible RMSE ≤', figures: ['feasibleRmse', 'levelRmse'] },
  { name: 'max error ≤', figures: ['maxError'] },
  { name: 'early, min ≤', figures: ['earlyMinutes'] },
  { name: 'hunting ≤', figures: ['hunting'] },
  { name: 'last ½ h ≤', figures: ['lastHalfHour'] },
  { name: 'overspent, micros', figures: ['overspentMicros'] },
];

const DIGITS: Readonly<Record<Figure, number>> = {
  delivered: 4,
  deliveredOfSupply: 4,
  overspentMicros: 0,
  rmse: 5,
  feasibleRmse: 4,
  levelRmse: 4,
  maxError: 4,
  earlyMinutes: 1,
  hunting: 3,
  lastHalfHour: 4,
};

/** Ours against its limits: the figure, the limit in brackets, and whether it is met. */
export function limitsTable(results: readonly ScenarioOutcome[]): Table {
  const rows = results.map(({ scenario, verdicts }) => [
    scenario.name,
    ...LIMIT_COLUMNS.map(({ figures }) =>
      verdicts
        .filter(({ limit }) => figures.includes(limit.figure))
        .map(verdictText)
        .join(' '),
    ),
    verdicts.every(({ met }) => met) ? MET : MISSED,
  ]);
  const columns = ['scenario', ...LIMIT_COLUMNS.map(({ name }) => name), 'all'];
  return { title: 'Ours against its limits: figure (limit), the worst day unless marked', columns, rows };
}

function verdictText({ limit, value, met }: Verdict): string {
  const digits = DIGITS[limit.figure];
  if (limit.figure === 'overspentMicros') return `${fixed(value, digits)} ${met ? MET : MISSED}`;
  const which = limit.of === 'the mean' ? 'mean ' : limit.of === 'a rare day' ? '1 in 36 ' : '';
  return `${which}${fixed(value, digits)} (${limit.bound}) ${met ? MET : MISSED}`;
}

/** All controllers: the mean over the scenarios, the worst scenario in brackets. */
export function standingsTable(standings: readonly Standing[]): Table {
  const cell = (standing: Standing, figure: Figure, digits: number): string =>
    `${fixed(standing.mean[figure], digits)} (${fixed(standing.worst[figure], digits)})`;
  return {
    title: 'All controllers: mean over the scenarios (worst scenario)',
    columns: ['controller', 'delivered', 'RMSE to curve', 'max error', 'early, min', 'hunting', 'overspent'],
    rows: standings.map((standing) => [
      standing.controller.label,
      cell(standing, 'delivered', 3),
      cell(standing, 'rmse', 4),
      cell(standing, 'maxError', 3),
      cell(standing, 'earlyMinutes', 1),
      cell(standing, 'hunting', 2),
      fixed(standing.overspentMicros, 0),
    ]),
  };
}

/** One figure of every controller in every scenario, its best marked. */
export function figureTable(results: readonly ScenarioOutcome[], figure: Figure, title: string): Table {
  const digits = DIGITS[figure];
  const labels = results[0]?.outcomes.map(({ controller }) => controller.label) ?? [];
  const rows = results.map(({ scenario, outcomes }) => {
    const texts = outcomes.map(({ figures }) => fixed(figures.mean[figure], digits));
    const best = fixed(Math.min(...outcomes.map(({ figures }) => figures.mean[figure])), digits);
    return [scenario.name, ...texts.map((text) => (text === best ? `${text}*` : text))];
  });
  return { title, columns: ['scenario', ...labels], rows };
}

/** How many scenarios each of the controllers is best in, as a sentence. */
export function bestText(results: readonly ScenarioOutcome[]): string {
  const best = results.filter(({ outcomes }) => {
    const ours = outcomes.find(({ controller }) => controller.name === OURS)?.figures.mean.rmse;
    return ours !== undefined && outcomes.every(({ figures }) => figures.mean.rmse >= ours);
  });
  return `ours has the lowest RMSE in ${best.length} of ${results.length} scenarios`;
}

export function markdownTable({ columns, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n');
}
