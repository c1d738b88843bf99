/**
 * Typed access to the slots of the shared memory (layout.ts has the picture). Two views of the same bytes:
 * {@link EdgeTable} decides, {@link OwnerTable} publishes. Neither allocates after its construction.
 *
 * The invariant the two keep: units leave the allowance only by an edge's successful compare-and-exchange
 * or by the owner's withdrawal, and enter it only by the owner. So the owner, who knows what it put there,
 * knows to the unit what edges took, whatever the edges do and however late they are.
 */
import {
  GATE_HALF_OPEN,
  GATE_OPEN,
  GATE_VACANT,
  REASON_BREAKER_OPEN,
  REASON_BUDGET_EXHAUSTED,
  REASON_BUDGET_RESERVED,
  REASON_NOT_FOUND,
  REASON_PROBE,
  REASON_THROTTLED,
  REASON_WITHIN_BUDGET,
} from '../domain/gate.ts';
import {
  FLAG_LAST,
  FLAG_LISTENS,
  FLAG_NO_TOKENS,
  FLAG_RESERVED,
  GAUGES,
  LANE_ALLOWED,
  LANE_ASKED_MICROS,
  LANE_ASKS,
  LANE_FIELDS,
  LANE_LARGEST_MICROS,
  laneOf,
  lanesOf,
  PROBABILITY_ONE,
  SLOT_WORDS,
  slotWords,
  type TableMemory,
  TOKENS_A_BID_MAX,
  UNITS_MAX,
  WORD_ALLOWANCE,
  WORD_BID_CAP,
  WORD_BREAKER,
  WORD_FLAGS,
  WORD_GATE,
  WORD_PASS,
  WORD_PROBES,
  WORD_REFILL_MARK,
  WORD_SHORTFALL,
  WORD_THROTTLE,
  WORD_TOKENS,
  WORD_UNIT_SHIFT,
} from './layout.ts';

/** What a decision came to; the caller owns and reuses it. */
export interface Decision {
  /** A REASON code. */
  reason: number;
  /** The most the bid may cost; 0 when denied. */
  maxBidMicros: number;
  /** What was taken from the allowance: `maxBidMicros` rounded up to whole units. */
  takenMicros: number;
  /** Share of this campaign's bids that is held back, 0–1. */
  throttleRate: number;
  /** Its owner goes on without the fleet's shared state. */
  degraded: boolean;
}

/** An edge's view. One per edge thread; the lane is written by this edge alone. */
export class EdgeTable {
  private readonly slots: Int32Array;
  private readonly activity: Int32Array;
  private readonly lane: Float64Array;
  private readonly owners: Int32Array;
  private readonly slotsPerShard: number;

  constructor(memory: TableMemory, edge: number) {
    this.slots = slotWords(memory);
    this.activity = new Int32Array(memory.activity);
    this.lane = laneOf(memory, edge);
    this.owners = new Int32Array(memory.owners);
    this.slotsPerShard = memory.slotsPerShard;
  }

  /**
   * Decides one bid. Runs for every request: no allocation, no lock; two atomics when allowed.
   * @param slot from the index, or −1 for an unknown campaign
   * @param bidMicros above 0
   * @param draw gives a number that is uniform in [0, 1); only asked while bids are held back
   */
  decide(slot: number, bidMicros: number, draw: () => number, decision: Decision): void {
    decision.maxBidMicros = 0;
    decision.takenMicros = 0;
    decision.throttleRate = 0;
    decision.degraded = false;
    if (slot < 0) {
      decision.reason = REASON_NOT_FOUND;
      return;
    }
    const { slots } = this;
    decision.degraded = this.owners[(slot / this.slotsPerShard) | 0] === 1;
    const base = slot * SLOT_WORDS;
    const gate = slots[base + WORD_GATE] as number;
    const flags = slots[base + WORD_FLAGS] as number;
    const cap = (slots[base + WORD_BID_CAP] as number) * (1 << (slots[base + WORD_UNIT_SHIFT] as number));
    const wantedMicros = bidMicros < cap ? bidMicros : cap;
    this.recordAsk(slot, bidMicros, wantedMicros);
    if ((flags & FLAG_LISTENS) !== 0) this.callOwner(slot);
    if (gate !== GATE_OPEN && gate !== GATE_HALF_OPEN) {
      decision.reason = gate === GATE_VACANT ? REASON_NOT_FOUND : gate;
      decision.throttleRate = 1;
      return;
    }
    decision.throttleRate = (slots[base + WORD_THROTTLE] as number) / PROBABILITY_ONE;
    if (gate === GATE_HALF_OPEN) this.probe(slot, wantedMicros, decision);
    else this.bid(slot, flags, wantedMicros, draw, decision);
    if (decision.maxBidMicros === 0) return;
    const at = slot * LANE_FIELDS;
    this.lane[at + LANE_ALLOWED] = (this.lane[at + LANE_ALLOWED] as number) + 1;
  }

  private bid(
    slot: number,
    flags: number,
    wantedMicros: number,
    draw: () => number,
    decision: Decision,
  ): void {
    const { slots } = this;
    const base = slot * SLOT_WORDS;
    const pass = slots[base + WORD_PASS] as number;
    const tokensBind = (flags & FLAG_NO_TOKENS) === 0;
    if (
      (pass !== PROBABILITY_ONE && draw() * PROBABILITY_ONE >= pass) ||
      (tokensBind && (slots[base + WORD_TOKENS] as number) <= 0)
    ) {
      decision.reason = REASON_THROTTLED;
      return;
    }
    decision.reason = REASON_WITHIN_BUDGET;
    this.take(slot, wantedMicros, decision);
    if (!tokensBind || decision.maxBidMicros === 0) return;
    const units = decision.takenMicros / (1 << (slots[base + WORD_UNIT_SHIFT] as number));
    Atomics.sub(slots, base + WORD_TOKENS, units < TOKENS_A_BID_MAX ? units : TOKENS_A_BID_MAX);
  }

  private probe(slot: number, wantedMicros: number, decision: Decision): void {
    const base = slot * SLOT_WORDS;
    decision.throttleRate = 1;
    if (Atomics.sub(this.slots, base + WORD_PROBES, 1) <= 0) {
      Atomics.add(this.slots, base + WORD_PROBES, 1);
      decision.reason = REASON_BREAKER_OPEN;
      return;
    }
    decision.reason = REASON_PROBE;
    this.take(slot, wantedMicros, decision);
    if (decision.maxBidMicros === 0) Atomics.add(this.slots, base + WORD_PROBES, 1);
  }

  /** Takes the bid from the allowance, or what is left of the budget when that is less. */
  private take(slot: number, wantedMicros: number, decision: Decision): void {
    const { slots } = this;
    const base = slot * SLOT_WORDS;
    const unit = 1 << (slots[base + WORD_UNIT_SHIFT] as number);
    const units = Math.ceil(wantedMicros / unit);
    for (;;) {
      // A plain reading, for an atomic one is a call: one that is out of date fails to be exchanged.
      const left = slots[base + WORD_ALLOWANCE] as number;
      let take = units;
      if (left < units) {
        take = (slots[base + WORD_FLAGS] as number) & FLAG_LAST ? left : 0;
        Atomics.store(slots, base + WORD_SHORTFALL, units);
        this.callOwner(slot);
      }
      if (take === 0) {
        this.denyShort(base, decision);
        return;
      }
      if (Atomics.compareExchange(slots, base + WORD_ALLOWANCE, left, left - take) !== left) continue;
      if (left - take < (slots[base + WORD_REFILL_MARK] as number)) this.callOwner(slot);
      decision.takenMicros = take * unit;
      decision.maxBidMicros = wantedMicros < decision.takenMicros ? wantedMicros : decision.takenMicros;
      return;
    }
  }

  private denyShort(base: number, decision: Decision): void {
    const flags = this.slots[base + WORD_FLAGS] as number;
    if ((flags & FLAG_LAST) === 0) decision.reason = REASON_THROTTLED;
    else decision.reason = flags & FLAG_RESERVED ? REASON_BUDGET_RESERVED : REASON_BUDGET_EXHAUSTED;
  }

  private recordAsk(slot: number, bidMicros: number, wantedMicros: number): void {
    const { lane } = this;
    const at = slot * LANE_FIELDS;
    lane[at + LANE_ASKS] = (lane[at + LANE_ASKS] as number) + 1;
    lane[at + LANE_ASKED_MICROS] = (lane[at + LANE_ASKED_MICROS] as number) + wantedMicros;
    if (bidMicros > (lane[at + LANE_LARGEST_MICROS] as number)) lane[at + LANE_LARGEST_MICROS] = bidMicros;
  }

  /** The owner looks at the slot in its next cycle. */
  private callOwner(slot: number): void {
    const word = slot >>> 5;
    const bit = 1 << (slot & 31);
    if (((this.activity[word] as number) & bit) === 0) Atomics.or(this.activity, word, bit);
  }
}

/** The sums of a slot over all edges' lanes; the caller owns and reuses it. */
export interface LaneSums {
  asks: number;
  askedMicros: number;
  allowed: number;
  largestMicros: number;
}

/** The owner's view: a shard writes the slots of its own range only. */
export class OwnerTable {
  readonly firstSlot: number;
  readonly slotCount: number;
  /** Campaigns that have room. */
  readonly campaignsMax: number;
  private readonly slots: Int32Array;
  private readonly activity: Int32Array;
  private readonly gauges: Float64Array;
  private readonly lanes: readonly Float64Array[];
  private readonly owners: Int32Array;
  private readonly shard: number;

  constructor(memory: TableMemory, shard: number) {
    this.firstSlot = shard * memory.slotsPerShard;
    this.slotCount = memory.slotsPerShard;
    this.campaignsMax = memory.campaignsPerShard;
    this.slots = slotWords(memory);
    this.activity = new Int32Array(memory.activity);
    this.gauges = new Float64Array(memory.gauges);
    this.lanes = lanesOf(memory);
    this.owners = new Int32Array(memory.owners);
    this.shard = shard;
  }

  /** Prepares a vacant slot: closed, nothing on the table. */
  prepare(slot: number, unitShift: number): void {
    const base = slot * SLOT_WORDS;
    for (let word = 0; word < SLOT_WORDS; word++) Atomics.store(this.slots, base + word, 0);
    Atomics.store(this.slots, base + WORD_UNIT_SHIFT, unitShift);
    Atomics.store(this.slots, base + WORD_BID_CAP, UNITS_MAX);
    this.gauges.fill(0, slot * GAUGES, (slot + 1) * GAUGES);
  }

  /** Takes over a slot from an owner thread that died: closed and empty, its unit as it was. */
  reclaim(slot: number): void {
    const base = slot * SLOT_WORDS;
    for (const word of [WORD_GATE, WORD_ALLOWANCE, WORD_TOKENS, WORD_PROBES, WORD_SHORTFALL]) {
      Atomics.store(this.slots, base + word, 0);
    }
  }

  /** Tells edges whether this owner goes on without the fleet's shared state. */
  setDegraded(degraded: boolean): void {
    Atomics.store(this.owners, this.shard, degraded ? 1 : 0);
  }

  unitShift(slot: number): number {
    return this.slots[slot * SLOT_WORDS + WORD_UNIT_SHIFT] as number;
  }

  gate(slot: number): number {
    return this.slots[slot * SLOT_WORDS + WORD_GATE] as number;
  }

  /** @param gate a GATE code, or the REASON with which every bid is denied */
  setGate(slot: number, gate: number): void {
    Atomics.store(this.slots, slot * SLOT_WORDS + WORD_GATE, gate);
  }

  setFlags(slot: number, flags: number): void {
    Atomics.store(this.slots, slot * SLOT_WORDS + WORD_FLAGS, flags);
  }

  setBreaker(slot: number, state: number): void {
    Atomics.store(this.slots, slot * SLOT_WORDS + WORD_BREAKER, state);
  }

  setProbes(slot: number, probes: number): void {
    Atomics.store(this.slots, slot * SLOT_WORDS + WORD_PROBES, probes);
  }

  /** Probes that no edge has taken yet. */
  probes(slot: number): number {
    return Math.max(0, Atomics.load(this.slots, slot * SLOT_WORDS + WORD_PROBES));
  }

  /**
   * @param probability that a bid is let through, 0–1
   * @param throttleRate to be shown: the share of bids that is held back, 0–1
   */
  setPass(slot: number, probability: number, throttleRate: number): void {
    const base = slot * SLOT_WORDS;
    Atomics.store(this.slots, base + WORD_PASS, Math.round(probability * PROBABILITY_ONE));
    Atomics.store(this.slots, base + WORD_THROTTLE, Math.round(throttleRate * PROBABILITY_ONE));
  }

  /** @param capMicros Infinity for none */
  setBidCap(slot: number, capMicros: number): void {
    const units = Math.floor(capMicros / (1 << this.unitShift(slot)));
    Atomics.store(this.slots, slot * SLOT_WORDS + WORD_BID_CAP, Math.max(1, Math.min(UNITS_MAX, units)));
  }

  /** Adds tokens up to a cap; takes back what stands above it. */
  fillTokens(slot: number, fillMicros: number, capMicros: number): void {
    const unit = 1 << this.unitShift(slot);
    const at = slot * SLOT_WORDS + WORD_TOKENS;
    const held = Atomics.load(this.slots, at);
    const cap = Math.max(1, Math.min(UNITS_MAX / 2, Math.ceil(capMicros / unit)));
    const filled = Math.min(held + fillMicros / unit, cap);
    Atomics.add(this.slots, at, Math.round(filled) - held);
  }

  /** Units on the table now. */
  allowance(slot: number): number {
    return Atomics.load(this.slots, slot * SLOT_WORDS + WORD_ALLOWANCE);
  }

  addAllowance(slot: number, units: number): void {
    Atomics.add(this.slots, slot * SLOT_WORDS + WORD_ALLOWANCE, units);
  }

  /** Edges call the owner when fewer units than this are on the table. */
  setRefillMark(slot: number, units: number): void {
    Atomics.store(this.slots, slot * SLOT_WORDS + WORD_REFILL_MARK, units);
  }

  /** Takes everything off the table and returns how much that was, in units. */
  withdrawAllowance(slot: number): number {
    return Atomics.exchange(this.slots, slot * SLOT_WORDS + WORD_ALLOWANCE, 0);
  }

  /** The largest bid, in units, that the allowance did not cover since the last call; 0 = none. */
  takeShortfall(slot: number): number {
    return Atomics.exchange(this.slots, slot * SLOT_WORDS + WORD_SHORTFALL, 0);
  }

  /** The 32 activity bits of a word (0 … slotCount / 32 − 1) of this shard, taken. */
  takeActivity(word: number): number {
    const at = (this.firstSlot >>> 5) + word;
    return (this.activity[at] as number) === 0 ? 0 : Atomics.exchange(this.activity, at, 0);
  }

  sumLanes(slot: number, sums: LaneSums): void {
    const at = slot * LANE_FIELDS;
    sums.asks = sums.askedMicros = sums.allowed = sums.largestMicros = 0;
    for (const lane of this.lanes) {
      sums.asks += lane[at + LANE_ASKS] as number;
      sums.askedMicros += lane[at + LANE_ASKED_MICROS] as number;
      sums.allowed += lane[at + LANE_ALLOWED] as number;
      sums.largestMicros = Math.max(sums.largestMicros, lane[at + LANE_LARGEST_MICROS] as number);
    }
  }

  setGauge(slot: number, gauge: number, value: number): void {
    this.gauges[slot * GAUGES + gauge] = value;
  }
}
