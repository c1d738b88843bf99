/**
 * Decisions at a fixed rate of a pod that is left alone, and of the same pod while operators ask for more simulations
 * than its pool takes: rounds in turn, in the same run. Jobs run in one thread of low priority and in short slices, so
 * decisions must hardly notice. The load is an open loop: one that takes all it gets would measure how the simulations
 * compete with the load's driver for two cores.
 */
import type { Latency } from '../drivers/load.ts';
import { type KindResult, OPEN_LOOP, type OpenResult, runOpenLoad } from '../drivers/open-loop.ts';
import { spreadOf } from '../report/statistics.ts';
import { fixed } from '../report/table.ts';
import { BID_CENTS, campaignIds } from '../servers/campaigns.ts';
import type { Pacer } from '../servers/pacer.ts';
import { type Bench, goalNote, type Report, type Scenario } from './scenario.ts';

const CAMPAIGNS = 100;
const CONNECTIONS = 64;
const DECISIONS_A_SECOND = 5_000;
const SMOKE_DECISIONS_A_SECOND = 100;
const KIND = 'decision';
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
  readonly quiet: OpenResult;
  readonly stormy: OpenResult;
  readonly storm: Storm;
}

export const simulationStormScenario: Scenario = {
  name: 'simulation-storm',
  describe: 'latency of decisions beside more simulations than the pool takes',
  async run(bench: Bench): Promise<Report> {
    const ids = campaignIds(bench.smoke ? 2 : CAMPAIGNS);
    const pacer = await bench.pods.start(ids);
    try {
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
  const quietly = (): Promise<OpenResult> => load(bench, pacer, bodies);
  const stormily = (): Promise<{ readonly stormy: OpenResult; readonly storm: Storm }> =>
    withStorm(pacer, ids, bench.workshop.signal, quietly);
  if (stormFirst) {
    const { stormy, storm } = await stormily();
    return { stormy, storm, quiet: await quietly() };
  }
  return { quiet: await quietly(), ...(await stormily()) };
}

function load(bench: Bench, pacer: Pacer, bodies: readonly string[]): Promise<OpenResult> {
  const load = {
    url: pacer.url,
    connections: CONNECTIONS,
    durationSeconds: bench.roundSeconds,
    rate: bench.smoke ? SMOKE_DECISIONS_A_SECOND : DECISIONS_A_SECOND,
    requests: bodies.map((body) => ({ kind: KIND, path: '/pacing/decision', body })),
  };
  return runOpenLoad(load, bench.workshop.signal);
}

function latencyOf(result: OpenResult): Latency {
  return (result.kinds[KIND] as KindResult).latency;
}

/** Runs a load while operators keep asking; what they still wait for at its end is awaited. */
async function withStorm(
  pacer: Pacer,
  ids: readonly string[],
  signal: AbortSignal,
  run: () => Promise<OpenResult>,
): Promise<{ readonly stormy: OpenResult; readonly storm: Storm }> {
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
  const row = (name: string, of: (round: Round) => OpenResult): string[] => {
    const p50 = spreadOf(rounds.map((round) => latencyOf(of(round)).p50Ms));
    const p99 = spreadOf(rounds.map((round) => latencyOf(of(round)).p99Ms));
    const late = spreadOf(rounds.map((round) => of(round).sentLateMs.p999Ms));
    const spread = `${fixed(p99.min, 2)}–${fixed(p99.max, 2)}`;
    return [name, fixed(p50.median, 2), fixed(p99.median, 2), spread, fixed(late.median, 2)];
  };
  const rise = spreadOf(rounds.map(({ quiet, stormy }) => latencyOf(stormy).p99Ms / latencyOf(quiet).p99Ms));
  const sum = (of: (round: Round) => number): number => rounds.reduce((total, round) => total + of(round), 0);
  const unserved = ({ refused, socketErrors, unanswered }: OpenResult): number =>
    refused + socketErrors + unanswered;
  const refused = sum(({ quiet, stormy }) => unserved(quiet) + unserved(stormy));
  const answered = sum(({ storm }) => storm.answered);
  const failed = sum(({ storm }) => storm.failed);
  return {
    title: `simulation-storm: ${simulationStormScenario.describe}, ${DECISIONS_A_SECOND} a second over ${CONNECTIONS} connections, ${OPEN_LOOP}`,
    columns: ['simulations', 'p50 ms', 'p99 ms', 'p99 min–max', 'sent late p99.9 ms'],
    rows: [row('none', ({ quiet }) => quiet), row('a storm', ({ stormy }) => stormy)],
    notes: [
      `p99 in the storm over p99 without, in the same round: ${fixed(rise.median, 2)} (${fixed(rise.min, 2)}–${fixed(rise.max, 2)})`,
      `${answered} simulations of a day were answered, ${sum(({ storm }) => storm.refused)} refused with 429`,
      ...goalNote(
        bench,
        `at most ${RISE_MAX} times`,
        rise.median <= RISE_MAX,
        `${fixed(rise.median, 2)} times`,
      ),
    ],
    problems: [
      ...(refused > 0 ? [`${refused} decisions were not served`] : []),
      ...(failed > 0 ? [`${failed} simulations failed`] : []),
      ...(answered === 0 ? ['no simulation was answered'] : []),
    ],
    figures: rounds,
  };
}
