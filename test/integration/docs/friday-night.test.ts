/** docs/pacing.md's Friday night, run as it is printed. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));

test('Friday night trips at 95%, recovers through two probes, and ends between $9,800 and $10,000', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['examples/friday-night.js'], { cwd: root });
  const page = readFileSync(`${root}docs/pacing.md`, 'utf8');
  expect(page).toContain(stdout);
  const lines = stdout.trim().split('\n');
  const spent = (line: string | undefined): number => Number(/\$ *([\d.]+)/.exec(line ?? '')?.[1]);
  const tripped = lines.find((line) => line.includes('trips'));
  expect(spent(tripped)).toBeGreaterThanOrEqual(9_500);
  expect(spent(tripped)).toBeLessThan(9_510);
  expect(lines.filter((line) => line.includes('half-open'))).toHaveLength(1);
  expect(lines.filter((line) => line.includes('closes, guarded'))).toHaveLength(1);
  expect(spent(lines.at(-1))).toBeGreaterThanOrEqual(9_800);
  expect(spent(lines.at(-1))).toBeLessThanOrEqual(10_000);
  expect(lines.at(-1)).toContain('overspent $0.00');
});
