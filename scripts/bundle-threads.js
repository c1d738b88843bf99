/**
 * Puts an edge's modules and a shard's into one file each, over what tsc made of their entries. V8 compiles constants and
 * functions of the same module into the code that uses them; those that are imported it looks up each time, and on the
 * path of a decision they are many. Packages stay outside. Source maps lead to the TypeScript.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));
const ENTRIES = ['edge/edge-thread', 'shard/shard-thread'];

for (const entry of ENTRIES) {
  await build({
    root,
    configFile: false,
    publicDir: false,
    logLevel: 'warn',
    build: {
      ssr: join(root, 'src', `${entry}.ts`),
      target: 'es2023',
      minify: false,
      sourcemap: true,
      emptyOutDir: false,
      outDir: join(root, 'dist', dirname(entry)),
      rolldownOptions: { output: { codeSplitting: false } },
    },
  });
}
