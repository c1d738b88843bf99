/**
 * What a flush to Redis costs the shard that sends it: every campaign changed, one call of the lease script
 * each, from the requests to the parsed replies. Runs on a real redis-server without the pod around it; the
 * time is the processor time of this whole process, so it includes its garbage collection.
 */
import type { FleetRedis } from '../../src/sinks/redis/fleet-redis.ts';
import type { LeaseRequest } from '../../src/sinks/redis/lease-request.ts';
import type { RedisTarget } from '../../src/sinks/redis/redis-target.ts';
import { startCluster, TestRedis } from '../../test/support/redis.ts';
import { TestFleet } from '../../test/support/redis-fleet.ts';
import { spreadOf } from '../report/statistics.ts';
import { fixed } from '../report/table.ts';
import { type Bench, goalNote, type Report, type Scenario } from './scenario.ts';

const CAMPAIGNS = 10_000;
const SMOKE_CAMPAIGNS = 50;
const ROUNDS = 20;
const SMOKE_ROUNDS = 2;
const SOURCES = 4;
const MASTERS = 3;
const FLUSH_MS_MAX = 100;

interface Flush {
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly failed: number;
}

interface Kind {
  readonly kind: string;
  readonly flushes: readonly Flush[];
}

export const redisFlushScenario: Scenario = {
  name: 'redis-flush',
  describe: `processor time of a flush of ${CAMPAIGNS.toLocaleString('en')} changed campaigns to Redis, ${SOURCES} pods`,
  async run(bench: Bench): Promise<Report> {
    const kinds: Kind[] = [];
    const server = await TestRedis.start();
    kinds.push({ kind: 'one server', flushes: await measure(bench, server.target) });
    await server.remove();
    const nodes = await startCluster(MASTERS);
    const target = { kind: 'cluster', nodes: nodes.map(({ node }) => node), login: server.login } as const;
    kinds.push({ kind: `cluster of ${MASTERS}`, flushes: await measure(bench, target) });
    await Promise.all(nodes.map((node) => node.remove()));
    return report(bench, kinds);
  },
};

async function measure(bench: Bench, target: RedisTarget): Promise<Flush[]> {
  const fleet = new TestFleet(target);
  const names = Array.from({ length: SOURCES }, (_, at) => `source-${at}`);
  const sources = await Promise.all(names.map((source) => fleet.connected({ source })));
  const flushes: Flush[] = [];
  for (let round = 0; round < (bench.smoke ? SMOKE_ROUNDS : ROUNDS); round++) {
    bench.workshop.signal.throwIfAborted();
    const requests = requestsOf(round, bench.smoke ? SMOKE_CAMPAIGNS : CAMPAIGNS);
    for (const source of sources) flushes.push(await timed(source, requests));
  }
  fleet.close();
  // The first half compiles the code and creates the keys.
  return flushes.slice(flushes.length / 2);
}

async function timed(source: FleetRedis, requests: readonly LeaseRequest[]): Promise<Flush> {
  const before = process.cpuUsage();
  const startMs = performance.now();
  const answers = await source.sync(requests);
  const wallMs = performance.now() - startMs;
  const { user, system } = process.cpuUsage(before);
  const failed = answers.filter((answer) => answer instanceof Error).length;
  return { cpuMs: (user + system) / 1_000, wallMs, failed };
}

/** Every campaign has spent and bid a little more than in the round before. */
function requestsOf(round: number, campaigns: number): LeaseRequest[] {
  const spentMicros = 1_000_000 + round * 10_000;
  return Array.from({ length: campaigns }, (_, at) => ({
    campaignId: `camp-${at}`,
    day: '2026-11-22',
    hour: 14,
    version: 3,
    dailyBudgetMicros: 5_000_000_000,
    totalBudgetMicros: 90_000_000_000,
    spentDayMicros: spentMicros + at,
    spentHourMicros: spentMicros,
    spentTotalMicros: 30_000_000 + spentMicros + at,
    heldMicros: 0,
    floorMicros: spentMicros + at + 500_000,
    capMicros: spentMicros + at + 2_000_000,
    wantMicros: 1_500_000,
    largestBidMicros: 20_000,
    asks: 100_000 + round,
    askedMicros: 10_000_000_000 + round,
    allowedMicros: 1_000_000_000 + round,
    wins: 2_000 + round,
  }));
}

function report(bench: Bench, kinds: readonly Kind[]): Report {
  const spreads = kinds.map(({ kind, flushes }) => ({
    kind,
    cpuMs: spreadOf(flushes.map(({ cpuMs }) => cpuMs)),
    wallMs: spreadOf(flushes.map(({ wallMs }) => wallMs)),
  }));
  const failed = kinds.some(({ flushes }) => flushes.some((flush) => flush.failed > 0));
  const alone = spreads[0]?.cpuMs.median ?? Number.NaN;
  return {
    title: `redis-flush: ${redisFlushScenario.describe}`,
    columns: ['Redis', 'processor ms, median', 'least', 'most', 'until answered ms, median'],
    rows: spreads.map(({ kind, cpuMs, wallMs }) => [
      kind,
      ...[cpuMs.median, cpuMs.min, cpuMs.max, wallMs.median].map((ms) => fixed(ms, 0)),
    ]),
    notes: goalNote(
      bench,
      `under ${FLUSH_MS_MAX} ms on one server`,
      alone < FLUSH_MS_MAX,
      `${fixed(alone, 0)} ms`,
    ),
    problems: failed ? ['campaigns were not synchronised'] : [],
    figures: { kinds },
  };
}
