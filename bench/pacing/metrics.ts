/** The figures of a day, and of all the days of a scenario. Errors are shares of the budget in force. */
import type { DayRecord } from './campaign-day.ts';
import type { FeasibleDay } from './feasible.ts';

const LAST_MINUTES = 30;

export interface DayFigures {
  /** Spend over the budget. */
  readonly delivered: number;
  /** Spend over what budget and traffic allowed; NaN where that is not measured, as the feasible error. */
  readonly deliveredOfSupply: number;
  readonly overspentMicros: number;
  /** Root mean square over the minutes of spend less target. */
  readonly rmse: number;
  /** The same against the fastest path to the target that the traffic allowed. */
  readonly feasibleRmse: number;
  /** The same against the evenest path that the traffic allowed. */
  readonly levelRmse: number;
  readonly maxError: number;
  /** Minutes by which 99.5% was spent before the plan had it. */
  readonly earlyMinutes: number;
  /** Root mean square of the minute changes of p, over mean p. */
  readonly hunting: number;
  /** Spend of the last half hour less what the plan had for it. */
  readonly lastHalfHour: number;
}

export type Figure = keyof DayFigures;

/** The mean and the worst day of a scenario, figure by figure. */
export interface ScenarioFigures {
  readonly mean: DayFigures;
  readonly worst: DayFigures;
  /** What one day in {@link RARE_DAYS} is worse than. */
  readonly rare: DayFigures;
}

/** Days that "a rare day" is one of: the worst of so many, less the luck of which ones they are. */
export const RARE_DAYS = 36;

export function figuresOf(day: DayRecord, feasible: FeasibleDay | null): DayFigures {
  const samples = day.spentMicros.length;
  let squares = 0;
  let feasibleSquares = 0;
  let levelSquares = 0;
  let maxError = 0;
  for (let sample = 0; sample < samples; sample++) {
    const budget = at(day.budgetsMicros, sample);
    const error = (at(day.spentMicros, sample) - at(day.targetMicros, sample)) / budget;
    squares += error * error;
    maxError = Math.max(maxError, Math.abs(error));
    if (feasible === null) continue;
    const minute = sample + day.firstMinute - 1;
    feasibleSquares += ((at(day.spentMicros, sample) - at(feasible.pathMicros, minute)) / budget) ** 2;
    levelSquares += ((at(day.spentMicros, sample) - at(feasible.levelMicros, minute)) / budget) ** 2;
  }
  const reachable = feasible === null ? Number.NaN : Math.min(feasible.potentialMicros, day.budgetMicros);
  return {
    delivered: day.deliveredMicros / day.budgetMicros,
    deliveredOfSupply: day.deliveredMicros / reachable,
    overspentMicros: Math.max(day.deliveredMicros - day.ceilingMicros, 0),
    rmse: Math.sqrt(squares / samples),
    feasibleRmse: feasible === null ? Number.NaN : Math.sqrt(feasibleSquares / samples),
    levelRmse: feasible === null ? Number.NaN : Math.sqrt(levelSquares / samples),
    maxError,
    earlyMinutes: Math.max(day.planEndsSecond - day.endedSecond, 0) / 60,
    hunting: huntingOf(day.pass),
    lastHalfHour: lastHalfHour(day),
  };
}

export function scenarioFigures(days: readonly DayFigures[]): ScenarioFigures {
  const mean = (figure: Figure): number => days.reduce((sum, day) => sum + day[figure], 0) / days.length;
  const fromWorst = (figure: Figure, rank: number): number => {
    const sorted = days.map((day) => day[figure]).sort((a, b) => (isGain(figure) ? a - b : b - a));
    return sorted[rank] ?? Number.NaN;
  };
  const rank = Math.floor(days.length / RARE_DAYS);
  return {
    mean: each(mean),
    worst: each((figure) => fromWorst(figure, 0)),
    rare: each((figure) => fromWorst(figure, rank)),
  };
}

/** Whether more of a figure is better. */
export function isGain(figure: Figure): boolean {
  return figure === 'delivered' || figure === 'deliveredOfSupply';
}

function each(of: (figure: Figure) => number): DayFigures {
  return {
    delivered: of('delivered'),
    deliveredOfSupply: of('deliveredOfSupply'),
    overspentMicros: of('overspentMicros'),
    rmse: of('rmse'),
    feasibleRmse: of('feasibleRmse'),
    levelRmse: of('levelRmse'),
    maxError: of('maxError'),
    earlyMinutes: of('earlyMinutes'),
    hunting: of('hunting'),
    lastHalfHour: of('lastHalfHour'),
  };
}

function huntingOf(pass: Float64Array): number {
  let sum = at(pass, 0);
  let squares = 0;
  for (let minute = 1; minute < pass.length; minute++) {
    sum += at(pass, minute);
    squares += (at(pass, minute) - at(pass, minute - 1)) ** 2;
  }
  const mean = sum / pass.length;
  return mean > 0 ? Math.sqrt(squares / (pass.length - 1)) / mean : 0;
}

function lastHalfHour(day: DayRecord): number {
  const last = day.spentMicros.length - 1;
  const before = last - LAST_MINUTES;
  const spent = at(day.spentMicros, last) - at(day.spentMicros, before);
  const planned = at(day.targetMicros, last) - at(day.targetMicros, before);
  return (spent - planned) / day.budgetMicros;
}

function at(values: Float64Array, index: number): number {
  return values[index] ?? Number.NaN;
}
