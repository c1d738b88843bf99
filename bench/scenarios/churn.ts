/**
 * Whether memory grows with what comes and goes: a hundred thousand campaigns are made and deleted through the API,
 * in chunks, on a pod beside a real Postgres; each is asked for a decision in between. A campaign that was deleted
 * is closed a minute after none of its bids can be won any more, so the first chunks fill what the later ones use
 * again; bids are reserved for a short time here, so that this is no more than the first half. Judged is anonymous memory. The ledger keeps deleted campaigns for late spend, in a file that is
 * mapped: what it holds of each is told beside it, and is no leak, since it is given up 30 days later.
 */
import { postsTo } from '../drivers/load.ts';
import { residentMemory } from '../report/resident-memory.ts';
import { slopeOf } from '../report/statistics.ts';
import { fixed, whole } from '../report/table.ts';
import { BID_CENTS, campaignIds, createCampaigns, deleteCampaigns } from '../servers/campaigns.ts';
import type { Pacer } from '../servers/pacer.ts';
import { logNotesOf } from './comparison.ts';
import { type Bench, goalNote, type Report, type Scenario } from './scenario.ts';

const CAMPAIGNS = 100_000;
const CHUNK = 5_000;
const SMOKE_CAMPAIGNS = 60;
const SMOKE_CHUNK = 30;
const CONNECTIONS = 16;
/** By default two minutes, in which 50,000 campaigns come and go. */
const RESERVATION_TTL_MS = '10000';
/** What the second half of the chunks may add to the process, for each campaign made and deleted. */
const BYTES_EACH_MAX = 100;

interface Chunk {
  /** Campaigns made and deleted so far. */
  readonly campaigns: number;
  readonly residentMb: number;
  readonly anonymousMb: number | null;
  readonly filesMb: number | null;
  readonly seconds: number;
}

export const churnScenario: Scenario = {
  name: 'churn',
  describe: `memory while ${whole(CAMPAIGNS)} campaigns are made and deleted, ${whole(CHUNK)} at a time`,
  async run(bench: Bench): Promise<Report> {
    const { smoke } = bench;
    const pacer = await bench.pods.start([], { options: { RESERVATION_TTL_MS }, apart: true });
    try {
      const chunks: Chunk[] = [];
      const [all, size] = smoke ? [SMOKE_CAMPAIGNS, SMOKE_CHUNK] : [CAMPAIGNS, CHUNK];
      for (let first = 0; first < all; first += size) {
        chunks.push(await runChunk(bench, pacer, first, size));
      }
      return report(bench, chunks, logNotesOf(pacer));
    } finally {
      await pacer.stop();
    }
  },
};

async function runChunk(bench: Bench, pacer: Pacer, first: number, size: number): Promise<Chunk> {
  const { signal } = bench.workshop;
  const durationSeconds = Math.min(1, bench.roundSeconds);
  const startedAtMs = performance.now();
  // An id is never taken again: a deleted campaign keeps its history.
  const ids = campaignIds(size).map((id) => `${id}-${first}`);
  await createCampaigns(pacer.apiUrl, ids, signal);
  const bodies = ids.map((id) => `{"campaign_id":"${id}","bid_cents":${BID_CENTS}}`);
  const requests = postsTo('/pacing/decision', bodies);
  await bench.driver.run({ url: pacer.url, connections: CONNECTIONS, durationSeconds, requests }, signal);
  await deleteCampaigns(pacer.apiUrl, ids, signal);
  const { residentMb, anonymousMb, filesMb } = await residentMemory(pacer.pid);
  const seconds = (performance.now() - startedAtMs) / 1000;
  return { campaigns: first + size, residentMb, anonymousMb, filesMb, seconds };
}

function report(bench: Bench, chunks: readonly Chunk[], logNotes: readonly string[]): Report {
  const later = chunks.slice(Math.floor(chunks.length / 2));
  // Where the system does not tell them apart all of it counts.
  const bytesEach = bytesOfEach(later, ({ residentMb, anonymousMb }) => anonymousMb ?? residentMb);
  const mappedEach = bytesOfEach(later, ({ filesMb }) => filesMb ?? 0);
  const megabytes = (value: number | null): string => (value === null ? '–' : fixed(value, 0));
  return {
    title: `${churnScenario.name}: ${churnScenario.describe}`,
    columns: ['made and deleted', 'resident MB', 'of it anonymous', 'of it files', 'seconds'],
    rows: chunks.map(({ campaigns, residentMb, anonymousMb, filesMb, seconds }) => [
      whole(campaigns),
      megabytes(residentMb),
      megabytes(anonymousMb),
      megabytes(filesMb),
      fixed(seconds, 1),
    ]),
    notes: [
      `slope of the second half, for each campaign made and deleted: ${fixed(bytesEach, 0)} bytes anonymous, ` +
        `${fixed(mappedEach, 0)} bytes of files`,
      'files: the ledger keeps what late spend of a deleted campaign is counted by, and gives it up 30 days later',
      ...goalNote(
        bench,
        `no growth: at most ${BYTES_EACH_MAX} bytes of anonymous memory for each`,
        bytesEach <= BYTES_EACH_MAX,
        `${fixed(bytesEach, 0)} bytes`,
      ),
      ...logNotes,
    ],
    problems: [],
    figures: { chunks, bytesEach, mappedEach },
  };
}

function bytesOfEach(chunks: readonly Chunk[], megabytes: (chunk: Chunk) => number): number {
  return slopeOf(chunks.map((chunk) => [chunk.campaigns, megabytes(chunk)] as const)) * 2 ** 20;
}
