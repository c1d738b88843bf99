/**
 * Decisions of a pod that is left alone, and of the same pod while operators ask for more simulations than its pool
 * takes: rounds in turn, in the same run. Jobs run in one thread of low priority, so decisions must hardly notice.
 */
import type { LoadResult } from '../drivers/load.ts';
import { spreadOf } from '../report/statistics.ts';
import { fixed } from '../report/table.ts';
import { BID_CENTS, campaignIds, createCampaigns } from '../servers/campaigns.ts';
import { type Pacer, startPacer } from '../servers/pacer.ts';
import { type Bench, goalNote, launchOf, type Report, type Scenario } from './scenario.ts';

const CAMPAIGNS = 100;
const CONNECTIONS = 64;
/** Operators that ask at once: more than the pool runs and lets wait. */
const ASKERS = 14;
/** As Retry-After says. Asking without a pause would measure how requests to the API compete, not what jobs cost. */
const ASK_AGAIN_MS = 1_000;
const RISE_MAX = 1.5;

interface Storm {
  answered: number;
  refused: number;
  failed: number;
}

interface Round {
  readonly quiet: LoadResult;
  readonly stormy: LoadResult;
  readonly storm: Storm;
}

export const simulationStormScenario: Scenario = {
  name: 'simulation-storm',
  describe: 'latency of decisions beside more simulations than the pool takes',
  async run(bench: Bench): Promise<Report> {
    const pacer = await startPacer(bench.workshop, await launchOf(bench));
    try {
      const ids = campaignIds(bench.smoke ? 2 : CAMPAIGNS);
      await createCampaigns(pacer.apiUrl, ids, bench.workshop.signal);
      const bodies = ids.map((id) => `{"campaign_id":"${id}","bid_cents":${BID_CENTS}}`);
      const rounds: Round[] = [];
      for (let round = 0; round < bench.rounds; round++) {
        rounds.push(await runRound(bench, pacer, ids, bodies, round % 2 === 1));
      }
      return report(bench, rounds);
    } finally {
      await pacer.stop();
    }
  },
};

async function runRound(
  bench: Bench,
  pacer: Pacer,
  ids: readonly string[],
  bodies: readonly string[],
  stormFirst: boolean,
): Promise<Round> {
  const quietly = (): Promise<LoadResult> => load(bench, pacer, bodies);
  const stormily = (): Promise<{ readonly stormy: LoadResult; readonly storm: Storm }> =>
    withStorm(pacer, ids, bench.workshop.signal, quietly);
  if (stormFirst) {
    const { stormy, storm } = await stormily();
    return { stormy, storm, quiet: await quietly() };
  }
  return { quiet: await quietly(), ...(await stormily()) };
}

function load(bench: Bench, pacer: Pacer, bodies: readonly string[]): Promise<LoadResult> {
  const url = `${pacer.url}/pacing/decision`;
  const durationSeconds = bench.roundSeconds;
  return bench.driver.run({ url, connections: CONNECTIONS, durationSeconds, bodies }, bench.workshop.signal);
}

/** Runs a load while operators keep asking; what they still wait for at its end is awaited. */
async function withStorm(
  pacer: Pacer,
  ids: readonly string[],
  signal: AbortSignal,
  run: () => Promise<LoadResult>,
): Promise<{ readonly stormy: LoadResult; readonly storm: Storm }> {
  const storm: Storm = { answered: 0, refused: 0, failed: 0 };
  let over = false;
  const askers = Array.from({ length: ASKERS }, async (_, asker) => {
    const body = JSON.stringify({
      campaign_id: ids[asker % ids.length],
      hours_ahead: 24,
      compare: [{ pacing_mode: 'ASAP' }],
    });
    while (!over) await ask(pacer, body, storm, signal);
  });
  try {
    return { stormy: await run(), storm };
  } finally {
    over = true;
    await Promise.all(askers);
  }
}

async function ask(pacer: Pacer, body: string, storm: Storm, signal: AbortSignal): Promise<void> {
  const reply = await fetch(`${pacer.apiUrl}/pacing/simulate`, { method: 'POST', body, signal });
  await reply.arrayBuffer();
  if (reply.ok) storm.answered++;
  else if (reply.status === 429) storm.refused++;
  else storm.failed++;
  if (!reply.ok) await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
}

function report(bench: Bench, rounds: readonly Round[]): Report {
  const row = (name: string, of: (round: Round) => LoadResult): string[] => {
    const p50 = spreadOf(rounds.map((round) => of(round).latency.p50Ms));
    const p99 = spreadOf(rounds.map((round) => of(round).latency.p99Ms));
    const perSecond = spreadOf(rounds.map((round) => of(round).requests / of(round).seconds));
    const spread = `${fixed(p99.min, 2)}–${fixed(p99.max, 2)}`;
    return [name, fixed(perSecond.median, 0), fixed(p50.median, 2), fixed(p99.median, 2), spread];
  };
  const rise = spreadOf(rounds.map(({ quiet, stormy }) => stormy.latency.p99Ms / quiet.latency.p99Ms));
  const sum = (of: (round: Round) => number): number => rounds.reduce((total, round) => total + of(round), 0);
  const refused = sum(({ quiet, stormy }) => quiet.refused + stormy.refused);
  const answered = sum(({ storm }) => storm.answered);
  const failed = sum(({ storm }) => storm.failed);
  return {
    title: `simulation-storm: ${simulationStormScenario.describe}, ${CONNECTIONS} connections`,
    columns: ['simulations', 'requests/s', 'p50 ms', 'p99 ms', 'p99 min–max'],
    rows: [row('none', ({ quiet }) => quiet), row('a storm', ({ stormy }) => stormy)],
    notes: [
      `p99 in the storm over p99 without, in the same round: ${fixed(rise.median, 2)} (${fixed(rise.min, 2)}–${fixed(rise.max, 2)})`,
      `${answered} simulations of a day were answered, ${sum(({ storm }) => storm.refused)} refused with 429`,
      ...goalNote(bench, `at most ${RISE_MAX} times`, rise.median <= RISE_MAX),
    ],
    problems: [
      ...(refused > 0 ? [`${refused} decisions were refused`] : []),
      ...(failed > 0 ? [`${failed} simulations failed`] : []),
      ...(answered === 0 ? ['no simulation was answered'] : []),
    ],
    figures: rounds,
  };
}
