/**
 * Reads decision requests from the bytes of their msgpack, as decision-scan.ts does from those of JSON: maps and arrays with
 * heads of up to two bytes of length, the three fields of the contract, ids of up to 128 bytes, amounts in any of msgpack's
 * number types. Whatever else a body holds is left to msgpackr and requests.ts; what is read here is what they would have
 * read (test/unit/edge/packed-decision-scan.test.ts holds the two against each other).
 *
 * Budget: one pass over the bytes, about a nanosecond each; nothing is allocated.
 */
import { CAMPAIGN_ID_LENGTH_MAX } from '../domain/campaign.ts';
import { microsFromCents } from '../domain/money.ts';
import { finishHash, HASH_SEED, hashByte } from '../table/hash.ts';
import {
  BID_CENTS,
  BID_ID,
  CAMPAIGN_ID,
  ID_BYTE,
  REQUESTS,
  type ScannedDecision,
  UNUSUAL,
} from './scanned-decision.ts';

// The first byte of a value says its type and, of small ones, its length or the value itself.
const SMALL_INTEGER_MAX = 0x7f;
const SMALL_MAP = 0x80;
const SMALL_ARRAY = 0x90;
const SMALL_TEXT = 0xa0;
const SMALL_TEXT_MASK = 0xe0;
const NIL = 0xc0;
const FLOAT_32 = 0xca;
const FLOAT_64 = 0xcb;
const UNSIGNED_8 = 0xcc;
const SIGNED_8 = 0xd0;
const SIGNED_64 = 0xd3;
const TEXT_8 = 0xd9;
const ARRAY_16 = 0xdc;
const MAP_16 = 0xde;

/** Bytes of a map of the plain form at least, without its head. */
const MAP_BYTES_MIN = CAMPAIGN_ID.length + BID_CENTS.length;

/** A float's bytes, to be read as a number. */
const float = new DataView(new ArrayBuffer(8));

/** @returns whether the body is one decision request of the plain form; `into` holds it then */
export function scanPackedDecision(bytes: Uint8Array, into: ScannedDecision): boolean {
  return scanMap(bytes, 0, into) === bytes.length;
}

/**
 * Reads a map of `requests` alone.
 * @param into as many as a batch may hold; each read request fills the next
 * @returns how many were read; 0 when the body is not of the plain form, is empty or holds more
 */
export function scanPackedDecisions(bytes: Uint8Array, into: readonly ScannedDecision[]): number {
  if (sizeOf(bytes, 0, SMALL_MAP, MAP_16) !== 1) return 0;
  const list = afterKey(bytes, afterHead(bytes, 0, MAP_16), REQUESTS);
  if (list === UNUSUAL) return 0;
  const count = sizeOf(bytes, list, SMALL_ARRAY, ARRAY_16);
  if (count <= 0 || count > into.length) return 0;
  let at = afterHead(bytes, list, ARRAY_16);
  for (let element = 0; element < count; element++) {
    at = scanMap(bytes, at, into[element] as ScannedDecision);
    if (at === UNUSUAL) return 0;
  }
  return at === bytes.length ? count : 0;
}

/** @returns where the bytes go on after the map, or UNUSUAL */
function scanMap(bytes: Uint8Array, start: number, into: ScannedDecision): number {
  into.idEnd = 0;
  into.bidMicros = 0;
  into.bidIdEnd = 0;
  if (start + MAP_BYTES_MIN >= bytes.length) return UNUSUAL;
  const fields = sizeOf(bytes, start, SMALL_MAP, MAP_16);
  let at = afterHead(bytes, start, MAP_16);
  for (let field = 0; field < fields; field++) {
    at = scanField(bytes, at, into);
    if (at === UNUSUAL) return UNUSUAL;
  }
  return into.idEnd > 0 && into.bidMicros > 0 ? at : UNUSUAL;
}

/** Reads a key and its value. @returns where the next key stands, or UNUSUAL */
function scanField(bytes: Uint8Array, at: number, into: ScannedDecision): number {
  if (at >= bytes.length) return UNUSUAL;
  switch ((bytes[at] as number) - SMALL_TEXT) {
    case CAMPAIGN_ID.length:
      return into.idEnd > 0 ? UNUSUAL : scanCampaignId(bytes, afterKey(bytes, at, CAMPAIGN_ID), into);
    case BID_CENTS.length:
      return into.bidMicros > 0 ? UNUSUAL : scanCents(bytes, afterKey(bytes, at, BID_CENTS), into);
    case BID_ID.length:
      return into.bidIdEnd > 0 ? UNUSUAL : scanBidId(bytes, afterKey(bytes, at, BID_ID), into);
    default:
      return UNUSUAL;
  }
}

function scanCampaignId(bytes: Uint8Array, at: number, into: ScannedDecision): number {
  const end = idEnd(bytes, at);
  if (end === UNUSUAL) return UNUSUAL;
  const start = idStart(bytes, at);
  let hash = HASH_SEED;
  for (let letter = start; letter < end; letter++) {
    const byte = bytes[letter] as number;
    if (ID_BYTE[byte] === 0) return UNUSUAL;
    hash = hashByte(hash, byte);
  }
  into.hash = finishHash(hash);
  into.idStart = start;
  into.idEnd = end;
  return end;
}

/** A bid without an id may also say so with nil. */
function scanBidId(bytes: Uint8Array, at: number, into: ScannedDecision): number {
  if (at !== UNUSUAL && bytes[at] === NIL) return at + 1;
  const end = idEnd(bytes, at);
  if (end === UNUSUAL) return UNUSUAL;
  const start = idStart(bytes, at);
  for (let letter = start; letter < end; letter++) {
    if (ID_BYTE[bytes[letter] as number] === 0) return UNUSUAL;
  }
  into.bidIdStart = start;
  into.bidIdEnd = end;
  return end;
}

function idStart(bytes: Uint8Array, at: number): number {
  return bytes[at] === TEXT_8 ? at + 2 : at + 1;
}

/** @param at of a text's head, where a byte stands, or UNUSUAL @returns where the text ends, if it may be an id */
function idEnd(bytes: Uint8Array, at: number): number {
  if (at === UNUSUAL) return UNUSUAL;
  const head = bytes[at] as number;
  let length = 0;
  let start = at + 1;
  if ((head & SMALL_TEXT_MASK) === SMALL_TEXT) length = head - SMALL_TEXT;
  else if (head === TEXT_8 && start < bytes.length) length = bytes[start++] as number;
  if (length === 0 || length > CAMPAIGN_ID_LENGTH_MAX || start + length > bytes.length) return UNUSUAL;
  return start + length;
}

/** @param at where a byte stands, or UNUSUAL */
function scanCents(bytes: Uint8Array, at: number, into: ScannedDecision): number {
  if (at === UNUSUAL) return UNUSUAL;
  const head = bytes[at] as number;
  let cents = head;
  let end = at + 1;
  if (head > SMALL_INTEGER_MAX) {
    if (head < FLOAT_32 || head > SIGNED_64) return UNUSUAL;
    end += numberBytes(head);
    if (end > bytes.length) return UNUSUAL;
    // A number with its highest bit set is negative.
    if (head >= SIGNED_8 && (bytes[at + 1] as number) > 0x7f) return UNUSUAL;
    cents = head < UNSIGNED_8 ? floatAt(bytes, at + 1, head) : wholeAt(bytes, at + 1, end);
  }
  into.bidMicros = microsFromCents(cents);
  return into.bidMicros > 0 ? end : UNUSUAL;
}

/** Of a number, without its head: floats have four or eight bytes, unsigned and signed ones one to eight. */
function numberBytes(head: number): number {
  return head === FLOAT_32 ? 4 : head === FLOAT_64 ? 8 : 1 << (head & 3);
}

/** Up to 2^53 exact; what is larger is no amount, and stays larger when it is rounded. */
function wholeAt(bytes: Uint8Array, start: number, end: number): number {
  let whole = 0;
  for (let at = start; at < end; at++) whole = whole * 256 + (bytes[at] as number);
  return whole;
}

function floatAt(bytes: Uint8Array, start: number, head: number): number {
  float.setInt32(0, wordAt(bytes, start));
  if (head === FLOAT_32) return float.getFloat32(0);
  float.setInt32(4, wordAt(bytes, start + 4));
  return float.getFloat64(0);
}

function wordAt(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16);
  return high | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
}

/** How many entries a map or elements an array has, by its head; UNUSUAL when another value stands there. */
function sizeOf(bytes: Uint8Array, at: number, small: number, large: number): number {
  if (at + 2 >= bytes.length) return UNUSUAL;
  const head = bytes[at] as number;
  if ((head & 0xf0) === small) return head & 0x0f;
  return head === large ? (bytes[at + 1] as number) * 256 + (bytes[at + 2] as number) : UNUSUAL;
}

function afterHead(bytes: Uint8Array, at: number, large: number): number {
  return bytes[at] === large ? at + 3 : at + 1;
}

/** @returns where the value of this key stands, which has a byte at least, or UNUSUAL when another key stands there */
function afterKey(bytes: Uint8Array, at: number, name: Uint8Array): number {
  const value = at + 1 + name.length;
  if (value >= bytes.length || bytes[at] !== SMALL_TEXT + name.length) return UNUSUAL;
  for (let letter = 0; letter < name.length; letter++) {
    if (bytes[at + 1 + letter] !== name[letter]) return UNUSUAL;
  }
  return value;
}
