/**
 * Durable spends against the bare parsing endpoint, which stores nothing: every answer of the pacer's came
 * after its commit to the ledger. Afterwards the server's count of spends must match the driver's answers.
 */
import { SERIAL_MARK } from '../drivers/load.ts';
import { BID_CENTS } from '../servers/campaigns.ts';
import { compare } from './comparison.ts';
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
  readonly goalRatio: number | null;
}

export const spendScenarios: readonly Scenario[] = [
  {
    name: 'spends-64',
    describe: 'durable spends on one campaign, 64 connections',
    campaigns: 1,
    connections: 64,
    eventIds: false,
    goalRatio: null,
  },
  {
    name: 'spends-256',
    describe: 'durable spends on one campaign, 256 connections',
    campaigns: 1,
    connections: 256,
    eventIds: false,
    goalRatio: 0.35,
  },
  {
    name: 'spends-spread',
    describe: 'durable spends spread over 1,000 campaigns, 256 connections',
    campaigns: CAMPAIGNS,
    connections: 256,
    eventIds: false,
    goalRatio: 0.35,
  },
  {
    name: 'spends-event-ids',
    describe: 'durable spends on one campaign, each with a new event id, 256 connections',
    campaigns: 1,
    connections: 256,
    eventIds: true,
    goalRatio: null,
  },
].map((load) => ({ name: load.name, describe: load.describe, run: (bench) => runSpends(bench, load) }));

async function runSpends(bench: Bench, load: SpendsLoad): Promise<Report> {
  const { campaigns, goalRatio } = load;
  const loadFor = (ids: readonly string[]): PairedLoad => pairedLoad(load, ids);
  const { runs, logNotes } = await compare(bench, { campaigns, withConstant: false, loadFor });
  return pairedReport(bench, {
    title: `${load.name}: ${load.describe}`,
    runs,
    goalRatio,
    notes: logNotes,
    problems: runs.flatMap((run) => [...problemsOf(run), ...miscounts(run, load)]),
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

/** A connection may have had one more spend on its way when the run ended. */
function miscounts({ counted, round, result }: Run, { connections }: SpendsLoad): string[] {
  if (counted === null) return [];
  const where = `subject, round ${round}`;
  const { spends, duplicates } = counted;
  const answered = result.requests;
  return [
    ...(spends < answered || spends > answered + connections
      ? [`${where}: ${answered} spends were answered, ${spends} recorded`]
      : []),
    ...(duplicates > 0 ? [`${where}: ${duplicates} spends were taken for duplicates`] : []),
  ];
}
