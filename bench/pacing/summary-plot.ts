/** How far each controller is from the curve: a dot for every scenario, a bar for the mean, on a log scale. */
import type { ScenarioOutcome, Standing } from './comparison.ts';

const WIDTH = 960;
const LEFT = 230;
const RIGHT = 40;
const TOP = 84;
const ROW = 36;
const DECADES = [0.0001, 0.001, 0.01, 0.1, 1] as const;

export function summarySvg(results: readonly ScenarioOutcome[], standings: readonly Standing[]): string {
  const sorted = [...standings].sort((a, b) => a.mean.rmse - b.mean.rmse);
  const bottom = TOP + sorted.length * ROW;
  const height = bottom + 56;
  const rows = sorted.flatMap(({ controller, mean }, at) => {
    const middle = TOP + at * ROW + ROW / 2;
    const color = controller.name === 'ours' ? '#d1242f' : '#4a7fb5';
    const dots = results.flatMap(({ outcomes }) =>
      outcomes
        .filter((outcome) => outcome.controller.name === controller.name)
        .map(
          ({ figures }) =>
            `<circle cx="${along(figures.mean.rmse)}" cy="${middle}" r="4" fill="${color}" fill-opacity="0.35"/>`,
        ),
    );
    const bar = `<path d="M${along(mean.rmse)} ${middle - 12}v24" stroke="${color}" stroke-width="3.5"/>`;
    const weight = controller.name === 'ours' ? 600 : 400;
    return [
      label(LEFT - 14, middle + 4, controller.label, 'end', 13, weight, '#1f2933'),
      ...dots,
      bar,
      label(along(mean.rmse) + 7, middle - 7, mean.rmse.toFixed(4), 'start', 11, weight, color),
    ];
  });
  const grid = DECADES.flatMap((decade) => [
    `<path d="M${along(decade)} ${TOP}V${bottom}" stroke="#e4e8ec"/>`,
    label(along(decade), bottom + 20, `${decade * 100}%`, 'middle', 12, 400, '#5f6c7b'),
  ]);
  const axis = 'RMSE of cumulative spend to the target curve, of the budget (log scale)';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="RMSE to the target curve of every controller" font-family="system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    label(24, 32, 'How close each controller keeps to the target', 'start', 18, 600, '#1f2933'),
    label(24, 54, dotsText(results.length), 'start', 12.5, 400, '#5f6c7b'),
    ...grid,
    ...rows,
    label(LEFT + (WIDTH - LEFT - RIGHT) / 2, bottom + 42, axis, 'middle', 12, 400, '#1f2933'),
    '</svg>',
    '',
  ].join('\n');
}

function dotsText(scenarios: number): string {
  return `A dot per scenario (${scenarios} of them), a bar for their mean; the same traffic and budget gate for all.`;
}

function along(rmse: number): number {
  const first = Math.log10(DECADES[0]);
  const decades = DECADES.length - 1;
  const part = (Math.log10(Math.max(rmse, DECADES[0])) - first) / decades;
  return Math.round((LEFT + part * (WIDTH - LEFT - RIGHT)) * 10) / 10;
}

function label(
  x: number,
  y: number,
  content: string,
  anchor: 'start' | 'middle' | 'end',
  size: number,
  weight: number,
  color: string,
): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" font-size="${size}" font-weight="${weight}" fill="${color}">${content}</text>`;
}
