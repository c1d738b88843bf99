/**
 * What decisions are answered, in JSON and in msgpack: the same fields, made once for each decision that differs and kept
 * as bytes.
 *
 * Budget: of a reply that is kept some 20 ns for its look-up, and in a batch a copy of its bytes; nothing is allocated. One
 * that is not kept costs one or two microseconds.
 */
import { isAllowed, REASONS } from '../domain/gate.ts';
import { centsFromMicros } from '../domain/money.ts';
import type { Decision } from '../table/pacing-table.ts';
import { packed } from './msgpack.ts';

const THROTTLE_STEPS = 10_000;
const DEGRADED_WARNING = 'Operating in degraded mode';

function throttleRateOf(decision: Decision): number {
  return Math.round(decision.throttleRate * THROTTLE_STEPS) / THROTTLE_STEPS;
}

function maxBidCentsOf(decision: Decision): number {
  return isAllowed(decision.reason) ? centsFromMicros(decision.maxBidMicros) : 0;
}

/** A decision as the contract's JSON. */
export function decisionJson(decision: Decision): string {
  const warning = decision.degraded ? `,"warning":"${DEGRADED_WARNING}"` : '';
  return `{"allow_bid":${isAllowed(decision.reason)},"max_bid_cents":${maxBidCentsOf(decision)},"throttle_rate":${throttleRateOf(decision)},"reason":"${REASONS[decision.reason]}"${warning}}`;
}

const encoder = new TextEncoder();

/** The same as bytes, of a buffer of their own: uWebSockets.js takes those without a copy and without making a string. */
export function decisionBytes(decision: Decision): ArrayBuffer {
  return encoder.encode(decisionJson(decision)).slice().buffer;
}

/** The same as msgpack, also in a buffer of its own. */
export function decisionPacked(decision: Decision): ArrayBuffer {
  return packed({
    allow_bid: isAllowed(decision.reason),
    max_bid_cents: maxBidCentsOf(decision),
    throttle_rate: throttleRateOf(decision),
    reason: REASONS[decision.reason],
    ...(decision.degraded ? { warning: DEGRADED_WARNING } : {}),
  });
}

const REPLIES = 1024;
const NO_REPLY = new ArrayBuffer(0);
const NO_VIEW = new Uint8Array(NO_REPLY);

/**
 * The last replies: a campaign's denials are alike for a second, and its bids have few prices. Making the reply anew
 * costs several times the look-up.
 */
export class ReplyCache {
  private readonly make: (decision: Decision) => ArrayBuffer;
  private readonly maxBids = new Float64Array(REPLIES);
  private readonly throttleRates = new Float64Array(REPLIES);
  /** The reason, and in the lowest bit whether the warning of degraded mode belongs to it. */
  private readonly kinds = new Int32Array(REPLIES).fill(-1);
  private readonly replies: ArrayBuffer[] = Array.from({ length: REPLIES }, () => NO_REPLY);
  private readonly views: Uint8Array[] = Array.from({ length: REPLIES }, () => NO_VIEW);

  /** @param make a reply: {@link decisionBytes} or {@link decisionPacked} */
  constructor(make: (decision: Decision) => ArrayBuffer) {
    this.make = make;
  }

  /** The reply, in a buffer of its own. */
  bytes(decision: Decision): ArrayBuffer {
    return this.replies[this.entryOf(decision)] as ArrayBuffer;
  }

  /** The same to be copied from: a view is not made for each copy. */
  view(decision: Decision): Uint8Array {
    return this.views[this.entryOf(decision)] as Uint8Array;
  }

  /** Where the reply is kept, which is made when it is not yet. */
  private entryOf(decision: Decision): number {
    const { maxBidMicros, throttleRate, reason, degraded } = decision;
    const kind = 2 * reason + (degraded ? 1 : 0);
    const mixed =
      Math.imul(maxBidMicros | 0, 0x9e3779b1) ^ Math.imul((throttleRate * 0x3fffffff) | 0, 0x85ebca6b);
    const at = ((mixed >>> 16) ^ kind) & (REPLIES - 1);
    const known =
      this.kinds[at] === kind && this.maxBids[at] === maxBidMicros && this.throttleRates[at] === throttleRate;
    if (known) return at;
    this.kinds[at] = kind;
    this.maxBids[at] = maxBidMicros;
    this.throttleRates[at] = throttleRate;
    const reply = this.make(decision);
    this.replies[at] = reply;
    this.views[at] = new Uint8Array(reply);
    return at;
  }
}

/** More than any decision takes, in JSON or in msgpack. */
const DECISION_BYTES_MAX = 192;
const ENDS_BYTES_MAX = 32;

/** The reply to a batch, put together in one buffer that is used again and again. */
export abstract class BatchReply {
  protected readonly buffer: Uint8Array;
  protected end = 0;

  constructor(decisionsMax: number) {
    this.buffer = new Uint8Array(decisionsMax * DECISION_BYTES_MAX + ENDS_BYTES_MAX);
  }

  protected put(bytes: Uint8Array): void {
    this.buffer.set(bytes, this.end);
    this.end += bytes.length;
  }

  /** @param decisions how many will be added */
  abstract begin(decisions: number): void;

  /** @param reply copied */
  abstract add(reply: Uint8Array): void;

  /** @returns the whole reply, valid until the next begins */
  abstract finish(): Uint8Array;
}

const JSON_HEAD = encoder.encode('{"decisions":[');
const JSON_TAIL = encoder.encode(']}');
const COMMA = 0x2c;

export class JsonBatchReply extends BatchReply {
  begin(): void {
    this.end = 0;
    this.put(JSON_HEAD);
  }

  add(reply: Uint8Array): void {
    if (this.end > JSON_HEAD.length) this.buffer[this.end++] = COMMA;
    this.put(reply);
  }

  finish(): Uint8Array {
    this.put(JSON_TAIL);
    return this.buffer.subarray(0, this.end);
  }
}

const SMALL_ARRAY = 0x90;
const SMALL_ARRAY_MAX = 15;
const ARRAY_16 = 0xdc;
/** A map of one entry with its key; the array follows. */
const PACKED_HEAD = new Uint8Array(packed({ decisions: [] })).slice(0, -1);

export class PackedBatchReply extends BatchReply {
  begin(decisions: number): void {
    this.end = 0;
    this.put(PACKED_HEAD);
    if (decisions <= SMALL_ARRAY_MAX) {
      this.buffer[this.end++] = SMALL_ARRAY + decisions;
    } else {
      this.buffer[this.end++] = ARRAY_16;
      this.buffer[this.end++] = decisions >>> 8;
      this.buffer[this.end++] = decisions;
    }
  }

  add(reply: Uint8Array): void {
    this.put(reply);
  }

  finish(): Uint8Array {
    return this.buffer.subarray(0, this.end);
  }
}
