import { expect, test } from 'vitest';
import { type Projection, projectDay } from '../../src/domain/projection.ts';
import { seededRandom } from '../../src/domain/seeded-random.ts';
import { type SimulatedDay, simulateDay } from './simulated-day.ts';

const BUDGET = 100_000_000;
const SEEDS = 6;
/** Of the level of a day and of each of its hours, which nobody is told. */
const DEVIATION = 0.15;
/** What the grain of a quarter of an hour and rounding may miss, of the budget. */
const GRAIN = 0.001;
const diurnal = (hour: number): number => 1 + 0.6 * Math.cos(((hour - 12) / 12) * Math.PI);

const DAYS: readonly (Omit<SimulatedDay, 'seed'> & { readonly of: string })[] = [
  { of: 'ample traffic', supply: 5 },
  { of: 'tight traffic', supply: 1.2, expected: diurnal },
  { of: 'too little traffic', supply: 0.8, expected: diurnal },
  { of: 'ASAP with too little traffic', supply: 0.7, mode: 'ASAP', expected: diurnal },
  { of: 'ASAP with ample traffic', supply: 2, mode: 'ASAP', expected: diurnal },
  { of: 'a low win rate', supply: 8, winRate: 0.02 },
];

/** Days unlike the expected one: how often they end within the range, and how far from the projection. */
function days(of: Omit<SimulatedDay, 'seed'>, hours: readonly number[]) {
  let within = 0;
  let errors = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const made = new Map<number, Projection | null>();
    const random = seededRandom(7919 * seed);
    const swing = (): number => {
      const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
      return Math.exp(DEVIATION * normal);
    };
    const level = swing();
    const swings = Array.from({ length: 24 }, swing);
    const { spentMicros } = simulateDay({
      ...of,
      seed,
      asksPerSecond: 2,
      traffic: (hour) => level * (swings[Math.floor(hour)] ?? 1) * (of.expected?.(hour) ?? 1),
      expected: of.expected ?? (() => 1),
      onHour: (hour, { paced, now }) => made.set(hour, projectDay(paced, now)),
    });
    for (const hour of hours) {
      const projection = made.get(hour);
      if (projection === null || projection === undefined) throw new Error(`nothing known at ${hour}:00`);
      const { lowMicros, highMicros, spendMicros } = projection;
      if (spentMicros >= lowMicros - GRAIN * BUDGET && spentMicros <= highMicros + GRAIN * BUDGET) within++;
      errors += Math.abs(spendMicros - spentMicros) / BUDGET;
    }
  }
  const asked = SEEDS * hours.length;
  return { within: within / asked, error: errors / asked };
}

test.each(DAYS)('four in five days of $of end within the range projected at 6:00, 12:00 and 20:00', (of) => {
  expect(days(of, [6, 12, 20]).within).toBeGreaterThanOrEqual(0.8);
});

test('a projection comes nearer as the day goes on', () => {
  const of = { supply: 0.8, expected: diurnal };
  const [morning, noon, evening] = [4, 12, 20].map((hour) => days(of, [hour]).error) as [
    number,
    number,
    number,
  ];
  expect(morning).toBeLessThan(0.15);
  expect(noon).toBeLessThan(morning);
  expect(evening).toBeLessThan(0.02);
});
