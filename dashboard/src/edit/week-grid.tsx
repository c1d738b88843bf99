/** The hours of a week to switch on and off: by a click, by dragging over them, or by keyboard. */
import { useRef } from 'preact/hooks';
import type { WeekHours } from './dayparts.ts';
import { DAY_NAMES } from './week-days.ts';

const MONDAY_FIRST = [1, 2, 3, 4, 5, 6, 0] as const;
const HOURS = Array.from({ length: 24 }, (_, hour) => hour);
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
  const latest = useRef(week);
  latest.current = week;

  const put = (day: number, hour: number, on: boolean) => {
    const next = latest.current.map((hours, at) =>
      at === day ? hours.map((old, hourAt) => (hourAt === hour ? on : old)) : hours,
    );
    latest.current = next;
    onWeek(next);
  };
  const cellAt = (event: PointerEvent): readonly [number, number] | null => {
    const cell = document.elementFromPoint(event.clientX, event.clientY)?.closest<HTMLElement>('[data-hour]');
    return cell == null ? null : [Number(cell.dataset.day), Number(cell.dataset.hour)];
  };
  const begin = (event: PointerEvent) => {
    const cell = cellAt(event);
    if (cell === null) return;
    brush.current = !(week[cell[0]]?.[cell[1]] ?? false);
    put(cell[0], cell[1], brush.current);
  };
  const go = (event: PointerEvent) => {
    const cell = cellAt(event);
    if (brush.current === null || event.buttons === 0 || cell === null) return;
    if (latest.current[cell[0]]?.[cell[1]] !== brush.current) put(cell[0], cell[1], brush.current);
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
