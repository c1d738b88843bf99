/** Keeps every figure of a run as JSON under bench/results/, which git ignores. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** @returns the file's path */
export async function writeResults(root: string, startedAt: Date, results: unknown): Promise<string> {
  const folder = join(root, 'bench', 'results');
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${startedAt.toISOString().replaceAll(':', '-')}.json`);
  await writeFile(path, `${JSON.stringify(results, null, 2)}\n`);
  return path;
}
