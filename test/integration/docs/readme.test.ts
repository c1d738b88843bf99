/** The README's walk, run as it is printed. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestPod } from '../../support/pod.ts';
import { readmeWalk, runWalk } from '../../support/readme-walk.ts';
import { ensureTool } from '../../support/system-tool.ts';

let pod: TestPod;

beforeAll(async () => {
  await ensureTool('curl', 'curl');
  pod = await TestPod.start();
});

afterAll(async () => {
  await pod.remove();
});

test("the README's walk gives what the README shows, and a kill loses nothing of it", async () => {
  const steps = readmeWalk('## A walk');
  expect(steps.length).toBeGreaterThanOrEqual(6);
  await runWalk(steps, { '8080': pod.port, '8000': pod.apiPort });
  await pod.kill();
  await pod.restart();
  const status = await pod.core.request('GET', '/budget/status/camp-001');
  expect(JSON.parse(status.text)).toMatchObject({ daily_spent_cents: 120, total_spent_cents: 120 });
});
