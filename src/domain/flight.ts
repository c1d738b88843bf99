/**
 * The flight: the instants between which a campaign may bid. A bound is a calendar date, which means the
 * whole local day, or an ISO 8601 instant; an instant without an offset is UTC.
 */
import { DAY_MS, firstInstantAtWall, wallMidnight } from './local-day.ts';

export type InstantOrDate =
  /** `wallMs`: the date's midnight as if the wall clock were UTC. */
  | { readonly kind: 'date'; readonly date: string; readonly wallMs: number }
  | { readonly kind: 'instant'; readonly tMs: number };

/** What a bad date's error message says is accepted. */
export const INSTANT_OR_DATE_ACCEPTED = 'YYYY-MM-DD or an ISO 8601 date-time such as 2026-03-01T09:00:00Z';

const INSTANT =
  /^(\d{4}-\d{2}-\d{2})T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)?$/;

/** Reads a date or a date-time, strictly as ISO 8601 writes them; null when the value is neither. */
export function parseInstantOrDate(value: unknown): InstantOrDate | null {
  if (typeof value !== 'string') return null;
  const wallMs = wallMidnight(value);
  if (wallMs !== null) return { kind: 'date', date: value, wallMs };
  const parts = INSTANT.exec(value);
  if (parts?.[1] === undefined || wallMidnight(parts[1]) === null) return null;
  const tMs = Date.parse(parts[2] === undefined ? `${value}Z` : value);
  return Number.isFinite(tMs) ? { kind: 'instant', tMs } : null;
}

export interface FlightBounds {
  /** First instant of the flight, ms; -Infinity when it has no beginning. */
  readonly startMs: number;
  /** First instant after the flight, ms; Infinity when it has no end. */
  readonly endMs: number;
}

const ENDLESS: FlightBounds = { startMs: Number.NEGATIVE_INFINITY, endMs: Number.POSITIVE_INFINITY };

/**
 * The instants between which a campaign may bid. An end date is inclusive: the flight ends with that day.
 * @throws RangeError on a bound that {@link parseInstantOrDate} refuses: check it where it enters.
 */
export function flightBounds(campaign: {
  readonly startDate: string | null;
  readonly endDate: string | null;
  readonly timezone: string;
}): FlightBounds {
  const { startDate, endDate, timezone } = campaign;
  if (startDate === null && endDate === null) return ENDLESS;
  return {
    startMs: startDate === null ? Number.NEGATIVE_INFINITY : boundMs(startDate, timezone, 0),
    endMs: endDate === null ? Number.POSITIVE_INFINITY : boundMs(endDate, timezone, 1),
  };
}

function boundMs(text: string, timezone: string, daysAfter: 0 | 1): number {
  const bound = parseInstantOrDate(text);
  if (bound === null) throw new RangeError('not a date or an instant');
  if (bound.kind === 'instant') return bound.tMs;
  return firstInstantAtWall(timezone, bound.wallMs + daysAfter * DAY_MS);
}
