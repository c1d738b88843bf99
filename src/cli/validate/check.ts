/** What a check of `pacer validate` is, and what it works with. */
import type { ServiceAddress, ServiceClient } from '../service-client.ts';
import type { TestCampaigns } from '../test-campaigns.ts';

export interface System {
  readonly core: ServiceClient;
  readonly api: ServiceClient;
  readonly coreAddress: ServiceAddress;
  readonly campaigns: TestCampaigns;
  /** Ids begin with it; new for each run. */
  readonly prefix: string;
}

/** A check that cannot be made on this system; the message says why. */
export class Skipped extends Error {
  override readonly name = 'Skipped';
}

export interface Check {
  readonly name: string;
  /** What must be so, in words. */
  readonly criterion: string;
  /** @returns what was seen. @throws Skipped, or an Error that says what was not as it must be */
  readonly run: (system: System) => Promise<string>;
}

export function demand(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
