/**
 * Seeded histories of a fleet that shares budgets through a real Redis under virtual time. `PACER_SEED=7` plays
 * one history alone and tells its story; `PACER_SEEDS=20000` plays more of them. Two test files share the seeds, so that
 * each has a processor.
 */
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestRedis } from '../../support/redis.ts';
import { History } from './history.ts';
import { SimulatedRedis } from './simulated-redis.ts';

const ONE_SEED = process.env.PACER_SEED;
const SEEDS = Number(process.env.PACER_SEEDS ?? 1_000);
const FILES = 2;

const folder = mkdtempSync(join(memoryFolder(), 'pacer-fleet-'));

let server: TestRedis;
let client: Redis;
let script: string;

/** Declares the tests of one file. @param file its number, from 0 */
export function playSeeds(file: number): void {
  const seeds = seedsOf(file);
  if (seeds.length === 0) {
    test.skip('another file plays the one seed', () => {});
    return;
  }

  beforeAll(async () => {
    server = await TestRedis.start();
    client = new Redis(server.node);
    script = await SimulatedRedis.loadScript(client);
  });
  afterAll(async () => {
    client.disconnect();
    await server.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  test(`no history of a fleet spends over a budget or loses an answered micro, in ${seeds.length} seeds`, async () => {
    for (const seed of seeds) await play(seed);
  }, 900_000);
}

function seedsOf(file: number): number[] {
  if (ONE_SEED !== undefined) return file === 0 ? [Number(ONE_SEED)] : [];
  return Array.from({ length: SEEDS }, (_, at) => at + 1).filter((seed) => seed % FILES === file);
}

async function play(seed: number): Promise<void> {
  const ledgers = join(folder, String(seed));
  const history = new History(seed, client, script, ledgers);
  try {
    await history.play();
  } catch (error) {
    const { theme } = history.plan;
    const last = history.story.slice(ONE_SEED === undefined ? -6 : 0).join('\n');
    throw new Error(`PACER_SEED=${seed} (${theme}) broke at\n${last}`, { cause: error });
  } finally {
    await history.end();
    rmSync(ledgers, { recursive: true, force: true });
  }
  if (ONE_SEED !== undefined) console.log(history.story.join('\n'));
  expect(history.story.length).toBeGreaterThan(0);
}

/** Ledgers in memory are written in microseconds. */
function memoryFolder(): string {
  try {
    accessSync('/dev/shm', constants.W_OK);
    return '/dev/shm';
  } catch {
    return tmpdir();
  }
}
