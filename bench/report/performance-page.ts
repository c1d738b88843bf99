/**
 * Fills the marked regions of docs/performance.md from the kept results:
 *
 *   <!-- bench: NAME -->          the table and notes of a scenario
 *   <!-- bench: goals -->         every goal of every result, and whether it was reached
 *   <!-- bench: machine -->       what it was measured on
 *   …
 *   <!-- end of bench -->
 *
 * What stands outside of them is written by hand.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type KeptResult, readKeptResults } from './kept-results.ts';

const REGION = /^(<!-- bench: ([a-z0-9-]+) -->)\n[\s\S]*?^(<!-- end of bench -->)$/gm;
const GOAL = /^goal: (.*): (reached|MISSED) \((.*)\)$/;
const NUMERIC = /^[<>~≥]?-?[\d,.–]+[%a-z]*$/;

export function performancePath(root: string): string {
  return join(root, 'docs', 'performance.md');
}

/** @returns the page's path */
export async function writePerformancePage(root: string): Promise<string> {
  const path = performancePath(root);
  const [page, results] = [await readFile(path, 'utf8'), await readKeptResults(root)];
  await writeFile(path, performancePage(page, results));
  return path;
}

export function performancePage(page: string, results: readonly KeptResult[]): string {
  return page.replaceAll(
    REGION,
    (_region, begin: string, name: string, end: string) => `${begin}\n${regionText(name, results)}\n${end}`,
  );
}

function regionText(name: string, results: readonly KeptResult[]): string {
  if (name === 'goals') return goalsText(results);
  if (name === 'machine') return machineText(results);
  const result = results.find(({ scenario }) => scenario === name);
  if (result === undefined) return `*not measured yet: npm run bench -- ${name} --write-docs*`;
  const { measuredAt, machine, columns, rows, notes } = result;
  const facts = `*${result.title}; ${measuredAt.slice(0, 10)}, commit ${machine.commit}, node ${machine.node}*`;
  const remarks = notes.filter((note) => !GOAL.test(note));
  const goals = goalsOf(result).map(
    ({ text, reached, measured }) => `- goal: ${text}: ${reachedText(reached)} (${measured})`,
  );
  const below = [...remarks.map((note) => `- ${note}`), ...goals];
  return [facts, '', markdownTable(columns, rows), ...(below.length > 0 ? ['', ...below] : [])].join('\n');
}

interface Goal {
  readonly text: string;
  readonly reached: boolean;
  readonly measured: string;
}

function goalsOf({ notes }: KeptResult): Goal[] {
  return notes.flatMap((note) => {
    const [, text, verdict, measured = ''] = GOAL.exec(note) ?? [];
    return text === undefined ? [] : [{ text, reached: verdict === 'reached', measured }];
  });
}

function reachedText(reached: boolean): string {
  return reached ? 'reached' : '**missed**';
}

function goalsText(results: readonly KeptResult[]): string {
  const rows = results.flatMap((result) =>
    goalsOf(result).map(({ text, reached, measured }) => [
      result.scenario,
      text,
      reachedText(reached),
      measured,
    ]),
  );
  return markdownTable(['scenario', 'goal', 'result', 'measured'], rows);
}

/** Results of one machine have one line, the newest's; several machines have one each. */
function machineText(results: readonly KeptResult[]): string {
  const lines = new Map<string, string>();
  for (const { machine } of [...results].sort((a, b) => (a.measuredAt < b.measuredAt ? 1 : -1))) {
    const { cores, cpuModel, memoryMb, system, node, packages } = machine;
    const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`);
    const key = `${cores} cores, ${cpuModel}, ${Math.round(memoryMb / 1024)} GB`;
    if (!lines.has(key)) lines.set(key, `- ${key}; ${system}; node ${node}; ${versions.join(', ')}`);
  }
  return [...lines.values()].join('\n');
}

function markdownTable(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const isNumeric = columns.map((_, at) => rows.every((row) => NUMERIC.test(row[at] ?? '0')));
  const line = (cells: readonly string[]): string => `| ${cells.map(cellText).join(' | ')} |`;
  return [
    line(columns),
    `|${isNumeric.map((numeric) => (numeric ? '---:' : '---')).join('|')}|`,
    ...rows.map((row) => line(columns.map((_, at) => row[at] ?? ''))),
  ].join('\n');
}

function cellText(text: string): string {
  return text.replaceAll('|', '\\|');
}
