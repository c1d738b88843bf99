/** The README's walk, run as it is printed. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestPod } from '../../support/pod.ts';
import { ensureTool } from '../../support/system-tool.ts';

interface Step {
  readonly command: string;
  readonly shown: string;
}

/** The commands of the README's console blocks, each with what the README shows under it. */
function walk(): Step[] {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
  const blocks = [...readme.matchAll(/```console\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
  return blocks.flatMap((block) =>
    block
      .split(/^\$ /m)
      .filter((part) => part !== '')
      .map((part) => {
        const [command = '', ...shown] = part.split('\n');
        return { command, shown: shown.join('\n').trim() };
      }),
  );
}

/** Where the README shows "…", any value may stand. */
function matching(shown: unknown): unknown {
  if (shown === '…') return expect.toSatisfy(() => true);
  if (typeof shown !== 'object' || shown === null || Array.isArray(shown)) return shown;
  return Object.fromEntries(Object.entries(shown).map(([key, value]) => [key, matching(value)]));
}

let pod: TestPod;

beforeAll(async () => {
  await ensureTool('curl', 'curl');
  pod = await TestPod.start();
});

afterAll(async () => {
  await pod.remove();
});

test("the README's walk gives what the README shows, and a kill loses nothing of it", async () => {
  const steps = walk();
  expect(steps.length).toBeGreaterThanOrEqual(6);
  for (const { command, shown } of steps) {
    const here = command.replaceAll(':8080', `:${pod.port}`).replaceAll(':8000', `:${pod.apiPort}`);
    const { stdout } = await promisify(execFile)('bash', ['-c', here]);
    if (!shown.startsWith('{')) expect(stdout.trim()).toBe(shown);
    else expect(JSON.parse(stdout)).toEqual(matching(JSON.parse(shown)));
  }
  await pod.kill();
  await pod.restart();
  const status = await pod.core.request('GET', '/budget/status/camp-001');
  expect(JSON.parse(status.text)).toMatchObject({ daily_spent_cents: 120, total_spent_cents: 120 });
});
