/**
 * Puts an edge's modules and a shard's into one file each, over what tsc made of their entries. V8 compiles constants and
 * functions of the same module into the code that uses them; those that are imported it looks up each time, and on the
 * path of a decision they are many. Packages stay outside, and so do modules that are imported where they are wanted: in
 * the file, what they import would be loaded always. Source maps lead to the TypeScript.
 */
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));
const ENTRIES = ['edge/edge-thread', 'shard/shard-thread'];

/** Leaves what is imported dynamically to what tsc made of it. */
const dynamicImportsStayOutside = (outDir) => ({
  name: 'dynamic-imports-stay-outside',
  resolveDynamicImport(specifier, importer) {
    if (typeof specifier !== 'string' || !specifier.startsWith('.')) return null;
    const made = join(root, 'dist', relative(join(root, 'src'), join(dirname(importer), specifier)));
    return { id: relative(outDir, made).replace(/\.ts$/, '.js'), external: true };
  },
});

for (const entry of ENTRIES) {
  const outDir = join(root, 'dist', dirname(entry));
  await build({
    root,
    configFile: false,
    publicDir: false,
    logLevel: 'warn',
    plugins: [dynamicImportsStayOutside(outDir)],
    build: {
      ssr: join(root, 'src', `${entry}.ts`),
      target: 'es2023',
      minify: false,
      sourcemap: true,
      emptyOutDir: false,
      outDir,
      rolldownOptions: { output: { codeSplitting: false } },
    },
  });
}
