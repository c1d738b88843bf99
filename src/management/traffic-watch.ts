/**
 * Keeps the traffic of the running five minutes of each campaign, from what the edges count on the shared table, and
 * writes it to Postgres when they are over: so that people see today's traffic, of all pods and from before the page was
 * opened. Decisions notice nothing, and memory is bounded: 44 bytes of typed arrays for each campaign that has traffic.
 * What the database does not take waits for an hour, 28 bytes and the id for each campaign and slot of time; what a pod
 * counted when it is killed is lost.
 *
 * Looking every fifteen seconds is enough to tell campaigns apart: the slot of one that was deleted rests for a minute
 * before another gets it. What is counted for it when another has it by the end of the five minutes is not kept.
 */
import type { Logger } from 'pino';
import { AppError } from '../domain/app-error.ts';
import { type CampaignSlot, TRAFFIC_SLOT_MS, type TrafficStore } from '../sinks/postgres/traffic-store.ts';
import type { CampaignSlots } from '../table/campaign-slots.ts';
import { hashId } from '../table/hash.ts';
import { IdIndex } from '../table/id-index.ts';
import { GAUGE_SPENT, type TableMemory } from '../table/layout.ts';
import { TableReader } from '../table/table-reader.ts';

const LOOK_MS = 15_000;
/** Slots that wait for the database. */
const WAITING_MAX = 12;
const HOUR_MS = 3_600_000;

export interface TrafficWatchParts {
  readonly memory: TableMemory;
  readonly slots: CampaignSlots;
  readonly store: Pick<TrafficStore, 'write' | 'forgetOld' | 'close'>;
  /** Who counts: its own for each pod. */
  readonly source: string;
  readonly nowMs: () => number;
  readonly log: Logger;
}

/** Ids have no line ends. */
const BETWEEN_IDS = '\n';

/** Kept in columns: there may be 100,000 campaigns in each of those that wait. */
class EndedSlot {
  readonly startMs: number;
  readonly #ids: string;
  readonly #asks: Float64Array;
  readonly #allowed: Float64Array;
  readonly #throttle: Float32Array;
  readonly #spent: Float64Array;

  constructor(startMs: number, campaigns: Iterable<CampaignSlot>, count: number) {
    this.startMs = startMs;
    this.#asks = new Float64Array(count);
    this.#allowed = new Float64Array(count);
    this.#throttle = new Float32Array(count);
    this.#spent = new Float64Array(count);
    const ids: string[] = [];
    for (const { campaignId, asks, allowed, throttle, spentMicros } of campaigns) {
      const at = ids.push(campaignId) - 1;
      this.#asks[at] = asks;
      this.#allowed[at] = allowed;
      this.#throttle[at] = throttle;
      this.#spent[at] = spentMicros;
    }
    this.#ids = ids.join(BETWEEN_IDS);
  }

  get campaigns(): CampaignSlot[] {
    if (this.#ids === '') return [];
    return this.#ids.split(BETWEEN_IDS).map((campaignId, at) => ({
      campaignId,
      asks: this.#asks[at] as number,
      allowed: this.#allowed[at] as number,
      throttle: this.#throttle[at] as number,
      spentMicros: this.#spent[at] as number,
    }));
  }
}

export class TrafficWatch {
  readonly #parts: TrafficWatchParts;
  readonly #table: TableReader;
  readonly #index: IdIndex;
  readonly #slots: CampaignSlots;
  /** What the edges had counted at the last look, by slot of the table. */
  readonly #seenAsks: Float64Array;
  readonly #seenAllowed: Float64Array;
  /** Of the running five minutes. */
  readonly #asks: Float64Array;
  readonly #allowed: Float64Array;
  readonly #throttle: Float64Array;
  /** Hash of the id that had the slot of the table when its first bid was seen; only where there were asks. */
  readonly #hashes: Uint32Array;
  /** Slots of the table with asks. */
  #active = 0;
  #startMs: number;
  #waiting: EndedSlot[] = [];
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #failing = false;
  #forgotAtMs = Number.NEGATIVE_INFINITY;

  /** Counts from here on. */
  constructor(parts: TrafficWatchParts) {
    const { memory, nowMs } = parts;
    const slots = memory.shards * memory.slotsPerShard;
    this.#parts = parts;
    this.#table = new TableReader(memory);
    this.#index = new IdIndex(memory);
    this.#slots = parts.slots;
    this.#seenAsks = new Float64Array(slots);
    this.#seenAllowed = new Float64Array(slots);
    this.#asks = new Float64Array(slots);
    this.#allowed = new Float64Array(slots);
    this.#throttle = new Float64Array(slots);
    this.#hashes = new Uint32Array(slots);
    this.#startMs = slotStart(nowMs());
    for (let shard = 0; shard < memory.shards; shard++) {
      for (const slot of this.#slots.of(shard)) {
        // Where nothing was asked yet, the memory stays untouched.
        const asks = this.#table.asks(slot);
        if (asks === 0) continue;
        this.#seenAsks[slot] = asks;
        this.#seenAllowed[slot] = this.#table.allowed(slot);
      }
    }
  }

  /** Looks until it is closed. @param fail is told of a bug */
  run(fail: (error: unknown) => void): void {
    this.#timer = setInterval(() => {
      this.look();
      this.flush().catch(fail);
    }, LOOK_MS);
  }

  /** Writes what there is, also of five minutes that are not over; the database gets a moment for it. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.look();
    this.#endSlot(this.#startMs);
    await this.flush();
    await this.#parts.store.close();
  }

  /** Counts what was asked for since the last look. */
  look(): void {
    const startMs = slotStart(this.#parts.nowMs());
    if (startMs !== this.#startMs) this.#endSlot(startMs);
    for (let shard = 0; shard < this.#parts.memory.shards; shard++) {
      for (const slot of this.#slots.of(shard)) this.#count(slot);
    }
  }

  /** Writes the slots that are over; those that the database does not take are tried again the next time. */
  flush(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  #count(slot: number): void {
    const table = this.#table;
    const asks = table.asks(slot);
    const more = asks - (this.#seenAsks[slot] as number);
    if (more <= 0) return;
    const allowed = table.allowed(slot);
    const before = this.#asks[slot] as number;
    if (before === 0) {
      this.#active++;
      this.#hashes[slot] = hashId(this.#index.idOf(slot));
    }
    this.#asks[slot] = before + more;
    this.#allowed[slot] = (this.#allowed[slot] as number) + allowed - (this.#seenAllowed[slot] as number);
    this.#throttle[slot] = (this.#throttle[slot] as number) + more * table.throttleRate(slot);
    this.#seenAsks[slot] = asks;
    this.#seenAllowed[slot] = allowed;
  }

  #endSlot(nextStartMs: number): void {
    if (this.#active > 0) this.#waiting.push(new EndedSlot(this.#startMs, this.#takeCounted(), this.#active));
    if (this.#waiting.length > WAITING_MAX) this.#waiting.shift();
    this.#active = 0;
    this.#startMs = nextStartMs;
  }

  *#takeCounted(): Generator<CampaignSlot> {
    for (const [slot, asks] of this.#asks.entries()) {
      if (asks === 0) continue;
      const campaignId = this.#index.idOf(slot);
      if (hashId(campaignId) === this.#hashes[slot]) {
        yield {
          campaignId,
          asks,
          allowed: this.#allowed[slot] as number,
          throttle: (this.#throttle[slot] as number) / asks,
          spentMicros: this.#table.gauge(slot, GAUGE_SPENT),
        };
      }
      this.#asks[slot] = 0;
      this.#allowed[slot] = 0;
      this.#throttle[slot] = 0;
    }
  }

  async #write(): Promise<void> {
    const { store, source, nowMs, log } = this.#parts;
    try {
      for (let ended = this.#waiting[0]; ended !== undefined; ended = this.#waiting[0]) {
        await store.write(source, ended.startMs, ended.campaigns);
        if (this.#waiting[0] === ended) this.#waiting.shift();
      }
      if (nowMs() - this.#forgotAtMs >= HOUR_MS) {
        await store.forgetOld(nowMs());
        this.#forgotAtMs = nowMs();
      }
      this.#failing = false;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      if (!this.#failing) log.debug({ err: error }, 'traffic waits until the database answers');
      this.#failing = true;
    }
  }
}

function slotStart(nowMs: number): number {
  return Math.floor(nowMs / TRAFFIC_SLOT_MS) * TRAFFIC_SLOT_MS;
}
