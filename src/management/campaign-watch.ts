/**
 * Brings the changes that other pods make to this pod's shards: at once by notification, and by looking for
 * what changed every half minute and after each new connection, as a connection may be lost without a word
 * (and a pooler may not pass notifications on). One loop does one thing at a time; whatever fails is covered
 * by the next look, since the horizon moves only when all that was found has reached the shards. A change of
 * this pod is heard too, and taken in once, by its version.
 */
import type { Logger } from 'pino';
import { AppError } from '../domain/app-error.ts';
import type { Campaign } from '../domain/campaign.ts';
import type { Shards } from '../messages/shards.ts';
import type { CampaignStore } from '../sinks/postgres/campaign-store.ts';
import {
  CAMPAIGN_CHANNEL,
  ChangedCampaigns,
  type ChangeHorizon,
} from '../sinks/postgres/changed-campaigns.ts';
import type { PostgresAddress } from '../sinks/postgres/client.ts';
import { PostgresSession } from '../sinks/postgres/session.ts';
import { feedCampaigns } from './campaign-feed.ts';

export interface CampaignWatchOptions {
  /** A real server: the embedded one serves a single pod and notifies nobody. */
  readonly address: PostgresAddress;
  readonly store: CampaignStore;
  readonly shards: Shards;
  readonly log: Logger;
  /** Read before the campaigns that the shards have were read. */
  readonly horizon: ChangeHorizon;
  /** Between two looks; 30,000 when absent. */
  readonly refreshMs?: number;
}

const REFRESH_MS = 30_000;
const RETRY_MS = 500;

/** Campaigns loaded at once; when more are announced than this, a look finds them. */
const ANNOUNCED_MAX = 1_000;

export class CampaignWatch {
  readonly #store: CampaignStore;
  readonly #shards: Shards;
  readonly #log: Logger;
  readonly #refreshMs: number;
  readonly #session: PostgresSession;
  readonly #changed: ChangedCampaigns;
  readonly #announced = new Set<string>();
  #horizon: ChangeHorizon;
  #listening = false;
  #refreshAtMs = 0;
  #failing = false;
  #closed = false;
  #wake = (): void => {};

  constructor(options: CampaignWatchOptions) {
    this.#store = options.store;
    this.#shards = options.shards;
    this.#log = options.log;
    this.#horizon = options.horizon;
    this.#refreshMs = options.refreshMs ?? REFRESH_MS;
    this.#session = new PostgresSession(options.address, {
      keepOpen: true,
      onNotify: (channel, payload) => this.#announce(channel, payload),
      onClose: () => {
        this.#listening = false;
        this.#wake();
      },
    });
    this.#changed = new ChangedCampaigns(this.#session);
  }

  /** Watches until it is closed. Rejects only on a bug. */
  async run(): Promise<void> {
    while (!this.#closed) {
      try {
        await this.#step();
        if (this.#failing) this.#log.info('campaign changes of other pods are heard again');
        this.#failing = false;
      } catch (error) {
        if (this.#closed) return;
        if (!(error instanceof AppError)) throw error;
        if (!this.#failing) this.#log.warn({ err: error }, 'campaign changes of other pods are not heard');
        this.#failing = true;
        this.#refreshAtMs = 0;
        await this.#sleep(RETRY_MS);
      }
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#wake();
    await this.#session.close();
  }

  async #step(): Promise<void> {
    if (!this.#listening) {
      // What ends the connection after this line sets it back.
      this.#listening = true;
      this.#refreshAtMs = 0;
      await this.#listen();
    }
    const leftMs = this.#refreshAtMs - performance.now();
    if (leftMs <= 0) await this.#refresh();
    else if (this.#announced.size > 0) await this.#load();
    else await this.#sleep(leftMs);
  }

  async #listen(): Promise<void> {
    try {
      await this.#changed.listen();
    } catch (error) {
      this.#listening = false;
      throw error;
    }
  }

  /** Looks for what changed since the last look; on another server than then, at everything. */
  async #refresh(): Promise<void> {
    this.#announced.clear();
    this.#refreshAtMs = performance.now() + this.#refreshMs;
    const horizon = await this.#changed.horizon();
    if (horizon.server !== this.#horizon.server) {
      const fed = await feedCampaigns(this.#store, this.#shards);
      this.#log.info(fed, 'the database server is another one than before: campaigns loaded anew');
    } else {
      for await (const page of this.#changed.since(this.#horizon)) await this.#tell(page);
    }
    this.#horizon = horizon;
  }

  async #load(): Promise<void> {
    const ids = [...this.#announced];
    this.#announced.clear();
    await this.#tell(await this.#changed.byId(ids));
  }

  async #tell(campaigns: readonly Campaign[]): Promise<void> {
    const refused = await this.#shards.upsertAll(campaigns);
    if (refused > 0)
      this.#log.error({ refused }, 'campaigns do not fit the pacing table: raise CAMPAIGNS_MAX');
  }

  #announce(channel: string, payload: string): void {
    const id = payload.split(' ', 1)[0] ?? '';
    if (channel !== CAMPAIGN_CHANNEL || id === '') return;
    if (this.#announced.size < ANNOUNCED_MAX) this.#announced.add(id);
    else this.#refreshAtMs = 0;
    this.#wake();
  }

  /** At most so long, less when there is something to do. */
  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
