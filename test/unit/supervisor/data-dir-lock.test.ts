import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockDataDir } from '../../../src/supervisor/data-dir-lock.ts';
import { pause } from '../../support/pod-wait.ts';

describe('the lock of DATA_DIR', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pacer-test-lock-'));
  const file = join(folder, 'pacer.lock');
  let other: ChildProcess;

  beforeEach(() => {
    rmSync(file, { force: true });
    other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  });
  afterEach(() => other.kill('SIGKILL'));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** What the lock of a process says. */
  function nameOf(pid: number): string {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return `${pid} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}\n`;
  }

  it('is given back, and may be taken again', async () => {
    (await lockDataDir(folder))();
    (await lockDataDir(folder))();
  });

  it('is taken from a process that has ended, whose number another one has now', async () => {
    writeFileSync(file, `${other.pid} 1\n`);
    (await lockDataDir(folder))();
  });

  it('is not taken from a process that has just made it and writes its name a moment later', async () => {
    writeFileSync(file, '');
    let isTaken = false;
    const taken = lockDataDir(folder).then((unlock) => {
      isTaken = true;
      return unlock;
    });
    await pause(150); // what finds it free takes it at once
    writeFileSync(file, nameOf(other.pid ?? 0));
    expect(isTaken).toBe(false);
    other.kill('SIGKILL');
    (await taken)();
  });
});
