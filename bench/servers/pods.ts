/**
 * Pods with a bench's campaigns, beside a real Postgres. A measured scenario gets pods of its own. A smoke run, which
 * only shows that scenarios run, would spend most of its time on starts: its scenarios share a pod of the same options.
 */
import { createCampaigns } from './campaigns.ts';
import type { Databases } from './databases.ts';
import { type Pacer, startPacer } from './pacer.ts';
import type { Workshop } from './workshop.ts';

export interface PodWish {
  /** Options of the server, by their environment variables. */
  readonly options?: Readonly<Record<string, string>>;
  /** Whether its ledger is in memory, where a flush costs nothing. */
  readonly inMemory?: boolean;
  /** Whether nobody else may use it, also in a smoke run. */
  readonly apart?: boolean;
}

interface SharedPod {
  readonly pacer: Pacer;
  /** Campaigns that it has. */
  readonly ids: Set<string>;
}

export class Pods {
  private readonly workshop: Workshop;
  private readonly databases: Databases;
  private readonly entry: string;
  private readonly shared: Map<string, SharedPod> | null;

  constructor(workshop: Workshop, databases: Databases, entry: string, shares: boolean) {
    this.workshop = workshop;
    this.databases = databases;
    this.entry = entry;
    this.shared = shares ? new Map() : null;
  }

  /** A pod with these campaigns, for the caller to stop. */
  async start(ids: readonly string[], wish: PodWish = {}): Promise<Pacer> {
    if (this.shared !== null && wish.apart !== true) return this.lend(this.shared, ids, wish);
    const pacer = await this.launch(wish);
    await createCampaigns(pacer.apiUrl, ids, this.workshop.signal);
    return pacer;
  }

  /** Ends the shared pods. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.shared?.values() ?? [], ({ pacer }) => pacer.stop()));
  }

  private async lend(shared: Map<string, SharedPod>, ids: readonly string[], wish: PodWish): Promise<Pacer> {
    const key = JSON.stringify(wish);
    const pod = shared.get(key) ?? { pacer: await this.launch(wish), ids: new Set() };
    shared.set(key, pod);
    const missing = ids.filter((id) => !pod.ids.has(id));
    await createCampaigns(pod.pacer.apiUrl, missing, this.workshop.signal);
    for (const id of missing) pod.ids.add(id);
    return { ...pod.pacer, stop: () => Promise.resolve() };
  }

  private async launch({ options = {}, inMemory = false }: PodWish): Promise<Pacer> {
    const { workshop, databases, entry } = this;
    return startPacer(workshop, {
      entry,
      dataDir: inMemory ? await workshop.memoryFolder() : await workshop.subfolder('data'),
      options: { DATABASE_URL: await databases.fresh(), ...options },
    });
  }
}
