/** Multipliers of the hours 0–23 as bars to drag, or to move with the arrow keys. */
import { useRef } from 'preact/hooks';

export const NEUTRAL = 1;
/** What the bars reach to unless an hour is higher already. */
const TOP = 3;
const STEP = 0.1;
const WEIGHT_MAX = 100;

interface Spot {
  readonly hour: number;
  readonly value: number;
}

/** Weights after a pointer went from one spot to another, with the hours that it leapt over on a straight line. */
function stroke(values: readonly number[], from: Spot, to: Spot): readonly number[] {
  const hours = to.hour - from.hour;
  return values.map((old, hour) => {
    const passed = hours === 0 ? Number(hour === to.hour) : (hour - from.hour) / hours;
    if (passed <= 0 || passed > 1) return old;
    const value = from.value + (to.value - from.value) * passed;
    return Math.min(WEIGHT_MAX, Math.max(0, Math.round(value * 10) / 10));
  });
}

export function Weights(props: {
  readonly values: readonly number[];
  readonly onValues: (values: readonly number[]) => void;
}) {
  const { values, onValues } = props;
  const box = useRef<HTMLDivElement>(null);
  /** Where the pointer that drags was last. */
  const brush = useRef<Spot | null>(null);
  const latest = useRef(values);
  latest.current = values;
  const top = Math.max(TOP, ...values);

  const paint = (to: Spot, from: Spot) => {
    latest.current = stroke(latest.current, from, to);
    onValues(latest.current);
  };
  const put = (hour: number, value: number) => paint({ hour, value }, { hour, value });
  const drag = (event: PointerEvent) => {
    const element = box.current;
    if (element === null || event.buttons === 0) return;
    const { left, width, bottom, height } = element.getBoundingClientRect();
    const hour = Math.min(23, Math.max(0, Math.floor((24 * (event.clientX - left)) / width)));
    const to: Spot = { hour, value: (top * (bottom - event.clientY)) / height };
    paint(to, brush.current ?? to);
    brush.current = to;
  };
  const key = (event: KeyboardEvent, hour: number) => {
    const value = values[hour] ?? NEUTRAL;
    const steps: Readonly<Record<string, number>> = {
      ArrowUp: value + STEP,
      ArrowDown: value - STEP,
      PageUp: value + 0.5,
      PageDown: value - 0.5,
      Home: 0,
      End: top,
    };
    const next = steps[event.key];
    if (next !== undefined) {
      event.preventDefault();
      put(hour, next);
    } else if (event.key === 'ArrowRight' || event.key === 'ArrowLeft') {
      event.preventDefault();
      const other = hour + (event.key === 'ArrowRight' ? 1 : -1);
      box.current?.querySelector<HTMLElement>(`[data-hour="${other}"]`)?.focus();
    }
  };
  return (
    <div>
      <div
        class="weights"
        ref={box}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          brush.current = null;
          drag(event);
        }}
        onPointerMove={drag}
      >
        {values.map((value, hour) => (
          <div
            key={hour}
            role="slider"
            tabIndex={0}
            data-hour={hour}
            aria-label={`Weight of ${String(hour).padStart(2, '0')}:00`}
            aria-orientation="vertical"
            aria-valuemin={0}
            aria-valuemax={top}
            aria-valuenow={value}
            onKeyDown={(event) => key(event, hour)}
          >
            <i style={{ height: `${(100 * value) / top}%` }} />
          </div>
        ))}
      </div>
      <div class="weights-values" aria-hidden="true">
        {values.map((value, hour) => (
          <span key={hour}>
            <b>{value}</b>
            {hour % 3 === 0 ? String(hour).padStart(2, '0') : ''}
          </span>
        ))}
      </div>
    </div>
  );
}
