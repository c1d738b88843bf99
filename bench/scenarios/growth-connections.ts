/** What more connections cost: decisions over 1 to 1,000 keep-alive connections, beside the bare endpoint that parses. */
import { spreadOf } from '../report/statistics.ts';
import { fixed, whole } from '../report/table.ts';
import { BID_CENTS, campaignIds } from '../servers/campaigns.ts';
import { startReference } from '../servers/reference.ts';
import { logNotesOf, PARSING, Servers } from './comparison.ts';
import { denials } from './decisions.ts';
import { limitNotes, roundsText, rowOf } from './paired-report.ts';
import { PACER, pairedRounds, problemsOf, type Run, ratiosOf } from './paired-rounds.ts';
import type { Bench, Report, Scenario } from './scenario.ts';

const COUNTS = [1, 8, 64, 256, 1000];
const SMOKE_COUNTS = [8];
const CAMPAIGNS = 1000;

interface Connected {
  readonly connections: number;
  readonly runs: readonly Run[];
}

export const growthConnectionsScenario: Scenario = {
  name: 'growth-connections',
  describe: 'decisions over 1 to 1,000 connections, 1,000 campaigns',
  async run(bench: Bench): Promise<Report> {
    const servers = new Servers();
    const ids = campaignIds(bench.smoke ? 10 : CAMPAIGNS);
    try {
      const pacer = servers.keep(await bench.pods.start(ids));
      const reference = servers.keep(await startReference(bench.workshop, 'parse'));
      const bodies = ids.map((id) => `{"campaign_id":"${id}","bid_cents":${BID_CENTS}}`);
      const targets = [
        { name: PACER, server: pacer, isPacer: true },
        { name: PARSING, server: reference, isPacer: false },
      ];
      const found: Connected[] = [];
      for (const connections of bench.smoke ? SMOKE_COUNTS : COUNTS) {
        const load = { path: '/pacing/decision', connections, bodies: () => bodies };
        found.push({ connections, runs: await pairedRounds(bench, targets, load) });
      }
      return report(bench, found, logNotesOf(pacer));
    } finally {
      await servers.stop();
    }
  },
};

function report(bench: Bench, found: readonly Connected[], logNotes: readonly string[]): Report {
  const runs = found.flatMap((each) => each.runs);
  return {
    title: `${growthConnectionsScenario.name}: ${growthConnectionsScenario.describe} (driver ${bench.driver.name}, ${roundsText(bench)})`,
    columns: [
      'connections',
      'server',
      'requests/s',
      'pacer / bare',
      'p50 ms',
      'p95 ms',
      'p99 ms',
      'p99.9 ms',
      'busiest thread',
      'server µs/request',
    ],
    rows: found.flatMap((each) =>
      [PARSING, PACER].map((target) => {
        const [, requests, p50, p95, p99, p999, busiest, , micros] = rowOf(target, each.runs);
        const ratio = spreadOf(ratiosOf(each.runs, PACER, PARSING)).median;
        const texts = [p50, p95, p99, p999, busiest, micros].map((text) => text ?? '');
        const ratioText = target === PACER ? fixed(ratio, 3) : '';
        return [whole(each.connections), target, requests ?? '', ratioText, ...texts];
      }),
    ),
    notes: [
      'each connection waits for its answer before it asks again: with few of them the round trip is what is measured',
      ...logNotes,
      ...limitNotes([], runs),
    ],
    problems: runs.flatMap((run) => [...problemsOf(run), ...denials(run, 1)]),
    figures: { driver: bench.driver.name, connections: found },
  };
}
