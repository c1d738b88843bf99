/**
 * Has the campaigns' traffic learned: once in each local day of each time zone, by whichever pod claims it, and of one
 * campaign on demand; and brings what any pod learned to this pod's shards. The work is done in the job pool, a page of
 * campaigns at a time, so that simulations get their turn between pages. What fails is tried again at the next look.
 */
import type { Logger } from 'pino';
import { AppError } from '../domain/app-error.ts';
import type { Campaign } from '../domain/campaign.ts';
import type { ShapePrior } from '../domain/learned-shape.ts';
import { DAY_MS, localDayAt, wallMidnight } from '../domain/local-day.ts';
import { FLEET_SHAPE_ID } from '../domain/stored-traffic.ts';
import { priorsOf } from '../domain/traffic-history.ts';
import type { JobPool } from '../jobs/job-pool.ts';
import type { Shards } from '../messages/shards.ts';
import type { ChangeHorizon } from '../sinks/postgres/changed-campaigns.ts';
import type { PostgresAddress } from '../sinks/postgres/client.ts';
import {
  LEARN_PAGE_SIZE,
  type LearnableCampaign,
  type LearnedShape,
  type LearnedShapeStore,
} from '../sinks/postgres/learned-shape-store.ts';

/** Other pods write the last hour of a day a little after midnight. */
const AFTER_MIDNIGHT_MS = 600_000;
/** Pods that look at the same time would learn the fleet's shape for nothing. */
const FLEET_LEARNED_MS = 3_600_000;
const QUEUE_RETRY_MS = 1_000;
/** Zones are looked at for runs that are due so often; what others learned comes with every look. */
const DUE_LOOK_MS = 300_000;

export interface LearningOptions {
  readonly pool: JobPool;
  readonly store: LearnedShapeStore;
  readonly shards: Shards;
  readonly address: PostgresAddress;
  /** This pod's name, for its claims. */
  readonly pod: string;
  readonly log: Logger;
  readonly nowMs: () => number;
}

export class Learning {
  readonly #options: LearningOptions;
  /** Null before the shards have been told everything. */
  #horizon: ChangeHorizon | null = null;
  #ended = false;
  #lookedForDueMs = Number.NEGATIVE_INFINITY;

  constructor(options: LearningOptions) {
    this.#options = options;
  }

  /** Brings what was learned anywhere to the shards, then learns what is due. Never rejects. */
  async turn(): Promise<void> {
    try {
      await this.#bring();
      const now = this.#options.nowMs();
      if (now - this.#lookedForDueMs < DUE_LOOK_MS) return;
      await this.#learnDue();
      this.#lookedForDueMs = now;
    } catch (error) {
      if (this.#ended) return;
      if (!(error instanceof AppError)) throw error;
      this.#options.log.warn({ err: error }, 'learning waits for the next look');
    }
  }

  /** A run under way ends with its page. */
  end(): void {
    this.#ended = true;
  }

  /**
   * Learns of one campaign now, and has it paced by that.
   * @returns null when there is no whole day of its traffic yet
   * @throws AppError `rate_limited`, `unavailable`.
   */
  async learnOne(campaign: Campaign): Promise<LearnedShape | null> {
    const { pool, store, shards, address, nowMs } = this.#options;
    const fleet = await store.get(FLEET_SHAPE_ID);
    const now = nowMs();
    const [shape = null] = await pool.learn({
      address,
      campaigns: [{ id: campaign.id, since: firstWholeDay(campaign) }],
      today: localDayAt(campaign.timezone, now).date,
      nowMs: now,
      priors: priorsOf(fleet?.asks ?? null),
    });
    if (shape !== null) await shards.learn([shape]);
    return shape;
  }

  async #bring(): Promise<void> {
    const { store, shards } = this.#options;
    const seen = await store.horizon();
    const from = this.#horizon?.server === seen.server ? this.#horizon : null;
    for await (const shapes of store.since(from)) {
      if (this.#ended) return;
      await shards.learn(shapes);
    }
    this.#horizon = seen;
  }

  async #learnDue(): Promise<void> {
    const { store, nowMs, pod } = this.#options;
    for (const { timezone, claimedDate, finished } of await store.zones()) {
      const now = nowMs();
      const day = localDayAt(timezone, now);
      if (now < day.startMs + AFTER_MIDNIGHT_MS) continue;
      const isDone =
        claimedDate !== null && (claimedDate > day.date || (claimedDate === day.date && finished));
      if (isDone || this.#ended) continue;
      if (await store.claim(timezone, day.date, pod)) await this.#learnZone(timezone, day.date);
    }
  }

  async #learnZone(timezone: string, today: string): Promise<void> {
    const { store, log, pod } = this.#options;
    const priors = await this.#fleetPriors(today);
    let learned = 0;
    let page: readonly LearnableCampaign[];
    let cursor = '';
    do {
      page = await store.campaigns(timezone, today, cursor);
      if (page.length > 0) learned += await this.#learnPage(page, today, priors);
      if (this.#ended) return;
      cursor = page.at(-1)?.id ?? '';
      const over = page.length < LEARN_PAGE_SIZE;
      await store.report(timezone, pod, learned, over);
    } while (page.length === LEARN_PAGE_SIZE);
    log.info({ timezone, day: today, campaigns: learned }, 'learned the traffic of the last days');
  }

  async #learnPage(
    campaigns: readonly LearnableCampaign[],
    today: string,
    priors: readonly ShapePrior[],
  ): Promise<number> {
    const { pool, shards, address, nowMs } = this.#options;
    const order = { address, campaigns, today, nowMs: nowMs(), priors };
    const shapes = await this.#patiently(() => pool.learn(order));
    await shards.learn(shapes);
    return shapes.length;
  }

  async #fleetPriors(today: string): Promise<ShapePrior[]> {
    const { pool, store, shards, address, nowMs } = this.#options;
    const known = await store.get(FLEET_SHAPE_ID);
    if (known !== null && nowMs() - known.learnedAtMs < FLEET_LEARNED_MS) return priorsOf(known.asks);
    const fleet = await this.#patiently(() => pool.learnFleet({ address, today, nowMs: nowMs() }));
    await shards.learn([fleet]);
    return priorsOf(fleet.asks);
  }

  /** Simulations may fill the queue; nobody waits for a day's run. */
  async #patiently<T>(job: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await job();
      } catch (error) {
        const full = error instanceof AppError && error.code === 'rate_limited';
        if (!full || this.#ended) throw error;
        await new Promise((resolve) => setTimeout(resolve, QUEUE_RETRY_MS));
      }
    }
  }
}

/** The day it was created in would teach an empty morning. */
export function firstWholeDay({ createdAt, timezone }: Campaign): string {
  const created = localDayAt(timezone, Date.parse(createdAt)).date;
  return new Date((wallMidnight(created) ?? 0) + DAY_MS).toISOString().slice(0, 10);
}
