/**
 * Which threads of a process give way is told by the order in which node starts them. Here a process makes V8's helpers
 * work, and then those of libuv, which write the ledger and must not give way, and says whose time that took.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const run = promisify(execFile);

const PROGRAM = `
import { pbkdf2 } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { helpersGiveWay } from './dist/threads/thread-priority.js';

const threads = () => readdirSync('/proc/self/task').map(Number);
const field = (thread, at) => Number(readFileSync('/proc/self/task/' + thread + '/stat', 'utf8').split(') ')[1].split(' ')[at]);
const nice = (thread) => field(thread, 16);
const busyMs = (thread) => Number(readFileSync('/proc/self/task/' + thread + '/schedstat', 'utf8').split(' ')[0]) / 1e6;
const usual = nice(process.pid);
helpersGiveWay();

/** The share of its time that the process's other threads spend in those that give way. */
async function shareOfNice(work) {
  const before = new Map(threads().map((thread) => [thread, busyMs(thread)]));
  await work();
  let [all, given] = [0, 0];
  for (const thread of threads()) {
    if (thread === process.pid) continue;
    const took = busyMs(thread) - (before.get(thread) ?? 0);
    all += took;
    if (nice(thread) > usual) given += took;
  }
  return given / all;
}

let kept = [];
const garbage = await shareOfNice(() => {
  for (let at = 0; at < 3e6; at++) kept.push({ at, text: 'x' + at });
  kept = [];
});
const hash = promisify(pbkdf2);
const pool = await shareOfNice(() => Promise.all([1, 2, 3, 4].map(() => hash('a', 'b', 2e5, 32, 'sha512'))));
console.log(JSON.stringify({ garbage, pool, nice: threads().filter((thread) => nice(thread) > usual).length }));
`;

interface Shares {
  readonly garbage: number;
  readonly pool: number;
  readonly nice: number;
}

async function sharesOf(...options: string[]): Promise<Shares> {
  const { stdout } = await run(process.execPath, [...options, '--input-type=module', '--eval', PROGRAM]);
  return JSON.parse(stdout) as Shares;
}

describe.runIf(process.platform === 'linux')('the threads that give way', () => {
  it("are V8's helpers, and not those of libuv", async () => {
    const { garbage, pool, nice } = await sharesOf();
    expect(nice).toBe(4);
    expect(garbage).toBeGreaterThan(0.9);
    expect(pool).toBeLessThan(0.1);
  });

  it('are none where node was told of another number of helpers', async () => {
    expect(await sharesOf('--v8-pool-size=1')).toMatchObject({ nice: 0 });
  });
});
