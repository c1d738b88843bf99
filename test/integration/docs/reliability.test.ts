/** The walk of docs/reliability.md through a failing Redis, run as it is printed. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePorts, TestPod } from '../../support/pod.ts';
import { readmeWalk, runWalk } from '../../support/readme-walk.ts';
import { ensureTool } from '../../support/system-tool.ts';

let pod: TestPod;
let redisPort: number;

beforeAll(async () => {
  await ensureTool('curl', 'curl');
  await ensureTool('redis-server', 'redis-server');
  await ensureTool('redis-cli', 'redis-tools');
  [redisPort] = await freePorts();
  pod = await TestPod.start({ env: { REDIS_URL: `redis://127.0.0.1:${redisPort}` } });
});

afterAll(async () => {
  await promisify(execFile)('redis-cli', ['-p', String(redisPort), 'shutdown', 'nosave']).catch(() => {});
  await pod.remove();
});

test('the walk through a failing Redis gives what docs/reliability.md shows', async () => {
  const steps = readmeWalk('## See it: Redis fails', 'docs/reliability.md');
  expect(steps.length).toBeGreaterThanOrEqual(8);
  await runWalk(steps, { '8080': pod.port, '8000': pod.apiPort, '6390': redisPort });
});
