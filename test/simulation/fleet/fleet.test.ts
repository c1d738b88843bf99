/**
 * Seeded histories of a fleet that shares budgets through a real Redis under virtual time. `PACER_SEED=7` plays
 * one history alone and tells its story; `PACER_SEEDS=1000` plays more of them.
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
const FIRST_SEED = Number(ONE_SEED ?? 1);
const SEEDS = ONE_SEED === undefined ? Number(process.env.PACER_SEEDS ?? 200) : 1;

let server: TestRedis;
let client: Redis;
let script: string;
const folder = mkdtempSync(join(memoryFolder(), 'pacer-fleet-'));

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

test(`no history of a fleet spends over a budget or loses an answered micro, in ${SEEDS} seeds`, async () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) await play(seed);
}, 600_000);

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
