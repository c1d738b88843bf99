import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { coresAvailable, cpuLimit } from '../../../src/config/cores.ts';

describe('the CPU limit of a process', () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'pacer-cores-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  function write(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
      const path = join(root, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
  }

  test('is that of its group, or of one that this is in when that is tighter', () => {
    write({
      'proc/self/cgroup': '0::/pods/pacer\n',
      'sys/fs/cgroup/pods/cpu.max': '800000 100000\n',
      'sys/fs/cgroup/pods/pacer/cpu.max': '250000 100000\n',
    });
    expect(cpuLimit(root)).toBe(2.5);
    write({ 'sys/fs/cgroup/pods/cpu.max': '100000 100000\n' });
    expect(cpuLimit(root)).toBe(1);
  });

  test('is the container’s own where that is all it sees', () => {
    write({ 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/cpu.max': '400000 100000\n' });
    expect(cpuLimit(root)).toBe(4);
  });

  test('is found in groups of version 1, also under a path of the host', () => {
    write({
      'proc/self/cgroup': '4:memory:/docker/a1\n2:cpu,cpuacct:/docker/a1\n',
      'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '150000\n',
      'sys/fs/cgroup/cpu/cpu.cfs_period_us': '50000\n',
    });
    expect(cpuLimit(root)).toBe(3);
  });

  test.each<Record<string, string>>([
    {},
    { 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/cpu.max': 'max 100000\n' },
    { 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/cpu.max': '\n' },
    {
      'proc/self/cgroup': '1:cpu:/\n',
      'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
      'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
    },
    { 'proc/self/cgroup': 'nothing of the kind\n' },
  ])('is none where the system sets none: %j', (files) => {
    write(files);
    expect(cpuLimit(root)).toBe(Number.POSITIVE_INFINITY);
  });
});

test('a process may use at least one core, and no more than it may run on', () => {
  expect(coresAvailable()).toBeGreaterThanOrEqual(1);
  expect(coresAvailable()).toBeLessThanOrEqual(availableParallelism());
});
