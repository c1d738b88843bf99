/** The servers of one comparison: the pacer with its campaigns and the references, from start to stop. */
import { campaignIds, createCampaigns } from '../servers/campaigns.ts';
import { startPacer } from '../servers/pacer.ts';
import { type RunningServer, startReference } from '../servers/reference.ts';
import { type PairedLoad, pairedRounds, type Run, type Target } from './paired-rounds.ts';
import { type Bench, launchOf } from './scenario.ts';

const SMOKE_CAMPAIGNS = 100;

export interface Comparison {
  readonly campaigns: number;
  /** Whether the endpoint that does not even parse takes its turns too. */
  readonly withConstant: boolean;
  readonly loadFor: (campaignIds: readonly string[]) => PairedLoad;
}

export interface Compared {
  readonly runs: readonly Run[];
  /** What the pacer logged at LOG_LEVEL=warn, as notes for the report. */
  readonly logNotes: readonly string[];
}

export async function compare(bench: Bench, comparison: Comparison): Promise<Compared> {
  const { workshop, smoke } = bench;
  const ids = campaignIds(smoke ? Math.min(comparison.campaigns, SMOKE_CAMPAIGNS) : comparison.campaigns);
  const started: RunningServer[] = [];
  const keep = <Server extends RunningServer>(server: Server): Server => {
    started.push(server);
    return server;
  };
  try {
    const targets: Target[] = [{ role: 'reference', server: keep(await startReference(workshop, 'parse')) }];
    const pacer = keep(await startPacer(workshop, await launchOf(bench)));
    targets.push({ role: 'subject', server: pacer });
    if (comparison.withConstant) {
      targets.push({ role: 'constant', server: keep(await startReference(workshop, 'constant')) });
    }
    await createCampaigns(pacer.apiUrl, ids, workshop.signal);
    const runs = await pairedRounds(bench, targets, comparison.loadFor(ids));
    const log = pacer.logTail();
    return { runs, logNotes: log === '' ? [] : [`the pacer logged: ${log}`] };
  } finally {
    await Promise.all(started.map((server) => server.stop()));
  }
}
