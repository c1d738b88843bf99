import { describe, expect, it } from 'vitest';
import { sampleCampaigns } from '../../../src/demo/sample-campaigns.ts';
import { DEMO_DAYS, DEMO_SOURCE, demoBeganMs, sampleHistory } from '../../../src/demo/sample-history.ts';
import { sampleCampaign } from '../../../src/demo/seed-demo.ts';
import { localDayAt } from '../../../src/domain/local-day.ts';
import { MICROS_PER_CENT } from '../../../src/domain/money.ts';
import { seededRandom } from '../../../src/domain/seeded-random.ts';

/** In the afternoon, three weeks after New York set its clocks back. */
const NOW = Date.parse('2026-11-22T20:17:00Z');

describe.each(sampleCampaigns('Europe/Berlin'))('the made-up history of $body.id', (sample) => {
  const campaign = sampleCampaign(sample, NOW);
  const { hours, plans, slots } = sampleHistory(sample, campaign, NOW, seededRandom(5));
  const budget = sample.body.daily_budget_cents * MICROS_PER_CENT;
  const today = localDayAt(campaign.timezone, NOW);
  const days = [...new Set(hours.map(({ localDate }) => localDate))];

  it('has each hour of four weeks once, and nothing that is still to come', () => {
    expect(days.length).toBe(sample.startsDayAnew ? DEMO_DAYS : DEMO_DAYS + 1);
    expect(Math.min(...hours.map(({ hourStartMs }) => hourStartMs))).toBe(
      demoBeganMs(campaign.timezone, NOW),
    );
    expect(new Set(hours.map(({ hourStartMs }) => hourStartMs)).size).toBe(hours.length);
    expect(Math.max(...hours.map(({ hourStartMs }) => hourStartMs))).toBeLessThanOrEqual(NOW);
    expect(plans.length).toBe(hours.length);
    expect(new Set(hours.map(({ source }) => source))).toEqual(new Set([DEMO_SOURCE]));
  });

  it('spends most of each whole day’s budget and never more, for bids that were asked for', () => {
    for (const date of days) {
      const ofDay = hours.filter(({ localDate }) => localDate === date);
      const spent = ofDay.reduce((sum, { spendMicros }) => sum + spendMicros, 0);
      expect(spent).toBeLessThanOrEqual(budget);
      if (date !== today.date) expect(spent).toBeGreaterThan(0.7 * budget);
    }
    for (const { asks, allowed, wins, impressions, spendMicros } of hours) {
      expect(allowed).toBeLessThanOrEqual(asks);
      expect(wins).toBeLessThanOrEqual(allowed);
      expect(impressions).toBe(wins);
      expect(Number.isSafeInteger(spendMicros)).toBe(true);
    }
  });

  it('has today’s traffic by five minutes, as far as they have ended', () => {
    const starts = [...slots.keys()];
    if (sample.startsDayAnew) expect(starts).toEqual([]);
    else expect(starts.length).toBe(Math.floor((NOW - today.startMs) / 300_000));
    let before = 0;
    for (const [start, slot] of slots) {
      expect(start + 300_000).toBeLessThanOrEqual(NOW);
      expect(slot.allowed).toBeLessThanOrEqual(slot.asks);
      expect(slot.spentMicros).toBeGreaterThanOrEqual(before);
      before = slot.spentMicros;
    }
  });
});
