/** Hand-made SVG: stacked panels over one horizontal axis, with grid, labels and a legend. No dependency. */

export interface Line {
  readonly label: string;
  readonly color: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly dashed: boolean;
  readonly width: number;
}

export interface Axis {
  readonly label: string;
  readonly from: number;
  readonly to: number;
  readonly ticks: readonly number[];
  readonly tickText: (value: number) => string;
}

export interface Panel {
  readonly axis: Axis;
  readonly height: number;
  readonly lines: readonly Line[];
}

export interface Chart {
  readonly title: string;
  readonly subtitle: string;
  readonly x: Axis;
  readonly panels: readonly Panel[];
  readonly legend: readonly Line[];
}

const WIDTH = 960;
const LEFT = 74;
const RIGHT = 24;
const TOP = 104;
const GAP = 34;
const BOTTOM = 52;
const PLOT_WIDTH = WIDTH - LEFT - RIGHT;
const LEGEND_COLUMN = 222;

const INK = '#1f2933';
const MUTED = '#5f6c7b';
const GRID = '#e4e8ec';

export function chartSvg(chart: Chart): string {
  let top = TOP;
  const panels = chart.panels.map((panel) => {
    const svg = panelSvg(panel, chart.x, top);
    top += panel.height + GAP;
    return svg;
  });
  const bottom = top - GAP;
  const height = bottom + BOTTOM;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(chart.title)}" font-family="system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    text(LEFT, 30, chart.title, { size: 18, weight: 600 }),
    text(LEFT, 50, chart.subtitle, { size: 12.5, color: MUTED }),
    ...legendSvg(chart.legend),
    ...panels,
    ...chart.x.ticks.map((tick) =>
      text(along(chart.x, tick), bottom + 18, chart.x.tickText(tick), { anchor: 'middle', color: MUTED }),
    ),
    text(LEFT + PLOT_WIDTH / 2, bottom + 40, chart.x.label, { anchor: 'middle' }),
    '</svg>',
    '',
  ].join('\n');
}

function panelSvg(panel: Panel, x: Axis, top: number): string {
  const { axis, height, lines } = panel;
  const bottom = top + height;
  const up = (value: number): number =>
    bottom - ((clamp(value, axis.from, axis.to) - axis.from) / (axis.to - axis.from)) * height;
  const grid = axis.ticks.flatMap((tick) => [
    rule(LEFT, up(tick), LEFT + PLOT_WIDTH, up(tick), tick === 0 ? '#9aa5b1' : GRID),
    text(LEFT - 10, up(tick) + 4, axis.tickText(tick), { anchor: 'end', color: MUTED }),
  ]);
  const hours = x.ticks.map((tick) => rule(along(x, tick), top, along(x, tick), bottom, GRID));
  const paths = lines.map((line) => {
    const d = line.points
      .map(([px, py], at) => `${at === 0 ? 'M' : 'L'}${short(along(x, px))} ${short(up(py))}`)
      .join('');
    const dash = line.dashed ? ' stroke-dasharray="6 5"' : '';
    return `<path d="${d}" fill="none" stroke="${line.color}" stroke-width="${line.width}" stroke-linejoin="round"${dash}/>`;
  });
  const label = `<text transform="translate(18 ${short(top + height / 2)}) rotate(-90)" text-anchor="middle" font-size="12" fill="${INK}">${escaped(axis.label)}</text>`;
  return [...grid, ...hours, ...paths, label].join('\n');
}

function legendSvg(lines: readonly Line[]): string[] {
  return lines.flatMap((line, at) => {
    const left = LEFT + (at % 4) * LEGEND_COLUMN;
    const middle = 70 + Math.floor(at / 4) * 18;
    const dash = line.dashed ? ' stroke-dasharray="6 5"' : '';
    return [
      `<path d="M${left} ${middle}h24" stroke="${line.color}" stroke-width="${Math.max(line.width, 2)}"${dash}/>`,
      text(left + 31, middle + 4, line.label, {}),
    ];
  });
}

function along(x: Axis, value: number): number {
  return LEFT + ((clamp(value, x.from, x.to) - x.from) / (x.to - x.from)) * PLOT_WIDTH;
}

interface TextStyle {
  readonly size?: number;
  readonly weight?: number;
  readonly color?: string;
  readonly anchor?: 'middle' | 'end';
}

function text(x: number, y: number, content: string, style: TextStyle): string {
  const { size = 12, weight = 400, color = INK, anchor = 'start' } = style;
  return `<text x="${short(x)}" y="${short(y)}" font-size="${size}" font-weight="${weight}" fill="${color}" text-anchor="${anchor}">${escaped(content)}</text>`;
}

function rule(x1: number, y1: number, x2: number, y2: number, color: string): string {
  return `<path d="M${short(x1)} ${short(y1)}L${short(x2)} ${short(y2)}" stroke="${color}" stroke-width="1"/>`;
}

function short(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function clamp(value: number, from: number, to: number): number {
  return Math.min(Math.max(value, from), to);
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
