/**
 * What decisions are answered: bytes that are kept where decisions are alike, else written anew.
 *
 * Budget: a look-up of some 20 ns; of a reply that is not kept some 200 ns to write it and, for a single decision, a
 * view of its bytes. Nothing else is allocated but a buffer for each reply that begins to be kept.
 */
import { isAllowed } from '../domain/gate.ts';
import type { Decision } from '../table/pacing-table.ts';
import { DECISION_BYTES_MAX, type DecisionForm, writeDecision } from './decision-forms.ts';
import { packed } from './msgpack.ts';

const REPLIES = 1024;

/**
 * The last replies: a campaign's denials are alike for a second, and many bids have the same prices. One is kept when it
 * is wanted for the second time, so that prices that are all different make nothing.
 */
export class ReplyCache {
  private readonly form: DecisionForm;
  private readonly maxBids = new Float64Array(REPLIES);
  private readonly throttleRates = new Float64Array(REPLIES);
  /** The reason, and in the lowest bit whether the warning of degraded mode belongs to it. */
  private readonly kinds = new Int32Array(REPLIES).fill(-1);
  /** Each in a buffer of its own, which uWebSockets.js takes faster than a view; null when wanted only once so far. */
  private readonly replies: (ArrayBuffer | null)[] = new Array<null>(REPLIES).fill(null);
  private readonly views: (Uint8Array | null)[] = new Array<null>(REPLIES).fill(null);
  private readonly scratch = new Uint8Array(DECISION_BYTES_MAX);

  constructor(form: DecisionForm) {
    this.form = form;
  }

  /** The reply, valid until the next one. */
  bytes(decision: Decision): ArrayBuffer | Uint8Array {
    const kept = this.replies[this.entryOf(decision)];
    if (kept !== null && kept !== undefined) return kept;
    return this.scratch.subarray(0, writeDecision(this.form, decision, this.scratch, 0));
  }

  /** Puts the reply among others. @returns where it ends */
  put(decision: Decision, target: Uint8Array, at: number): number {
    const kept = this.views[this.entryOf(decision)];
    if (kept === null || kept === undefined) return writeDecision(this.form, decision, target, at);
    target.set(kept, at);
    return at + kept.length;
  }

  /** Where the reply is kept, or will be when it is wanted again. */
  private entryOf(decision: Decision): number {
    const { throttleRate, reason, degraded } = decision;
    const maxBidMicros = isAllowed(reason) ? decision.maxBidMicros : 0;
    const kind = 2 * reason + (degraded ? 1 : 0);
    const mixed =
      Math.imul(maxBidMicros | 0, 0x9e3779b1) ^ Math.imul((throttleRate * 0x3fffffff) | 0, 0x85ebca6b);
    const at = ((mixed >>> 16) ^ kind) & (REPLIES - 1);
    const known =
      this.kinds[at] === kind && this.maxBids[at] === maxBidMicros && this.throttleRates[at] === throttleRate;
    if (!known) {
      this.kinds[at] = kind;
      this.maxBids[at] = maxBidMicros;
      this.throttleRates[at] = throttleRate;
      this.replies[at] = this.views[at] = null;
    } else if (this.replies[at] === null) this.keep(at, decision);
    return at;
  }

  private keep(at: number, decision: Decision): void {
    const reply = this.scratch.slice(0, writeDecision(this.form, decision, this.scratch, 0));
    this.replies[at] = reply.buffer;
    this.views[at] = reply;
  }
}

const ENDS_BYTES_MAX = 32;

/** The reply to a batch, put together in one buffer that is used again and again. */
export abstract class BatchReply {
  protected readonly replies: ReplyCache;
  protected readonly buffer: Uint8Array;
  protected end = 0;

  constructor(replies: ReplyCache, decisionsMax: number) {
    this.replies = replies;
    this.buffer = new Uint8Array(decisionsMax * DECISION_BYTES_MAX + ENDS_BYTES_MAX);
  }

  protected begun(head: Uint8Array): void {
    this.buffer.set(head);
    this.end = head.length;
  }

  /** @param decisions how many will be added */
  abstract begin(decisions: number): void;

  abstract add(decision: Decision): void;

  /** @returns the whole reply, valid until the next begins */
  abstract finish(): Uint8Array;
}

const encoder = new TextEncoder();
const JSON_HEAD = encoder.encode('{"decisions":[');
const JSON_TAIL = encoder.encode(']}');
const COMMA = 0x2c;

export class JsonBatchReply extends BatchReply {
  begin(): void {
    this.begun(JSON_HEAD);
  }

  add(decision: Decision): void {
    if (this.end > JSON_HEAD.length) this.buffer[this.end++] = COMMA;
    this.end = this.replies.put(decision, this.buffer, this.end);
  }

  finish(): Uint8Array {
    this.buffer.set(JSON_TAIL, this.end);
    return this.buffer.subarray(0, this.end + JSON_TAIL.length);
  }
}

const SMALL_ARRAY = 0x90;
const SMALL_ARRAY_MAX = 15;
const ARRAY_16 = 0xdc;
/** A map of one entry with its key; the array follows. */
const PACKED_HEAD = new Uint8Array(packed({ decisions: [] })).slice(0, -1);

export class PackedBatchReply extends BatchReply {
  begin(decisions: number): void {
    this.begun(PACKED_HEAD);
    if (decisions <= SMALL_ARRAY_MAX) {
      this.buffer[this.end++] = SMALL_ARRAY + decisions;
    } else {
      this.buffer[this.end++] = ARRAY_16;
      this.buffer[this.end++] = decisions >>> 8;
      this.buffer[this.end++] = decisions;
    }
  }

  add(decision: Decision): void {
    this.end = this.replies.put(decision, this.buffer, this.end);
  }

  finish(): Uint8Array {
    return this.buffer.subarray(0, this.end);
  }
}
