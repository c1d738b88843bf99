/**
 * The bench's entry: runs the scenarios one after the other, prints a table for each, keeps all figures in a
 * file, and ends with one line, `N passed, N failed`. A scenario fails when it breaks or when its figures
 * cannot be trusted; a goal that is missed is said, and fails nothing. An interrupt ends what runs and cleans up.
 */
import { fileURLToPath } from 'node:url';
import { autocannonDriver } from './drivers/autocannon.ts';
import type { Driver } from './drivers/load.ts';
import { isWrkInstalled, wrkDriver } from './drivers/wrk.ts';
import { helpText, type Options, readOptions } from './options.ts';
import { describeMachine } from './report/machine.ts';
import { writeResults } from './report/results-file.ts';
import { tableText } from './report/table.ts';
import type { Bench, Report, Scenario } from './scenarios/scenario.ts';
import { Databases } from './servers/databases.ts';
import { Workshop } from './servers/workshop.ts';

/** This file runs as build/bench/run.js. */
const root = fileURLToPath(new URL('../..', import.meta.url));

interface Outcome {
  readonly scenario: string;
  readonly driver: string;
  readonly passed: boolean;
  readonly problems: readonly string[];
  readonly seconds: number;
  readonly notes: readonly string[];
  readonly figures: unknown;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** The drivers to use, the first for everything; a smoke run tries the others on its first scenario. */
async function driversFor(choice: Options['driver']): Promise<readonly [Driver, ...Driver[]]> {
  if (choice === 'autocannon') return [autocannonDriver];
  if (await isWrkInstalled()) return choice === 'wrk' ? [wrkDriver] : [wrkDriver, autocannonDriver];
  if (choice === 'wrk') throw new Error('wrk is not installed');
  return [autocannonDriver];
}

function print(report: Report): void {
  say(`\n${report.title}\n${tableText(report.columns, report.rows)}`);
  for (const note of report.notes) say(`  ${note}`);
  for (const problem of report.problems) say(`  FAILED: ${problem}`);
}

async function runScenario(bench: Bench, scenario: Scenario): Promise<Outcome> {
  const startedAtMs = performance.now();
  const outcome = (passed: boolean, problems: readonly string[], report?: Report): Outcome => ({
    scenario: scenario.name,
    driver: bench.driver.name,
    passed,
    problems,
    seconds: (performance.now() - startedAtMs) / 1000,
    notes: report?.notes ?? [],
    figures: report?.figures ?? null,
  });
  try {
    const report = await scenario.run(bench);
    print(report);
    return outcome(report.problems.length === 0, report.problems, report);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    say(`\n${scenario.name}\n  FAILED: ${problem}`);
    return outcome(false, [problem]);
  }
}

async function runAll(options: Options, signal: AbortSignal): Promise<Outcome[]> {
  const { scenarios, smoke, rounds, roundSeconds, warmUpSeconds, entry } = options;
  const [driver, ...otherDrivers] = await driversFor(options.driver);
  const workshop = await Workshop.open(signal);
  const databases = new Databases();
  const bench: Bench = {
    workshop,
    databases,
    driver,
    root,
    entry,
    rounds,
    roundSeconds,
    warmUpSeconds,
    smoke,
  };
  const outcomes: Outcome[] = [];
  try {
    for (const [at, scenario] of scenarios.entries()) {
      if (signal.aborted) break;
      outcomes.push(await runScenario(bench, scenario));
      for (const other of smoke && at === 0 ? otherDrivers : []) {
        outcomes.push(await runScenario({ ...bench, driver: other }, scenario));
      }
    }
  } finally {
    await databases.close();
    await workshop.close();
  }
  return outcomes;
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2), root);
  if (options === null) {
    say(helpText());
    return;
  }
  const interrupt = new AbortController();
  process.on('SIGINT', () => interrupt.abort());
  process.on('SIGTERM', () => interrupt.abort());
  const startedAt = new Date();
  const machine = describeMachine(root);
  say(
    `${machine.cores} cores, ${machine.cpuModel}, ${machine.memoryMb} MB, node ${machine.node}, commit ${machine.commit}`,
  );
  const outcomes = await runAll(options, interrupt.signal);
  const { smoke, rounds, roundSeconds, entry } = options;
  const results = { startedAt, machine, smoke, rounds, roundSeconds, entry, outcomes };
  say(`\nall figures: ${await writeResults(root, startedAt, results)}`);
  const failed = outcomes.filter((outcome) => !outcome.passed).length;
  say(`${outcomes.length - failed} passed, ${failed} failed`);
  if (interrupt.signal.aborted) process.exitCode = 130;
  else if (failed > 0) process.exitCode = 1;
}

main().catch((error: unknown) => {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
