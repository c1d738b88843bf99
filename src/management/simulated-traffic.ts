/**
 * The traffic that a simulation runs on, from what is known best: what the request gives, what the campaign's last
 * days came to, and where nothing is known, traffic that could spend four times its budget.
 */

import { DEFAULT_SHAPE } from '../domain/curve.ts';
import type { HistoryDay, WeekShape } from '../domain/traffic-history.ts';
import type { TrafficModel } from '../jobs/bid-stream.ts';
import type { ShownSimulation, SimulationBody } from './simulation-bodies.ts';

const HOURS = 24;
const WEEKDAYS = 7;
/** Assumed where nothing is known: the traffic could spend so many budgets, at so many wins a day. */
const ASSUMED_SUPPLY = 4;
const ASSUMED_WIN_RATE = 0.2;
const ASSUMED_WINS_A_DAY = 10_000;

/** What a day comes to on average. */
export interface TrafficLevel {
  readonly asksPerDay: number;
  readonly winRate: number;
  readonly winMicros: number;
}

export type TrafficSource = ShownSimulation['traffic']['source'];
export type PatternName = ShownSimulation['traffic']['pattern'];

/** Seven weekdays of 24 weights, and where they are from. */
export interface Pattern {
  readonly week: WeekShape;
  readonly name: PatternName;
}

/** What the days came to on average, or null when nothing was asked for or won in them. */
export function levelOf(days: readonly HistoryDay[]): TrafficLevel | null {
  const asked = days.filter(({ asks }) => sumOf(asks) > 0);
  const total = (of: (day: HistoryDay) => readonly number[]): number =>
    asked.reduce((sum, day) => sum + sumOf(of(day)), 0);
  const wins = total((day) => day.wins);
  const allowed = total((day) => day.allowed);
  const spentMicros = total((day) => day.spentMicros);
  if (!(wins > 0 && spentMicros > 0)) return null;
  return {
    asksPerDay: total((day) => day.asks) / asked.length,
    winRate: allowed > 0 ? Math.min(1, wins / allowed) : ASSUMED_WIN_RATE,
    winMicros: spentMicros / wins,
  };
}

export function assumedLevel(dailyBudgetMicros: number): TrafficLevel {
  return {
    asksPerDay: ASSUMED_WINS_A_DAY / ASSUMED_WIN_RATE,
    winRate: ASSUMED_WIN_RATE,
    winMicros: (ASSUMED_SUPPLY * dailyBudgetMicros) / ASSUMED_WINS_A_DAY,
  };
}

/** What the request gives goes before what is known. */
export function givenLevel(known: TrafficLevel, given: SimulationBody['traffic']): TrafficLevel {
  return {
    asksPerDay: given?.asks_per_day ?? known.asksPerDay,
    winRate: given?.win_rate ?? known.winRate,
    winMicros: given?.win_cents === undefined ? known.winMicros : given.win_cents * 10_000,
  };
}

/** The same 24 weights on every day. */
export function everyDay(hours: readonly number[], name: PatternName): Pattern {
  return { week: Array.from({ length: WEEKDAYS }, () => hours), name };
}

export const DEFAULT_PATTERN = everyDay(DEFAULT_SHAPE, 'default');
export const FLAT_PATTERN = everyDay(new Array<number>(HOURS).fill(1), 'flat');

/** A level spread over the hours by a pattern. */
export function modelOf({ week }: Pattern, level: TrafficLevel): TrafficModel {
  const rows = <T>(of: (weights: readonly number[]) => T[]): T[][] => week.map(of);
  return {
    asks: rows((weights) => {
      const sum = sumOf(weights);
      return weights.map((weight) => (sum > 0 ? (level.asksPerDay * weight) / sum : 0));
    }),
    winRate: rows((weights) => weights.map(() => level.winRate)),
    winMicros: rows((weights) => weights.map(() => level.winMicros)),
  };
}

/** A past day as it came: each hour with its own asks, wins and prices, where there were any. */
export function modelOfDay(day: HistoryDay, level: TrafficLevel): TrafficModel {
  const hours = Array.from({ length: HOURS }, (_, hour) => hour);
  const wins = (hour: number): number => day.wins[hour] ?? 0;
  const allowed = (hour: number): number => day.allowed[hour] ?? 0;
  const week = (row: number[]): WeekShape => Array.from({ length: WEEKDAYS }, () => row);
  return {
    asks: week([...day.asks]),
    winRate: week(
      hours.map((hour) =>
        // Few wins say little of an hour: it is taken to be like the day as far as that.
        Math.min(1, (wins(hour) + 10 * level.winRate) / (Math.max(allowed(hour), wins(hour)) + 10)),
      ),
    ),
    winMicros: week(
      hours.map((hour) => (wins(hour) > 0 ? (day.spentMicros[hour] ?? 0) / wins(hour) : level.winMicros)),
    ),
  };
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
