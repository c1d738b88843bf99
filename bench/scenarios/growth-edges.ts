/**
 * What a second edge thread gains: over HTTP, where the driver and the shard want the same cores, and on the table
 * alone, without HTTP: threads that do nothing but decide, on campaigns of their own, on the same thousand, and all
 * on one. The second part shows whether edges disturb each other where they meet, in shared memory.
 */
import { availableParallelism } from 'node:os';
import { type TableShare, tableRate } from '../micro/table-threads.ts';
import { spreadOf } from '../report/statistics.ts';
import { fixed, percent, whole } from '../report/table.ts';
import { BID_CENTS, campaignIds } from '../servers/campaigns.ts';
import { Servers } from './comparison.ts';
import { denials } from './decisions.ts';
import { limitNotes, roundsText, rowOf, spreadText } from './paired-report.ts';
import { PACER, pairedRounds, problemsOf, type Run, ratiosOf } from './paired-rounds.ts';
import type { Bench, Report, Scenario } from './scenario.ts';

const CAMPAIGNS = 1000;
const CONNECTIONS = 64;
const TWO = 'pacer, 2 edges';
const EDGES = [1, 2];

export const growthEdgesScenario: Scenario = {
  name: 'growth-edges',
  describe: `decisions by 1 and 2 edge threads over HTTP, ${CONNECTIONS} connections, 1,000 campaigns`,
  async run(bench: Bench): Promise<Report> {
    const servers = new Servers();
    const ids = campaignIds(bench.smoke ? 10 : CAMPAIGNS);
    try {
      const one = servers.keep(await bench.pods.start(ids));
      const two = servers.keep(await bench.pods.start(ids, { options: { EDGE_THREADS: '2' } }));
      const bodies = ids.map((id) => `{"campaign_id":"${id}","bid_cents":${BID_CENTS}}`);
      const targets = [
        { name: PACER, server: one, isPacer: true },
        { name: TWO, server: two, isPacer: true },
      ];
      const load = { path: '/pacing/decision', connections: CONNECTIONS, bodies: () => bodies };
      return report(bench, await pairedRounds(bench, targets, load));
    } finally {
      await servers.stop();
    }
  },
};

function report(bench: Bench, runs: readonly Run[]): Report {
  const ratio = spreadOf(ratiosOf(runs, TWO, PACER));
  const others = runs
    .filter(({ target }) => target === TWO)
    .map(({ cpu }) => cpu?.otherThreadsBusy[0] ?? Number.NaN);
  const cores = availableParallelism();
  return {
    title: `${growthEdgesScenario.name}: ${growthEdgesScenario.describe} (driver ${bench.driver.name}, ${roundsText(bench)})`,
    columns: [
      'edges',
      'requests/s',
      'p50 ms',
      'p99 ms',
      'p99.9 ms',
      'busiest thread',
      'the next',
      'server µs/request',
    ],
    rows: [PACER, TWO].map((target, at) => {
      const [, requests, p50, , p99, p999, busiest, , micros] = rowOf(target, runs);
      const next = at === 0 ? '' : percent(spreadOf(others).median);
      return [String(EDGES[at]), requests, p50, p99, p999, busiest, next, micros].map((text) => text ?? '');
    }),
    notes: [
      `2 edges / 1 edge: ${spreadText(ratio)}`,
      `the driver and the pod share ${cores} cores: a second edge can only use what the driver leaves of them`,
      ...limitNotes([], runs),
    ],
    problems: runs.flatMap((run) => [...problemsOf(run), ...denials(run, 1)]),
    figures: { driver: bench.driver.name, ratio, runs },
  };
}

interface TableRound {
  readonly share: TableShare;
  readonly threads: number;
  readonly decisionsPerSecond: number;
}

const SHARES: readonly { readonly share: TableShare; readonly name: string }[] = [
  { share: 'own', name: 'each its own 500' },
  { share: 'same', name: 'the same 1,000' },
  { share: 'one', name: 'all the same one' },
];

export const growthEdgesTableScenario: Scenario = {
  name: 'growth-edges-table',
  describe: 'decisions on the shared table by 1 and 2 threads, without HTTP',
  async run(bench: Bench): Promise<Report> {
    const rounds: TableRound[] = [];
    for (let round = 0; round < bench.rounds; round++) {
      for (const { share } of SHARES) {
        for (const threads of round % 2 === 0 ? EDGES : [...EDGES].reverse()) {
          const seconds = bench.smoke ? 0.1 : bench.roundSeconds;
          rounds.push({ share, threads, decisionsPerSecond: await tableRate(share, threads, seconds) });
        }
      }
    }
    return tableReport(bench, rounds);
  },
};

function tableReport(bench: Bench, rounds: readonly TableRound[]): Report {
  const rates = (share: TableShare, threads: number): number[] =>
    rounds
      .filter((round) => round.share === share && round.threads === threads)
      .map(({ decisionsPerSecond }) => decisionsPerSecond);
  return {
    title: `${growthEdgesTableScenario.name}: ${growthEdgesTableScenario.describe} (${roundsText(bench)})`,
    columns: ['campaigns of the threads', '1 thread, decisions/s', '2 threads', 'gain', 'min–max'],
    rows: SHARES.map(({ share, name }) => {
      const [alone, both] = [rates(share, 1), rates(share, 2)];
      const gain = spreadOf(both.map((rate, at) => rate / (alone[at] ?? Number.NaN)));
      return [
        name,
        whole(spreadOf(alone).median),
        whole(spreadOf(both).median),
        fixed(gain.median, 2),
        `${fixed(gain.min, 2)}–${fixed(gain.max, 2)}`,
      ];
    }),
    notes: ['a look-up of the id, a draw and a decision each; nothing else runs beside them'],
    problems: [],
    figures: { rounds },
  };
}
