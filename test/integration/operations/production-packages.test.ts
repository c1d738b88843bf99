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

/** What was built, in a folder of its own, beside those of its packages that are wanted. @returns its main.js */
async function builtBeside(isWanted: (packageName: string) => boolean): Promise<string> {
  folder = await mkdtemp(join(tmpdir(), 'pacer-test-production-'));
  const { dependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  await cp(join(ROOT, 'dist'), join(folder, 'dist'), { recursive: true });
  await cp(join(ROOT, 'package.json'), join(folder, 'package.json'));
  for (const name of Object.keys(dependencies).filter(isWanted)) {
    const place = join(folder, 'node_modules', name);
    await mkdir(dirname(place), { recursive: true });
    await symlink(join(ROOT, 'node_modules', name), place);
  }
  return join(folder, 'dist/main.js');
}

it('what was built needs no package that npm ci --omit=dev leaves out, and serves the dashboard', async () => {
  pod = await TestPod.start({ entry: await builtBeside(() => true) });
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

it('a pod of its own that nobody traces loads neither a client of Redis nor OpenTelemetry', async () => {
  const entry = await builtBeside((name) => name !== 'ioredis' && !name.startsWith('@opentelemetry/'));
  pod = await TestPod.start({ entry });
  expect((await pod.api.request('GET', '/health')).status).toBe(200);
});
