/** Some pods that share one Redis and one Postgres, and what each of the three says of a campaign's money. */
import type { Cluster, Redis } from 'ioredis';
import { closePostgres, openPostgres, type Sql } from '../../src/sinks/postgres/client.ts';
import { TestPod } from './pod.ts';
import { until } from './pod-wait.ts';
import { TestPostgres } from './postgres.ts';
import { TestRedis, type TestRedisOptions } from './redis.ts';

/** Another Redis than one server that the pods reach directly. */
export interface RedisSide {
  /** The pods' REDIS_… variables. */
  readonly env: Readonly<Record<string, string>>;
  /** Where to look what Redis has. */
  readonly client: () => Redis | Cluster;
}

export class TestFleet {
  readonly redis: TestRedis;
  readonly postgres: TestPostgres;
  readonly pods: readonly TestPod[];
  readonly sql: Sql;
  readonly #client: () => Redis | Cluster;

  private constructor(
    redis: TestRedis,
    postgres: TestPostgres,
    pods: readonly TestPod[],
    client: () => Redis | Cluster,
  ) {
    this.redis = redis;
    this.postgres = postgres;
    this.pods = pods;
    this.#client = client;
    this.sql = openPostgres({ url: postgres.url }, { connectionsMax: 1 });
  }

  /** Pods that are ready and know of each other through Redis. */
  static async start(
    count: number,
    env: Readonly<Record<string, string | number>> = {},
    side?: (redis: TestRedis) => Promise<RedisSide> | RedisSide,
    redisOptions: TestRedisOptions = {},
  ): Promise<TestFleet> {
    const [redis, postgres] = await Promise.all([TestRedis.start(redisOptions), TestPostgres.start()]);
    await redis.aged(); // or the pods would pause first
    const { env: redisEnv, client } = (await side?.(redis)) ?? directly(redis);
    const shared = {
      ...redisEnv,
      DATABASE_URL: postgres.url,
      POSTGRES_FLUSH_MS: 200,
      EDGE_THREADS: 1,
      SHARDS: 1,
      ...env,
    };
    const pods: TestPod[] = [];
    for (let pod = 0; pod < count; pod++) {
      pods.push(await TestPod.start({ env: { ...shared, NODE_ID: `pod-${pod}` } }));
    }
    const fleet = new TestFleet(redis, postgres, pods, client);
    for (const pod of pods) await fleet.healthy(pod);
    return fleet;
  }

  pod(at: number): TestPod {
    const pod = this.pods[at];
    if (pod === undefined) throw new Error('there is no such pod');
    return pod;
  }

  /** Waits until a pod has Redis and Postgres. */
  async healthy(pod: TestPod): Promise<void> {
    await until('the pod is healthy', async () => (await this.health(pod)).status === 'healthy');
  }

  async health(pod: TestPod): Promise<Record<string, unknown>> {
    return (await pod.core.request<Record<string, unknown>>('GET', '/health')).body;
  }

  /** Creates a campaign and waits until every pod decides on it. */
  async createCampaign(fields: Parameters<TestPod['createCampaign']>[0]): Promise<void> {
    await this.pod(0).createCampaign(fields);
    for (const pod of this.pods) {
      await until('every pod knows the campaign', async () => {
        const { status } = await pod.core.request('GET', `/budget/status/${fields.id}`);
        return status === 200;
      });
    }
  }

  /** Cents that Redis has as spent of a campaign, over all sources and days. */
  async inRedis(campaignId: string): Promise<number> {
    const sources = await this.#client().hvals(`budget:total:{${campaignId}}`);
    return sources.reduce((sum, spent) => sum + Number(spent), 0) / 10_000;
  }

  /** Cents that Postgres has as spent of a campaign. */
  async inPostgres(campaignId: string): Promise<number> {
    const [row] = await this.sql<{ spent: number }[]>`
      SELECT coalesce(sum(spend_micros), 0)::float8 AS spent FROM spend_hourly WHERE campaign_id = ${campaignId}`;
    return (row?.spent ?? 0) / 10_000;
  }

  /** Waits until Redis, Postgres and the status on every pod agree on what was spent of a campaign. */
  async agrees(campaignId: string, cents: number, pods: readonly TestPod[] = this.pods): Promise<void> {
    const said = async (): Promise<number[]> => {
      const statuses = pods.map(async (pod) => (await pod.core.status(campaignId)).total_spent_cents);
      return Promise.all([this.inRedis(campaignId), this.inPostgres(campaignId), ...statuses]);
    };
    let last: number[] = [];
    await until(`all agree on ${cents}`, async () => {
      last = await said();
      return last.every((each) => Math.abs(each - cents) < 1e-6);
    }).catch((error: unknown) => {
      throw new Error(`Redis, Postgres and the pods say ${last.join(', ')} where ${cents} was answered`, {
        cause: error,
      });
    });
  }

  async remove(): Promise<void> {
    await Promise.all(this.pods.map((pod) => pod.remove()));
    await closePostgres(this.sql);
    await Promise.all([this.redis.remove(), this.postgres.remove()]);
  }
}

function directly(redis: TestRedis): RedisSide {
  return { env: { REDIS_URL: `redis://127.0.0.1:${redis.port}` }, client: () => redis.admin };
}
