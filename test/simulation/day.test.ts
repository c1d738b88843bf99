import { describe, expect, test } from 'vitest';
import type { VirtualCampaign } from '../../src/domain/virtual-campaign.ts';
import { simulateDay, wantedBy } from './simulated-day.ts';

const diurnal = (hour: number): number => 1 + 0.6 * Math.cos(((hour - 12) / 12) * Math.PI);
/** Traffic that all but ends at 18:00. */
const evening = (hour: number): number => (hour < 18 ? 1.25 : 0.25);
const SEEDS = [1, 2] as const;

describe.each(SEEDS)('a simulated day (seed %i)', (seed) => {
  test('of flat traffic follows EVEN within a thousandth and spends its budget', () => {
    const day = simulateDay({ seed, supply: 5 });
    expect(day.delivered).toBeGreaterThanOrEqual(0.997);
    expect(day.rmse).toBeLessThanOrEqual(0.0015);
    expect(day.maxError).toBeLessThanOrEqual(0.007);
    expect(day.hunting).toBeLessThanOrEqual(0.13);
    expect(day.overspentMicros).toBe(0);
  });

  test('FRONT_LOADED has spent 70% at noon', () => {
    const day = simulateDay({ seed, supply: 8, mode: 'FRONT_LOADED' });
    expect(day.delivered).toBeGreaterThanOrEqual(0.998);
    expect(day.rmse).toBeLessThanOrEqual(0.001);
    const morning = day.spentByHour.slice(0, 12).reduce((sum, spent) => sum + spent, 0);
    expect(morning / 100_000_000).toBeCloseTo(wantedBy('FRONT_LOADED', 12), 2);
  });

  test('of a budget cut and of a budget raised at noon follows the new plan', () => {
    const cut = simulateDay({ seed, supply: 8, noonBudget: 0.6 });
    expect([cut.delivered >= 0.998, cut.rmse <= 0.001, cut.overspentMicros]).toEqual([true, true, 0]);
    const raised = simulateDay({ seed, supply: 8, noonBudget: 1.5 });
    expect([raised.delivered >= 0.995, raised.rmse <= 0.001]).toEqual([true, true]);
  });

  test('that starts at 15:00 with nothing known spends its whole budget by midnight', () => {
    const day = simulateDay({ seed, supply: 20, startHour: 15, yesterdayKnown: false, asksPerSecond: 50 });
    expect(day.delivered).toBeGreaterThanOrEqual(0.994);
    expect(day.rmse).toBeLessThanOrEqual(0.002);
  });

  test('with traffic that collapses and returns catches up and never overspends', () => {
    const traffic = (hour: number): number =>
      hour >= 10 && hour < 12 ? 0 : hour >= 18 && hour < 18.5 ? 0.05 : 1;
    const day = simulateDay({ seed, supply: 4, traffic });
    expect(day.delivered).toBeGreaterThanOrEqual(0.997);
    expect(day.rmse).toBeLessThanOrEqual(0.02);
    expect(day.overspentMicros).toBe(0);
  });

  test('goes on as planned after spend that came from nowhere tripped the breaker', () => {
    const onHour = (hour: number, virtual: VirtualCampaign): void => {
      if (hour === 6) virtual.spend(20_000_000, '', virtual.now.wallMs);
    };
    for (const mode of ['EVEN', 'FRONT_LOADED'] as const) {
      const day = simulateDay({ seed, supply: 4, mode, onHour });
      expect(day.transitions.map(({ reason }) => reason)).toContain('velocity');
      expect(day.delivered, mode).toBeGreaterThanOrEqual(0.79);
      expect(day.delivered, mode).toBeLessThanOrEqual(0.8);
    }
  });

  test('of tight supply spends ahead of the plan where the forecast says the rest cannot carry it', () => {
    const guarded = simulateDay({ seed, supply: 1.25, traffic: diurnal });
    expect(guarded.delivered).toBeGreaterThanOrEqual(0.998);
    const dropping = simulateDay({ seed, supply: 2, traffic: evening });
    expect(dropping.delivered).toBeGreaterThanOrEqual(0.992);
    const blind = simulateDay({ seed, supply: 2, traffic: evening, yesterdayKnown: false });
    expect(blind.delivered).toBeLessThan(0.95);
  });

  test('of less supply than budget spends all there is', () => {
    const day = simulateDay({ seed, supply: 0.8, traffic: diurnal });
    expect(day.delivered / 0.8).toBeGreaterThanOrEqual(0.99);
  });

  test('with the BID lever pays less for the same budget and keeps the cap over midnight', () => {
    const throttled = simulateDay({ seed, supply: 5 });
    const capped = simulateDay({ seed, supply: 5, lever: 'BID' });
    expect(capped.bidCapMicros).toBeLessThan(1.8 * capped.baseBidMicros);
    expect(capped.meanClearingMicros).toBeLessThan(0.8 * throttled.meanClearingMicros);
    expect(capped.delivered).toBeGreaterThanOrEqual(0.99);
    expect(throttled.bidCapMicros).toBe(Infinity);
    const next = simulateDay({ seed: seed + 100, supply: 5, lever: 'BID', after: capped });
    expect(next.meanClearingMicros).toBeLessThan(capped.meanClearingMicros);
  });

  test('with the BID lever does not take its own cap for a shortage of supply', () => {
    const ample = simulateDay({ seed, supply: 5, traffic: diurnal, lever: 'BID' });
    expect(ample.rmse).toBeLessThanOrEqual(0.0015);
    expect(ample.bidCapMicros).toBeLessThan(1.8 * ample.baseBidMicros);
    const dropping = simulateDay({ seed, supply: 2, traffic: evening, lever: 'BID' });
    expect(dropping.delivered).toBeGreaterThanOrEqual(0.992);
  });

  test('is the same day for the same seed', () => {
    const { virtual: _, ...once } = simulateDay({ seed, supply: 5, asksPerSecond: 1 });
    expect(simulateDay({ seed, supply: 5, asksPerSecond: 1 })).toMatchObject(once);
  });
});

test('days of about 20 wins deliver nearly all on average, and never overspend', () => {
  const days = Array.from({ length: 24 }, (_, seed) =>
    simulateDay({ seed: seed + 1, supply: 3, budgetMicros: 10_000_000, asksPerSecond: 60 / 0.226 / 86_400 }),
  );
  const delivered = days.reduce((sum, day) => sum + day.delivered, 0) / days.length;
  expect(delivered).toBeGreaterThanOrEqual(0.97);
  for (const day of days) expect(day.overspentMicros).toBe(0);
});
