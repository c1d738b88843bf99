/**
 * Between an edge and a shard: the edge posts one batch for each event-loop turn that has something for the
 * shard, the shard posts one reply batch for each commit. Numbers travel in one Float64Array and texts in one
 * array, because that is what a MessagePort clones fastest.
 *
 *   record   kind, ticket, slot, micros, impressions, clicks      (RECORD_FIELDS numbers)
 *   texts    in record order, for each record: campaign id, bid id, event id, those that its kind's bits name
 *
 * A ticket is the edge's number for the waiting request; every record with a ticket gets exactly one answer,
 * unless the port closes. slot −1: the campaign is not on the table and its id is among the texts.
 */

export const RECORD_FIELDS = 6;

export const KIND_SPEND = 1;
export const KIND_LOSS = 2;
/** An allowed bid has an id; no answer. */
export const KIND_RESERVE = 3;
export const KIND_STATUS = 4;
/** A status with the reasons of the campaign's decisions. */
export const KIND_STATUS_EXPLAINED = 5;
const KIND_MASK = 7;
const HAS_CAMPAIGN_ID = 8;
const HAS_BID_ID = 16;
const HAS_EVENT_ID = 32;

export const OUTCOME_SUCCESS = 0;
export const OUTCOME_DUPLICATE = 1;
export const OUTCOME_UNKNOWN_CAMPAIGN = 2;
export const OUTCOME_RELEASED = 3;
export const OUTCOME_UNKNOWN_BID = 4;
/** The spend was not recorded: the ledger could not be written. */
export const OUTCOME_UNAVAILABLE = 5;
/** The spend was not recorded: the campaign's total would pass what can be counted. */
export const OUTCOME_TOO_LARGE = 6;

/** Made by the edge itself: the shard ended before it answered, so nobody knows. */
export const OUTCOME_LOST = 7;

export interface EdgeBatch {
  readonly type: 'batch';
  readonly numbers: Float64Array;
  readonly texts: readonly string[];
}

export type EdgeToShard = EdgeBatch;

/** Pairs of ticket and OUTCOME code. */
export interface OutcomeBatch {
  readonly type: 'outcomes';
  readonly numbers: Float64Array;
}

export interface StatusReply {
  readonly type: 'status';
  readonly ticket: number;
  /** JSON, or null for an unknown campaign. */
  readonly body: string | null;
}

export type ShardToEdge = OutcomeBatch | StatusReply;

/** Collects a turn's records; reused from turn to turn. */
export class BatchWriter {
  private numbers = new Float64Array(RECORD_FIELDS * 64);
  private used = 0;
  private texts: string[] = [];

  get empty(): boolean {
    return this.used === 0;
  }

  /** @param bidId,eventId empty = none; @param campaignId read only when slot is −1 */
  add(
    kind: number,
    ticket: number,
    slot: number,
    campaignId: string,
    micros: number,
    impressions: number,
    clicks: number,
    bidId: string,
    eventId: string,
  ): void {
    if (this.used + RECORD_FIELDS > this.numbers.length) this.grow();
    let bits = kind;
    if (slot < 0) {
      bits |= HAS_CAMPAIGN_ID;
      this.texts.push(campaignId);
    }
    if (bidId !== '') {
      bits |= HAS_BID_ID;
      this.texts.push(bidId);
    }
    if (eventId !== '') {
      bits |= HAS_EVENT_ID;
      this.texts.push(eventId);
    }
    const { numbers, used } = this;
    numbers[used] = bits;
    numbers[used + 1] = ticket;
    numbers[used + 2] = slot;
    numbers[used + 3] = micros;
    numbers[used + 4] = impressions;
    numbers[used + 5] = clicks;
    this.used = used + RECORD_FIELDS;
  }

  /** The batch, ready to post; the writer begins anew. */
  finish(): EdgeBatch {
    const batch: EdgeBatch = { type: 'batch', numbers: this.numbers.slice(0, this.used), texts: this.texts };
    this.used = 0;
    this.texts = [];
    return batch;
  }

  private grow(): void {
    const larger = new Float64Array(this.numbers.length * 2);
    larger.set(this.numbers);
    this.numbers = larger;
  }
}

/** Walks a batch record by record; reused from batch to batch. */
export class BatchReader {
  kind = 0;
  ticket = 0;
  slot = -1;
  micros = 0;
  impressions = 0;
  clicks = 0;
  campaignId = '';
  bidId = '';
  eventId = '';
  private batch: EdgeBatch | undefined;
  private at = 0;
  private textAt = 0;

  open(batch: EdgeBatch): void {
    this.batch = batch;
    this.at = 0;
    this.textAt = 0;
  }

  /** Moves to the next record; false after the last. */
  next(): boolean {
    const { batch, at } = this;
    if (batch === undefined || at >= batch.numbers.length) {
      this.batch = undefined;
      return false;
    }
    const bits = batch.numbers[at] as number;
    this.kind = bits & KIND_MASK;
    this.ticket = batch.numbers[at + 1] as number;
    this.slot = batch.numbers[at + 2] as number;
    this.micros = batch.numbers[at + 3] as number;
    this.impressions = batch.numbers[at + 4] as number;
    this.clicks = batch.numbers[at + 5] as number;
    this.campaignId = bits & HAS_CAMPAIGN_ID ? this.text(batch) : '';
    this.bidId = bits & HAS_BID_ID ? this.text(batch) : '';
    this.eventId = bits & HAS_EVENT_ID ? this.text(batch) : '';
    this.at = at + RECORD_FIELDS;
    return true;
  }

  private text(batch: EdgeBatch): string {
    const text = batch.texts[this.textAt] as string;
    this.textAt++;
    return text;
  }
}

/** Collects answers for one edge; reused. */
export class OutcomeWriter {
  private numbers: number[] = [];

  get empty(): boolean {
    return this.numbers.length === 0;
  }

  add(ticket: number, outcome: number): void {
    this.numbers.push(ticket, outcome);
  }

  finish(): OutcomeBatch {
    const batch: OutcomeBatch = { type: 'outcomes', numbers: Float64Array.from(this.numbers) };
    this.numbers = [];
    return batch;
  }
}
