/** The servers of one comparison: the pacer with its campaigns and what it is held against, from start to stop. */
import { startAlternative } from '../servers/alternative.ts';
import { campaignIds } from '../servers/campaigns.ts';
import type { Pacer } from '../servers/pacer.ts';
import { type RunningServer, startReference } from '../servers/reference.ts';
import { PACER, type PairedLoad, pairedRounds, type Run, type Target } from './paired-rounds.ts';
import type { Bench } from './scenario.ts';

export const PARSING = 'bare endpoint, parses';
export const CONSTANT = 'bare endpoint, does not parse';
export const REDIS_EVERYSEC = 'Fastify + ioredis + Lua';
export const REDIS_ALWAYS = 'Fastify + ioredis + Lua, fsync always';
export const INTERVAL = 'pacer, LEDGER_SYNC=interval';
export const IN_MEMORY = 'pacer, ledger in memory';

export type Opponent =
  | typeof PARSING
  | typeof CONSTANT
  | typeof REDIS_EVERYSEC
  | typeof REDIS_ALWAYS
  | typeof INTERVAL
  | typeof IN_MEMORY;

const SMOKE_CAMPAIGNS = 100;

export interface Comparison {
  readonly campaigns: number;
  readonly opponents: readonly Opponent[];
  readonly loadFor: (campaignIds: readonly string[]) => PairedLoad;
}

export interface Compared {
  readonly runs: readonly Run[];
  /** What the pacer logged at LOG_LEVEL=warn, as notes for the report. */
  readonly logNotes: readonly string[];
}

/** Started one after the other, ended all together. */
export class Servers {
  private readonly endings: (() => Promise<unknown>)[] = [];

  keep<Server extends RunningServer>(server: Server): Server {
    this.endings.push(() => server.stop());
    return server;
  }

  async stop(): Promise<void> {
    await Promise.all(this.endings.map((end) => end()));
  }
}

export async function compare(bench: Bench, comparison: Comparison): Promise<Compared> {
  const { smoke } = bench;
  const ids = campaignIds(smoke ? Math.min(comparison.campaigns, SMOKE_CAMPAIGNS) : comparison.campaigns);
  const servers = new Servers();
  try {
    const pacer = servers.keep(await bench.pods.start(ids));
    const targets: Target[] = [{ name: PACER, server: pacer, isPacer: true }];
    for (const name of comparison.opponents) {
      const server = servers.keep(await startOpponent(bench, name, ids));
      targets.push({ name, server, isPacer: name === INTERVAL || name === IN_MEMORY });
    }
    const runs = await pairedRounds(bench, targets, comparison.loadFor(ids));
    return { runs, logNotes: logNotesOf(pacer) };
  } finally {
    await servers.stop();
  }
}

export function logNotesOf(pacer: Pacer): string[] {
  const log = pacer.logTail();
  return log === '' ? [] : [`the pacer logged: ${log}`];
}

async function startOpponent(bench: Bench, name: Opponent, ids: readonly string[]): Promise<RunningServer> {
  const { workshop, pods } = bench;
  switch (name) {
    case PARSING:
      return startReference(workshop, 'parse');
    case CONSTANT:
      return startReference(workshop, 'constant');
    case REDIS_EVERYSEC:
      return startAlternative(workshop, ids, 'everysec');
    case REDIS_ALWAYS:
      return startAlternative(workshop, ids, 'always');
    case INTERVAL:
      return pods.start(ids, { options: { LEDGER_SYNC: 'interval' } });
    case IN_MEMORY:
      return pods.start(ids, { inMemory: true });
  }
}
