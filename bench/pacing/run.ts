/**
 * The pacing comparison's entry: simulates every scenario with every controller, prints ours against its
 * limits and all against each other, writes page and plots, and ends with 1 when a limit is missed, a check
 * of the comparison fails, or any controller got past the budget gate.
 */
import { fileURLToPath } from 'node:url';
import { tableText } from '../report/table.ts';
import { problemsOf, runScenario, type ScenarioOutcome, standingsOf } from './comparison.ts';
import { helpText, type Options, readOptions } from './options.ts';
import { checksText, writeResultsPage } from './results-page.ts';
import { limitsTable, standingsTable, type Table } from './tables.ts';

/** This file runs as build/bench/pacing/run.js. */
const root = fileURLToPath(new URL('../../..', import.meta.url));

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function print(table: Table): void {
  say(`\n${table.title}\n${tableText(table.columns, table.rows)}`);
}

function runAll(options: Options): ScenarioOutcome[] {
  const results: ScenarioOutcome[] = [];
  for (const scenario of options.scenarios) {
    const startedAtMs = performance.now();
    results.push(runScenario(scenario, options.controllers));
    const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
    const days = scenario.seeds * options.controllers.length;
    say(`${scenario.name}: ${days} campaign-days in ${seconds} s`);
  }
  return results;
}

/** What fails the run: for a smoke run only money, since its inputs are too small for the rest. */
function failuresOf(options: Options, results: readonly ScenarioOutcome[]): string[] {
  const overspent = standingsOf(results)
    .filter(({ overspentMicros }) => overspentMicros > 0)
    .map(({ controller }) => `${controller.label} got past the budget gate`);
  if (options.smoke) return overspent;
  const missed = results.flatMap(({ scenario, verdicts }) =>
    verdicts
      .filter(({ met }) => !met)
      .map(({ limit, value }) => `${scenario.name}: ${limit.figure} is ${value}, its limit ${limit.bound}`),
  );
  return [...overspent, ...missed, ...(options.whole ? problemsOf(results) : [])];
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2), root);
  if (options === null) {
    say(helpText());
    return;
  }
  const results = runAll(options);
  if (!options.smoke && results.some(({ verdicts }) => verdicts.length > 0)) print(limitsTable(results));
  print(standingsTable(standingsOf(results)));
  if (!options.smoke && options.controllers.length > 1) say(`\n${checksText(results)}`);
  if (options.outFolder !== null) {
    for (const file of await writeResultsPage(options.outFolder, results)) say(`wrote ${file}`);
  }
  const failures = failuresOf(options, results);
  for (const failure of failures) say(`FAILED: ${failure}`);
  say(failures.length === 0 ? 'passed' : `${failures.length} failed`);
  if (failures.length > 0) process.exitCode = 1;
}

main().catch((error: unknown) => {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
