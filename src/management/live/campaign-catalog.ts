/**
 * What this pod's management thread knows of each campaign beside its money: the shared table carries ids and
 * figures only. It learns from every change that passes on its way to the shards, and asks the owners for those
 * that the table shows and nobody told of, as after a start without the database.
 *
 * There may be 100,000 of them, so it is kept in columns by the campaign's slot on the table, some 40 bytes and the
 * name, and becomes an object when somebody asks. What was known of a campaign goes when another gets its slot: until
 * that one is told of, nothing is known of the slot. Which of the two a row is of, its id's hash says.
 */
import {
  briefOf,
  CAMPAIGN_STATUSES,
  type Campaign,
  type CampaignBrief,
  type CampaignStatus,
  PACING_MODES,
} from '../../domain/campaign.ts';
import { micros } from '../../domain/money.ts';
import type { StoredTraffic } from '../../domain/stored-traffic.ts';
import type { Shards } from '../../messages/shards.ts';
import { hashId } from '../../table/hash.ts';
import { IdIndex } from '../../table/id-index.ts';
import type { TableMemory } from '../../table/layout.ts';

/** Names are kept in lists of so many slots, made when the first of them has one: shards fill their slots from the first. */
const NAMES_A_LIST = 1_024;
/** Stands for the absence of a total budget. */
const NO_TOTAL = -1;

export class CampaignCatalog {
  readonly #index: IdIndex;
  /** Of the campaign that the row is of. */
  readonly #hashes: Uint32Array;
  /** 0 while nothing is known; versions begin with 1. */
  readonly #versions: Uint32Array;
  readonly #statuses: Uint8Array;
  readonly #modes: Uint8Array;
  readonly #zones: Uint16Array;
  readonly #dailyBudgets: Float64Array;
  readonly #totalBudgets: Float64Array;
  readonly #thresholds: Float64Array;
  readonly #names: string[][] = [];
  /** The zones that campaigns have, in the order of their numbers; there are some 600 in the world. */
  readonly #zoneNames: string[] = [];
  readonly #zoneNumbers = new Map<string, number>();

  constructor(memory: TableMemory) {
    const slots = memory.shards * memory.slotsPerShard;
    this.#index = new IdIndex(memory);
    this.#hashes = new Uint32Array(slots);
    this.#versions = new Uint32Array(slots);
    this.#statuses = new Uint8Array(slots);
    this.#modes = new Uint8Array(slots);
    this.#zones = new Uint16Array(slots);
    this.#dailyBudgets = new Float64Array(slots);
    this.#totalBudgets = new Float64Array(slots);
    this.#thresholds = new Float64Array(slots);
  }

  /** What is known of a campaign that is on the table. */
  get(campaignId: string): CampaignBrief | undefined {
    const slot = this.#index.find(campaignId);
    return slot < 0 || !this.knows(slot, hashId(campaignId)) ? undefined : this.brief(slot, campaignId);
  }

  /** What is known of the campaign in a slot. */
  of(slot: number): CampaignBrief | undefined {
    const id = this.#index.idOf(slot);
    return this.knows(slot, hashId(id)) ? this.brief(slot, id) : undefined;
  }

  /** What is known of a campaign that is known and has the slot. */
  brief(slot: number, id: string): CampaignBrief {
    const total = this.#totalBudgets[slot] as number;
    return {
      id,
      name: this.#names[Math.floor(slot / NAMES_A_LIST)]?.[slot % NAMES_A_LIST] ?? '',
      status: this.status(slot),
      pacingMode: PACING_MODES[this.#modes[slot] as number] ?? PACING_MODES[0],
      timezone: this.#zoneNames[this.#zones[slot] as number] ?? '',
      dailyBudgetMicros: micros(this.#dailyBudgets[slot] as number),
      totalBudgetMicros: total === NO_TOTAL ? null : micros(total),
      breakerThreshold: this.#thresholds[slot] as number,
      version: this.version(slot),
    };
  }

  /** Whether the campaign whose id has this hash, and that has the slot, was told of. */
  knows(slot: number, hash: number): boolean {
    return this.#versions[slot] !== 0 && this.#hashes[slot] === hash;
  }

  /** The version of a campaign that is known. */
  version(slot: number): number {
    return this.#versions[slot] as number;
  }

  /** The status of a campaign that is known. */
  status(slot: number): CampaignStatus {
    return CAMPAIGN_STATUSES[this.#statuses[slot] as number] as CampaignStatus;
  }

  /** An older version never overwrites a newer one; a campaign that is not on the table is not taken in. */
  learn(brief: CampaignBrief): void {
    const slot = this.#index.find(brief.id);
    const hash = hashId(brief.id);
    if (slot < 0 || (this.knows(slot, hash) && this.version(slot) >= brief.version)) return;
    this.#hashes[slot] = hash;
    this.#versions[slot] = brief.version;
    this.#statuses[slot] = CAMPAIGN_STATUSES.indexOf(brief.status);
    this.#modes[slot] = PACING_MODES.indexOf(brief.pacingMode);
    this.#zones[slot] = this.#zoneOf(brief.timezone);
    this.#dailyBudgets[slot] = brief.dailyBudgetMicros;
    this.#totalBudgets[slot] = brief.totalBudgetMicros ?? NO_TOTAL;
    this.#thresholds[slot] = brief.breakerThreshold;
    const list = Math.floor(slot / NAMES_A_LIST);
    this.#names[list] ??= [];
    (this.#names[list] as string[])[slot % NAMES_A_LIST] = brief.name;
  }

  #zoneOf(timezone: string): number {
    const known = this.#zoneNumbers.get(timezone);
    if (known !== undefined) return known;
    this.#zoneNumbers.set(timezone, this.#zoneNames.push(timezone) - 1);
    return this.#zoneNames.length - 1;
  }
}

/** Shards that note in the catalog what they were told. */
export class CatalogingShards implements Shards {
  readonly #shards: Shards;
  readonly #catalog: CampaignCatalog;

  constructor(shards: Shards, catalog: CampaignCatalog) {
    this.#shards = shards;
    this.#catalog = catalog;
  }

  announce(campaign: Campaign): Promise<void> {
    return this.#shards.announce(campaign);
  }

  async upsert(campaign: Campaign): Promise<void> {
    await this.#shards.upsert(campaign);
    this.#catalog.learn(briefOf(campaign));
  }

  async upsertAll(campaigns: readonly Campaign[]): Promise<number> {
    const refused = await this.#shards.upsertAll(campaigns);
    for (const campaign of campaigns) this.#catalog.learn(briefOf(campaign));
    return refused;
  }

  status(campaignId: string, explained: boolean): Promise<string | null> {
    return this.#shards.status(campaignId, explained);
  }

  async describe(campaignIds: readonly string[]): Promise<readonly CampaignBrief[]> {
    const briefs = await this.#shards.describe(campaignIds);
    for (const brief of briefs) this.#catalog.learn(brief);
    return briefs;
  }

  learn(shapes: readonly StoredTraffic[]): Promise<void> {
    return this.#shards.learn(shapes);
  }
}
