/**
 * The shared memory of a pod: which bytes mean what, who writes them and who reads them. Allocated once by
 * the main thread; everything is zero at first, and pages that no campaign uses are never touched.
 *
 *  slots     128 bytes for each campaign, two cache lines: one the owner writes, one that edges change
 *
 *     word  field            written by            read by        unit
 *      0    gate             owner                 edges          a GATE code
 *      1    pass probability owner                 edges          1 / PROBABILITY_ONE
 *      2    bid cap          owner                 edges          units
 *      3    unit shift       owner, while vacant   edges          log2(micros per unit)
 *      4    flags            owner                 edges          FLAG bits
 *      5    breaker          owner                 metrics        0 closed, 1 open, 2 half-open
 *      6    id length        owner, while vacant   edges          bytes
 *      7    throttle rate    owner                 edges, metrics 1 / PROBABILITY_ONE
 *      8–26 id               owner, while vacant   edges          its first 76 bytes, ASCII
 *     27    refill mark      owner                 edges          units: an allowance below it wants to be refilled
 *     28    allowance        owner adds, edges take     both      units, never below 0
 *     29    tokens           owner adds, edges take     both      units, may be below 0
 *     30    probes           owner sets, edges take     both      bids
 *     31    shortfall        edges set, owner clears    owner     units of a bid the allowance did not cover
 *
 *  ids       52 bytes for each slot: what an id has beyond its first 76 bytes (owner, while vacant). An id that is not
 *            that long is compared in the lines that a decision reads anyway, and this memory is never touched
 *  indexes   one open-addressing table for each shard, of slots by ids' hashes (owner); see id-index.ts
 *  activity  one bit for each slot that wants its owner's look (refill mark, FLAG_LISTENS): edges set it, the owner takes it
 *  owners    one word for each shard: 1 while it goes on without the fleet's shared state (owner)
 *  gauges    16 float64 for each slot: what metrics, alerts and live updates show (owner)
 *  lanes     4 float64 for each slot and edge: what that edge saw, only ever growing (that edge)
 *
 * A unit is a power of two of micros, chosen when the slot is given to a campaign and fixed until it is
 * vacant again, so that an allowance never changes its meaning under an edge's hands. Conversions to units
 * round against the spender. A vacated slot rests for SLOT_REST_MS before another campaign gets it: an edge
 * looks up and takes within one synchronous decision, microseconds, so none can still hold the old meaning.
 */
import { CAMPAIGN_ID_LENGTH_MAX } from '../domain/campaign.ts';

export const SLOT_WORDS = 32;
export const WORD_GATE = 0;
export const WORD_PASS = 1;
export const WORD_BID_CAP = 2;
export const WORD_UNIT_SHIFT = 3;
export const WORD_FLAGS = 4;
export const WORD_BREAKER = 5;
export const WORD_ID_LENGTH = 6;
export const WORD_THROTTLE = 7;
export const WORD_ID = 8;
export const WORD_REFILL_MARK = 27;
export const WORD_ALLOWANCE = 28;
export const WORD_TOKENS = 29;
export const WORD_PROBES = 30;
export const WORD_SHORTFALL = 31;

export const PROBABILITY_ONE = 2 ** 30;
export const UNITS_MAX = 2 ** 31 - 1;
/** Largest unit, 64 micros: what a conversion rounds up is then under 0.0064 cents a bid. */
export const UNIT_SHIFT_MAX = 6;
/** A bid takes at most this many tokens, so that tokens of 16 edges' bids at once cannot wrap round. */
export const TOKENS_A_BID_MAX = 2 ** 27;

/** All that is left of the budget stands on the table: a bid may take less than it asked for. */
export const FLAG_LAST = 1;
/** The campaign is not held to its token bucket (ASAP). */
export const FLAG_NO_TOKENS = 2;
/** Bids in flight hold budget: when nothing is left, it may come back. */
export const FLAG_RESERVED = 4;
/** Nobody asked lately: the owner wants to know of the next ask. */
export const FLAG_LISTENS = 8;

export const SLOT_BYTES = SLOT_WORDS * 4;
/** Of an id, what stands in its slot, and what of a long one stands in the ids. */
export const ID_SLOT_BYTES = (WORD_REFILL_MARK - WORD_ID) * 4;
export const ID_REST_BYTES = CAMPAIGN_ID_LENGTH_MAX - ID_SLOT_BYTES;
export const SLOT_REST_MS = 60_000;

export const GAUGES = 16;
export const GAUGE_SPENT = 0;
export const GAUGE_BUDGET = 1;
export const GAUGE_RESERVED = 2;
export const GAUGE_SPENT_TOTAL = 3;
export const GAUGE_TARGET = 4;
export const GAUGE_OVERSPENT_TOTAL = 5;
/** What the day will have spent with the traffic at the upper end of its range; −1 while too little is known. */
export const GAUGE_PROJECTED_HIGH = 6;
/** When the budget is exhausted before its plan ends, ms since the epoch, were the traffic at its lower end; 0 = not. */
export const GAUGE_EXHAUSTION_LATEST_MS = 7;
/** The same two with the traffic that is expected, and the spend with the traffic at its lower end. */
export const GAUGE_PROJECTED = 8;
export const GAUGE_EXHAUSTION_MS = 9;
export const GAUGE_PROJECTED_LOW = 10;
/** Spent in the running local hour. */
export const GAUGE_SPENT_HOUR = 11;
/** What may be spent today: the daily budget, or what the total budget leaves of it. */
export const GAUGE_DAY_BUDGET = 12;
/** Why the breaker last opened, an index into TRIP_REASONS. */
export const GAUGE_BREAKER_REASON = 13;
/** When the local day that the figures are of began, ms since the epoch. */
export const GAUGE_DAY_START_MS = 14;
/** Spend that came after its reservation had expired, ever, of this pod. */
export const GAUGE_LATE_WIN_TOTAL = 15;

export const LANE_FIELDS = 4;
export const LANE_ASKS = 0;
export const LANE_ASKED_MICROS = 1;
export const LANE_ALLOWED = 2;
/** The largest bid ever asked for, before a bid cap. */
export const LANE_LARGEST_MICROS = 3;

/** Room above an even split of the campaigns over the shards, for what hashing deals unevenly. */
const SHARD_ROOM = 1.05;
const SHARD_ROOM_SLOTS = 64;
/** Entries of an index for each slot, at least: the fuller it is, the more entries a look-up passes, the less memory it wants. */
const INDEX_ROOM = 1.25;

/**
 * Where slots and lanes begin in their memory. The C library puts 16 bytes of its own before a large block, which
 * otherwise begins a page: from here on, what is 128 or 32 bytes long lies across no more cache lines than it must.
 */
const FIRST_BYTE = 128 - 16;

/** The pod's shared memory as it is handed to a thread; {@link slotWords}, {@link slotBytes} and {@link laneOf} read it. */
export interface TableMemory {
  readonly shards: number;
  /** Campaigns that a shard has room for; it keeps one more slot for itself (account-book.ts). */
  readonly campaignsPerShard: number;
  readonly slotsPerShard: number;
  readonly indexEntries: number;
  readonly slots: SharedArrayBuffer;
  readonly ids: SharedArrayBuffer;
  readonly indexes: SharedArrayBuffer;
  readonly activity: SharedArrayBuffer;
  readonly owners: SharedArrayBuffer;
  readonly gauges: SharedArrayBuffer;
  /** One for each edge. */
  readonly lanes: readonly SharedArrayBuffer[];
}

/** Words of one shard's index: a version, a count, and one for each entry. */
export function indexWords(entries: number): number {
  return 2 + entries;
}

export function allocateTable(campaignsMax: number, shards: number, edges: number): TableMemory {
  const even = Math.ceil(campaignsMax / shards);
  const roomy = shards === 1 ? even : Math.ceil(even * SHARD_ROOM) + SHARD_ROOM_SLOTS;
  const slotsPerShard = Math.ceil((roomy + 1) / 32) * 32;
  const indexEntries = 2 ** Math.ceil(Math.log2(slotsPerShard * INDEX_ROOM));
  const slotCount = slotsPerShard * shards;
  return {
    shards,
    campaignsPerShard: roomy,
    slotsPerShard,
    indexEntries,
    slots: new SharedArrayBuffer(FIRST_BYTE + slotCount * SLOT_BYTES),
    ids: new SharedArrayBuffer(slotCount * ID_REST_BYTES),
    indexes: new SharedArrayBuffer(shards * indexWords(indexEntries) * 4),
    activity: new SharedArrayBuffer(slotCount / 8),
    owners: new SharedArrayBuffer(shards * 4),
    gauges: new SharedArrayBuffer(slotCount * GAUGES * 8),
    lanes: Array.from({ length: edges }, () => {
      return new SharedArrayBuffer(FIRST_BYTE + slotCount * LANE_FIELDS * 8);
    }),
  };
}

/** SLOT_WORDS for each slot. */
export function slotWords({ slots }: TableMemory): Int32Array {
  return new Int32Array(slots, FIRST_BYTE);
}

/** The same, byte by byte. */
export function slotBytes({ slots }: TableMemory): Buffer {
  return Buffer.from(slots, FIRST_BYTE);
}

/** LANE_FIELDS for each slot. */
export function laneOf({ lanes }: TableMemory, edge: number): Float64Array {
  return new Float64Array(lanes[edge] as SharedArrayBuffer, FIRST_BYTE);
}

/** Every edge's. */
export function lanesOf(memory: TableMemory): Float64Array[] {
  return memory.lanes.map((_, edge) => laneOf(memory, edge));
}
