/**
 * The bench's entry: runs the scenarios one after the other, prints a table for each, keeps all figures in a
 * file, and ends with one line, `N passed, N failed`. A scenario fails when it breaks or when its figures
 * cannot be trusted; a goal that is missed is said, and fails nothing. An interrupt ends what runs and cleans up.
 */
import { setMaxListeners } from 'node:events';
import { fileURLToPath } from 'node:url';
import { autocannonDriver } from './drivers/autocannon.ts';
import type { Driver } from './drivers/load.ts';
import { isWrkInstalled, wrkDriver } from './drivers/wrk.ts';
import { helpText, listText, type Options, readOptions } from './options.ts';
import { keepResult } from './report/kept-results.ts';
import { describeMachine, type Machine } from './report/machine.ts';
import { writePerformancePage } from './report/performance-page.ts';
import { writeResults } from './report/results-file.ts';
import { tableText } from './report/table.ts';
import type { Bench, Report, Scenario } from './scenarios/scenario.ts';
import { Databases } from './servers/databases.ts';
import { Pods } from './servers/pods.ts';
import { Workshop } from './servers/workshop.ts';

/** This file runs as build/bench/run.js. */
const root = fileURLToPath(new URL('../..', import.meta.url));

const SMOKE_REQUESTS_A_CONNECTION = 3;

interface Outcome {
  readonly scenario: string;
  readonly driver: string;
  readonly passed: boolean;
  readonly problems: readonly string[];
  readonly seconds: number;
  /** Null when the scenario broke. */
  readonly report: Report | null;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/**
 * The drivers to use, the first for everything; a smoke run, which takes the one that can stop after a few requests,
 * tries the others on its first scenario.
 */
async function driversFor({ driver: choice, smoke }: Options): Promise<readonly [Driver, ...Driver[]]> {
  if (choice === 'autocannon') return [autocannonDriver];
  const hasWrk = await isWrkInstalled();
  if (choice === 'wrk' && !hasWrk) throw new Error('wrk is not installed');
  if (choice === 'wrk') return [wrkDriver];
  if (!hasWrk) return [autocannonDriver];
  return smoke ? [autocannonDriver, wrkDriver] : [wrkDriver];
}

function print(report: Report): void {
  say(`\n${report.title}\n${tableText(report.columns, report.rows)}`);
  for (const note of report.notes) say(`  ${note}`);
  for (const problem of report.problems) say(`  FAILED: ${problem}`);
}

async function runScenario(bench: Bench, scenario: Scenario): Promise<Outcome> {
  const startedAtMs = performance.now();
  const outcome = (passed: boolean, problems: readonly string[], report: Report | null): Outcome => ({
    scenario: scenario.name,
    driver: bench.driver.name,
    passed,
    problems,
    seconds: (performance.now() - startedAtMs) / 1000,
    report,
  });
  try {
    const report = await scenario.run(bench);
    print(report);
    return outcome(report.problems.length === 0, report.problems, report);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    say(`\n${scenario.name}\n  FAILED: ${problem}`);
    return outcome(false, [problem], null);
  }
}

async function runAll(options: Options, signal: AbortSignal): Promise<Outcome[]> {
  const { scenarios, smoke, rounds, roundSeconds, warmUpSeconds, entry } = options;
  const [driver, ...otherDrivers] = await driversFor(options);
  const workshop = await Workshop.open(signal);
  const databases = new Databases();
  const pods = new Pods(workshop, databases, entry, smoke);
  const bench: Bench = {
    workshop,
    databases,
    pods,
    driver: smoke ? brief(driver) : driver,
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
    await pods.close();
  } finally {
    await databases.close();
    await workshop.close();
  }
  return outcomes;
}

/** The driver with loads that are over after a few requests, however slow the machine is. */
function brief({ name, run }: Driver): Driver {
  return {
    name,
    run: (load, signal) =>
      run({ ...load, requestsMax: SMOKE_REQUESTS_A_CONNECTION * load.connections }, signal),
  };
}

async function keep(
  options: Options,
  startedAt: Date,
  machine: Machine,
  outcomes: readonly Outcome[],
): Promise<void> {
  for (const { scenario, driver, passed, report } of outcomes) {
    if (!passed || report === null) continue;
    const { rounds, roundSeconds } = options;
    const { title, columns, rows, notes, figures } = report;
    const table = { title, columns, rows, notes, figures };
    const measuredAt = startedAt.toISOString();
    await keepResult(root, { scenario, measuredAt, machine, driver, rounds, roundSeconds, ...table });
  }
  say(`filled: ${await writePerformancePage(root)}`);
}

async function measure(options: Options): Promise<void> {
  const interrupt = new AbortController();
  // Every program that a scenario starts listens to it.
  setMaxListeners(0, interrupt.signal);
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
  if (options.writeDocs) await keep(options, startedAt, machine, outcomes);
  const failed = outcomes.filter((outcome) => !outcome.passed).length;
  say(`${outcomes.length - failed} passed, ${failed} failed`);
  if (interrupt.signal.aborted) process.exitCode = 130;
  else if (failed > 0) process.exitCode = 1;
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2), root);
  if (options.task === 'help') say(helpText());
  else if (options.task === 'list') say(listText());
  else if (options.task === 'render') say(`filled: ${await writePerformancePage(root)}`);
  else await measure(options);
}

main().catch((error: unknown) => {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
