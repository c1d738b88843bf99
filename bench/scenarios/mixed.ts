/**
 * A working day in one run: decisions and durable spends together under open-loop load, on a pod that is left alone
 * and on one that shares its budgets through Redis, shows live updates on dashboards, and simulates days for an
 * operator meanwhile. Both are asked in turns.
 */
import { WebSocket } from 'ws';
import { TestRedis } from '../../test/support/redis.ts';
import { OPEN_LOOP, type OpenPost, type OpenResult, runOpenLoad } from '../drivers/open-loop.ts';
import { type CpuUse, cpuBetween, readCpu } from '../report/cpu-time.ts';
import { median, spreadOf } from '../report/statistics.ts';
import { fixed, percent, whole } from '../report/table.ts';
import { BID_CENTS, campaignIds } from '../servers/campaigns.ts';
import { type Counters, countedBetween, readCounters } from '../servers/counters.ts';
import type { Pacer } from '../servers/pacer.ts';
import { Servers } from './comparison.ts';
import { roundsText, spreadText } from './paired-report.ts';
import type { Bench, Report, Scenario } from './scenario.ts';

const RATE = 5_000;
const SMOKE_RATE = 500;
const CONNECTIONS = 64;
const CAMPAIGNS = 1000;
const DASHBOARDS = 10;
/** Of five requests one is a spend. */
const SPEND_EVERY = 5;
const KINDS = ['decision', 'spend'] as const;
const ALONE = 'alone';
const BESIDE = 'with Redis, dashboards and simulations';

interface Beside {
  updates: number;
  simulations: number;
  failed: number;
}

interface MixedRun {
  readonly pod: string;
  readonly round: number;
  readonly result: OpenResult;
  readonly cpu: CpuUse | null;
  readonly counted: Counters;
}

export const mixedScenario: Scenario = {
  name: 'mixed',
  describe: `${whole(RATE)} QPS, 80% decisions and 20% durable spends, alone and beside Redis, ${DASHBOARDS} dashboards and simulations`,
  async run(bench: Bench): Promise<Report> {
    const servers = new Servers();
    const redis = await TestRedis.start();
    try {
      const ids = campaignIds(bench.smoke ? 10 : CAMPAIGNS);
      const alone = servers.keep(await bench.pods.start(ids));
      const redisUrl = `redis://127.0.0.1:${redis.port}`;
      const beside = servers.keep(
        await bench.pods.start(ids, { options: { REDIS_URL: redisUrl }, apart: true }),
      );
      const seen: Beside = { updates: 0, simulations: 0, failed: 0 };
      const runs: MixedRun[] = [];
      for (let round = 1; round <= bench.rounds; round++) {
        const quietly = async (): Promise<void> => {
          runs.push(await runOnce(bench, ALONE, alone, ids, round));
        };
        const busily = (): Promise<void> =>
          withOthers(beside, ids, seen, bench.workshop.signal, async () => {
            runs.push(await runOnce(bench, BESIDE, beside, ids, round));
          });
        for (const each of round % 2 === 1 ? [quietly, busily] : [busily, quietly]) await each();
      }
      return report(bench, runs, seen);
    } finally {
      await servers.stop();
      await redis.remove();
    }
  },
};

async function runOnce(
  bench: Bench,
  pod: string,
  pacer: Pacer,
  ids: readonly string[],
  round: number,
): Promise<MixedRun> {
  const requests = ids.map((id, at): OpenPost => {
    const isSpend = at % SPEND_EVERY === SPEND_EVERY - 1;
    return isSpend
      ? { kind: 'spend', path: '/spend/track', body: `{"campaign_id":"${id}","spend_cents":${BID_CENTS}}` }
      : {
          kind: 'decision',
          path: '/pacing/decision',
          body: `{"campaign_id":"${id}","bid_cents":${BID_CENTS}}`,
        };
  });
  const load = {
    url: pacer.url,
    connections: CONNECTIONS,
    durationSeconds: bench.roundSeconds,
    rate: bench.smoke ? SMOKE_RATE : RATE,
    requests,
  };
  const countersBefore = await readCounters(pacer.url);
  const cpuBefore = await readCpu(pacer.pids);
  const result = await runOpenLoad(load, bench.workshop.signal);
  const cpu = cpuBetween(cpuBefore, await readCpu(pacer.pids));
  return { pod, round, result, cpu, counted: countedBetween(countersBefore, await readCounters(pacer.url)) };
}

/** Runs a load while dashboards are open and an operator simulates one day after the other. */
async function withOthers(
  pacer: Pacer,
  ids: readonly string[],
  seen: Beside,
  signal: AbortSignal,
  run: () => Promise<void>,
): Promise<void> {
  const url = `${pacer.apiUrl.replace('http', 'ws')}/ws/budget-updates`;
  const dashboards = await Promise.all(Array.from({ length: DASHBOARDS }, () => openDashboard(url, seen)));
  let over = false;
  const operator = (async () => {
    while (!over) await simulate(pacer, ids[seen.simulations % ids.length] ?? '', seen, signal);
  })();
  try {
    await run();
  } finally {
    over = true;
    await operator;
    for (const dashboard of dashboards) dashboard.terminate();
  }
}

function openDashboard(url: string, seen: Beside): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    socket.once('open', () => resolve(socket));
    socket.once('error', reject);
    socket.on('message', () => {
      seen.updates++;
    });
  });
}

async function simulate(pacer: Pacer, id: string, seen: Beside, signal: AbortSignal): Promise<void> {
  const body = JSON.stringify({ campaign_id: id, hours_ahead: 24 });
  const reply = await fetch(`${pacer.apiUrl}/pacing/simulate`, { method: 'POST', body, signal });
  await reply.arrayBuffer();
  if (reply.ok) seen.simulations++;
  else seen.failed++;
}

function report(bench: Bench, runs: readonly MixedRun[], seen: Beside): Report {
  const p99 = (run: MixedRun | undefined): number => run?.result.kinds.decision?.latency.p99Ms ?? Number.NaN;
  const rises = runs
    .filter(({ pod }) => pod === BESIDE)
    .map((run) => p99(run) / p99(runs.find((other) => other.pod === ALONE && other.round === run.round)));
  return {
    title: `${mixedScenario.name}: ${mixedScenario.describe} (driver ${OPEN_LOOP}, ${roundsText(bench)})`,
    columns: [
      'pod',
      'requests',
      'answered/s',
      'p50 ms',
      'p95 ms',
      'p99 ms',
      'p99.9 ms',
      'CPU of the pod, of one core',
    ],
    rows: [ALONE, BESIDE].flatMap((pod) => KINDS.map((kind) => rowOf(pod, kind, runs))),
    notes: [
      `p99 of decisions beside the others over alone, in the same round: ${spreadText(spreadOf(rises), 2)}`,
      `meanwhile ${DASHBOARDS} dashboards received ${whole(seen.updates)} messages and ${whole(seen.simulations)} days were simulated`,
    ],
    problems: [
      ...runs.flatMap(problemsOf),
      ...(seen.failed > 0 ? [`${seen.failed} simulations were not answered`] : []),
      ...(seen.updates === 0 ? ['the dashboards received nothing'] : []),
      ...(seen.simulations === 0 ? ['no simulation was answered'] : []),
    ],
    figures: { driver: OPEN_LOOP, seen, runs },
  };
}

function rowOf(pod: string, kind: string, runs: readonly MixedRun[]): string[] {
  const own = runs.filter((run) => run.pod === pod);
  const of = (figure: (run: MixedRun) => number | undefined): number =>
    median(own.map((run) => figure(run) ?? Number.NaN));
  const latency = (name: 'p50Ms' | 'p95Ms' | 'p99Ms' | 'p999Ms'): string =>
    fixed(
      of(({ result }) => result.kinds[kind]?.latency[name]),
      2,
    );
  const cpu = percent(of(({ cpu: use, result }) => (use?.serverSeconds ?? Number.NaN) / result.seconds));
  return [
    pod,
    `${kind}s`,
    whole(of(({ result }) => (result.kinds[kind]?.answered ?? 0) / result.seconds)),
    latency('p50Ms'),
    latency('p95Ms'),
    latency('p99Ms'),
    latency('p999Ms'),
    kind === 'decision' ? cpu : '',
  ];
}

function problemsOf({ pod, round, result, counted }: MixedRun): string[] {
  const where = `${pod}, round ${round}`;
  const spends = result.kinds.spend?.answered ?? 0;
  return [
    ...(result.refused > 0 ? [`${where}: ${result.refused} answers were not 200`] : []),
    ...(result.socketErrors > 0 ? [`${where}: ${result.socketErrors} socket errors`] : []),
    ...(result.unanswered > 0 ? [`${where}: ${result.unanswered} requests had no answer`] : []),
    ...(counted.spends !== spends
      ? [`${where}: ${spends} spends were answered, ${counted.spends} recorded`]
      : []),
  ];
}
