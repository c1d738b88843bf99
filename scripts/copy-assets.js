/**
 * Copies what tsc leaves behind, the SQL files, to the same place below dist/. One that is gone from src/
 * is removed from dist/ too: a leftover migration would be applied.
 */
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const source = join(root, 'src');
const target = join(root, 'dist');
mkdirSync(target, { recursive: true });

const wanted = sqlFilesBelow(source);
for (const path of sqlFilesBelow(target)) {
  if (!wanted.includes(path)) rmSync(join(target, path));
}
for (const path of wanted) {
  mkdirSync(dirname(join(target, path)), { recursive: true });
  copyFileSync(join(source, path), join(target, path));
}

/** Paths relative to the folder. */
function sqlFilesBelow(folder) {
  return readdirSync(folder, { recursive: true }).filter((path) => path.endsWith('.sql'));
}
