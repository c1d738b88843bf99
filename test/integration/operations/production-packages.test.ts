import { cp, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { TestPod } from '../../support/pod.ts';
import { ROOT } from '../../support/repository.ts';

let folder: string | null = null;
let pod: TestPod | null = null;

afterEach(async () => {
  await pod?.remove();
  if (folder !== null) await rm(folder, { recursive: true, force: true });
});

it('what was built needs no package that npm ci --omit=dev leaves out, and serves the dashboard', async () => {
  folder = await mkdtemp(join(tmpdir(), 'pacer-test-production-'));
  const { dependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  await cp(join(ROOT, 'dist'), join(folder, 'dist'), { recursive: true });
  await cp(join(ROOT, 'package.json'), join(folder, 'package.json'));
  for (const name of Object.keys(dependencies)) {
    const place = join(folder, 'node_modules', name);
    await mkdir(dirname(place), { recursive: true });
    await symlink(join(ROOT, 'node_modules', name), place);
  }
  pod = await TestPod.start({ entry: join(folder, 'dist/main.js') });
  const { text, status } = await pod.api.request('GET', '/');
  expect(status).toBe(200);
  const files = [...text.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path ?? '');
  expect(files.length).toBeGreaterThanOrEqual(3);
  for (const path of [...files, '/docs', '/openapi.json', '/login']) {
    expect((await pod.api.request('GET', path)).status, path).toBe(200);
  }
  // Modules that are loaded when they are wanted: the job pool's, and the commands.
  const simulated = { campaign: { name: 'A', daily_budget_cents: 1_000 }, hours_ahead: 2 };
  expect((await pod.api.request('POST', '/pacing/simulate', simulated)).status).toBe(200);
});
