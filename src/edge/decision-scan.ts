/**
 * Reads decision requests from the bytes of their JSON, as bidders' programs write it, without making a string or an
 * object: the campaign's id becomes a hash while it is read. Only the plain form is read here: the three fields of
 * the contract, each at most once, ids without escapes, amounts as digits. Whatever else a body holds, an unknown
 * field or a mistake, is left to JSON.parse and requests.ts, which also say what is wrong. What is read here is what
 * they would have read (test/unit/edge/decision-scan.test.ts holds the two against each other).
 *
 * Budget: one pass over the bytes, one to two nanoseconds each; nothing is allocated. Names are compared four bytes at a time:
 * a loop over their letters took three times as long.
 */
import { CAMPAIGN_ID_LENGTH_MAX } from '../domain/campaign.ts';
import { MICROS_PER_CENT } from '../domain/money.ts';
import { finishHash, HASH_SEED, hashByte } from '../table/hash.ts';
import { ID_BYTE, type ScannedDecision, UNUSUAL } from './scanned-decision.ts';

const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const POINT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** Of the names, each four bytes as one number, and their closing quotes. */
const CAMP = wordOf('camp');
const AIGN = wordOf('aign');
const ID_AND_QUOTE = wordOf('_id"');
const BID_ = wordOf('bid_');
const CENT = wordOf('cent');
const NTS_AND_QUOTE = wordOf('nts"');
const REQU = wordOf('requ');
const ESTS = wordOf('ests');

/** The shortest that may stand where a name begins: `"bid_id":"a"}`. */
const FIELD_BYTES_MIN = 13;

/** Up to so many digits of cents, an amount with four decimals is exact in micros. */
const WHOLE_DIGITS_MAX = 11;
const FRACTION_DIGITS_MAX = 4;
const FRACTION_MICROS: readonly number[] = [10_000, 1_000, 100, 10, 1];

/** @returns whether the body is one decision request of the plain form; `into` holds it then */
export function scanDecision(bytes: Uint8Array, into: ScannedDecision): boolean {
  const end = scanObject(bytes, 0, into);
  return end === bytes.length || (end !== UNUSUAL && skipSpace(bytes, end) === bytes.length);
}

/**
 * Reads `{"requests":[…]}`.
 * @param into as many as a batch may hold; each read request fills the next
 * @returns how many were read; 0 when the body is not of the plain form, is empty or holds more
 */
export function scanDecisions(bytes: Uint8Array, into: readonly ScannedDecision[]): number {
  const name = behind(bytes, behind(bytes, 0, OPEN), QUOTE);
  if (!isRequests(bytes, name)) return 0;
  let at = behind(bytes, behind(bytes, name + REQUESTS_BYTES, COLON), OPEN_LIST);
  for (let count = 0; at !== UNUSUAL && count < into.length; ) {
    at = scanObject(bytes, at, into[count] as ScannedDecision);
    if (at === UNUSUAL) return 0;
    count++;
    const next = behind(bytes, at, COMMA);
    if (next === UNUSUAL) {
      const end = behind(bytes, behind(bytes, at, CLOSE_LIST), CLOSE);
      return end !== UNUSUAL && skipSpace(bytes, end) === bytes.length ? count : 0;
    }
    at = next;
  }
  return 0;
}

/**
 * All in one, for each call would look anew whether uWebSockets.js took the bytes back: in parts it took half as long again.
 * @returns where the bytes go on after the object, or UNUSUAL
 */
function scanObject(bytes: Uint8Array, start: number, into: ScannedDecision): number {
  const { length } = bytes;
  into.idEnd = 0;
  into.bidMicros = 0;
  into.bidIdEnd = 0;
  let at = start;
  if (at < length && (bytes[at] as number) <= SPACE) at = skipSpace(bytes, at);
  if (at >= length || bytes[at++] !== OPEN) return UNUSUAL;
  for (;;) {
    if (at < length && (bytes[at] as number) <= SPACE) at = skipSpace(bytes, at);
    if (at + FIELD_BYTES_MIN > length || bytes[at] !== QUOTE) return UNUSUAL;
    const first = wordAt(bytes, at + 1);
    const second = wordAt(bytes, at + 5);
    const isCents = second === CENT;
    const isBidId = first === BID_ && !isCents;
    if (first === CAMP) {
      if (second !== AIGN || wordAt(bytes, at + 9) !== ID_AND_QUOTE || into.idEnd > 0) return UNUSUAL;
      at += '"campaign_id"'.length;
    } else if (isBidId) {
      if (wordAt(bytes, at + 4) !== ID_AND_QUOTE || into.bidIdEnd > 0) return UNUSUAL;
      at += '"bid_id"'.length;
    } else {
      if (first !== BID_ || wordAt(bytes, at + 7) !== NTS_AND_QUOTE || into.bidMicros > 0) return UNUSUAL;
      at += '"bid_cents"'.length;
    }

    if (at < length && (bytes[at] as number) <= SPACE) at = skipSpace(bytes, at);
    if (at >= length || bytes[at++] !== COLON) return UNUSUAL;
    if (at < length && (bytes[at] as number) <= SPACE) at = skipSpace(bytes, at);

    if (isCents) {
      at = scanCents(bytes, at, into);
      if (at === UNUSUAL) return UNUSUAL;
    } else {
      if (at >= length || bytes[at++] !== QUOTE) return UNUSUAL;
      const idStart = at;
      let hash = HASH_SEED;
      for (; at < length; at++) {
        const byte = bytes[at] as number;
        if (ID_BYTE[byte] === 0) break;
        hash = hashByte(hash, byte);
      }
      const idBytes = at - idStart;
      if (idBytes === 0 || idBytes > CAMPAIGN_ID_LENGTH_MAX) return UNUSUAL;
      if (at >= length || bytes[at] !== QUOTE) return UNUSUAL;
      if (isBidId) {
        into.bidIdStart = idStart;
        into.bidIdEnd = at;
      } else {
        into.hash = finishHash(hash);
        into.idStart = idStart;
        into.idEnd = at;
      }
      at++;
    }

    if (at < length && (bytes[at] as number) <= SPACE) at = skipSpace(bytes, at);
    if (at >= length) return UNUSUAL;
    const next = bytes[at++];
    if (next === CLOSE) return into.idEnd > 0 && into.bidMicros > 0 ? at : UNUSUAL;
    if (next !== COMMA) return UNUSUAL;
  }
}

/** Without the quote that opens it. */
const REQUESTS_BYTES = 'requests"'.length;

function isRequests(bytes: Uint8Array, at: number): boolean {
  if (at === UNUSUAL || at + REQUESTS_BYTES > bytes.length) return false;
  return wordAt(bytes, at) === REQU && wordAt(bytes, at + 4) === ESTS && bytes[at + 8] === QUOTE;
}

/** Digits, and up to four after a point: the same micros as from the double that JSON.parse makes of them. */
function scanCents(bytes: Uint8Array, start: number, into: ScannedDecision): number {
  let at = start;
  let cents = 0;
  for (; at < bytes.length; at++) {
    const digit = (bytes[at] as number) - ZERO;
    if (digit < 0 || digit > 9) break;
    cents = cents * 10 + digit;
  }
  const digits = at - start;
  if (digits === 0 || digits > WHOLE_DIGITS_MAX) return UNUSUAL;
  if (digits > 1 && bytes[start] === ZERO) return UNUSUAL;
  let micros = cents * MICROS_PER_CENT;
  if (at < bytes.length && bytes[at] === POINT) {
    const point = at++;
    let fraction = 0;
    for (; at < bytes.length; at++) {
      const digit = (bytes[at] as number) - ZERO;
      if (digit < 0 || digit > 9) break;
      fraction = fraction * 10 + digit;
    }
    const places = at - point - 1;
    if (places === 0 || places > FRACTION_DIGITS_MAX) return UNUSUAL;
    micros += fraction * (FRACTION_MICROS[places] as number);
  }
  into.bidMicros = micros;
  // An exponent, or anything else that belongs to the number, is neither space, comma nor brace.
  return micros > 0 ? at : UNUSUAL;
}

/** @returns where the bytes go on behind this one and space in front of it, or UNUSUAL when another stands there */
function behind(bytes: Uint8Array, start: number, byte: number): number {
  if (start === UNUSUAL || start >= bytes.length) return UNUSUAL;
  if (bytes[start] === byte) return start + 1;
  const at = skipSpace(bytes, start);
  return at < bytes.length && bytes[at] === byte ? at + 1 : UNUSUAL;
}

function skipSpace(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at < bytes.length && isSpace(bytes[at] as number)) at++;
  return at;
}

function isSpace(byte: number): boolean {
  return byte <= SPACE && (byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09);
}

/** Four bytes, which must be there, as one number. */
function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

function wordOf(letters: string): number {
  return wordAt(new TextEncoder().encode(letters), 0);
}
