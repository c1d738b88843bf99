/**
 * Decisions of a pod in a fleet while Redis answers, and after it was killed: rounds in turn, in the same run. A
 * decision never waits for Redis, so its latency must not notice.
 */
import { TestRedis } from '../../test/support/redis.ts';
import { type LoadResult, postsTo } from '../drivers/load.ts';
import { spreadOf } from '../report/statistics.ts';
import { fixed } from '../report/table.ts';
import { BID_CENTS, campaignIds, createCampaigns } from '../servers/campaigns.ts';
import { type Pacer, startPacer } from '../servers/pacer.ts';
import { type Bench, goalNote, launchOf, type Report, type Scenario } from './scenario.ts';

const CAMPAIGNS = 100;
const CONNECTIONS = 64;
const RISE_MAX = 2;
const SETTLE_MS = 3_000;
const POLL_MS = 50;

interface Round {
  readonly healthy: LoadResult;
  readonly down: LoadResult;
}

export const redisDownScenario: Scenario = {
  name: 'redis-down',
  describe: 'latency of decisions while Redis answers and while it is dead',
  async run(bench: Bench): Promise<Report> {
    const redis = await TestRedis.start();
    const launch = await launchOf(bench);
    const options = { ...launch.options, REDIS_URL: `redis://127.0.0.1:${redis.port}` };
    const pacer = await startPacer(bench.workshop, { ...launch, options });
    try {
      const ids = campaignIds(bench.smoke ? 2 : CAMPAIGNS);
      await createCampaigns(pacer.apiUrl, ids, bench.workshop.signal);
      const bodies = ids.map((id) => `{"campaign_id":"${id}","bid_cents":${BID_CENTS}}`);
      const rounds: Round[] = [];
      for (let round = 0; round < bench.rounds; round++) {
        await untilRedisIs(pacer, true);
        const healthy = await load(bench, pacer, bodies);
        await redis.stop('SIGKILL');
        await untilRedisIs(pacer, false);
        const down = await load(bench, pacer, bodies);
        await redis.resume();
        rounds.push({ healthy, down });
      }
      return report(bench, rounds);
    } finally {
      await pacer.stop();
      await redis.remove();
    }
  },
};

function load(bench: Bench, pacer: Pacer, bodies: readonly string[]): Promise<LoadResult> {
  const requests = postsTo('/pacing/decision', bodies);
  const { roundSeconds: durationSeconds, workshop } = bench;
  return bench.driver.run(
    { url: pacer.url, connections: CONNECTIONS, durationSeconds, requests },
    workshop.signal,
  );
}

async function untilRedisIs(pacer: Pacer, up: boolean): Promise<void> {
  const deadlineMs = performance.now() + 10_000 + SETTLE_MS;
  for (;;) {
    const health = (await (await fetch(`${pacer.url}/health`)).json()) as { redis_healthy?: unknown };
    if (health.redis_healthy === up) return;
    if (performance.now() > deadlineMs) throw new Error(`redis_healthy did not become ${up}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function report(bench: Bench, rounds: readonly Round[]): Report {
  const row = (name: string, of: (round: Round) => LoadResult): string[] => {
    const p50 = spreadOf(rounds.map((round) => of(round).latency.p50Ms));
    const p99 = spreadOf(rounds.map((round) => of(round).latency.p99Ms));
    const perSecond = spreadOf(rounds.map((round) => of(round).requests / of(round).seconds));
    const spread = `${fixed(p99.min, 2)}–${fixed(p99.max, 2)}`;
    return [name, fixed(perSecond.median, 0), fixed(p50.median, 2), fixed(p99.median, 2), spread];
  };
  const rise = spreadOf(rounds.map(({ healthy, down }) => down.latency.p99Ms / healthy.latency.p99Ms));
  const refused = rounds.reduce((sum, { healthy, down }) => sum + healthy.refused + down.refused, 0);
  return {
    title: `redis-down: ${redisDownScenario.describe}, ${CONNECTIONS} connections`,
    columns: ['Redis', 'requests/s', 'p50 ms', 'p99 ms', 'p99 min–max'],
    rows: [row('answers', ({ healthy }) => healthy), row('is dead', ({ down }) => down)],
    notes: [
      `p99 while it is dead over p99 while it answers, in the same round: ${fixed(rise.median, 2)} (${fixed(rise.min, 2)}–${fixed(rise.max, 2)})`,
      ...goalNote(
        bench,
        `at most ${RISE_MAX} times`,
        rise.median <= RISE_MAX,
        `${fixed(rise.median, 2)} times`,
      ),
    ],
    problems: refused > 0 ? [`${refused} decisions were refused`] : [],
    figures: rounds,
  };
}
