/**
 * The campaigns of the shared table as rows for live updates, and when each last changed. A look compares what the
 * owners published with what was seen at the look before: some milliseconds for 10,000 campaigns, no thread is
 * asked, and only rows that changed are written out anew, once for all clients.
 *
 * A row's change is stamped with the number of the look that found it. So what a client has missed, however long it
 * did not read, are the rows with a larger number than the last one that it was sent: nothing is kept for it.
 */
import { BREAKER_POSITIONS, TRIP_REASONS } from '../../domain/breaker.ts';
import type { CampaignBrief } from '../../domain/campaign.ts';
import { GATE_HALF_OPEN, GATE_OPEN, GATE_VACANT, REASONS } from '../../domain/gate.ts';
import { localDayAt } from '../../domain/local-day.ts';
import { centsFromMicros } from '../../domain/money.ts';
import { hashId } from '../../table/hash.ts';
import { IdIndex } from '../../table/id-index.ts';
import {
  GAUGE_BREAKER_REASON,
  GAUGE_BUDGET,
  GAUGE_DAY_BUDGET,
  GAUGE_DAY_START_MS,
  GAUGE_EXHAUSTION_MS,
  GAUGE_PROJECTED,
  GAUGE_PROJECTED_HIGH,
  GAUGE_PROJECTED_LOW,
  GAUGE_RESERVED,
  GAUGE_SPENT,
  GAUGE_SPENT_HOUR,
  GAUGE_SPENT_TOTAL,
  GAUGE_TARGET,
  type TableMemory,
} from '../../table/layout.ts';
import { TableReader } from '../../table/table-reader.ts';
import type { JsonObject } from '../request-body.ts';
import type { CampaignCatalog } from './campaign-catalog.ts';

/** A row that is gone is told so for as long; a client that was away for longer gets a new snapshot. */
const GONE_MS = 60_000;
const RATE_STEPS = 10_000;
const SHARE_STEPS = 100;

/** The figures of a row that are compared, in this order; then version, gate, breaker, throttle rate. */
const GAUGES_SHOWN = [
  GAUGE_BUDGET,
  GAUGE_SPENT,
  GAUGE_SPENT_HOUR,
  GAUGE_SPENT_TOTAL,
  GAUGE_RESERVED,
  GAUGE_DAY_BUDGET,
  GAUGE_TARGET,
  GAUGE_PROJECTED,
  GAUGE_PROJECTED_LOW,
  GAUGE_PROJECTED_HIGH,
  GAUGE_EXHAUSTION_MS,
  GAUGE_BREAKER_REASON,
  GAUGE_DAY_START_MS,
] as const;
const AT_VERSION = GAUGES_SHOWN.length;
const AT_GATE = AT_VERSION + 1;
const AT_BREAKER = AT_VERSION + 2;
const AT_THROTTLE = AT_VERSION + 3;
const FIELDS = AT_VERSION + 4;

export interface LiveRow {
  readonly id: string;
  readonly slot: number;
  /** The look that found it changed. */
  changedAt: number;
  /** The row as the wire shows it. */
  wire: JsonObject;
  /** The same as JSON text, made when it is first wanted. */
  json: string | null;
  /** When it was found gone, steady ms; 0 while it is there. */
  goneMs: number;
}

/** A campaign's place on the table: so that a look need not look it up. */
interface Place {
  readonly id: string;
  readonly hash: number;
  readonly slot: number;
  row: LiveRow | undefined;
}

export class LiveRows {
  readonly #table: TableReader;
  readonly #index: IdIndex;
  readonly #catalog: CampaignCatalog;
  readonly #shards: number;
  readonly #seen: Float64Array;
  readonly #rows = new Map<string, LiveRow>();
  /** Those among the rows that are gone, or that another has taken the place of. */
  readonly #gone = new Set<LiveRow>();
  #places: Place[] = [];
  #stamp = '';
  #look = 0;
  #forgottenAt = 0;
  #unknown: string[] = [];

  constructor(memory: TableMemory, catalog: CampaignCatalog) {
    this.#table = new TableReader(memory);
    this.#index = new IdIndex(memory);
    this.#catalog = catalog;
    this.#shards = memory.shards;
    this.#seen = new Float64Array(memory.shards * memory.slotsPerShard * FIELDS);
  }

  /** Number of the last look that found something new. */
  get look(): number {
    return this.#look;
  }

  /** Changes up to this look may not be known any more: who has seen no more than it begins anew. */
  get forgottenAt(): number {
    return this.#forgottenAt;
  }

  /** Campaigns on the table that the catalog does not know; they have no row yet. */
  get unknown(): readonly string[] {
    return this.#unknown;
  }

  has(campaignId: string): boolean {
    return this.#index.find(campaignId) >= 0;
  }

  /** Compares all rows with what they were. @returns whether any changed */
  refresh(steadyMs: number): boolean {
    const look = this.#look + 1;
    let changed = this.#followIndex(look, steadyMs);
    this.#unknown = [];
    for (const place of this.#places) {
      if (!this.#catalog.knows(place.slot, place.hash)) this.#unknown.push(place.id);
      else if (this.#refreshRow(place, look, steadyMs)) changed = true;
    }
    if (changed) this.#look = look;
    return changed;
  }

  /** Those that are there. */
  *all(): Generator<LiveRow> {
    for (const row of this.#rows.values()) if (row.goneMs === 0) yield row;
  }

  /** Those that changed after a look, also those that are gone. */
  *changedAfter(look: number): Generator<LiveRow> {
    for (const row of this.#rows.values()) if (row.changedAt > look) yield row;
  }

  get(campaignId: string): LiveRow | undefined {
    return this.#rows.get(campaignId);
  }

  /** Nobody looks any more: the rows are read anew when somebody does. */
  clear(): void {
    this.#rows.clear();
    this.#gone.clear();
    this.#places = [];
    this.#stamp = '';
    this.#forgottenAt = this.#look;
  }

  /** Reads the index when it changed. @returns whether a row is gone */
  #followIndex(look: number, steadyMs: number): boolean {
    const stamp = Array.from({ length: this.#shards }, (_, shard) => this.#index.stampOf(shard)).join();
    let gone = false;
    if (stamp !== this.#stamp) {
      this.#stamp = stamp;
      this.#readPlaces();
      const present = new Set(this.#places.map(({ id }) => id));
      for (const row of this.#rows.values()) {
        if (present.has(row.id) || row.goneMs > 0) continue;
        this.#markGone(row, look, steadyMs);
        gone = true;
      }
    }
    for (const row of this.#gone) {
      if (steadyMs - row.goneMs < GONE_MS) continue;
      this.#gone.delete(row);
      if (this.#rows.get(row.id) === row) this.#rows.delete(row.id);
      this.#forgottenAt = Math.max(this.#forgottenAt, row.changedAt);
    }
    return gone;
  }

  #readPlaces(): void {
    this.#places = [];
    for (let shard = 0; shard < this.#shards; shard++) {
      for (const slot of this.#index.slotsOf(shard)) {
        const id = this.#index.idOf(slot);
        this.#places.push({ id, hash: hashId(id), slot, row: this.#rows.get(id) });
      }
    }
  }

  /** Of a campaign that the catalog knows. */
  #refreshRow(place: Place, look: number, steadyMs: number): boolean {
    const { id, slot, row } = place;
    if (this.#catalog.status(slot) === 'DELETED') {
      if (row === undefined || row.goneMs > 0) return false;
      this.#markGone(row, look, steadyMs);
      return true;
    }
    const isKnown = row !== undefined && row.slot === slot && row.goneMs === 0;
    if (!this.#follow(slot) && isKnown) return false;
    const wire = this.#wire(slot, this.#catalog.brief(slot, id));
    if (!isKnown) {
      place.row = { id, slot, changedAt: look, wire, json: null, goneMs: 0 };
      this.#rows.set(id, place.row);
    } else {
      row.changedAt = look;
      row.wire = wire;
      row.json = null;
    }
    return true;
  }

  #markGone(row: LiveRow, look: number, steadyMs: number): void {
    row.wire = { campaign_id: row.id, status: 'DELETED' };
    row.json = null;
    row.changedAt = look;
    row.goneMs = Math.max(steadyMs, Number.MIN_VALUE);
    this.#gone.add(row);
  }

  /** Takes the figures of a slot in. @returns whether one of them changed */
  #follow(slot: number): boolean {
    const table = this.#table;
    const base = slot * FIELDS;
    let changed = false;
    for (let at = 0; at < GAUGES_SHOWN.length; at++) {
      if (this.#take(base + at, table.gauge(slot, GAUGES_SHOWN[at] as number))) changed = true;
    }
    const throttleRate = Math.round(table.throttleRate(slot) * RATE_STEPS) / RATE_STEPS;
    if (this.#take(base + AT_VERSION, this.#catalog.version(slot))) changed = true;
    if (this.#take(base + AT_GATE, table.gate(slot))) changed = true;
    if (this.#take(base + AT_BREAKER, table.breaker(slot))) changed = true;
    if (this.#take(base + AT_THROTTLE, throttleRate)) changed = true;
    return changed;
  }

  #take(at: number, value: number): boolean {
    if (this.#seen[at] === value) return false;
    this.#seen[at] = value;
    return true;
  }

  /** The row as it was just taken in, in the fields of a budget status. */
  #wire(slot: number, brief: CampaignBrief): JsonObject {
    const seen = this.#seen;
    const base = slot * FIELDS;
    const field = (at: number): number => seen[base + at] as number;
    const gauge = (gauge: (typeof GAUGES_SHOWN)[number]): number => field(GAUGES_SHOWN.indexOf(gauge));
    const spent = gauge(GAUGE_SPENT);
    const { dailyBudgetMicros: budget, totalBudgetMicros: total } = brief;
    const breaker = field(AT_BREAKER);
    const gate = field(AT_GATE);
    const projection = (of: (typeof GAUGES_SHOWN)[number]): number | null =>
      gauge(of) < 0 ? null : centsFromMicros(gauge(of));
    const exhaustionMs = gauge(GAUGE_EXHAUSTION_MS);
    const left = gauge(GAUGE_DAY_BUDGET) - spent - gauge(GAUGE_RESERVED);
    const share = budget === 0 ? 0 : (100 * spent) / budget;
    return {
      campaign_id: brief.id,
      name: brief.name,
      status: brief.status,
      pacing_mode: brief.pacingMode,
      timezone: brief.timezone,
      local_day: localDayAt(brief.timezone, gauge(GAUGE_DAY_START_MS)).date,
      denied_reason: isBidding(gate) ? null : (REASONS[gate] ?? null),
      daily_budget_cents: centsFromMicros(budget),
      daily_spent_cents: centsFromMicros(spent),
      hourly_spent_cents: centsFromMicros(gauge(GAUGE_SPENT_HOUR)),
      total_budget_cents: total === null ? null : centsFromMicros(total),
      total_spent_cents: centsFromMicros(gauge(GAUGE_SPENT_TOTAL)),
      reserved_cents: centsFromMicros(gauge(GAUGE_RESERVED)),
      remaining_cents: centsFromMicros(Math.max(0, left)),
      pace_percentage: Math.round(share * SHARE_STEPS) / SHARE_STEPS,
      target_spent_cents: centsFromMicros(Math.round(gauge(GAUGE_TARGET))),
      throttle_rate: field(AT_THROTTLE),
      breaker_threshold: brief.breakerThreshold,
      circuit_breaker_state: BREAKER_POSITIONS[breaker] ?? 'CLOSED',
      circuit_breaker_reason: breaker === 0 ? null : (TRIP_REASONS[gauge(GAUGE_BREAKER_REASON)] ?? null),
      projected_spend_cents: projection(GAUGE_PROJECTED),
      projected_spend_low_cents: projection(GAUGE_PROJECTED_LOW),
      projected_spend_high_cents: projection(GAUGE_PROJECTED_HIGH),
      projected_exhaustion_at: exhaustionMs === 0 ? null : new Date(exhaustionMs).toISOString(),
      version: brief.version,
    };
  }
}

/** A vacant slot of a campaign that is not deleted: its owner is starting. */
function isBidding(gate: number): boolean {
  return gate === GATE_OPEN || gate === GATE_HALF_OPEN || gate === GATE_VACANT;
}
