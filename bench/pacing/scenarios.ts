/** Every scenario of the pacing comparison, in the order of its table. */
import { DEFAULT_SHAPE } from '../../src/domain/curve.ts';
import { learnDay, learnedShape, newShapeMemory } from '../../src/domain/learned-shape.ts';
import { diurnal, flat, type OfHour, type Scenario, scenario } from './scenario.ts';

const between =
  (from: number, to: number, inside: number): OfHour =>
  (hour) =>
    hour >= from && hour < to ? inside : 1;

/** Ten times the traffic for five minutes at 3, 10 and 20 h. */
const spikes: OfHour = (hour) => ([3, 10, 20].some((at) => hour >= at && hour < at + 1 / 12) ? 10 : 1);
const collapses: OfHour = (hour) => between(10, 12, 0)(hour) * between(18, 18.5, 0.05)(hour);
/** From 18 h on less than half of the mean, and less than the plan wants even with a supply of 2. */
const evening: OfHour = (hour) => (hour < 18 ? 7.1 / 6 : 0.45);
/** Three times the price by midnight, in waves of ±30%, two hours each. */
const drift: OfHour = (hour) => (1 + hour / 12) * (1 + 0.3 * Math.sin(Math.PI * hour));
const dayWinRate: OfHour = (hour) => (hour < 9 ? 0.05 : hour < 17 ? 0.5 : 0.1);

/** 24 weights of mean 1. */
function weights(of: OfHour): number[] {
  const hourly = Array.from({ length: 24 }, (_, hour) => of(hour + 0.5));
  const mean = hourly.reduce((sum, weight) => sum + weight, 0) / 24;
  return hourly.map((weight) => weight / mean);
}

const weekdayShape = weights((hour) => DEFAULT_SHAPE[Math.floor(hour)] ?? 1);
/** A weekend begins two hours later, and has less of a morning and more of an afternoon. */
const weekendShape = weights((hour) => 0.35 + 0.65 * (DEFAULT_SHAPE[(Math.floor(hour) + 22) % 24] ?? 1));
const weekend: OfHour = (hour) => weekendShape[Math.floor(hour)] ?? 1;
const weekday: OfHour = (hour) => weekdayShape[Math.floor(hour)] ?? 1;

/** What the pacer has learned for a Saturday from four weeks of days with these hours. */
function learnedFrom(hours: readonly number[], weekdaysOnly: boolean): number[] | null {
  const memory = newShapeMemory();
  const nothing = new Float64Array(24);
  for (let day = 0; day < 27; day++) {
    const dayOfWeek = day % 7;
    const asks = weekdaysOnly && (dayOfWeek === 0 || dayOfWeek === 6) ? nothing : hours;
    learnDay(memory, { dayOfWeek, asks, spentMicros: nothing, allowedMicros: nothing, daysSinceLast: 1 });
  }
  return learnedShape(memory, 6);
}

/** Days of few wins differ much: so many give means that do not hang on which days they are. */
const FEW_WINS_DAYS = 144;

const slowNotices = { p50Seconds: 5, p99Seconds: 120, maxSeconds: 600 };
const fifty = { budgetMicros: 50_000_000, equalBids: true };
const large = { budgetMicros: 50_000_000_000, baseBidMicros: 10_000, seeds: 2 };

export const scenarios: readonly Scenario[] = [
  scenario('flat', 'steady traffic, supply 5', { supply: 5, traffic: flat }),
  scenario('diurnal', 'traffic that peaks at noon, supply 8', { supply: 8 }),
  scenario('spike', 'ten times the traffic for 5 min at 3, 10 and 20 h', { eventTraffic: spikes }),
  scenario('price-drift', 'bids three times as high by midnight, in waves of ±30%', { price: drift }),
  scenario('adaptive', 'ADAPTIVE with the shape of the traffic learned, supply 4', {
    supply: 4,
    mode: 'ADAPTIVE',
    shape: learnedFrom(weights(diurnal), false),
  }),
  scenario('front-loaded', 'FRONT_LOADED, supply 6', { mode: 'FRONT_LOADED' }),
  scenario('budget-cut', 'budget −40% at noon, supply 8', { supply: 8, noonBudget: 0.6 }),
  scenario('budget-rise', 'budget +50% at noon, supply 8', { supply: 8, noonBudget: 1.5 }),
  scenario('second-price', 'a win costs 30–70% of its bid', { clearing: [0.3, 0.7] }),
  scenario('5000-asks', '5,000 asks/s, $50,000 at 1 cent', { ...large, asksPerSecond: 5000 }),
  scenario('2000-asks-spikes', '2,000 asks/s with spikes, $50,000 at 1 cent', {
    ...large,
    asksPerSecond: 2000,
    eventTraffic: spikes,
  }),
  scenario('fleet', '8 pods that sync every 10 s', { pods: 8, syncSeconds: 10 }),
  scenario('fleet-few-wins', '8 pods, bids of $0.25 on $50', {
    ...fifty,
    asksPerSecond: asksForWins(6 * 200, 0.2),
    pods: 8,
    syncSeconds: 10,
  }),
  scenario('late-start', 'starts at 15:00 with nothing known, supply 20', {
    supply: 20,
    startHour: 15,
    yesterdayKnown: false,
  }),
  scenario('cold', 'nothing known, win rate 60% of 50 asks/s, supply 100', {
    supply: 100,
    asksPerSecond: 50,
    winRate: () => 0.6,
    yesterdayKnown: false,
  }),
  scenario('slow-notices', 'notices p50 5 s, p99 120 s, at most 600 s', {
    notices: slowNotices,
    ttlSeconds: 600,
  }),
  scenario('slow-with-losses', 'the same with loss notices', {
    notices: slowNotices,
    ttlSeconds: 600,
    lossNotices: true,
  }),
  scenario('win-rate-2', 'win rate 2% of 50 asks/s', { winRate: () => 0.02, asksPerSecond: 50 }),
  scenario('win-rate-jump', 'win rate 2% that jumps to 50% at 23:30', {
    winRate: () => 0.02,
    asksPerSecond: 50,
    eventWinRate: (hour) => (hour >= 23.5 ? 25 : 1),
  }),
  scenario('win-rate-day', 'win rate 5%, 50% from 9:00, 10% from 17:00, supply 10', {
    supply: 10,
    winRate: dayWinRate,
  }),
  scenario('weekend', 'ADAPTIVE with a weekday learned, on a weekend, supply 4', {
    supply: 4,
    mode: 'ADAPTIVE',
    shape: learnedFrom(weekdayShape, true),
    traffic: weekday,
    eventTraffic: (hour) => weekend(hour) / weekday(hour),
  }),
  scenario('collapse', 'no traffic 10–12 h, 5% of it 18:00–18:30, supply 4', {
    supply: 4,
    traffic: flat,
    eventTraffic: collapses,
  }),
  scenario('tight-supply', 'supply 1.25', { supply: 1.25 }),
  scenario('evening-drop', '38% of the traffic from 18 h, as on any day, supply 2', {
    supply: 2,
    traffic: evening,
  }),
  scenario('short-supply', 'supply 0.8', { supply: 0.8 }),
  scenario('outage', 'no traffic 20:30–23:15', { eventTraffic: between(20.5, 23.25, 0) }),
  scenario('20-wins', 'bids of $0.50 on $10, supply 3', {
    budgetMicros: 10_000_000,
    equalBids: true,
    supply: 3,
    asksPerSecond: asksForWins(60, 0.2),
    seeds: FEW_WINS_DAYS,
  }),
  scenario('10-wins', 'bids of $5 on $50, supply 6', {
    ...fifty,
    asksPerSecond: asksForWins(60, 0.2),
    seeds: FEW_WINS_DAYS,
  }),
];

/** Asks per second that make so many wins in an unthrottled day. */
function asksForWins(wins: number, winRate: number): number {
  return wins / winRate / 86_400;
}
