/**
 * Durable spends against the bare parsing endpoint, which stores nothing: every answer of the pacer's came
 * after its commit to the ledger. Then against the usual alternative, and against the pacer itself with less
 * durability. Afterwards the server's count of spends must match the driver's answers.
 */
import { SERIAL_MARK } from '../drivers/load.ts';
import { BID_CENTS } from '../servers/campaigns.ts';
import {
  compare,
  IN_MEMORY,
  INTERVAL,
  type Opponent,
  PARSING,
  REDIS_ALWAYS,
  REDIS_EVERYSEC,
} from './comparison.ts';
import { pairedReport } from './paired-report.ts';
import { type PairedLoad, problemsOf, type Run } from './paired-rounds.ts';
import type { Bench, Report, Scenario } from './scenario.ts';

const CAMPAIGNS = 1000;

interface SpendsLoad {
  readonly name: string;
  readonly describe: string;
  readonly campaigns: number;
  readonly connections: number;
  /** Whether each event carries an id of its own, which the server must remember for a day. */
  readonly eventIds: boolean;
  /** What it is held against, and the median ratio to reach. */
  readonly against: readonly { readonly name: Opponent; readonly atLeast?: number }[];
}

const LOADS: readonly SpendsLoad[] = [
  {
    name: 'spends-64',
    describe: 'durable spends on one campaign, 64 connections',
    campaigns: 1,
    connections: 64,
    eventIds: false,
    against: [{ name: PARSING }],
  },
  {
    name: 'spends-256',
    describe: 'durable spends on one campaign, 256 connections',
    campaigns: 1,
    connections: 256,
    eventIds: false,
    against: [{ name: PARSING, atLeast: 0.5 }],
  },
  {
    name: 'spends-spread',
    describe: 'durable spends spread over 1,000 campaigns, 256 connections',
    campaigns: CAMPAIGNS,
    connections: 256,
    eventIds: false,
    against: [{ name: PARSING, atLeast: 0.5 }],
  },
  {
    name: 'spends-event-ids',
    describe: 'durable spends on one campaign, each with a new event id, 256 connections',
    campaigns: 1,
    connections: 256,
    eventIds: true,
    against: [{ name: PARSING }],
  },
  {
    name: 'spends-against-redis',
    describe:
      'durable spends over 1,000 campaigns against Fastify with a Redis script for each, 256 connections',
    campaigns: CAMPAIGNS,
    connections: 256,
    eventIds: false,
    against: [{ name: REDIS_ALWAYS }, { name: REDIS_EVERYSEC }],
  },
  {
    name: 'spends-undurable',
    describe: 'durable spends over 1,000 campaigns against the pacer with less durability, 256 connections',
    campaigns: CAMPAIGNS,
    connections: 256,
    eventIds: false,
    against: [{ name: INTERVAL }, { name: IN_MEMORY }],
  },
];

export const spendScenarios: readonly Scenario[] = LOADS.map((load) => ({
  name: load.name,
  describe: load.describe,
  run: (bench) => runSpends(bench, load),
}));

async function runSpends(bench: Bench, load: SpendsLoad): Promise<Report> {
  const { campaigns, against } = load;
  const loadFor = (ids: readonly string[]): PairedLoad => pairedLoad(load, ids);
  const opponents = against.map(({ name }) => name);
  const { runs, logNotes } = await compare(bench, { campaigns, opponents, loadFor });
  return pairedReport(bench, {
    title: `${load.name}: ${load.describe}`,
    runs,
    against,
    notes: logNotes,
    problems: runs.flatMap((run) => [...problemsOf(run), ...miscounts(run, load.connections, 1)]),
  });
}

function pairedLoad(load: SpendsLoad, ids: readonly string[]): PairedLoad {
  return {
    path: '/spend/track',
    connections: load.connections,
    bodies: (run) => {
      const event = load.eventIds ? `,"event_id":"${run}-${SERIAL_MARK}"` : '';
      return ids.map((id) => `{"campaign_id":"${id}","spend_cents":${BID_CENTS},"impressions":1${event}}`);
    },
  };
}

/**
 * A connection may have had one more request on its way when the run ended.
 * @param batch spends in a request
 */
export function miscounts(
  { target, counted, round, result }: Run,
  connections: number,
  batch: number,
): string[] {
  if (counted === null) return [];
  const where = `${target}, round ${round}`;
  const { spends, duplicates } = counted;
  const answered = result.requests * batch;
  return [
    ...(spends < answered || spends > answered + connections * batch
      ? [`${where}: ${answered} spends were answered, ${spends} recorded`]
      : []),
    ...(duplicates > 0 ? [`${where}: ${duplicates} spends were taken for duplicates`] : []),
  ];
}
