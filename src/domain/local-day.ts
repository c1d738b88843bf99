/**
 * The campaign's local day: which calendar day an instant belongs to in an IANA zone, when that day begins
 * and ends, and which wall-clock hour it is. Days partition time: a day begins at the first instant whose
 * local date is at least its date, so a day is never returned to, and one that the zone skipped is empty.
 *
 * A day carries its UTC offsets, so hours are plain arithmetic. What this module keeps (formatters and the
 * last day per zone) is a bounded memo of pure results; a lookup inside the same day costs one Map.get.
 */

export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

const ZONE_CACHE_MAX = 1024;
/** A formatter holds tens of kilobytes outside the heap; a day costs only a few hundred bytes. */
const FORMATTER_CACHE_MAX = 64;
/** No zone has ever been further than this from UTC. */
const OFFSET_MS_MAX = 26 * HOUR_MS;

export interface LocalDay {
  /** `YYYY-MM-DD`. */
  readonly date: string;
  /** First instant of the day, ms since the epoch. */
  readonly startMs: number;
  /** First instant after the day. */
  readonly endMs: number;
  /** 0 = Sunday … 6 = Saturday. */
  readonly dayOfWeek: number;
  /** Wall clock less UTC from `startMs` to `shiftMs`, in ms. */
  readonly offsetMs: number;
  /** The instant within the day at which the clocks change, or `endMs` when they do not. */
  readonly shiftMs: number;
  /** Wall clock less UTC from `shiftMs` to `endMs`, in ms. */
  readonly offsetAfterMs: number;
}

const formatters = new Map<string, Intl.DateTimeFormat>();
const lastDays = new Map<string, LocalDay>();

/** Whether a value names an IANA time zone this runtime knows; bare offsets such as `+01:00` are refused. */
export function isTimezone(value: unknown): value is string {
  if (typeof value !== 'string' || !/^[A-Za-z]/.test(value)) return false;
  if (lastDays.has(value)) return true;
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: value });
    return true;
  } catch {
    return false;
  }
}

/**
 * The local day that holds an instant.
 * @throws RangeError when the zone is unknown: check it with {@link isTimezone} where it enters.
 */
export function localDayAt(timezone: string, tMs: number): LocalDay {
  const known = lastDays.get(timezone);
  if (known !== undefined && tMs >= known.startMs && tMs < known.endMs) return known;
  const day = isUtc(timezone) ? utcDayAt(tMs) : zonedDayAt(timezone, tMs);
  if (known === undefined) makeRoom(lastDays, ZONE_CACHE_MAX);
  lastDays.set(timezone, day);
  return day;
}

/** Wall-clock hour of an instant within `day`, 0–23. */
export function localHourAt(day: LocalDay, tMs: number): number {
  return hourOfWall(tMs + offsetAt(day, tMs));
}

/**
 * The instant at which the wall-clock hour that holds `tMs` began. An hour that the clocks repeat without a
 * gap is one long hour, so within a day each hour has one beginning.
 */
export function localHourStart(day: LocalDay, tMs: number): number {
  const began = tMs - sinceHour(tMs + offsetAt(day, tMs));
  if (tMs < day.shiftMs || began > day.shiftMs) return Math.max(began, day.startMs);
  const wallBefore = day.shiftMs - 1 + day.offsetMs;
  const repeats = day.shiftMs > day.startMs && hourOfWall(wallBefore) === localHourAt(day, tMs);
  return repeats ? Math.max(day.shiftMs - 1 - sinceHour(wallBefore), day.startMs) : day.shiftMs;
}

/** The first instant after `tMs` at which the wall-clock hour of `day` can differ, at most the day's end. */
export function nextHourChange(day: LocalDay, tMs: number): number {
  const next = tMs - sinceHour(tMs + offsetAt(day, tMs)) + HOUR_MS;
  const bounded = tMs < day.shiftMs ? Math.min(next, day.shiftMs) : next;
  return Math.min(bounded, day.endMs);
}

/** The date's midnight as if the wall clock were UTC, or null when it is not a calendar date. */
export function wallMidnight(date: string): number | null {
  if (!/^[1-9]\d{3}-\d{2}-\d{2}$/.test(date)) return null;
  const wallMs = Date.parse(`${date}T00:00:00Z`);
  return Number.isFinite(wallMs) && dateOfWall(wallMs) === date ? wallMs : null;
}

function offsetAt(day: LocalDay, tMs: number): number {
  return tMs < day.shiftMs ? day.offsetMs : day.offsetAfterMs;
}

function hourOfWall(wallMs: number): number {
  return Math.floor((wallMs - Math.floor(wallMs / DAY_MS) * DAY_MS) / HOUR_MS);
}

/** Milliseconds since the wall-clock hour began. */
function sinceHour(wallMs: number): number {
  return wallMs - Math.floor(wallMs / HOUR_MS) * HOUR_MS;
}

function dateOfWall(wallMs: number): string {
  return new Date(wallMs).toISOString().slice(0, -14);
}

function isUtc(timezone: string): boolean {
  return timezone === 'UTC' || timezone === 'Etc/UTC';
}

function utcDayAt(tMs: number): LocalDay {
  const startMs = Math.floor(tMs / DAY_MS) * DAY_MS;
  const endMs = startMs + DAY_MS;
  const dayOfWeek = new Date(startMs).getUTCDay();
  return {
    date: dateOfWall(startMs),
    startMs,
    endMs,
    dayOfWeek,
    offsetMs: 0,
    shiftMs: endMs,
    offsetAfterMs: 0,
  };
}

function zonedDayAt(timezone: string, tMs: number): LocalDay {
  const wallMs = tMs + zoneOffset(timezone, tMs);
  let wallDayMs = Math.floor(wallMs / DAY_MS) * DAY_MS;
  let endMs = firstInstantAtWall(timezone, wallDayMs + DAY_MS);
  // Clocks set back over midnight show the old date again; the new day has begun all the same.
  for (let skipped = 0; tMs >= endMs && skipped < 2; skipped++) {
    wallDayMs += DAY_MS;
    endMs = firstInstantAtWall(timezone, wallDayMs + DAY_MS);
  }
  const startMs = firstInstantAtWall(timezone, wallDayMs);
  const offsetMs = zoneOffset(timezone, startMs);
  const offsetAfterMs = zoneOffset(timezone, endMs - 1);
  const shiftMs = offsetMs === offsetAfterMs ? endMs : offsetChange(timezone, startMs, endMs - 1000);
  const dayOfWeek = new Date(wallDayMs).getUTCDay();
  return { date: dateOfWall(wallDayMs), startMs, endMs, dayOfWeek, offsetMs, shiftMs, offsetAfterMs };
}

/** The first instant at which the zone's wall clock shows `wallMs` (written as if it were UTC) or later. */
export function firstInstantAtWall(timezone: string, wallMs: number): number {
  if (isUtc(timezone)) return wallMs;
  let tMs = wallMs - OFFSET_MS_MAX;
  for (let shifts = 0; shifts < 4; shifts++) {
    const offsetMs = zoneOffset(timezone, tMs);
    const candidateMs = wallMs - offsetMs;
    if (candidateMs <= tMs) return tMs; // a shift forward jumped over it
    if (zoneOffset(timezone, candidateMs) === offsetMs) return candidateMs;
    tMs = offsetChange(timezone, tMs, candidateMs);
  }
  throw new RangeError('more clock changes in two days than any zone has');
}

/** The first whole second in (fromMs, toMs] with another offset than at `fromMs`; there is one between. */
function offsetChange(timezone: string, fromMs: number, toMs: number): number {
  const offsetMs = zoneOffset(timezone, fromMs);
  let before = fromMs / 1000;
  let after = toMs / 1000;
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (zoneOffset(timezone, middle * 1000) === offsetMs) before = middle;
    else after = middle;
  }
  return after * 1000;
}

/** Wall clock less UTC at an instant, in ms. */
function zoneOffset(timezone: string, tMs: number): number {
  const second = Math.floor(tMs / 1000) * 1000;
  const parts = /^(\d+)\/(\d+)\/(\d+), (\d+):(\d+):(\d+)$/.exec(formatterOf(timezone).format(second));
  if (parts === null) throw new RangeError('the local time has an unknown format');
  const [, month, date, year, hour, minute, second60] = parts;
  const wallMs = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(date),
    Number(hour),
    Number(minute),
    Number(second60),
  );
  return wallMs - second;
}

function formatterOf(timezone: string): Intl.DateTimeFormat {
  const known = formatters.get(timezone);
  if (known !== undefined) return known;
  makeRoom(formatters, FORMATTER_CACHE_MAX);
  const two = '2-digit';
  const formatter = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: two,
    day: two,
    hour: two,
    minute: two,
    second: two,
  });
  formatters.set(timezone, formatter);
  return formatter;
}

/** Drops the oldest entry of a full cache. */
function makeRoom<T>(cache: Map<string, T>, entriesMax: number): void {
  if (cache.size < entriesMax) return;
  for (const oldest of cache.keys()) {
    cache.delete(oldest);
    return;
  }
}
