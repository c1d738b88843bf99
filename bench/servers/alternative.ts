/** The usual alternative to the pacer: Fastify and ioredis with a script per request, on a real redis-server of its own. */
import { fileURLToPath } from 'node:url';
import { TestRedis } from '../../test/support/redis.ts';
import { campaignKey } from './alternative-scripts.ts';
import type { RunningServer } from './reference.ts';
import type { Workshop } from './workshop.ts';

const entry = fileURLToPath(new URL('./alternative-process.js', import.meta.url));
/** Far beyond what any run asks for, as the pacer's campaigns have it. */
const BUDGET_MICROS = 100_000_000_000_000;
const SEEDED_AT_ONCE = 1000;

/** When Redis flushes its append-only file: each second, as is common, or before each answer, as the ledger does. */
export type AppendSync = 'everysec' | 'always';

export async function startAlternative(
  workshop: Workshop,
  ids: readonly string[],
  appendSync: AppendSync,
): Promise<RunningServer> {
  const redis = await TestRedis.start();
  try {
    await redis.admin.config('SET', 'appendfsync', appendSync);
    await redis.admin.config('SET', 'appendonly', 'yes');
    await seed(redis, ids);
    const redisPid = Number(/process_id:(\d+)/.exec(await redis.admin.info('server'))?.[1]);
    const name = `the alternative (${appendSync})`;
    const server = workshop.launch({ name, args: [entry, String(redis.port)], env: {} });
    const { port } = (await server.firstMessage()) as { readonly port: number };
    return {
      url: `http://127.0.0.1:${port}`,
      pid: server.pid,
      pids: [server.pid, redisPid],
      stop: async () => {
        await server.stop();
        await redis.remove();
      },
    };
  } catch (error) {
    await redis.remove();
    throw error;
  }
}

async function seed(redis: TestRedis, ids: readonly string[]): Promise<void> {
  const campaign = {
    status: 'ACTIVE',
    budget: BUDGET_MICROS,
    spent: 0,
    held: 0,
    rate: BUDGET_MICROS / 1000,
    burst: BUDGET_MICROS,
    tokens: BUDGET_MICROS,
    at: Date.now(),
  };
  for (let at = 0; at < ids.length; at += SEEDED_AT_ONCE) {
    const pipeline = redis.admin.pipeline();
    for (const id of ids.slice(at, at + SEEDED_AT_ONCE)) pipeline.hset(campaignKey(id), campaign);
    await pipeline.exec();
  }
}
