/** The results that docs/performance.md shows: the latest of each scenario, one JSON file each in docs/performance/. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Machine } from './machine.ts';

export interface KeptResult {
  readonly scenario: string;
  /** ISO 8601. */
  readonly measuredAt: string;
  readonly machine: Machine;
  readonly driver: string;
  readonly rounds: number;
  readonly roundSeconds: number;
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly notes: readonly string[];
  /** Every figure behind the table, in the scenario's own shape. */
  readonly figures: unknown;
}

function folderOf(root: string): string {
  return join(root, 'docs', 'performance');
}

/** The figures stand on one line: they are for programs. */
export async function keepResult(root: string, result: KeptResult): Promise<void> {
  const { figures, ...shown } = result;
  const head = JSON.stringify(shown, null, 2).slice(0, -'\n}'.length);
  await mkdir(folderOf(root), { recursive: true });
  const path = join(folderOf(root), `${result.scenario}.json`);
  await writeFile(path, `${head},\n  "figures": ${JSON.stringify(rounded(figures))}\n}\n`);
}

export async function readKeptResults(root: string): Promise<KeptResult[]> {
  const names = (await readdir(folderOf(root)).catch(() => [])).filter((name) => name.endsWith('.json'));
  const texts = await Promise.all(names.sort().map((name) => readFile(join(folderOf(root), name), 'utf8')));
  return texts.map((text) => JSON.parse(text) as KeptResult);
}

const DIGITS = 6;

/** The same with numbers of no more digits than they are worth. */
function rounded(value: unknown): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? value : Number(value.toPrecision(DIGITS));
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, rounded(each)]));
}
