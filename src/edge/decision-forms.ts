/**
 * Decisions as bytes, in JSON and in msgpack: parts that are kept, and between them two numbers, both of ten-thousandths.
 * Nothing is allocated.
 *
 * Budget: some 200 ns a decision; made as text and encoded it would take over 2 µs.
 */
import { isAllowed, REASONS } from '../domain/gate.ts';
import { centsFromMicros } from '../domain/money.ts';
import type { Decision } from '../table/pacing-table.ts';
import { packed } from './msgpack.ts';

/** A throttle rate is told in this many steps, and a cent has as many micros. */
const STEPS = 10_000;
const DEGRADED_WARNING = 'Operating in degraded mode';

/** More than any decision takes, in JSON or in msgpack. */
export const DECISION_BYTES_MAX = 192;

/** How decisions are written. The parts are by {@link kindOf} the decision. */
export interface DecisionForm {
  readonly heads: readonly Uint8Array[];
  readonly middle: Uint8Array;
  readonly tails: readonly Uint8Array[];
  /** Writes so many ten-thousandths. @returns where they end */
  readonly number: (tenThousandths: number, target: Uint8Array, at: number) => number;
}

function kindOf(reason: number, degraded: boolean): number {
  return 2 * reason + (degraded ? 1 : 0);
}

/** Writes a decision. @returns where it ends, at most {@link DECISION_BYTES_MAX} further on */
export function writeDecision(
  form: DecisionForm,
  decision: Decision,
  target: Uint8Array,
  at: number,
): number {
  const kind = kindOf(decision.reason, decision.degraded);
  let end = copy(form.heads[kind] as Uint8Array, target, at);
  end = form.number(isAllowed(decision.reason) ? decision.maxBidMicros : 0, target, end);
  end = copy(form.middle, target, end);
  end = form.number(Math.round(decision.throttleRate * STEPS), target, end);
  return copy(form.tails[kind] as Uint8Array, target, end);
}

/** For so few bytes a loop is faster than `set`. */
function copy(part: Uint8Array, target: Uint8Array, at: number): number {
  for (let from = 0; from < part.length; from++) target[at + from] = part[from] as number;
  return at + part.length;
}

/** A decision as the contract's JSON, in text. */
export function decisionJson(decision: Decision): string {
  const cents = isAllowed(decision.reason) ? centsFromMicros(decision.maxBidMicros) : 0;
  const rate = Math.round(decision.throttleRate * STEPS) / STEPS;
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

/** @param part of each reason, with the warning and without it */
function ofKinds(part: (reason: number, degraded: boolean) => Uint8Array): Uint8Array[] {
  return REASONS.flatMap((_, reason) => [part(reason, false), part(reason, true)]);
}

const encoder = new TextEncoder();

export const JSON_FORM: DecisionForm = {
  heads: ofKinds((reason) => encoder.encode(jsonHead(reason))),
  middle: encoder.encode(JSON_MIDDLE),
  tails: ofKinds((reason, degraded) => encoder.encode(jsonTail(reason, degraded))),
  number: writeDecimals,
};

const ZERO = 0x30;
const POINT = 0x2e;

function writeDecimals(tenThousandths: number, target: Uint8Array, at: number): number {
  const whole = Math.floor(tenThousandths / STEPS);
  let parts = tenThousandths - whole * STEPS;
  const end = writeWhole(whole, target, at);
  if (parts === 0) return end;
  target[end] = POINT;
  let digits = 4;
  for (; parts % 10 === 0; parts /= 10) digits--;
  for (let digit = digits; digit > 0; digit--) {
    target[end + digit] = ZERO + (parts % 10);
    parts = (parts / 10) | 0;
  }
  return end + 1 + digits;
}

function writeWhole(value: number, target: Uint8Array, at: number): number {
  let end = at + 1;
  for (let power = 10; power <= value; power *= 10) end++;
  let left = value;
  for (let place = end - 1; place >= at; place--) {
    const rest = Math.floor(left / 10);
    target[place] = ZERO + (left - rest * 10);
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
  middle: packedParts('throttle_rate'),
  tails: ofKinds((reason, degraded) =>
    packedParts('reason', REASONS[reason], ...(degraded ? ['warning', DEGRADED_WARNING] : [])),
  ),
  number: writePacked,
};

const UINT_8 = 0xcc;
const UINT_16 = 0xcd;
const UINT_32 = 0xce;
const FLOAT_64 = 0xcb;
const float = new DataView(new ArrayBuffer(8));

function writePacked(tenThousandths: number, target: Uint8Array, at: number): number {
  const value = tenThousandths / STEPS;
  if (value !== value >>> 0) return writeFloat(value, target, at);
  if (value < 0x80) {
    target[at] = value;
    return at + 1;
  }
  const bytes = value < 0x100 ? 1 : value < 0x1_0000 ? 2 : 4;
  target[at] = bytes === 1 ? UINT_8 : bytes === 2 ? UINT_16 : UINT_32;
  for (let byte = 0; byte < bytes; byte++) target[at + bytes - byte] = value >>> (8 * byte);
  return at + 1 + bytes;
}

function writeFloat(value: number, target: Uint8Array, at: number): number {
  target[at] = FLOAT_64;
  float.setFloat64(0, value);
  for (let byte = 0; byte < 8; byte++) target[at + 1 + byte] = float.getUint8(byte);
  return at + 9;
}
