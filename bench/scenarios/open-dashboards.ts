/**
 * What open dashboards cost a pod whose campaigns all change: the processor time of its process with and without them,
 * and the latency of its decisions, at the same fixed rate of decisions and spends; rounds in turn, in the same run.
 */
import { fileURLToPath } from 'node:url';
import { Latencies, type LatencyFigures } from '../../src/cli/load-test/latencies.ts';
import { LoadShape } from '../../src/cli/load-test/load-shape.ts';
import { OpenLoop } from '../../src/cli/load-test/open-loop.ts';
import type { DashboardsReading } from '../drivers/dashboards-process.ts';
import { type CpuUse, cpuBetween, readCpu } from '../report/cpu-time.ts';
import { spreadOf } from '../report/statistics.ts';
import { fixed, percent, whole } from '../report/table.ts';
import { BID_CENTS, campaignIds, createCampaigns } from '../servers/campaigns.ts';
import { type Pacer, startPacer } from '../servers/pacer.ts';
import { type Bench, goalNote, launchOf, type Report, type Scenario } from './scenario.ts';

const CAMPAIGNS = 1_000;
const DASHBOARDS = 100;
/** Far below what an edge answers: each campaign is asked for twice a second, and every other bid is won. */
const DECISIONS_A_SECOND = 2_000;
const WIN_SHARE = 0.5;
const CONNECTIONS = 32;
const CORE_SHARE_MAX = 0.05;
/** Within what two runs of the same differ by. */
const RISE_MAX = 1.2;
const SETTLE_MS = 1_500;
/** An update must come within a second; the rest is what a reader of low priority waits for its turn. */
const SILENCE_MS_MAX = 2_000;
const SMOKE = { campaigns: 10, dashboards: 3, decisionsASecond: 100 };

const entry = fileURLToPath(new URL('../drivers/dashboards-process.js', import.meta.url));

interface Run {
  readonly latencies: Latencies;
  readonly answered: number;
  readonly errors: number;
  readonly seconds: number;
  /** Null where the system keeps no such account. */
  readonly cpu: CpuUse | null;
}

interface Round {
  readonly alone: Run;
  readonly watched: Run;
  readonly seen: DashboardsReading;
}

interface Size {
  readonly campaigns: number;
  readonly dashboards: number;
  readonly decisionsASecond: number;
}

export const openDashboardsScenario: Scenario = {
  name: 'open-dashboards',
  describe: `what ${DASHBOARDS} open dashboards cost, ${CAMPAIGNS.toLocaleString('en')} campaigns changing`,
  async run(bench: Bench): Promise<Report> {
    const size = bench.smoke
      ? SMOKE
      : { campaigns: CAMPAIGNS, dashboards: DASHBOARDS, decisionsASecond: DECISIONS_A_SECOND };
    const pacer = await startPacer(bench.workshop, await launchOf(bench));
    try {
      const ids = campaignIds(size.campaigns);
      await createCampaigns(pacer.apiUrl, ids, bench.workshop.signal, 'EVEN');
      if (bench.warmUpSeconds > 0)
        await withDashboards(bench, pacer, size, () => load(bench, pacer, ids, size, 'w'));
      const rounds: Round[] = [];
      for (let round = 0; round < bench.rounds; round++) {
        bench.workshop.signal.throwIfAborted();
        rounds.push(await runRound(bench, pacer, ids, size, round));
      }
      return report(bench, size, rounds, pacer.logTail());
    } finally {
      await pacer.stop();
    }
  },
};

async function runRound(
  bench: Bench,
  pacer: Pacer,
  ids: readonly string[],
  size: Size,
  round: number,
): Promise<Round> {
  const alone = (): Promise<Run> => load(bench, pacer, ids, size, `a${round}`);
  const watched = (): Promise<{ readonly watched: Run; readonly seen: DashboardsReading }> =>
    withDashboards(bench, pacer, size, () => load(bench, pacer, ids, size, `w${round}`));
  if (round % 2 === 0) return { alone: await alone(), ...(await watched()) };
  return { ...(await watched()), alone: await alone() };
}

async function load(
  bench: Bench,
  pacer: Pacer,
  campaignIds: readonly string[],
  { decisionsASecond }: Size,
  run: string,
): Promise<Run> {
  const loop = new OpenLoop({
    address: { url: pacer.url, token: null },
    shape: new LoadShape('normal', decisionsASecond, bench.roundSeconds),
    campaignIds,
    connections: CONNECTIONS,
    bidCents: BID_CENTS,
    winShare: WIN_SHARE,
    run: `${run}-${Date.now().toString(36)}`,
  });
  const before = await readCpu(pacer.pids);
  const startedAtMs = performance.now();
  await loop.run();
  const seconds = (performance.now() - startedAtMs) / 1000;
  return {
    latencies: loop.latencies.decision,
    answered: loop.decisionsAnswered,
    errors: loop.errorCount + loop.unsent,
    seconds,
    cpu: cpuBetween(before, await readCpu(pacer.pids)),
  };
}

/** Runs a load while dashboards are open. */
async function withDashboards(
  bench: Bench,
  pacer: Pacer,
  { dashboards }: Size,
  run: () => Promise<Run>,
): Promise<{ readonly watched: Run; readonly seen: DashboardsReading }> {
  const args = [entry, pacer.apiUrl, String(dashboards)];
  const viewers = bench.workshop.launch({ name: 'the dashboards', args, env: {} });
  const { port } = (await viewers.firstMessage()) as { readonly port: number };
  const read = async (): Promise<DashboardsReading> =>
    (await (await fetch(`http://127.0.0.1:${port}`)).json()) as DashboardsReading;
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  await read();
  const watched = await run();
  const seen = await read();
  await viewers.stop();
  return { watched, seen };
}

function p99Of({ latencies }: Run): number {
  return latencies.uncorrected.p99_ms;
}

/** One round's p99 is that of some sixty requests: all rounds together say more. */
function together(runs: readonly Run[]): LatencyFigures {
  const all = new Latencies();
  for (const { latencies } of runs) all.add(latencies);
  return all.uncorrected;
}

function kept({ latencies, ...run }: Run): object {
  return { ...run, sent: latencies.uncorrected, due: latencies.corrected };
}

function coreShare({ cpu, seconds }: Run): number {
  return cpu === null ? Number.NaN : cpu.serverSeconds / seconds;
}

/**
 * What the thread that serves the dashboards needs more, share of a core: that thread is the one which needs most more.
 * The process as a whole says the same with the noise of a dozen other threads.
 */
function servingThreadShare(rounds: readonly Round[]): ReturnType<typeof spreadOf> {
  const share = ({ cpu, seconds }: Run, thread: string): number =>
    (cpu?.threadSeconds[thread] ?? Number.NaN) / seconds;
  const threads = Object.keys(rounds[0]?.watched.cpu?.threadSeconds ?? {});
  const spreads = threads.map((thread) =>
    spreadOf(rounds.map(({ alone, watched }) => share(watched, thread) - share(alone, thread))),
  );
  const none = { median: Number.NaN, min: Number.NaN, max: Number.NaN };
  return spreads.reduce((most, each) => (each.median <= most.median ? most : each), none);
}

function shareText({ median, min, max }: ReturnType<typeof spreadOf>): string {
  return `${fixed(100 * median, 1)}% (${fixed(100 * min, 1)}–${fixed(100 * max, 1)})`;
}

function report(
  bench: Bench,
  { dashboards, campaigns }: Size,
  rounds: readonly Round[],
  log: string,
): Report {
  const row = (name: string, of: (round: Round) => Run): string[] => {
    const figure = (value: (run: Run) => number): ReturnType<typeof spreadOf> =>
      spreadOf(rounds.map((round) => value(of(round))));
    const all = together(rounds.map(of));
    const p99 = figure(p99Of);
    return [
      name,
      whole(figure(({ answered, seconds }) => answered / seconds).median),
      fixed(all.p50_ms, 2),
      fixed(all.p99_ms, 2),
      `${fixed(p99.min, 2)}–${fixed(p99.max, 2)}`,
      percent(figure(coreShare).median),
    ];
  };
  const rises = spreadOf(rounds.map(({ alone, watched }) => p99Of(watched) / p99Of(alone)));
  const rise =
    together(rounds.map(({ watched }) => watched)).p99_ms / together(rounds.map(({ alone }) => alone)).p99_ms;
  const process = spreadOf(rounds.map(({ alone, watched }) => coreShare(watched) - coreShare(alone)));
  const cost = servingThreadShare(rounds);
  const each = (of: (seen: DashboardsReading) => number): number =>
    spreadOf(rounds.map(({ seen, watched }) => of(seen) / watched.seconds)).median;
  const silence = Math.max(...rounds.map(({ seen }) => seen.silenceMsMax));
  const updates = each(({ frames }) => frames / dashboards);
  const rows = each((seen) => seen.rows);
  const errors = rounds.reduce((sum, { alone, watched }) => sum + alone.errors + watched.errors, 0);
  const away = rounds.filter(({ seen }) => seen.connected < dashboards).length;
  return {
    title: `open-dashboards: ${openDashboardsScenario.describe}`,
    columns: ['dashboards', 'decisions/s', 'p50 ms', 'p99 ms', 'p99 of the rounds', 'of a core'],
    rows: [row('none', ({ alone }) => alone), row(String(dashboards), ({ watched }) => watched)],
    notes: [
      `the dashboards cost their thread ${shareText(cost)} of a core more, the process ${shareText(process)}`,
      `p99 with them over p99 without, of all rounds together: ${fixed(rise, 2)} (round by round ${fixed(rises.min, 2)}–${fixed(rises.max, 2)})`,
      `each was sent ${fixed(updates, 1)} updates/s with ${whole(rows)} rows/s, ${whole(each(({ bytes }) => bytes / dashboards / 1000))} KB/s; the longest silence was ${fixed(silence / 1000, 1)} s`,
      ...goalNote(
        bench,
        `under ${100 * CORE_SHARE_MAX}% of a core`,
        cost.median < CORE_SHARE_MAX,
        `${fixed(100 * cost.median, 1)}%`,
      ),
      ...goalNote(bench, `p99 at most ${RISE_MAX} times`, rise <= RISE_MAX, `${fixed(rise, 2)} times`),
      ...(log === '' ? [] : [`the pacer logged: ${log}`]),
    ],
    problems: [
      ...(errors > 0 ? [`${errors} requests failed or were not sent`] : []),
      ...(away > 0 ? ['dashboards lost their connection'] : []),
      ...(bench.smoke || rows >= 0.9 * campaigns ? [] : [`only ${whole(rows)} campaigns changed a second`]),
      ...(bench.smoke || silence <= SILENCE_MS_MAX ? [] : ['dashboards heard nothing for too long']),
    ],
    figures: rounds.map(({ alone, watched, seen }) => ({ alone: kept(alone), watched: kept(watched), seen })),
  };
}
