/**
 * Reads decision requests from the bytes of their JSON, as bidders' programs write it, without making a string or an
 * object: the campaign's id becomes a hash while it is read. Only the plain form is read here: the three fields of
 * the contract, each at most once, ids without escapes, amounts as digits. Whatever else a body holds, an unknown
 * field or a mistake, is left to JSON.parse and requests.ts, which also say what is wrong. What is read here is what
 * they would have read (test/unit/edge/decision-scan.test.ts holds the two against each other).
 *
 * Budget: one pass over the bytes, about a nanosecond each; nothing is allocated.
 */
import { CAMPAIGN_ID_LENGTH_MAX } from '../domain/campaign.ts';
import { MICROS_PER_CENT } from '../domain/money.ts';
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

const QUOTE = 0x22;
const COMMA = 0x2c;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** Up to so many digits of cents, an amount with four decimals is exact in micros. */
const WHOLE_DIGITS_MAX = 11;
const FRACTION_DIGITS_MAX = 4;
const FRACTION_MICROS: readonly number[] = [10_000, 1_000, 100, 10, 1];

/** @returns whether the body is one decision request of the plain form; `into` holds it then */
export function scanDecision(bytes: Uint8Array, into: ScannedDecision): boolean {
  const after = scanObject(bytes, skipSpace(bytes, 0), into);
  return after !== UNUSUAL && skipSpace(bytes, after) === bytes.length;
}

/**
 * Reads `{"requests":[…]}`.
 * @param into as many as a batch may hold; each read request fills the next
 * @returns how many were read; 0 when the body is not of the plain form, is empty or holds more
 */
export function scanDecisions(bytes: Uint8Array, into: readonly ScannedDecision[]): number {
  let at = afterByte(bytes, skipSpace(bytes, 0), OPEN);
  at = afterByte(bytes, afterKey(bytes, at, REQUESTS), OPEN_LIST);
  if (at === UNUSUAL) return 0;
  for (let count = 0; count < into.length; ) {
    at = scanObject(bytes, at, into[count] as ScannedDecision);
    if (at === UNUSUAL) return 0;
    count++;
    at = skipSpace(bytes, at);
    const byte = at < bytes.length ? (bytes[at] as number) : 0;
    if (byte === CLOSE_LIST) {
      const end = afterByte(bytes, skipSpace(bytes, at + 1), CLOSE);
      return end === bytes.length ? count : 0;
    }
    if (byte !== COMMA) return 0;
    at = skipSpace(bytes, at + 1);
  }
  return 0;
}

/** @returns where the bytes go on after the object, or UNUSUAL */
function scanObject(bytes: Uint8Array, start: number, into: ScannedDecision): number {
  into.idEnd = 0;
  into.bidMicros = 0;
  into.bidIdEnd = 0;
  let at = afterByte(bytes, start, OPEN);
  while (at !== UNUSUAL) {
    at = scanField(bytes, at, into);
    if (at === UNUSUAL || at >= bytes.length) return UNUSUAL;
    const byte = bytes[at] as number;
    if (byte === CLOSE) return into.idEnd > 0 && into.bidMicros > 0 ? at + 1 : UNUSUAL;
    if (byte !== COMMA) return UNUSUAL;
    at = skipSpace(bytes, at + 1);
  }
  return UNUSUAL;
}

/** Reads a key and its value. @returns where the comma or the brace stands, or UNUSUAL */
function scanField(bytes: Uint8Array, at: number, into: ScannedDecision): number {
  // Where a key's closing quote stands tells which it may be; the shortest first, whose value may have quotes anywhere.
  if (at + BID_CENTS.length + 1 >= bytes.length) return UNUSUAL;
  if (bytes[at + BID_ID.length + 1] === QUOTE) {
    if (into.bidIdEnd > 0) return UNUSUAL;
    return scanBidId(bytes, afterKey(bytes, at, BID_ID), into);
  }
  if (bytes[at + BID_CENTS.length + 1] === QUOTE) {
    if (into.bidMicros > 0) return UNUSUAL;
    return scanCents(bytes, afterKey(bytes, at, BID_CENTS), into);
  }
  if (into.idEnd > 0) return UNUSUAL;
  return scanCampaignId(bytes, afterKey(bytes, at, CAMPAIGN_ID), into);
}

function scanCampaignId(bytes: Uint8Array, at: number, into: ScannedDecision): number {
  const start = afterByte(bytes, at, QUOTE);
  if (start === UNUSUAL) return UNUSUAL;
  let hash = HASH_SEED;
  let end = start;
  for (; end < bytes.length; end++) {
    const byte = bytes[end] as number;
    if (ID_BYTE[byte] === 0) break;
    hash = hashByte(hash, byte);
  }
  into.hash = finishHash(hash);
  into.idStart = start;
  into.idEnd = end;
  return afterId(bytes, start, end);
}

function scanBidId(bytes: Uint8Array, at: number, into: ScannedDecision): number {
  const start = afterByte(bytes, at, QUOTE);
  if (start === UNUSUAL) return UNUSUAL;
  let end = start;
  while (end < bytes.length && ID_BYTE[bytes[end] as number] === 1) end++;
  into.bidIdStart = start;
  into.bidIdEnd = end;
  return afterId(bytes, start, end);
}

function afterId(bytes: Uint8Array, start: number, end: number): number {
  if (end === start || end - start > CAMPAIGN_ID_LENGTH_MAX) return UNUSUAL;
  if (end >= bytes.length || bytes[end] !== QUOTE) return UNUSUAL;
  return skipSpace(bytes, end + 1);
}

/** Digits, and up to four after a point: the same micros as from the double that JSON.parse makes of them. */
function scanCents(bytes: Uint8Array, start: number, into: ScannedDecision): number {
  if (start === UNUSUAL) return UNUSUAL;
  let at = start;
  let cents = 0;
  for (; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte < ZERO || byte > NINE) break;
    cents = cents * 10 + (byte - ZERO);
  }
  const digits = at - start;
  if (digits === 0 || digits > WHOLE_DIGITS_MAX) return UNUSUAL;
  if (digits > 1 && bytes[start] === ZERO) return UNUSUAL;
  let micros = cents * MICROS_PER_CENT;
  if (at < bytes.length && bytes[at] === POINT) {
    const point = at++;
    let fraction = 0;
    for (; at < bytes.length; at++) {
      const byte = bytes[at] as number;
      if (byte < ZERO || byte > NINE) break;
      fraction = fraction * 10 + (byte - ZERO);
    }
    const places = at - point - 1;
    if (places === 0 || places > FRACTION_DIGITS_MAX) return UNUSUAL;
    micros += fraction * (FRACTION_MICROS[places] as number);
  }
  into.bidMicros = micros;
  // An exponent, or anything else that belongs to the number, is neither space, comma nor brace.
  return micros > 0 ? skipSpace(bytes, at) : UNUSUAL;
}

/** @param at of the quote before the key @returns where its value begins, or UNUSUAL when another key stands there */
function afterKey(bytes: Uint8Array, at: number, name: Uint8Array): number {
  if (at === UNUSUAL || at + name.length + 2 >= bytes.length || bytes[at] !== QUOTE) return UNUSUAL;
  for (let letter = 0; letter < name.length; letter++) {
    if (bytes[at + 1 + letter] !== name[letter]) return UNUSUAL;
  }
  if (bytes[at + 1 + name.length] !== QUOTE) return UNUSUAL;
  return afterByte(bytes, skipSpace(bytes, at + 2 + name.length), COLON);
}

/** @returns where the bytes go on after this one and the space behind it, or UNUSUAL when another stands there */
function afterByte(bytes: Uint8Array, at: number, byte: number): number {
  if (at === UNUSUAL || at >= bytes.length || bytes[at] !== byte) return UNUSUAL;
  // Space inside an id's quotes is no part of an id: it ends as unusual.
  return byte === QUOTE ? at + 1 : skipSpace(bytes, at + 1);
}

function skipSpace(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at < bytes.length && isSpace(bytes[at] as number)) at++;
  return at;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
