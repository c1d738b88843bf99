/** The hours of a week to switch on and off: by a click, by dragging over them, or by keyboard. */
import { useRef } from 'preact/hooks';
import type { WeekHours } from './dayparts.ts';
import { DAY_NAMES } from './week-days.ts';

const MONDAY_FIRST = [1, 2, 3, 4, 5, 6, 0] as const;
const HOURS = Array.from({ length: 24 }, (_, hour) => hour);
/** Less than a cell is wide on a phone. */
const BRUSH_STEP_PX = 6;
const MOVES: Readonly<Record<string, readonly [number, number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

export function WeekGrid(props: { readonly week: WeekHours; readonly onWeek: (week: WeekHours) => void }) {
  const { week, onWeek } = props;
  const box = useRef<HTMLDivElement>(null);
  /** What dragging puts the hours to; null while nothing is dragged. */
  const brush = useRef<boolean | null>(null);
  const lastSpot = useRef<readonly [x: number, y: number]>([0, 0]);
  const latest = useRef(week);
  latest.current = week;

  const put = (day: number, hour: number, on: boolean) => {
    const next = latest.current.map((hours, at) =>
      at === day ? hours.map((old, hourAt) => (hourAt === hour ? on : old)) : hours,
    );
    latest.current = next;
    onWeek(next);
  };
  const cellAt = (x: number, y: number): readonly [number, number] | null => {
    const cell = document.elementFromPoint(x, y)?.closest<HTMLElement>('[data-hour]');
    return cell == null ? null : [Number(cell.dataset.day), Number(cell.dataset.hour)];
  };
  const begin = ({ clientX, clientY }: PointerEvent) => {
    const cell = cellAt(clientX, clientY);
    if (cell === null) return;
    lastSpot.current = [clientX, clientY];
    brush.current = !(week[cell[0]]?.[cell[1]] ?? false);
    put(cell[0], cell[1], brush.current);
  };
  const go = ({ clientX, clientY, buttons }: PointerEvent) => {
    if (brush.current === null || buttons === 0) return;
    const [fromX, fromY] = lastSpot.current;
    lastSpot.current = [clientX, clientY];
    // A fast pointer leaps over cells: those on its way are painted too.
    const steps = Math.ceil(Math.hypot(clientX - fromX, clientY - fromY) / BRUSH_STEP_PX);
    for (let step = 1; step <= steps; step++) {
      const share = step / steps;
      const cell = cellAt(fromX + (clientX - fromX) * share, fromY + (clientY - fromY) * share);
      if (cell === null || latest.current[cell[0]]?.[cell[1]] === brush.current) continue;
      put(cell[0], cell[1], brush.current);
    }
  };
  const key = (event: KeyboardEvent, at: number, hour: number) => {
    const move = MOVES[event.key];
    if (move !== undefined) {
      event.preventDefault();
      const day = MONDAY_FIRST[at + move[0]];
      box.current?.querySelector<HTMLElement>(`[data-day="${day}"][data-hour="${hour + move[1]}"]`)?.focus();
    } else if (event.key === ' ' || event.key === 'Enter') {
      event.preventDefault();
      const day = MONDAY_FIRST[at] ?? 0;
      put(day, hour, !(week[day]?.[hour] ?? false));
    }
  };
  return (
    <div
      class="week"
      ref={box}
      role="group"
      aria-label="Hours in which the campaign may bid"
      onPointerDown={begin}
      onPointerMove={go}
      onPointerUp={() => {
        brush.current = null;
      }}
    >
      <span />
      {HOURS.map((hour) => (
        <span key={hour} class="hour" aria-hidden="true">
          {hour % 6 === 0 ? String(hour).padStart(2, '0') : ''}
        </span>
      ))}
      {MONDAY_FIRST.map((day, at) => (
        <>
          <span class="day">{DAY_NAMES[day].slice(0, 3)}</span>
          {HOURS.map((hour) => (
            <button
              key={hour}
              type="button"
              data-day={day}
              data-hour={hour}
              tabIndex={at === 0 && hour === 0 ? 0 : -1}
              aria-pressed={week[day]?.[hour] ?? false}
              aria-label={`${DAY_NAMES[day]} ${String(hour).padStart(2, '0')}:00`}
              onKeyDown={(event) => key(event, at, hour)}
            />
          ))}
        </>
      ))}
    </div>
  );
}
