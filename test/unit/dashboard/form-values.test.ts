import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { daypartsOf, weekOf } from '../../../dashboard/src/edit/dayparts.ts';
import { centsOf, dollarsOf } from '../../../dashboard/src/money-input.ts';
import { MICROS_PER_CENT, microsFromCents } from '../../../src/domain/money.ts';

describe('an amount that is typed', () => {
  it.each([
    ['1000', 100_000],
    ['1,250.50', 125_050],
    [' 1 250 000 ', 125_000_000],
    ['.5', 50],
    ['0.001234', 0.1234],
    ['12.', 1_200],
  ])('%s dollars are %d cents', (typed, cents) => expect(centsOf(typed)).toBe(cents));

  it.each(['', '.', 'abc', '1.2.3', '-5', '1e3', '0.1234567', '12,50', '1,25', '1,2500', '1.250,50'])(
    '%j is no amount',
    (typed) => {
      expect(centsOf(typed)).toBeNull();
    },
  );

  it('comes back from the wire as what it was, to the micro', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 46 }), (micros) => {
        const cents = micros / MICROS_PER_CENT;
        const typed = dollarsOf(cents);
        expect(microsFromCents(centsOf(typed) ?? -1)).toBe(micros);
      }),
    );
  });
});

describe('hours of a week that are painted', () => {
  it('come back from the wire as they were', () => {
    const hours = fc.array(fc.boolean(), { minLength: 24, maxLength: 24 });
    fc.assert(
      fc.property(fc.array(hours, { minLength: 7, maxLength: 7 }), (week) => {
        fc.pre(week.some((day) => day.some(Boolean)));
        expect(weekOf(daypartsOf(week))).toEqual(week);
      }),
    );
  });

  it('need no words when all are on, and no day when all days are alike', () => {
    expect(daypartsOf(weekOf(null))).toBeNull();
    const office = [{ start_hour: 8, end_hour: 20 }];
    expect(daypartsOf(weekOf(office))).toEqual(office);
  });
});
