import { describe, expect, test } from 'vitest';
import { checked } from '../../../src/management/field-rules.ts';
import { datesOf, performanceQuery, wantsCsv } from '../../../src/management/performance-routes.ts';

describe('the dates of a performance request', () => {
  test('are the last 28 days until today when none are given', () => {
    expect(datesOf({}, '2026-03-28')).toEqual({ start: '2026-03-01', end: '2026-03-28' });
    expect(datesOf({ end_date: '2026-03-01' }, '2026-05-01')).toEqual({
      start: '2026-02-02',
      end: '2026-03-01',
    });
    expect(datesOf({ start_date: '2026-03-27' }, '2026-03-28')).toEqual({
      start: '2026-03-27',
      end: '2026-03-28',
    });
  });

  test('may be 92 days and no more', () => {
    expect(datesOf({ start_date: '2026-01-01', end_date: '2026-04-02' }, '').start).toBe('2026-01-01');
    expect(() => datesOf({ start_date: '2026-01-01', end_date: '2026-04-03' }, '')).toThrow(
      'at most 92 days',
    );
    expect(() => datesOf({ start_date: '2025-01-01' }, '2026-04-03')).toThrow('at most 92 days');
  });

  test.each([
    ['end_date', { start_date: '2026-03-02', end_date: '2026-03-01' }],
    ['start_date', { start_date: '2026-02-30' }],
    ['start_date', { start_date: '' }],
    ['start_date', { start_date: ['2026-03-01', '2026-03-02'] }],
    ['end_date', { end_date: '2026-03-01T00:00:00Z' }],
    ['end_date', { end_date: "2026-03-01'; DROP TABLE alerts; --" }],
  ])('are refused by the name of %s in %j', (field, query) => {
    expect(() => datesOf(checked(performanceQuery, query), '2026-03-28')).toThrow(
      expect.objectContaining({ code: 'invalid_request', field }),
    );
  });
});

describe('CSV', () => {
  test.each([
    ['text/csv', true],
    ['TEXT/CSV; charset=utf-8', true],
    ['text/csv, */*;q=0.1', true],
    ['application/json;q=0.5, text/csv', true],
    ['text/csv;q=0.5, application/json', false],
    ['text/csv;q=0', false],
    ['text/csv;q=much', false],
    ['*/*', false],
    [undefined, false],
  ])('is wanted by Accept %j: %j', (accept, wanted) => {
    expect(wantsCsv(accept)).toBe(wanted);
  });
});
