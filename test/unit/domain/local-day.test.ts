import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { flightBounds, parseInstantOrDate } from '../../../src/domain/flight.ts';
import {
  firstInstantAtWall,
  HOUR_MS,
  isTimezone,
  localDayAt,
  localHourAt,
  localHourStart,
  nextHourChange,
  wallMidnight,
} from '../../../src/domain/local-day.ts';

const midnightOf = (zone: string, date: string): number =>
  firstInstantAtWall(zone, wallMidnight(date) ?? Number.NaN);

const at = (iso: string): number => Date.parse(iso);
const hours = (day: { startMs: number; endMs: number }): number => (day.endMs - day.startMs) / HOUR_MS;

describe('the local day', () => {
  test('is the UTC day in UTC', () => {
    const day = localDayAt('UTC', at('2026-03-01T13:14:15.678Z'));
    expect(day).toMatchObject({ date: '2026-03-01', dayOfWeek: 0, startMs: at('2026-03-01T00:00:00Z') });
    expect(hours(day)).toBe(24);
  });

  test.each([
    ['Europe/Berlin', '2026-03-29', 23],
    ['Europe/Berlin', '2026-10-25', 25],
    ['America/New_York', '2026-03-08', 23],
    ['America/New_York', '2026-11-01', 25],
    ['Australia/Lord_Howe', '2026-10-04', 23.5],
    ['Australia/Lord_Howe', '2026-04-05', 24.5],
    ['Asia/Kathmandu', '2026-04-05', 24],
    ['Atlantic/Azores', '2026-10-25', 25],
  ])('in %s on %s has %f hours', (zone, date, expected) => {
    const day = localDayAt(zone, midnightOf(zone, date));
    expect(day.date).toBe(date);
    expect(hours(day)).toBe(expected);
  });

  test.each([
    ['America/Sao_Paulo', '2017-10-15', '2017-10-15T03:00:00Z'],
    ['Africa/Cairo', '2026-04-24', '2026-04-23T22:00:00Z'],
    ['Asia/Beirut', '2026-03-29', '2026-03-28T22:00:00Z'],
  ])('in %s on %s, when midnight does not exist, begins at 01:00 and lasts 23 hours', (zone, date, start) => {
    const day = localDayAt(zone, at(start));
    expect(day).toMatchObject({ date, startMs: at(start) });
    expect(hours(day)).toBe(23);
    expect(localHourAt(day, day.startMs)).toBe(1);
    expect(localDayAt(zone, at(start) - 1).endMs).toBe(at(start));
  });

  test('is 25 hours long when the clocks go back at midnight', () => {
    const day = localDayAt('America/Sao_Paulo', at('2018-02-17T12:00:00Z'));
    expect(hours(day)).toBe(25);
    expect(localHourAt(day, day.endMs - 1)).toBe(23);
    expect(localHourStart(day, day.endMs - 1)).toBe(day.endMs - 2 * HOUR_MS);
  });

  test('goes from the 29th to the 31st where the zone skipped a date', () => {
    const before = localDayAt('Pacific/Apia', at('2011-12-30T09:59:59Z'));
    const after = localDayAt('Pacific/Apia', at('2011-12-30T10:00:00Z'));
    expect([before.date, after.date]).toEqual(['2011-12-29', '2011-12-31']);
    expect(before.endMs).toBe(after.startMs);
    expect(midnightOf('Pacific/Apia', '2011-12-30')).toBe(after.startMs);
    expect(hours(after)).toBe(24);
  });

  test('does not return to a day once its midnight has passed', () => {
    // St John's set its clocks back at 00:01, to 23:01 of the day before.
    const midnight = at('2006-10-29T02:30:00Z');
    const dates = [10 * 60_000, -1, 0].map((ms) => localDayAt('America/St_Johns', midnight + ms).date);
    expect(dates).toEqual(['2006-10-29', '2006-10-28', '2006-10-29']);
    const day = localDayAt('America/St_Johns', midnight);
    expect(nextHourChange(day, midnight)).toBe(midnight + 60_000);
    expect(localHourAt(day, midnight + 60_000)).toBe(23);
    expect(midnightOf('America/St_Johns', '2006-10-29')).toBe(midnight);
  });

  const zones = fc.constantFrom(
    ...['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Africa/Cairo', 'Asia/Beirut'],
    ...['Pacific/Apia', 'America/Sao_Paulo', 'Africa/Casablanca', 'Asia/Kathmandu', 'Pacific/Chatham'],
  );
  const instants = fc.integer({ min: at('1990-01-01T00:00:00Z'), max: at('2040-01-01T00:00:00Z') });

  test('days partition time: each instant is in its day, and days follow each other without a gap', () => {
    fc.assert(
      fc.property(zones, instants, (zone, tMs) => {
        const day = localDayAt(zone, tMs);
        expect(day.startMs <= tMs && tMs < day.endMs).toBe(true);
        const next = localDayAt(zone, day.endMs);
        expect(next.startMs).toBe(day.endMs);
        expect(next.date > day.date).toBe(true);
        expect(localDayAt(zone, day.startMs)).toEqual(day);
        expect(midnightOf(zone, day.date)).toBe(day.startMs);
      }),
      { numRuns: 300 },
    );
  });

  test('the hour agrees with the wall clock, began at or before now and lasts to the next change', () => {
    const clocks = new Map<string, Intl.DateTimeFormat>();
    fc.assert(
      fc.property(zones, instants, (zone, tMs) => {
        const clock =
          clocks.get(zone) ??
          new Intl.DateTimeFormat('en', { timeZone: zone, hour: '2-digit', hourCycle: 'h23' });
        clocks.set(zone, clock);
        const day = localDayAt(zone, tMs);
        const hour = localHourAt(day, tMs);
        expect(hour).toBe(Number(clock.format(tMs)));
        const began = localHourStart(day, tMs);
        expect(began <= tMs && began >= day.startMs).toBe(true);
        expect(localHourAt(day, began)).toBe(hour);
        if (began > day.startMs) expect(localHourAt(day, began - 1)).not.toBe(hour);
        const next = nextHourChange(day, tMs);
        expect(next > tMs && next <= day.endMs).toBe(true);
        expect(localHourAt(day, next - 1)).toBe(hour);
      }),
      { numRuns: 500 },
    );
  });

  test('an hour that the clocks repeat is one hour with one beginning', () => {
    const day = localDayAt('Europe/Berlin', at('2026-10-25T12:00:00Z'));
    const began = at('2026-10-25T00:00:00Z');
    expect(localHourStart(day, at('2026-10-25T00:30:00Z'))).toBe(began);
    expect(localHourStart(day, at('2026-10-25T01:30:00Z'))).toBe(began);
    expect(localHourStart(day, at('2026-10-25T02:00:00Z'))).toBe(at('2026-10-25T02:00:00Z'));
  });
});

describe('names of zones and dates', () => {
  test('a zone is an IANA name', () => {
    for (const good of ['UTC', 'Europe/Berlin', 'Asia/Calcutta']) expect(isTimezone(good)).toBe(true);
    for (const bad of ['', 'Mars/Olympus', '+01:00', 7, null, undefined]) expect(isTimezone(bad)).toBe(false);
  });

  test('a calendar date exists in the calendar', () => {
    for (const good of ['2026-02-28', '2024-02-29', '9999-12-31']) expect(wallMidnight(good)).not.toBeNull();
    for (const bad of ['2026-02-30', '2026-02-29', '2026-2-3', '2026-13-01', '2026-00-10', '0099-01-01']) {
      expect(wallMidnight(bad)).toBeNull();
    }
  });

  test('a bound is a date or a strict ISO 8601 date-time, in UTC when it has no offset', () => {
    expect(parseInstantOrDate('2026-03-01')).toMatchObject({ kind: 'date', date: '2026-03-01' });
    const instant = { kind: 'instant', tMs: at('2026-03-01T09:00:00Z') };
    const same = [
      '2026-03-01T09:00:00Z',
      '2026-03-01T09:00',
      '2026-03-01T09:00:00.000',
      '2026-03-01T10:00+01:00',
    ];
    for (const text of same) expect(parseInstantOrDate(text)).toEqual(instant);
  });

  test.each([
    ...[
      '2026-02-30',
      '2026-02-30T00:00:00Z',
      '2026-03-01T24:00:00Z',
      '2026-03-01T09:60:00Z',
      '2026-03-01 09:00',
    ],
    ...['March 1, 2026', '2026-03-01T09', '20260301', '2026-03-01T09:00:00+0100', '2026-03-01T', '', 'now'],
  ])('%j is neither', (text) => {
    expect(parseInstantOrDate(text)).toBeNull();
  });
});

describe('the flight', () => {
  const flight = (startDate: string | null, endDate: string | null, timezone = 'America/New_York') =>
    flightBounds({ startDate, endDate, timezone });

  test('without dates has no bounds', () => {
    expect(flight(null, null)).toEqual({ startMs: -Infinity, endMs: Infinity });
  });

  test('covers whole local days, the end date included', () => {
    expect(flight('2026-03-08', '2026-03-08')).toEqual({
      startMs: at('2026-03-08T05:00:00Z'),
      endMs: at('2026-03-09T04:00:00Z'),
    });
    expect(flight(null, '9999-12-31', 'UTC').endMs).toBe(Date.UTC(10000, 0, 1));
    expect(flight(null, '9999-12-31').endMs).toBe(Date.UTC(10000, 0, 1, 5));
  });

  test('takes an instant as it is, whatever the zone', () => {
    expect(flight('2026-03-01T09:30:00', '2026-03-01T18:00:00-05:00')).toEqual({
      startMs: at('2026-03-01T09:30:00Z'),
      endMs: at('2026-03-01T23:00:00Z'),
    });
  });
});
