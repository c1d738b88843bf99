import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../../support/repository.ts';
import { ensureTool } from '../../support/system-tool.ts';

const run = promisify(execFile);
const FOLDER = `${ROOT}/docker/prometheus`;

describe('promtool', () => {
  beforeAll(() => ensureTool('promtool', 'prometheus'), 300_000);

  it('takes the configuration and its rules', async () => {
    const { stdout } = await run('promtool', ['check', 'config', `${FOLDER}/prometheus.yml`]);
    expect(stdout).toContain('is valid prometheus config file syntax');
    expect(stdout).toMatch(/SUCCESS: [1-9]\d* rules found/);
  });

  it('sees each alert fire in the case it is for, and not before', async () => {
    const { stdout } = await run('promtool', ['test', 'rules', `${FOLDER}/alerts.test.yml`]);
    expect(stdout).toContain('SUCCESS');
  });
});
