/** A uPlot chart that follows its container's width, its data and the theme. */
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';

export interface Colours {
  readonly text: string;
  readonly line: string;
  readonly accent: string;
  readonly plan: string;
  readonly ahead: string;
  readonly behind: string;
  readonly soft: string;
}

/** Of the theme that is shown. */
export function colours(): Colours {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string) => style.getPropertyValue(name).trim();
  return {
    text: read('--text-soft'),
    line: read('--line'),
    accent: read('--accent'),
    plan: read('--plan'),
    ahead: read('--ahead'),
    behind: read('--behind'),
    soft: read('--plan-soft'),
  };
}

export interface PlotProps {
  /** What the picture shows, in words. */
  readonly label: string;
  readonly height: number;
  readonly data: uPlot.AlignedData;
  /** Made anew for each theme; everything but the size. */
  readonly options: (colours: Colours) => Omit<uPlot.Options, 'width' | 'height'>;
  /** Changes when the options do. */
  readonly shape: string;
  readonly onCursor?: (index: number | null) => void;
}

export function Plot({ label, height, data, options, shape, onCursor }: PlotProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef({ data, options, onCursor });
  latest.current = { data, options, onCursor };

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const build = () => {
      plot.current?.destroy();
      const made = latest.current.options(colours());
      const setCursor = (self: uPlot) => latest.current.onCursor?.(self.cursor.idx ?? null);
      plot.current = new uPlot(
        { ...made, width: element.clientWidth, height, hooks: { ...made.hooks, setCursor: [setCursor] } },
        latest.current.data,
        element,
      );
    };
    build();
    const sized = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height }));
    sized.observe(element);
    addEventListener('themechange', build);
    return () => {
      removeEventListener('themechange', build);
      sized.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [shape, height]);

  useEffect(() => plot.current?.setData(data), [data]);

  return <div class="plot" ref={box} role="img" aria-label={label} style={{ height: `${height}px` }} />;
}

export const AXIS_FONT = '11px Inter, system-ui, sans-serif';

/** Axes and grid that all plots share. */
export function axis(colour: Colours, more: uPlot.Axis): uPlot.Axis {
  return {
    stroke: colour.text,
    font: AXIS_FONT,
    ticks: { show: false },
    grid: { stroke: colour.line, width: 1 },
    ...more,
  };
}
