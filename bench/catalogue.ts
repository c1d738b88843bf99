/** Every scenario of the bench, in the order they run. */
import { decisionScenarios } from './scenarios/decisions.ts';
import { memoryScenario } from './scenarios/memory.ts';
import { redisDownScenario } from './scenarios/redis-down.ts';
import { redisFlushScenario } from './scenarios/redis-flush.ts';
import { replayScenario } from './scenarios/replay.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { simulationStormScenario } from './scenarios/simulation-storm.ts';
import { spendScenarios } from './scenarios/spends.ts';
import { startUpScenario } from './scenarios/start-up.ts';

export const catalogue: readonly Scenario[] = [
  ...decisionScenarios,
  ...spendScenarios,
  memoryScenario,
  startUpScenario,
  replayScenario,
  redisFlushScenario,
  redisDownScenario,
  simulationStormScenario,
];

/**
 * The scenarios that a command line names: each by its whole name or, when there is none, by the word that
 * several begin with; all when it names none.
 * @throws Error naming what is unknown
 */
export function scenariosNamed(names: readonly string[]): readonly Scenario[] {
  if (names.length === 0) return catalogue;
  return names.flatMap((name) => {
    const exact = catalogue.filter((scenario) => scenario.name === name);
    const family = catalogue.filter((scenario) => scenario.name.startsWith(`${name}-`));
    const found = exact.length > 0 ? exact : family;
    if (found.length === 0) throw new Error(`there is no scenario "${name}"; --help lists them`);
    return found;
  });
}
