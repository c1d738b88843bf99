/**
 * How long a start takes with the embedded database, from the command to /health/ready: the first, which
 * makes the database, the next ones, and one with the build in front, as `npm start` does it.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { spreadOf } from '../report/statistics.ts';
import { fixed } from '../report/table.ts';
import { campaignIds, createCampaigns } from '../servers/campaigns.ts';
import { startPacer } from '../servers/pacer.ts';
import { type Bench, goalNote, type Report, type Scenario } from './scenario.ts';

const execute = promisify(execFile);
const CAMPAIGNS = 1000;
const SMOKE_CAMPAIGNS = 20;
const READY_SECONDS_MAX = 10;
const BUILD_TIMEOUT_MS = 120_000;

export const startUpScenario: Scenario = {
  name: 'start-up',
  describe: 'time until ready: first start, later starts, and with the build in front',
  async run(bench: Bench): Promise<Report> {
    const { workshop, entry } = bench;
    const dataDir = await workshop.subfolder('data');
    const first = await startPacer(workshop, { entry, dataDir });
    try {
      const ids = campaignIds(bench.smoke ? SMOKE_CAMPAIGNS : CAMPAIGNS);
      await createCampaigns(first.apiUrl, ids, workshop.signal);
    } finally {
      await first.stop();
    }
    const againMs: number[] = [];
    for (let round = 1; round <= bench.rounds; round++) againMs.push(await startMs(bench, dataDir));
    const buildMs = await build(bench);
    const afterBuildMs = await startMs(bench, dataDir);
    return report(bench, { firstMs: first.readyMs, againMs, buildMs, afterBuildMs });
  },
};

interface Figures {
  readonly firstMs: number;
  readonly againMs: readonly number[];
  readonly buildMs: number;
  readonly afterBuildMs: number;
}

async function startMs(bench: Bench, dataDir: string): Promise<number> {
  const pacer = await startPacer(bench.workshop, { entry: bench.entry, dataDir });
  await pacer.stop();
  return pacer.readyMs;
}

async function build(bench: Bench): Promise<number> {
  const startedAtMs = performance.now();
  await execute('npm', ['run', 'build'], {
    cwd: bench.root,
    signal: bench.workshop.signal,
    timeout: BUILD_TIMEOUT_MS,
  });
  return performance.now() - startedAtMs;
}

function report(bench: Bench, figures: Figures): Report {
  const seconds = (ms: number): string => fixed(ms / 1000, 2);
  const again = spreadOf(figures.againMs);
  const withBuildMs = figures.buildMs + figures.afterBuildMs;
  return {
    title: `start-up: ${startUpScenario.describe}`,
    columns: ['start', 'seconds', 'min', 'max'],
    rows: [
      ['first: makes the database', seconds(figures.firstMs)],
      ['later', seconds(again.median), seconds(again.min), seconds(again.max)],
      ['later, with npm run build in front', seconds(withBuildMs)],
    ],
    notes: goalNote(
      bench,
      `ready within ${READY_SECONDS_MAX} s on a second start, the build included`,
      Math.max(again.max, withBuildMs) / 1000 < READY_SECONDS_MAX,
      `${seconds(Math.max(again.max, withBuildMs))} s`,
    ),
    problems: [],
    figures,
  };
}
