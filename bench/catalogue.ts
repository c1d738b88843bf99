/** Every scenario of the bench, in the order they run. */
import { batchScenarios } from './scenarios/batches.ts';
import { churnScenario } from './scenarios/churn.ts';
import { decisionScenarios } from './scenarios/decisions.ts';
import { growthCampaignsScenario } from './scenarios/growth-campaigns.ts';
import { growthConnectionsScenario } from './scenarios/growth-connections.ts';
import { growthEdgesScenario, growthEdgesTableScenario } from './scenarios/growth-edges.ts';
import { latencyScenario } from './scenarios/latency.ts';
import { memoryScenario } from './scenarios/memory.ts';
import { microScenario } from './scenarios/micro.ts';
import { mixedScenario } from './scenarios/mixed.ts';
import { openDashboardsScenario } from './scenarios/open-dashboards.ts';
import { redisDownScenario } from './scenarios/redis-down.ts';
import { redisFlushScenario } from './scenarios/redis-flush.ts';
import { replayScenario } from './scenarios/replay.ts';
import { rolloverScenario } from './scenarios/rollover.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { simulationStormScenario } from './scenarios/simulation-storm.ts';
import { spendScenarios } from './scenarios/spends.ts';
import { startUpScenario } from './scenarios/start-up.ts';

export const catalogue: readonly Scenario[] = [
  ...decisionScenarios,
  ...spendScenarios,
  ...batchScenarios,
  latencyScenario,
  growthCampaignsScenario,
  growthConnectionsScenario,
  growthEdgesScenario,
  growthEdgesTableScenario,
  mixedScenario,
  churnScenario,
  rolloverScenario,
  microScenario,
  memoryScenario,
  startUpScenario,
  replayScenario,
  redisFlushScenario,
  redisDownScenario,
  simulationStormScenario,
  openDashboardsScenario,
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
