/** Runs the comparison: every scenario with each of its seeds, every controller on the same traffic. */
import { type DayRecord, simulateDay } from './campaign-day.ts';
import type { ControllerKind } from './controllers/controller.ts';
import { feasibleDay } from './feasible.ts';
import { isFeasibleMeasured, judge, type Verdict } from './limits.ts';
import { type DayFigures, type Figure, figuresOf, type ScenarioFigures, scenarioFigures } from './metrics.ts';
import type { Scenario } from './scenario.ts';
import { makeTraffic } from './traffic.ts';

/** The days of one controller in one scenario. */
export interface Outcome {
  readonly controller: ControllerKind;
  readonly figures: ScenarioFigures;
  /** The day of the first seed. */
  readonly firstDay: DayRecord;
}

export interface ScenarioOutcome {
  readonly scenario: Scenario;
  readonly outcomes: readonly Outcome[];
  /** Of the production controller; empty when it did not run. */
  readonly verdicts: readonly Verdict[];
}

/** A controller over all scenarios. */
export interface Standing {
  readonly controller: ControllerKind;
  /** Mean over the scenarios of their mean days. */
  readonly mean: Readonly<Record<Figure, number>>;
  /** The worst scenario's mean day. */
  readonly worst: Readonly<Record<Figure, number>>;
  /** Money spent above the budget on any day, micros. */
  readonly overspentMicros: number;
}

export const OURS = 'ours';

export function runScenario(of: Scenario, kinds: readonly ControllerKind[]): ScenarioOutcome {
  const days = kinds.map((): DayFigures[] => []);
  const first: DayRecord[] = [];
  for (let seed = 1; seed <= of.seeds; seed++) {
    const traffic = makeTraffic(of, seed);
    const feasible = isFeasibleMeasured(of.name) ? feasibleDay(of, traffic) : null;
    for (const [at, kind] of kinds.entries()) {
      const day = simulateDay(of, traffic, kind);
      if (seed === 1) first.push(day);
      days[at]?.push(figuresOf(day, feasible));
    }
  }
  const outcomes = kinds.flatMap((controller, at): Outcome[] => {
    const firstDay = first[at];
    return firstDay === undefined ? [] : [{ controller, firstDay, figures: scenarioFigures(days[at] ?? []) }];
  });
  const own = outcomes.find(({ controller }) => controller.name === OURS);
  return { scenario: of, outcomes, verdicts: own === undefined ? [] : judge(of.name, own.figures) };
}

export function standingsOf(results: readonly ScenarioOutcome[]): Standing[] {
  const kinds = results[0]?.outcomes.map(({ controller }) => controller) ?? [];
  return kinds.map((controller, at) => {
    const all = results.flatMap(({ outcomes }) => outcomes[at]?.figures ?? []);
    const { mean, worst } = scenarioFigures(all.map((figures) => figures.mean));
    const overspentMicros = Math.max(...all.map((figures) => figures.worst.overspentMicros));
    return { controller, mean: { ...mean }, worst: { ...worst }, overspentMicros };
  });
}

/**
 * What must hold of the comparison as a whole: ours has the lowest mean RMSE, and is the furthest from the
 * curve in no scenario. Empty when it holds, or when there is nothing to compare with.
 */
export function problemsOf(results: readonly ScenarioOutcome[]): string[] {
  const standings = standingsOf(results);
  const own = standings.find(({ controller }) => controller.name === OURS);
  if (own === undefined || standings.length < 2) return [];
  const problems: string[] = [];
  for (const { controller, mean } of standings) {
    if (mean.rmse < own.mean.rmse) problems.push(`${controller.label} has a lower mean RMSE than ours`);
  }
  for (const { scenario, outcomes } of results) {
    const others = outcomes.filter(({ controller }) => controller.name !== OURS);
    const ours = outcomes.find(({ controller }) => controller.name === OURS)?.figures.mean.rmse ?? 0;
    if (others.every(({ figures }) => figures.mean.rmse < ours)) {
      problems.push(`ours has the highest RMSE of all in ${scenario.name}`);
    }
  }
  return problems;
}
