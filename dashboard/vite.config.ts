/** Builds the dashboard into dist/dashboard, from where the management thread serves it. */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

export default defineConfig({
  base: '/',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: 'es2022',
    rolldownOptions: {
      input: ['index.html', 'login.html'].map((page) => fileURLToPath(new URL(page, import.meta.url))),
    },
    outDir: '../dist/dashboard',
    emptyOutDir: true,
    // The content security policy takes no data: URL but for images.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
