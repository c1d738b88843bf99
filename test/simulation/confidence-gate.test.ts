import { describe, expect, test } from 'vitest';
import { type SimulatedDay, simulateDay } from './simulated-day.ts';

/** Most bids lose, and nobody says so: what they hold comes back only when it expires. */
const thin = { supply: 6, winRate: 0.02, asksPerSecond: 20 } as const;

describe('the confidence gate', () => {
  test('leaves less of the budget unspent where most bids lose unreported', () => {
    const strict = simulateDay({ ...thin, seed: 1 });
    const confident = simulateDay({ ...thin, seed: 1, confidenceGate: true });
    expect(strict.delivered).toBeGreaterThan(0.97);
    expect(confident.delivered).toBeGreaterThan(strict.delivered + 0.005);
    expect(confident.overspentMicros).toBe(0);
  });

  test.each<[string, Partial<SimulatedDay>]>([
    ['of spikes', { traffic: (hour) => (hour % 4 < 0.1 ? 10 : 1) }],
    ['of thin traffic', { budgetMicros: 10_000_000, asksPerSecond: 0.01, supply: 3 }],
    ['of many bids', { asksPerSecond: 60, supply: 20 }],
    ['that begins in the afternoon', { startHour: 15, supply: 20, yesterdayKnown: false }],
    ['without bid ids', { named: false }],
  ])('overspends nothing on days %s', (_what, day) => {
    for (let seed = 1; seed <= 3; seed++) {
      expect(simulateDay({ supply: 6, ...day, seed, confidenceGate: true }).overspentMicros).toBe(0);
    }
  });
});
