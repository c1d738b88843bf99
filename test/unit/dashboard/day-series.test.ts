import { describe, expect, it } from 'vitest';
import type { Campaign, PerformanceRow } from '../../../dashboard/src/api/types.ts';
import {
  curveOf,
  hoursOf,
  plannedAhead,
  spentLine,
  targetLine,
} from '../../../dashboard/src/charts/day-series.ts';
import { localDayAt } from '../../../src/domain/local-day.ts';

const HOUR_MS = 3_600_000;
const NOON = Date.parse('2026-03-03T12:00:00Z');
const day = localDayAt('UTC', NOON);

const campaign: Campaign = {
  id: 'a',
  name: 'A',
  daily_budget_cents: 2_400,
  total_budget_cents: null,
  start_date: null,
  end_date: null,
  timezone: 'UTC',
  pacing_mode: 'EVEN',
  pacing_lever: 'THROTTLE',
  status: 'ACTIVE',
  breaker_threshold: 0.95,
  confidence_gate: false,
  dayparts: null,
  targeting: null,
  creative: null,
  version: 1,
  created_at: '2026-03-01T00:00:00Z',
  updated_at: '2026-03-01T00:00:00Z',
};

const row = (hour: number, planned: number, actual: number): PerformanceRow => ({
  date: '2026-03-03',
  hour,
  planned_spend_cents: planned,
  actual_spend_cents: actual,
  pacing_accuracy: null,
  impressions: 0,
  clicks: 0,
});

const rows = Array.from({ length: 13 }, (_, hour) => row(hour, 100, hour < 12 ? 90 : 5));
const given = { day, createdMs: 0, rows, nowMs: NOON };

describe('the lines of a day', () => {
  it('sum up whole hours, then what was seen, and end in the figure of now', () => {
    const line = spentLine({ ...given, seen: [[NOON - 1_000, 1_070]], spentCents: 1_085 });
    expect(line[0]).toEqual([day.startMs, 0]);
    expect(line).toContainEqual([day.startMs + 3 * HOUR_MS, 270]);
    expect(line.at(-2)).toEqual([NOON, 1_080]);
    expect(line.at(-1)).toEqual([NOON, 1_085]);
  });

  it('never fall, whatever order points come in, and leave out hours that a reset has taken back', () => {
    const line = spentLine({ ...given, seen: [[NOON - HOUR_MS, 40]], spentCents: 50 });
    expect(line).toEqual([
      [day.startMs, 0],
      [NOON - HOUR_MS, 40],
      [NOON, 50],
    ]);
  });

  it('plan the rest of the day by the curve from where the target is, up to the budget', () => {
    const curve = curveOf(campaign, [], null, NOON);
    const line = targetLine({ ...given, curve, targetCents: 1_200, budgetCents: 2_400 });
    expect(line).toContainEqual([NOON, 1_200]);
    expect(line).toContainEqual([NOON + 6 * HOUR_MS, 1_800]);
    expect(line.at(-1)).toEqual([day.endMs, 2_400]);
  });

  it('are flat in hours that are weighed with nothing', () => {
    const configs = [18, 19, 20, 21, 22, 23].map((hour) => ({ hour, multiplier: 0 }));
    const curve = curveOf(campaign, configs, null, NOON);
    const line = targetLine({ ...given, curve, targetCents: 1_200, budgetCents: 2_400 });
    expect(line).toContainEqual([NOON + 6 * HOUR_MS, 2_400]);
  });

  it('begin when a campaign was made today', () => {
    const createdMs = NOON + 60_000;
    const nowMs = NOON + 300_000;
    const line = spentLine({ day, createdMs, rows: [], nowMs, seen: [], spentCents: 70 });
    expect(line.slice(-2)).toEqual([
      [createdMs, 0],
      [nowMs, 70],
    ]);
  });

  it('have 23 and 25 hours when the clocks change, each hour once but the one that is skipped', () => {
    const spring = hoursOf(localDayAt('Europe/Berlin', Date.parse('2026-03-29T12:00:00Z')));
    expect(spring.map(({ hour }) => hour)).not.toContain(2);
    expect(spring).toHaveLength(23);
    const autumn = hoursOf(localDayAt('Europe/Berlin', Date.parse('2026-10-25T12:00:00Z')));
    expect(autumn).toHaveLength(24);
    expect(autumn[2]).toMatchObject({ hour: 2 });
    expect((autumn[2]?.toMs ?? 0) - (autumn[2]?.fromMs ?? 0)).toBe(2 * HOUR_MS);
  });
});

describe('the plan of the hours to come', () => {
  const ahead = (targetCents: number, budgetCents = 2_400) =>
    plannedAhead({ day, curve: curveOf(campaign, [], null, NOON), nowMs: NOON, targetCents, budgetCents });

  it('is what the curve wants of each, without those that have begun', () => {
    const planned = ahead(1_200);
    expect([...planned.keys()]).toEqual([13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]);
    for (const cents of planned.values()) expect(cents).toBeCloseTo(100, 0);
  });

  it('goes on from where the target is, and is nothing when that is above the budget', () => {
    expect(ahead(0).get(23)).toBeCloseTo(200, 0);
    expect(ahead(1_200, 1_000).get(23)).toBe(0);
  });
});
