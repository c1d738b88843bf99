/**
 * Decisions as bytes, in JSON and in msgpack: parts that are kept, and between them two numbers, both of ten-thousandths.
 * Nothing is allocated.
 *
 * Budget: some 50 ns a decision; made as text and encoded it would take over 2 µs.
 */
import { isAllowed, REASONS } from '../domain/gate.ts';
import { centsFromMicros } from '../domain/money.ts';
import type { Decision } from '../table/pacing-table.ts';
import { type BytePart, bytePart, putPart } from './byte-part.ts';
import { packed } from './msgpack.ts';

/** A throttle rate is told in this many steps, and a cent has as many micros. */
const STEPS = 10_000;
const DEGRADED_WARNING = 'Operating in degraded mode';

/** More than any decision takes, in JSON or in msgpack. */
export const DECISION_BYTES_MAX = 192;

/** How decisions are written. The parts are by {@link kindOf} the decision. */
export interface DecisionForm {
  readonly heads: readonly BytePart[];
  readonly middle: BytePart;
  readonly tails: readonly BytePart[];
  /** How many bytes so many ten-thousandths take. */
  readonly numberBytes: (tenThousandths: number) => number;
  /** Writes them. @returns where they end */
  readonly putNumber: (tenThousandths: number, target: DataView, at: number) => number;
}

function kindOf({ reason, degraded }: Decision): number {
  return 2 * reason + (degraded ? 1 : 0);
}

/** The most that the bid may cost, micros, as it is told: ten-thousandths of a cent. */
function maxBidOf(decision: Decision): number {
  return isAllowed(decision.reason) ? decision.maxBidMicros : 0;
}

function rateOf(decision: Decision): number {
  return Math.round(decision.throttleRate * STEPS);
}

/** How many bytes {@link putDecision} writes, less than {@link DECISION_BYTES_MAX}. */
export function decisionBytes(form: DecisionForm, decision: Decision): number {
  const kind = kindOf(decision);
  const kept =
    (form.heads[kind] as BytePart).length + form.middle.length + (form.tails[kind] as BytePart).length;
  return kept + form.numberBytes(maxBidOf(decision)) + form.numberBytes(rateOf(decision));
}

/** Writes a decision. @returns where it ends */
export function putDecision(form: DecisionForm, decision: Decision, target: DataView, at: number): number {
  const kind = kindOf(decision);
  let end = putPart(form.heads[kind] as BytePart, target, at);
  end = form.putNumber(maxBidOf(decision), target, end);
  end = putPart(form.middle, target, end);
  end = form.putNumber(rateOf(decision), target, end);
  return putPart(form.tails[kind] as BytePart, target, end);
}

/** A decision as the contract's JSON, in text. */
export function decisionJson(decision: Decision): string {
  const cents = centsFromMicros(maxBidOf(decision));
  const rate = rateOf(decision) / STEPS;
  return (
    jsonHead(decision.reason) + cents + JSON_MIDDLE + rate + jsonTail(decision.reason, decision.degraded)
  );
}

const JSON_MIDDLE = ',"throttle_rate":';

function jsonHead(reason: number): string {
  return `{"allow_bid":${isAllowed(reason)},"max_bid_cents":`;
}

function jsonTail(reason: number, degraded: boolean): string {
  return `,"reason":"${REASONS[reason]}"${degraded ? `,"warning":"${DEGRADED_WARNING}"` : ''}}`;
}

/** @param bytes of each reason, with the warning and without it */
function ofKinds(bytes: (reason: number, degraded: boolean) => Uint8Array): BytePart[] {
  return REASONS.flatMap((_, reason) => [bytePart(bytes(reason, false)), bytePart(bytes(reason, true))]);
}

const encoder = new TextEncoder();

export const JSON_FORM: DecisionForm = {
  heads: ofKinds((reason) => encoder.encode(jsonHead(reason))),
  middle: bytePart(encoder.encode(JSON_MIDDLE)),
  tails: ofKinds((reason, degraded) => encoder.encode(jsonTail(reason, degraded))),
  numberBytes: decimalsBytes,
  putNumber: putDecimals,
};

const ZERO = 0x30;
const POINT = 0x2e;

/** Ten whole ones and more are rare, and may be more than a 32-bit integer holds. */
const SMALL = 10 * STEPS;

function decimalsBytes(tenThousandths: number): number {
  if (tenThousandths < SMALL) return 1 + fractionBytes((tenThousandths | 0) % STEPS);
  const whole = Math.floor(tenThousandths / STEPS);
  return wholeBytes(whole) + fractionBytes(tenThousandths - whole * STEPS);
}

function putDecimals(tenThousandths: number, target: DataView, at: number): number {
  let end = at;
  let whole = 0;
  if (tenThousandths < SMALL) {
    whole = ((tenThousandths | 0) / STEPS) | 0;
    target.setUint8(end++, ZERO + whole);
  } else {
    whole = Math.floor(tenThousandths / STEPS);
    end = putWhole(whole, target, end);
  }
  return putFraction((tenThousandths - whole * STEPS) | 0, target, end);
}

/** Bytes of a point and the decimals behind it; 0 when there are none. */
function fractionBytes(parts: number): number {
  if (parts === 0) return 0;
  if (parts % 10 !== 0) return 5;
  if (parts % 100 !== 0) return 4;
  return parts % 1000 === 0 ? 2 : 3;
}

/** @param parts ten-thousandths, below 10,000 */
function putFraction(parts: number, target: DataView, at: number): number {
  const end = at + fractionBytes(parts);
  if (end === at) return at;
  target.setUint8(at, POINT);
  let left = parts;
  for (let place = at + 1; place < end; place++) {
    const digit = (left / 1000) | 0;
    target.setUint8(place, ZERO + digit);
    left = (left - digit * 1000) * 10;
  }
  return end;
}

function wholeBytes(value: number): number {
  let bytes = 1;
  for (let power = 10; power <= value; power *= 10) bytes++;
  return bytes;
}

function putWhole(value: number, target: DataView, at: number): number {
  const end = at + wholeBytes(value);
  let left = value;
  for (let place = end - 1; place >= at; place--) {
    const rest = Math.floor(left / 10);
    target.setUint8(place, ZERO + left - rest * 10);
    left = rest;
  }
  return end;
}

function packedParts(...values: readonly unknown[]): Uint8Array {
  return new Uint8Array(Buffer.concat(values.map((value) => new Uint8Array(packed(value)))));
}

const MAP = 0x80;
const FIELDS = 4;

function packedHead(reason: number, degraded: boolean): Uint8Array {
  const map = Uint8Array.of(MAP + FIELDS + (degraded ? 1 : 0));
  const fields = packedParts('allow_bid', isAllowed(reason), 'max_bid_cents');
  return new Uint8Array(Buffer.concat([map, fields]));
}

export const PACKED_FORM: DecisionForm = {
  heads: ofKinds(packedHead),
  middle: bytePart(packedParts('throttle_rate')),
  tails: ofKinds((reason, degraded) =>
    packedParts('reason', REASONS[reason], ...(degraded ? ['warning', DEGRADED_WARNING] : [])),
  ),
  numberBytes: packedBytes,
  putNumber: putPacked,
};

const UINT_8 = 0xcc;
const UINT_16 = 0xcd;
const UINT_32 = 0xce;
const FLOAT_64 = 0xcb;

function packedBytes(tenThousandths: number): number {
  const value = tenThousandths / STEPS;
  if (value !== value >>> 0) return 9;
  if (value < 0x80) return 1;
  if (value < 0x100) return 2;
  return value < 0x1_0000 ? 3 : 5;
}

function putPacked(tenThousandths: number, target: DataView, at: number): number {
  const value = tenThousandths / STEPS;
  const bytes = packedBytes(tenThousandths);
  if (bytes === 1) {
    target.setUint8(at, value);
  } else if (bytes === 2) {
    target.setUint8(at, UINT_8);
    target.setUint8(at + 1, value);
  } else if (bytes === 3) {
    target.setUint8(at, UINT_16);
    target.setUint16(at + 1, value);
  } else if (bytes === 5) {
    target.setUint8(at, UINT_32);
    target.setUint32(at + 1, value);
  } else {
    target.setUint8(at, FLOAT_64);
    target.setFloat64(at + 1, value);
  }
  return at + bytes;
}
