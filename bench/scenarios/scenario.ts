/** What a scenario is given and what it hands back; the catalogue lists them all. */
import type { Driver } from '../drivers/load.ts';
import type { Databases } from '../servers/databases.ts';
import type { PacerLaunch } from '../servers/pacer.ts';
import type { Pods } from '../servers/pods.ts';
import type { Workshop } from '../servers/workshop.ts';

export interface Bench {
  readonly workshop: Workshop;
  readonly databases: Databases;
  readonly pods: Pods;
  readonly driver: Driver;
  /** The repository's root. */
  readonly root: string;
  /** The server's entry file, absolute. */
  readonly entry: string;
  readonly rounds: number;
  readonly roundSeconds: number;
  /** 0 = none. */
  readonly warmUpSeconds: number;
  /** Everything tiny: proves that the scenario runs, its figures mean nothing. */
  readonly smoke: boolean;
}

export interface Report {
  /** Said above the table. */
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Said below it: ratios, goals, what to be careful about. */
  readonly notes: readonly string[];
  /** Why the figures must not be used, or empty. */
  readonly problems: readonly string[];
  /** Every figure, for the results file. */
  readonly figures: unknown;
}

export interface Scenario {
  readonly name: string;
  /** One line for --help. */
  readonly describe: string;
  run(bench: Bench): Promise<Report>;
}

/** A server with nothing in it yet, beside a real Postgres. */
export async function launchOf({ entry, workshop, databases }: Bench): Promise<PacerLaunch> {
  const options = { DATABASE_URL: await databases.fresh() };
  return { entry, dataDir: await workshop.subfolder('data'), options };
}

/** A goal's line, with the figure that decided it. Smoke runs judge nothing. */
export function goalNote(bench: Bench, goal: string, reached: boolean, measured: string): string[] {
  return bench.smoke ? [] : [`goal: ${goal}: ${reached ? 'reached' : 'MISSED'} (${measured})`];
}
