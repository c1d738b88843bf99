import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { budgetDay, budgetDayStartMs, movedDay, resetsOn } from '../../../src/domain/budget-day.ts';
import type { Campaign } from '../../../src/domain/campaign.ts';
import { localDayAt } from '../../../src/domain/local-day.ts';
import { someCampaign } from '../../support/campaigns.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

const ZONES = [
  'Pacific/Kiritimati',
  'Asia/Kolkata',
  'Europe/Berlin',
  'UTC',
  'America/New_York',
  'Pacific/Niue',
];

const in_ = (timezone: string): Campaign => ({ ...someCampaign(), timezone });
const moved = (campaign: Campaign, timezone: string, at: string): Campaign => ({
  ...campaign,
  timezone,
  ...movedDay(campaign, timezone, Date.parse(at)),
});
const reset = (campaign: Campaign, atMs: number): Campaign => {
  const { date } = localDayAt(campaign.timezone, atMs);
  const dayReset = { date, count: resetsOn(campaign, date) + 1, at: new Date(atMs).toISOString() };
  return { ...campaign, dayReset };
};
const dayAt = (campaign: Campaign, atMs: number) =>
  budgetDay(campaign, localDayAt(campaign.timezone, atMs).date);
const startAt = (campaign: Campaign, atMs: number) =>
  new Date(budgetDayStartMs(campaign, localDayAt(campaign.timezone, atMs))).toISOString();

describe('the day of a budget', () => {
  it('is the local date, and after a reset the rest of it', () => {
    const atMs = Date.parse('2026-03-02T10:00:00Z');
    const campaign = in_('UTC');
    expect(dayAt(campaign, atMs)).toBe('2026-03-02');
    expect(startAt(campaign, atMs)).toBe('2026-03-02T00:00:00.000Z');
    expect(dayAt(reset(campaign, atMs), atMs)).toBe('2026-03-02.0001');
    expect(startAt(reset(campaign, atMs), atMs)).toBe('2026-03-02T10:00:00.000Z');
    expect(dayAt(reset(campaign, atMs), atMs + 24 * HOUR_MS)).toBe('2026-03-03');
  });

  it('goes on when a change of zone brings the local date back, until that date is over', () => {
    const campaign = moved(in_('UTC'), 'America/New_York', '2026-03-02T02:00:00Z');
    const names = [2, 4, 6, 28, 30].map((hours) =>
      dayAt(campaign, Date.parse('2026-03-02T00:00:00Z') + hours * HOUR_MS),
    );
    // Midnight in New York is at five.
    expect(names).toEqual([
      '2026-03-02',
      '2026-03-02',
      '2026-03-02~0001~2026-03-02',
      '2026-03-02~0001~2026-03-02',
      '2026-03-03',
    ]);
    expect(startAt(campaign, Date.parse('2026-03-02T02:00:00Z'))).toBe('2026-03-02T00:00:00.000Z');
    expect(startAt(campaign, Date.parse('2026-03-02T06:00:00Z'))).toBe('2026-03-02T05:00:00.000Z');
  });

  it('goes on after a second change within it, also one that takes the first back', () => {
    const west = moved(in_('Europe/Berlin'), 'America/New_York', '2026-03-02T00:30:00Z');
    const further = moved(west, 'Pacific/Niue', '2026-03-02T01:00:00Z');
    const back = moved(west, 'Europe/Berlin', '2026-03-02T01:00:00Z');
    for (const campaign of [west, further, back]) {
      expect(dayAt(campaign, Date.parse('2026-03-02T02:00:00Z'))).toBe('2026-03-02');
      expect(startAt(campaign, Date.parse('2026-03-02T02:00:00Z'))).toBe('2026-03-01T23:00:00.000Z');
    }
    expect(dayAt(back, Date.parse('2026-03-02T22:59:00Z'))).toBe('2026-03-02');
    expect(dayAt(back, Date.parse('2026-03-02T23:00:00Z'))).toBe('2026-03-03');
  });

  it('keeps a reset through a change of zone, and can be reset after it', () => {
    const afterReset = reset(in_('UTC'), Date.parse('2026-03-02T01:00:00Z'));
    const campaign = moved(afterReset, 'America/New_York', '2026-03-02T02:00:00Z');
    const atMs = Date.parse('2026-03-02T03:00:00Z');
    expect(dayAt(campaign, atMs)).toBe('2026-03-02.0001');
    expect(startAt(campaign, atMs)).toBe('2026-03-02T01:00:00.000Z');
    expect(dayAt(reset(campaign, atMs), atMs)).toBe('2026-03-02~0001~2026-03-01.0001');
    expect(startAt(reset(campaign, atMs), atMs)).toBe('2026-03-02T03:00:00.000Z');
  });

  it('is not touched by a change of zone that leaves the local date, or brings the next one', () => {
    expect(movedDay(in_('UTC'), 'America/New_York', Date.parse('2026-03-02T12:00:00Z'))).toEqual({});
    expect(movedDay(in_('UTC'), 'Asia/Kolkata', Date.parse('2026-03-02T22:00:00Z'))).toEqual({});
  });

  it('has names in the order of time, a new one with each reset and each new local date', () => {
    const step = fc.record({
      minutes: fc.integer({ min: 1, max: 9 * 60 }),
      what: fc.oneof(fc.constantFrom(...ZONES), fc.constant('reset'), fc.constant('wait')),
    });
    fc.assert(
      fc.property(fc.constantFrom(...ZONES), fc.array(step, { maxLength: 30 }), (zone, steps) => {
        let campaign = in_(zone);
        let atMs = Date.parse('2026-03-01T12:00:00Z');
        let last = dayAt(campaign, atMs);
        for (const { minutes, what } of steps) {
          const before = localDayAt(campaign.timezone, atMs).date;
          atMs += minutes * MINUTE_MS;
          const waited = dayAt(campaign, atMs);
          const turned = localDayAt(campaign.timezone, atMs).date !== before;
          if (turned) expect(waited > last).toBe(true);
          else expect(waited).toBe(last);
          if (what === 'reset') campaign = reset(campaign, atMs);
          else if (what !== 'wait') campaign = moved(campaign, what, new Date(atMs).toISOString());
          const now = dayAt(campaign, atMs);
          if (what === 'reset') expect(now > waited).toBe(true);
          else expect(now >= waited).toBe(true);
          expect(budgetDayStartMs(campaign, localDayAt(campaign.timezone, atMs))).toBeLessThanOrEqual(atMs);
          last = now;
        }
      }),
    );
  });
});
