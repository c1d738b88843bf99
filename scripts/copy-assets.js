/**
 * Copies what tsc leaves behind to the same place below dist/: the SQL files, and the page at /docs with the files of
 * Swagger UI that it loads, so that dist/ runs without the packages it was built with. A file that is gone from src/
 * is removed from dist/ too: a leftover migration would be applied.
 */
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const source = join(root, 'src');
const target = join(root, 'dist');
const page = join('management', 'openapi', 'page');
const swaggerUi = join(root, 'node_modules', 'swagger-ui-dist');
mkdirSync(target, { recursive: true });

const wanted = assetsBelow(source);
for (const path of assetsBelow(target)) {
  if (!wanted.includes(path)) rmSync(join(target, path));
}
for (const path of wanted) copy(join(source, path), join(target, path));
for (const name of ['swagger-ui-bundle.js', 'swagger-ui-bundle.js.LICENSE.txt', 'swagger-ui.css']) {
  copy(join(swaggerUi, name), join(target, page, name));
}
for (const name of ['LICENSE', 'NOTICE'])
  copy(join(swaggerUi, name), join(target, page, `swagger-ui.${name}`));

/** Paths relative to the folder. */
function assetsBelow(folder) {
  return readdirSync(folder, { recursive: true }).filter(
    (path) => path.endsWith('.sql') || (dirname(path) === page && /\.(?:html|css|js)$/.test(path)),
  );
}

function copy(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}
