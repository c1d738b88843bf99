/** Multipliers of the hours 0–23 as bars to drag, or to move with the arrow keys. */
import { useRef } from 'preact/hooks';

export const NEUTRAL = 1;
/** What the bars reach to unless an hour is higher already. */
const TOP = 3;
const STEP = 0.1;

export function Weights(props: {
  readonly values: readonly number[];
  readonly onValues: (values: readonly number[]) => void;
}) {
  const { values, onValues } = props;
  const box = useRef<HTMLDivElement>(null);
  const top = Math.max(TOP, ...values);

  const put = (hour: number, value: number) => {
    const bounded = Math.min(100, Math.max(0, Math.round(value * 10) / 10));
    onValues(values.map((old, at) => (at === hour ? bounded : old)));
  };
  const drag = (event: PointerEvent) => {
    const element = box.current;
    if (element === null || event.buttons === 0) return;
    const { left, width, bottom, height } = element.getBoundingClientRect();
    const hour = Math.min(23, Math.max(0, Math.floor((24 * (event.clientX - left)) / width)));
    put(hour, (top * (bottom - event.clientY)) / height);
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
