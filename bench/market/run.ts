/**
 * The market bench's entry: runs every lever through the same first-price market, prints the table, and ends
 * with exit code 1 when a lever of the product breaks a rule of checks.ts. It takes no time measurements: the
 * same options give the same figures on every machine.
 */
import { fileURLToPath } from 'node:url';
import { tableText } from '../report/table.ts';
import { leverProblems, overspendProblems } from './checks.ts';
import { writeDocument } from './document.ts';
import { ourRows, type Row, rows } from './levers/catalogue.ts';
import { type Market, makeMarket } from './market.ts';
import { type Outcome, runMarket } from './market-run.ts';
import { helpText, type Options, readOptions } from './options.ts';
import { COLUMNS, outcomeCells, SEED_COLUMNS, type SeedOutcomes, seedCells } from './report.ts';

/** This file runs as build/bench/market/run.js. */
const root = fileURLToPath(new URL('../../..', import.meta.url));

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function runRows(market: Market, chosen: readonly Row[]): Outcome[] {
  return chosen.map(({ lever, gate }) => runMarket(market, lever, gate));
}

function problemsOf(options: Options, { seed, outcomes }: SeedOutcomes): string[] {
  const problems = overspendProblems(outcomes);
  if (!options.smoke) problems.push(...leverProblems(outcomes));
  return problems.map((problem) => `seed ${seed}: ${problem}`);
}

async function compare(options: Options): Promise<string[]> {
  const { size, moreSeeds } = options;
  const market = makeMarket(size);
  const { campaigns, days, seed } = size;
  say(`first-price market: ${campaigns} campaigns, ${days} days, seed ${seed}`);
  const outcomes = runRows(market, rows);
  say(`\n${tableText(COLUMNS, outcomes.map(outcomeCells))}`);
  const others = Array.from({ length: moreSeeds }, (_, at): SeedOutcomes => {
    const otherSeed = seed + at + 1;
    return { seed: otherSeed, outcomes: runRows(makeMarket({ ...size, seed: otherSeed }), ourRows) };
  });
  if (others.length > 0) say(`\nother seeds, ours only\n${tableText(SEED_COLUMNS, others.map(seedCells))}`);
  if (options.documented) say(`\nwrote ${(await writeDocument(root, market, outcomes, others)).join(', ')}`);
  return [{ seed, outcomes }, ...others].flatMap((seeded) => problemsOf(options, seeded));
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options === null) {
    say(helpText);
    return;
  }
  const problems = await compare(options);
  say('');
  for (const problem of problems) say(`FAILED: ${problem}`);
  say(problems.length === 0 ? 'all checks hold' : `${problems.length} checks failed`);
  if (problems.length > 0) process.exitCode = 1;
}

main().catch((error: unknown) => {
  process.stderr.write(`bench:market: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
