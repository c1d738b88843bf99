/**
 * Memory of the server's process with a thousand campaigns, beside a real Postgres, as it is deployed where
 * memory counts: idle after their creation, after a burst of load, and idle after a restart.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { postsTo } from '../drivers/load.ts';
import { type ResidentMemory, residentMemory } from '../report/resident-memory.ts';
import { fixed } from '../report/table.ts';
import { BID_CENTS, campaignIds, createCampaigns } from '../servers/campaigns.ts';
import { type Pacer, startPacer } from '../servers/pacer.ts';
import { type Bench, goalNote, launchOf, type Report, type Scenario } from './scenario.ts';

const CAMPAIGNS = 1000;
const SMOKE_CAMPAIGNS = 50;
const RESIDENT_MB_MAX = 150;
const SETTLE_MS = 10_000;
const SMOKE_SETTLE_MS = 200;
const BURST_SECONDS = 5;

interface Stage {
  readonly stage: string;
  readonly memory: ResidentMemory;
}

export const memoryScenario: Scenario = {
  name: 'memory',
  describe: 'resident memory with 1,000 campaigns and a real Postgres: idle, after load, after a restart',
  async run(bench: Bench): Promise<Report> {
    return report(bench, await stages(bench));
  },
};

async function stages(bench: Bench): Promise<Stage[]> {
  const { workshop } = bench;
  const ids = campaignIds(bench.smoke ? SMOKE_CAMPAIGNS : CAMPAIGNS);
  const launch = await launchOf(bench);
  const found: Stage[] = [];
  await whileRunning(await startPacer(workshop, launch), async (pacer) => {
    await createCampaigns(pacer.apiUrl, ids, workshop.signal);
    found.push(await settled(bench, pacer, 'idle, campaigns just created'));
    await burst(bench, pacer, ids);
    found.push({ stage: 'right after a burst of load', memory: await residentMemory(pacer.pid) });
    found.push(await settled(bench, pacer, 'idle after the burst'));
  });
  await whileRunning(await startPacer(workshop, launch), async (pacer) => {
    found.push(await settled(bench, pacer, 'idle after a restart'));
  });
  return found;
}

async function whileRunning(pacer: Pacer, measure: (pacer: Pacer) => Promise<void>): Promise<void> {
  try {
    await measure(pacer);
  } finally {
    await pacer.stop();
  }
}

async function settled(bench: Bench, pacer: Pacer, stage: string): Promise<Stage> {
  await pause(bench.smoke ? SMOKE_SETTLE_MS : SETTLE_MS, undefined, { signal: bench.workshop.signal });
  return { stage, memory: await residentMemory(pacer.pid) };
}

/** Decisions, then spends, on every campaign. */
async function burst(bench: Bench, pacer: Pacer, ids: readonly string[]): Promise<void> {
  const durationSeconds = bench.smoke ? bench.roundSeconds : BURST_SECONDS;
  const loads = [
    { path: '/pacing/decision', field: 'bid_cents' },
    { path: '/spend/track', field: 'spend_cents' },
  ];
  for (const { path, field } of loads) {
    const bodies = ids.map((id) => `{"campaign_id":"${id}","${field}":${BID_CENTS}}`);
    const load = { url: pacer.url, connections: 256, durationSeconds, requests: postsTo(path, bodies) };
    const { refused, socketErrors } = await bench.driver.run(load, bench.workshop.signal);
    if (refused + socketErrors > 0)
      throw new Error(`${path}: ${refused} refused, ${socketErrors} socket errors`);
  }
}

function report(bench: Bench, found: readonly Stage[]): Report {
  const most = Math.max(...found.map(({ memory }) => memory.residentMb));
  const megabytes = (value: number | null): string => (value === null ? '–' : fixed(value, 0));
  return {
    title: `memory: ${memoryScenario.describe}`,
    columns: ['when', 'resident MB', 'of it anonymous', 'of it files', 'peak so far'],
    rows: found.map(({ stage, memory }) => [
      stage,
      megabytes(memory.residentMb),
      megabytes(memory.anonymousMb),
      megabytes(memory.filesMb),
      megabytes(memory.peakMb),
    ]),
    notes: goalNote(
      bench,
      `under ${RESIDENT_MB_MAX} MB in each of these`,
      most < RESIDENT_MB_MAX,
      `${fixed(most, 0)} MB`,
    ),
    problems: [],
    figures: { stages: found },
  };
}
