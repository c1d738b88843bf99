/**
 * Latency of decisions under open-loop load, from a hundred to twenty thousand a second, with the processor time
 * and memory that the server takes for it; a bare endpoint that parses is asked the same in turns, since what a
 * busy machine adds to one it adds to the other.
 */
import type { Latency } from '../drivers/load.ts';
import { OPEN_LOOP, type OpenResult, runOpenLoad } from '../drivers/open-loop.ts';
import { type CpuUse, cpuBetween, readCpu } from '../report/cpu-time.ts';
import { residentMemory } from '../report/resident-memory.ts';
import { median } from '../report/statistics.ts';
import { fixed, percent, whole } from '../report/table.ts';
import { BID_CENTS, campaignIds } from '../servers/campaigns.ts';
import { type RunningServer, startReference } from '../servers/reference.ts';
import { PARSING, Servers } from './comparison.ts';
import { roundsText } from './paired-report.ts';
import { PACER } from './paired-rounds.ts';
import { type Bench, goalNote, type Report, type Scenario } from './scenario.ts';

const RATES = [100, 1_000, 5_000, 10_000, 20_000];
const SMOKE_RATES = [500];
const CAMPAIGNS = 1000;
const CONNECTIONS = 64;
const WARM_UP_RATE = 5_000;
const KIND = 'decision';

const GOAL_RATE = 10_000;
const P99_MS_MAX = 1.5;
const P999_MS_MAX = 5;
const CPU_MAX = 0.2;

interface OpenRun {
  readonly target: string;
  readonly rate: number;
  readonly round: number;
  readonly result: OpenResult;
  readonly cpu: CpuUse | null;
  readonly residentMb: number;
}

export const latencyScenario: Scenario = {
  name: 'latency',
  describe: `open-loop decisions at ${RATES.map(whole).join(', ')} QPS over 1,000 campaigns, ${CONNECTIONS} connections`,
  async run(bench: Bench): Promise<Report> {
    const { workshop } = bench;
    const servers = new Servers();
    try {
      const ids = campaignIds(bench.smoke ? 10 : CAMPAIGNS);
      const pacer = servers.keep(await bench.pods.start(ids));
      const reference = servers.keep(await startReference(workshop, 'parse'));
      const bodies = ids.map((id) => `{"campaign_id":"${id}","bid_cents":${BID_CENTS}}`);
      const targets = [
        { name: PACER, server: pacer },
        { name: PARSING, server: reference },
      ];
      return report(bench, await measure(bench, targets, bodies));
    } finally {
      await servers.stop();
    }
  },
};

interface NamedServer {
  readonly name: string;
  readonly server: RunningServer;
}

async function measure(
  bench: Bench,
  targets: readonly NamedServer[],
  bodies: readonly string[],
): Promise<OpenRun[]> {
  const runs: OpenRun[] = [];
  if (bench.warmUpSeconds > 0) {
    for (const target of targets) await runOnce(bench, target, bodies, WARM_UP_RATE, 0);
  }
  for (const rate of bench.smoke ? SMOKE_RATES : RATES) {
    for (let round = 1; round <= bench.rounds; round++) {
      for (const target of round % 2 === 1 ? targets : [...targets].reverse()) {
        runs.push(await runOnce(bench, target, bodies, rate, round));
      }
    }
  }
  return runs;
}

async function runOnce(
  bench: Bench,
  { name, server }: NamedServer,
  bodies: readonly string[],
  rate: number,
  round: number,
): Promise<OpenRun> {
  const requests = bodies.map((body) => ({ path: '/pacing/decision', body, kind: KIND }));
  const { roundSeconds: durationSeconds, workshop } = bench;
  const before = await readCpu(server.pids);
  const result = await runOpenLoad(
    { url: server.url, connections: CONNECTIONS, durationSeconds, rate, requests, givesWay: true },
    workshop.signal,
  );
  const cpu = cpuBetween(before, await readCpu(server.pids));
  const { residentMb } = await residentMemory(server.pid);
  return { target: name, rate, round, result, cpu, residentMb };
}

function report(bench: Bench, runs: readonly OpenRun[]): Report {
  const rates = [...new Set(runs.map(({ rate }) => rate))];
  const atGoal = runs.filter(({ rate }) => rate === GOAL_RATE);
  const goalRuns = atGoal.filter(({ target }) => target === PACER);
  const bareRuns = atGoal.filter(({ target }) => target === PARSING);
  return {
    title: `${latencyScenario.name}: ${latencyScenario.describe} (driver ${OPEN_LOOP}, ${roundsText(bench)})`,
    columns: [
      'QPS',
      'server',
      'p50 ms',
      'p95 ms',
      'p99 ms',
      'p99.9 ms',
      'p99.9 min–max',
      'p99 from sending',
      'p99.9 from sending',
      'CPU, of one core',
      'resident MB',
    ],
    rows: rates.flatMap((rate) =>
      [PARSING, PACER].map((target) =>
        rowOf(
          rate,
          target,
          runs.filter((run) => run.rate === rate && run.target === target),
        ),
      ),
    ),
    notes: [
      'latency counts from when a request was due (corrected for coordinated omission); median of the rounds',
      'from sending: without what the driver, which needs most of a core, sent it late by itself',
      ...(goalRuns.length > 0 ? goals(bench, goalRuns, bareRuns) : []),
      ...disturbances(runs),
    ],
    problems: runs.flatMap(problemsOf),
    figures: { driver: OPEN_LOOP, runs },
  };
}

function cpuShare({ cpu, result }: OpenRun): number {
  return cpu === null ? Number.NaN : cpu.serverSeconds / result.seconds;
}

const NONE: Latency = { p50Ms: Number.NaN, p95Ms: Number.NaN, p99Ms: Number.NaN, p999Ms: Number.NaN };

function latencyOf({ result }: OpenRun): Latency {
  return result.kinds[KIND]?.latency ?? NONE;
}

function fromSending({ result }: OpenRun): Latency {
  return result.kinds[KIND]?.fromSending ?? NONE;
}

function rowOf(rate: number, target: string, runs: readonly OpenRun[]): string[] {
  const of = (figure: (run: OpenRun) => number): number => median(runs.map(figure));
  const worst = runs.map((run) => latencyOf(run).p999Ms);
  const ms = (digits: number, figure: (run: OpenRun) => number): string => fixed(of(figure), digits);
  return [
    whole(rate),
    target,
    ms(3, (run) => latencyOf(run).p50Ms),
    ms(3, (run) => latencyOf(run).p95Ms),
    ms(2, (run) => latencyOf(run).p99Ms),
    ms(2, (run) => latencyOf(run).p999Ms),
    `${fixed(Math.min(...worst), 2)}–${fixed(Math.max(...worst), 2)}`,
    ms(2, (run) => fromSending(run).p99Ms),
    ms(2, (run) => fromSending(run).p999Ms),
    percent(of(cpuShare)),
    ms(0, ({ residentMb }) => residentMb),
  ];
}

function goals(bench: Bench, runs: readonly OpenRun[], bare: readonly OpenRun[]): string[] {
  const at = `at ${whole(GOAL_RATE)} QPS`;
  const p99 = median(runs.map((run) => latencyOf(run).p99Ms));
  const p999 = median(runs.map((run) => latencyOf(run).p999Ms));
  const cpu = median(runs.map(cpuShare));
  const besideBare = (ms: number, figure: (run: OpenRun) => number): string =>
    `${fixed(ms, 2)} ms, the bare endpoint ${fixed(median(bare.map(figure)), 2)} ms`;
  return [
    ...goalNote(
      bench,
      `${at}: p99 at most ${P99_MS_MAX} ms`,
      p99 <= P99_MS_MAX,
      besideBare(p99, (run) => latencyOf(run).p99Ms),
    ),
    ...goalNote(
      bench,
      `${at}: p99.9 at most ${P999_MS_MAX} ms`,
      p999 <= P999_MS_MAX,
      besideBare(p999, (run) => latencyOf(run).p999Ms),
    ),
    ...goalNote(bench, `${at}: at most ${percent(CPU_MAX)} of one core`, cpu <= CPU_MAX, percent(cpu)),
  ];
}

function disturbances(runs: readonly OpenRun[]): string[] {
  const disturbed = runs.filter(({ cpu }) => (cpu?.othersShare ?? 0) > 0.1).length;
  return disturbed === 0
    ? []
    : [`in ${disturbed} of ${runs.length} runs other programs used over 10% of the machine`];
}

function problemsOf({ target, rate, round, result }: OpenRun): string[] {
  const where = `${target} at ${rate}, round ${round}`;
  return [
    ...(result.refused > 0 ? [`${where}: ${result.refused} answers were not 200`] : []),
    ...(result.socketErrors > 0 ? [`${where}: ${result.socketErrors} socket errors`] : []),
    ...(result.unanswered > 0 ? [`${where}: ${result.unanswered} requests had no answer`] : []),
  ];
}
