/**
 * Decisions against the bare endpoints: one campaign, so that every request meets the same cache lines; a
 * thousand, so that none does; and batches of a hundred. All campaigns are rich: a denial is a cheaper
 * answer, so a run with more than one in a hundred is marked.
 */
import { percent } from '../report/table.ts';
import { BID_CENTS } from '../servers/campaigns.ts';
import { type Counters, decided, deniedShare } from '../servers/counters.ts';
import { compare } from './comparison.ts';
import { pairedReport } from './paired-report.ts';
import { type PairedLoad, problemsOf, type Run } from './paired-rounds.ts';
import type { Bench, Report, Scenario } from './scenario.ts';

const CAMPAIGNS = 1000;
const BATCH = 100;
const DENIED_MAX = 0.01;

interface DecisionsLoad {
  readonly name: string;
  readonly describe: string;
  readonly campaigns: number;
  /** Decisions in a request. */
  readonly batch: number;
  readonly goalRatio: number | null;
  readonly connections: number;
  /** Whether the endpoint that does not even parse is measured too. */
  readonly withConstant: boolean;
}

export const decisionScenarios: readonly Scenario[] = [
  {
    name: 'decisions',
    describe: 'single decisions for one campaign, 64 connections',
    campaigns: 1,
    batch: 1,
    goalRatio: 0.85,
    connections: 64,
    withConstant: true,
  },
  {
    name: 'decisions-spread',
    describe: 'single decisions spread over 1,000 campaigns, 64 connections',
    campaigns: CAMPAIGNS,
    batch: 1,
    goalRatio: 0.85,
    connections: 64,
    withConstant: false,
  },
  {
    name: 'decisions-batch',
    describe: `batches of ${BATCH} decisions over 1,000 campaigns, 64 connections`,
    campaigns: CAMPAIGNS,
    batch: BATCH,
    goalRatio: null,
    connections: 64,
    withConstant: true,
  },
].map((load) => ({ name: load.name, describe: load.describe, run: (bench) => runDecisions(bench, load) }));

async function runDecisions(bench: Bench, load: DecisionsLoad): Promise<Report> {
  const { campaigns, withConstant, goalRatio } = load;
  const loadFor = (ids: readonly string[]): PairedLoad => pairedLoad(load, ids);
  const { runs, logNotes } = await compare(bench, { campaigns, withConstant, loadFor });
  return pairedReport(bench, {
    title: `${load.name}: ${load.describe}`,
    runs,
    goalRatio,
    notes: [allowedNote(runs), ...logNotes],
    problems: runs.flatMap((run) => [...problemsOf(run), ...denials(run, load)]),
  });
}

function pairedLoad(load: DecisionsLoad, ids: readonly string[]): PairedLoad {
  const requests = ids.map((id) => `{"campaign_id":"${id}","bid_cents":${BID_CENTS}}`);
  const bodies = load.batch === 1 ? requests : batches(requests, load.batch);
  const path = load.batch === 1 ? '/pacing/decision' : '/pacing/decisions';
  return { path, connections: load.connections, bodies: () => bodies };
}

function batches(requests: readonly string[], size: number): string[] {
  return Array.from({ length: Math.ceil(requests.length / size) }, (_, at) => {
    const own = requests.slice(at * size, (at + 1) * size);
    return `{"requests":[${own.join(',')}]}`;
  });
}

function subjectCounts(runs: readonly Run[]): Counters[] {
  return runs.flatMap((run) => (run.counted === null ? [] : [run.counted]));
}

function allowedNote(runs: readonly Run[]): string {
  const worst = Math.max(...subjectCounts(runs).map(deniedShare));
  return `decisions that were allowed: ${percent(1 - worst)}, in the worst round`;
}

function denials({ counted, round, result }: Run, load: DecisionsLoad): string[] {
  if (counted === null) return [];
  const share = deniedShare(counted);
  const due = result.requests * load.batch;
  return [
    ...(share > DENIED_MAX
      ? [`subject, round ${round}: ${percent(share)} denied: ${JSON.stringify(counted.decisions)}`]
      : []),
    ...(decided(counted) < due ? [`subject, round ${round}: ${decided(counted)} decisions for ${due}`] : []),
  ];
}
