/**
 * Decisions against the bare endpoints: one campaign, so that every request meets the same cache lines; a
 * thousand, so that none does; and batches of a hundred. Then against the usual alternative, and against the
 * pacer itself with less durability. All campaigns are rich: a denial is a cheaper answer, so a run with more
 * than one in a hundred is marked.
 */
import { percent } from '../report/table.ts';
import { BID_CENTS, batchesOf, PRICES_A_CAMPAIGN, priceOf } from '../servers/campaigns.ts';
import { type Counters, decided, deniedShare } from '../servers/counters.ts';
import {
  CONSTANT,
  compare,
  IN_MEMORY,
  INTERVAL,
  type Opponent,
  PARSING,
  REDIS_EVERYSEC,
} from './comparison.ts';
import { pairedReport } from './paired-report.ts';
import { PACER, type PairedLoad, problemsOf, type Run } from './paired-rounds.ts';
import type { Bench, Report, Scenario } from './scenario.ts';

const CAMPAIGNS = 1000;
const BATCH = 100;
const DENIED_MAX = 0.01;

interface DecisionsLoad {
  readonly name: string;
  readonly describe: string;
  readonly campaigns: number;
  /** Whether bids differ, as bidders' do, so that hardly an answer is like another. */
  readonly priced?: true;
  /** Decisions in a request. */
  readonly batch: number;
  readonly connections: number;
  /** What it is held against, and the median ratio to reach. */
  readonly against: readonly { readonly name: Opponent; readonly atLeast?: number }[];
}

const LOADS: readonly DecisionsLoad[] = [
  {
    name: 'decisions',
    describe: 'single decisions for one campaign, 64 connections',
    campaigns: 1,
    batch: 1,
    connections: 64,
    against: [
      { name: PARSING, atLeast: 1.1 },
      { name: CONSTANT, atLeast: 0.88 },
    ],
  },
  {
    name: 'decisions-spread',
    describe: 'single decisions spread over 1,000 campaigns at 16,000 prices, 64 connections',
    campaigns: CAMPAIGNS,
    priced: true,
    batch: 1,
    connections: 64,
    against: [
      { name: PARSING, atLeast: 1.1 },
      { name: CONSTANT, atLeast: 0.88 },
    ],
  },
  {
    name: 'decisions-batch',
    describe: `batches of ${BATCH} decisions over 1,000 campaigns at 16,000 prices, 64 connections`,
    campaigns: CAMPAIGNS,
    priced: true,
    batch: BATCH,
    connections: 64,
    against: [{ name: PARSING }, { name: CONSTANT }],
  },
  {
    name: 'decisions-against-redis',
    describe:
      'single decisions over 1,000 campaigns against Fastify with a Redis script for each, 64 connections',
    campaigns: CAMPAIGNS,
    batch: 1,
    connections: 64,
    against: [{ name: REDIS_EVERYSEC, atLeast: 3 }],
  },
  {
    name: 'decisions-undurable',
    describe: 'single decisions over 1,000 campaigns against the pacer with less durability, 64 connections',
    campaigns: CAMPAIGNS,
    batch: 1,
    connections: 64,
    against: [{ name: INTERVAL }, { name: IN_MEMORY }],
  },
];

export const decisionScenarios: readonly Scenario[] = LOADS.map((load) => ({
  name: load.name,
  describe: load.describe,
  run: (bench) => runDecisions(bench, load),
}));

async function runDecisions(bench: Bench, load: DecisionsLoad): Promise<Report> {
  const { campaigns, against, batch } = load;
  const loadFor = (ids: readonly string[]): PairedLoad => pairedLoad(load, ids);
  const opponents = against.map(({ name }) => name);
  const { runs, logNotes } = await compare(bench, { campaigns, opponents, loadFor });
  return pairedReport(bench, {
    title: `${load.name}: ${load.describe}`,
    runs,
    against,
    ...(batch === 1 ? {} : { batch: { size: batch, unit: 'decisions/s' } }),
    notes: [allowedNote(runs), ...logNotes],
    problems: runs.flatMap((run) => [...problemsOf(run), ...denials(run, batch)]),
  });
}

function pairedLoad(load: DecisionsLoad, ids: readonly string[]): PairedLoad {
  const requests = Array.from({ length: ids.length * (load.priced ? PRICES_A_CAMPAIGN : 1) }, (_, at) => {
    const price = load.priced ? priceOf(at) : BID_CENTS;
    return `{"campaign_id":"${ids[at % ids.length]}","bid_cents":${price}}`;
  });
  const bodies = load.batch === 1 ? requests : batchesOf('requests', requests, load.batch);
  const path = load.batch === 1 ? '/pacing/decision' : '/pacing/decisions';
  return { path, connections: load.connections, bodies: () => bodies };
}

function subjectCounts(runs: readonly Run[]): Counters[] {
  return runs.flatMap(({ target, counted }) => (target !== PACER || counted === null ? [] : [counted]));
}

export function allowedNote(runs: readonly Run[]): string {
  const worst = Math.max(...subjectCounts(runs).map(deniedShare));
  return `decisions that were allowed: ${percent(1 - worst)}, in the worst round`;
}

/** Denials beyond a few, and decisions that the server did not count. */
export function denials({ target, counted, round, result }: Run, batch: number): string[] {
  if (counted === null) return [];
  const share = deniedShare(counted);
  const due = result.requests * batch;
  const where = `${target}, round ${round}`;
  return [
    ...(share > DENIED_MAX
      ? [`${where}: ${percent(share)} denied: ${JSON.stringify(counted.decisions)}`]
      : []),
    ...(decided(counted) < due ? [`${where}: ${decided(counted)} decisions for ${due}`] : []),
  ];
}
