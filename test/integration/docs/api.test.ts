/** docs/api.md, run as it is printed. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestPod } from '../../support/pod.ts';
import { pageWalk, readmeWalk, runWalk } from '../../support/readme-walk.ts';
import { ensureTool } from '../../support/system-tool.ts';

const PAGE = 'docs/api.md';
const CREDENTIALS = '## Credentials';
const TOKENS = 'ada:operator:a-secret-of-ada-that-is-long,grafana:viewer:a-secret-of-grafana-as-well';
const pods: TestPod[] = [];

beforeAll(async () => {
  await ensureTool('curl', 'curl');
});

afterAll(async () => {
  for (const pod of pods) await pod.remove();
});

async function startPod(env: Readonly<Record<string, string>> = {}): Promise<TestPod> {
  const pod = await TestPod.start({ env });
  pods.push(pod);
  return pod;
}

test('the walk through a campaign’s life gives what docs/api.md shows', { timeout: 240_000 }, async () => {
  const steps = pageWalk(PAGE, CREDENTIALS);
  expect(steps.length).toBeGreaterThanOrEqual(28);
  const pod = await startPod();
  await runWalk(steps, { '8080': pod.port, '8000': pod.apiPort }, pod.folder);
});

test('the walk with tokens gives what docs/api.md shows', { timeout: 240_000 }, async () => {
  const steps = readmeWalk(CREDENTIALS, PAGE);
  expect(steps.length).toBeGreaterThanOrEqual(9);
  const pod = await startPod({ API_TOKENS: TOKENS });
  await runWalk(steps, { '8080': pod.port, '8000': pod.apiPort }, pod.folder);
});
