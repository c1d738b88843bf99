/** Dayparts as a week of hours, 7 × 24, and back. Sunday first. */
import type { WireDaypart } from '../api/types.ts';

const DAYS = 7;
const HOURS = 24;

export type WeekHours = readonly (readonly boolean[])[];

export function weekOf(dayparts: readonly WireDaypart[] | null): WeekHours {
  const week = Array.from({ length: DAYS }, () => Array.from({ length: HOURS }, () => dayparts === null));
  for (const { day_of_week, start_hour, end_hour } of dayparts ?? []) {
    week.forEach((hours, day) => {
      if (day_of_week !== undefined && day_of_week !== day) return;
      for (let hour = start_hour; hour < end_hour; hour++) hours[hour] = true;
    });
  }
  return week;
}

/** null when every hour is on. An hour that all days share is said once, without a day. */
export function daypartsOf(week: WeekHours): readonly WireDaypart[] | null {
  if (week.every((hours) => hours.every(Boolean))) return null;
  const first = week[0] ?? [];
  const isSame = week.every((hours) => hours.every((on, hour) => on === first[hour]));
  if (isSame) return runsOf(first).map(([start_hour, end_hour]) => ({ start_hour, end_hour }));
  return week.flatMap((hours, day_of_week) =>
    runsOf(hours).map(([start_hour, end_hour]) => ({ day_of_week, start_hour, end_hour })),
  );
}

/** Beginnings and ends of the runs of hours that are on. */
function runsOf(hours: readonly boolean[]): readonly (readonly [number, number])[] {
  const runs: [number, number][] = [];
  hours.forEach((on, hour) => {
    const last = runs.at(-1);
    if (!on) return;
    if (last?.[1] === hour) last[1] = hour + 1;
    else runs.push([hour, hour + 1]);
  });
  return runs;
}
