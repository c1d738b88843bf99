/** The document's plot: a bar of CPM for each lever behind the reserving gate, with its spend. Plain SVG. */
import { cpmOf, type Outcome } from './market-run.ts';
import { dollars } from './report.ts';

const WIDTH = 790;
const LABEL_WIDTH = 250;
const BAR_WIDTH = 300;
const BAR_HEIGHT = 26;
const ROW_HEIGHT = 40;
const TOP = 76;
const BOTTOM = 46;
const GRID_STEPS = 4;

const INK = '#1f2933';
const MUTED = '#616e7c';
const GRID = '#d9e2ec';
const OTHERS = '#9fb3c8';
const OURS = '#2f6f9f';

export function plotSvg(outcomes: readonly Outcome[], title: string): string {
  const shown = outcomes.filter((outcome) => outcome.gate === 'reserving');
  const step = niceStep(Math.max(...shown.map(cpmOf)) / GRID_STEPS);
  const scale = BAR_WIDTH / (step * GRID_STEPS);
  const height = TOP + shown.length * ROW_HEIGHT + BOTTOM;
  const bars = shown.map((outcome, at) => bar(outcome, TOP + at * ROW_HEIGHT, scale));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}"`,
    '  font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif" font-size="14">',
    `  <title>${title}</title>`,
    `  <rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    text(20, 30, title, `font-size="17" font-weight="600" fill="${INK}"`),
    text(
      20,
      52,
      'Dollars per thousand impressions won, and spend; all behind the reserving gate',
      `fill="${MUTED}"`,
    ),
    ...gridLines(step, scale, height),
    ...bars,
    '</svg>',
    '',
  ].join('\n');
}

function bar(outcome: Outcome, y: number, scale: number): string {
  const cpm = cpmOf(outcome);
  const width = cpm * scale;
  const middle = y + BAR_HEIGHT / 2 + 5;
  const weight = outcome.lever.ours ? '600' : '400';
  return [
    text(LABEL_WIDTH - 12, middle, outcome.lever.title, `text-anchor="end" fill="${INK}" font-size="13"`),
    `  <rect x="${LABEL_WIDTH}" y="${y}" width="${width.toFixed(1)}" height="${BAR_HEIGHT}" rx="2" fill="${outcome.lever.ours ? OURS : OTHERS}"/>`,
    text(LABEL_WIDTH + width + 8, middle, `$${cpm.toFixed(1)}`, `font-weight="${weight}" fill="${INK}"`),
    text(WIDTH - 20, middle, `spent $${dollars(outcome.spentMicros)}`, `text-anchor="end" fill="${MUTED}"`),
  ].join('\n');
}

function gridLines(step: number, scale: number, height: number): string[] {
  return Array.from({ length: GRID_STEPS + 1 }, (_, at) => {
    const x = (LABEL_WIDTH + at * step * scale).toFixed(1);
    const bottom = height - BOTTOM + 4;
    return [
      `  <line x1="${x}" y1="${TOP - 8}" x2="${x}" y2="${bottom}" stroke="${GRID}"/>`,
      text(Number(x), bottom + 20, `$${at * step}`, `text-anchor="middle" fill="${MUTED}" font-size="12"`),
    ].join('\n');
  });
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `  <text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${content}</text>`;
}

/** The least of 1, 2, 2.5, 5 and 10 times a power of ten that is no less than `least`. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 2.5, 5].find((factor) => factor * power >= least) ?? 10) * power;
}
