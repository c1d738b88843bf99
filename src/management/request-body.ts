/**
 * Reads a JSON body strictly: valid UTF-8, valid JSON, an object at the top, no deeper than
 * {@link DEPTH_MAX}, and nothing in it that JSON.parse or the database would alter silently.
 */
import { AppError } from '../domain/app-error.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** Levels of nesting accepted; the database's own JSON parser gives up at some thousands. */
export const DEPTH_MAX = 64;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

/** @throws AppError `invalid_request` naming what is wrong. */
export function parseJsonObject(bytes: Uint8Array): JsonObject {
  if (bytes.length === 0)
    throw new AppError('invalid_request', 'the body is empty; a JSON object is accepted');
  let text: string;
  let value: unknown;
  try {
    text = utf8.decode(bytes);
    value = JSON.parse(text);
  } catch (error) {
    throw new AppError('invalid_request', 'the body is not valid JSON in UTF-8', undefined, error);
  }
  const object = checkedObject(value);
  refuseRounded(text);
  return object;
}

const TOKEN = /[[\]{}]|-?\d[\d.eE+-]*/g;
const LONG_WHOLE_NUMBER = /^-?\d{16,}$/;

/**
 * An id of 64 bits within `targeting` would be kept with other digits. Numbers that are a field themselves are left to the
 * field's own rule. @param text a valid JSON object, its numbers finite
 */
function refuseRounded(text: string): void {
  let depth = 0;
  let field = '';
  for (let at = 0; at < text.length; ) {
    const quote = text.indexOf('"', at);
    const end = quote === -1 ? text.length : quote;
    for (const [token] of text.slice(at, end).matchAll(TOKEN)) {
      if (token === '{' || token === '[') depth++;
      else if (token === '}' || token === ']') depth--;
      else if (depth > 1) refuseRoundedNumber(token, field);
    }
    at = quote === -1 ? end : afterString(text, quote);
    // A string value sets it as well, but nothing nests before the next key.
    if (quote !== -1 && depth === 1) field = JSON.parse(text.slice(quote, at)) as string;
  }
}

function refuseRoundedNumber(number: string, field: string): void {
  if (!LONG_WHOLE_NUMBER.test(number) || BigInt(number) === BigInt(Number(number))) return;
  const message = `the whole number ${shown(number)} would not be kept exactly: send it as a string`;
  throw new AppError('invalid_request', message, field);
}

/** @param quote where the string begins */
function afterString(text: string, quote: number): number {
  let at = quote + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

/** @throws AppError `invalid_request` when the value is no object, or holds what JSON cannot carry faithfully. */
export function checkedObject(value: unknown): JsonObject {
  if (!isObject(value)) throw new AppError('invalid_request', 'the body must be a JSON object');
  for (const [field, member] of Object.entries(value)) refuseUnfaithful(member, field, 1);
  return value;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refuseUnfaithful(value: unknown, field: string, depth: number): void {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new AppError('invalid_request', `${shown(field)} has a number out of range`, shown(field));
  }
  if (typeof value !== 'object' || value === null) return;
  if (depth > DEPTH_MAX) {
    throw new AppError(
      'invalid_request',
      `${shown(field)} is nested deeper than ${DEPTH_MAX} levels`,
      shown(field),
    );
  }
  for (const member of Object.values(value)) refuseUnfaithful(member, field, depth + 1);
}

/** A client's own field name, short enough to be repeated in an answer. */
export function shown(field: string): string {
  return field.length <= 64 ? field : `${field.slice(0, 64)}…`;
}
