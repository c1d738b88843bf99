import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../../support/pod.ts';
import { until } from '../../support/pod-wait.ts';
import { TestPostgres } from '../../support/postgres.ts';
import { ROOT } from '../../support/repository.ts';
import { ensureTool } from '../../support/system-tool.ts';

describe('replicas that share one volume', () => {
  let postgres: TestPostgres;
  let volume: string;
  const running: ChildProcess[] = [];

  beforeAll(async () => {
    await ensureTool('flock', 'util-linux');
    postgres = await TestPostgres.start();
    volume = await mkdtemp(join(tmpdir(), 'pacer-test-volume-'));
  });
  afterAll(async () => {
    await Promise.all(running.map((pod) => end(pod)));
    await postgres.remove();
    await rm(volume, { recursive: true, force: true });
  });

  async function start(): Promise<ChildProcess> {
    const [port, apiPort] = await freePorts();
    const pod = spawn('/bin/sh', [join(ROOT, 'docker/own-folder.sh')], {
      cwd: volume,
      env: {
        PATH: process.env.PATH ?? '',
        DATA_DIR: volume,
        DATABASE_URL: postgres.url,
        PORT: String(port),
        API_PORT: String(apiPort),
      },
      stdio: 'ignore',
    });
    running.push(pod);
    return pod;
  }

  async function end(pod: ChildProcess): Promise<void> {
    if (pod.exitCode !== null || pod.signalCode !== null) return;
    const gone = once(pod, 'exit');
    pod.kill('SIGKILL');
    await gone;
  }

  /** Waits until the pod itself, which is the process that was started, holds a folder. */
  async function holds(folder: number, pod: ChildProcess): Promise<void> {
    await until(`folder ${folder} is held`, async () => {
      const lock = await readFile(join(volume, String(folder), 'pacer.lock'), 'utf8').catch(() => '');
      return lock.startsWith(`${pod.pid} `);
    });
  }

  it('take a folder each, and the same one again after a crash', async () => {
    const first = await start();
    await holds(1, first);
    const second = await start();
    await holds(2, second);
    await end(first);
    const third = await start();
    await holds(1, third);
    expect(existsSync(join(volume, '3'))).toBe(false);
  });
});
