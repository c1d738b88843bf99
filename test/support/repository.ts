/** The root of this repository, from the sources as from what is compiled of them below build/. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function rootAbove(folder: string): string {
  if (existsSync(join(folder, 'package-lock.json'))) return folder;
  const above = dirname(folder);
  if (above === folder) throw new Error('there is no package-lock.json above this file');
  return rootAbove(above);
}

export const ROOT = rootAbove(dirname(fileURLToPath(import.meta.url)));
