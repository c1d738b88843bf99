/**
 * The wire's field types as zod schemas, each with one message that says what is accepted, whatever was
 * sent; and the step that turns a failed check into an AppError that names the field.
 */
import { z } from 'zod';
import { AppError } from '../domain/app-error.ts';
import { ID_ACCEPTED, isId } from '../domain/campaign.ts';
import { INSTANT_OR_DATE_ACCEPTED, parseInstantOrDate } from '../domain/flight.ts';
import { isTimezone } from '../domain/local-day.ts';
import { CENTS_ACCEPTED, type Micros, microsFromCents } from '../domain/money.ts';
import { type JsonObject, shown } from './request-body.ts';

const NAME_LENGTH_MAX = 256;
const NAME_ACCEPTED = `a string of 1 to ${NAME_LENGTH_MAX} characters`;
const REASON_LENGTH_MAX = 1024;
const TIMEZONE_LENGTH_MAX = 64;
const TOKEN_LENGTH_MAX = 256;

/** A field that passes `check`, and reads as `accepted` when it does not. */
function field<T>(check: (value: unknown) => value is T, accepted: string) {
  return z.custom<T>(check, { error: accepted });
}

/** One of a few words. */
export function oneOf<T extends string>(words: readonly T[]) {
  return field((value): value is T => words.some((word) => word === value), `one of ${words.join(', ')}`);
}

/** A whole number between two bounds, both included. */
export function wholeNumber(least: number, most: number) {
  return field(
    (value): value is number => Number.isInteger(value) && Number(value) >= least && Number(value) <= most,
    `a whole number from ${least} to ${most}`,
  );
}

/** An amount in cents, read as micros. */
export const cents = z
  .custom<number>((value) => microsFromCents(value) !== -1, { error: CENTS_ACCEPTED })
  .transform((value): Micros => {
    const amount = microsFromCents(value);
    if (amount === -1) throw new RangeError('not an amount after the check');
    return amount;
  });

export const id = field(isId, ID_ACCEPTED);

export const name = field((value): value is string => isText(value, 1, NAME_LENGTH_MAX), NAME_ACCEPTED);

export const reason = field(
  (value): value is string => isText(value, 0, REASON_LENGTH_MAX),
  `a string of at most ${REASON_LENGTH_MAX} characters`,
);

/** A secret: its refusal, as every other, does not repeat it. */
export const tokenText = field(
  (value): value is string => isText(value, 1, TOKEN_LENGTH_MAX),
  `a string of 1 to ${TOKEN_LENGTH_MAX} characters`,
);

export const timezone = field(
  (value): value is string => isTimezone(value) && value.length <= TIMEZONE_LENGTH_MAX,
  'an IANA time zone such as UTC or America/New_York',
);

export const instantOrDate = field(
  (value): value is string => parseInstantOrDate(value) !== null,
  INSTANT_OR_DATE_ACCEPTED,
);

export const share = field(
  (value): value is number => typeof value === 'number' && value >= 0 && value <= 1,
  'a number from 0 to 1',
);

/** The weight of an hour in a campaign's plan. */
export const multiplier = field(
  (value): value is number => typeof value === 'number' && value >= 0 && value <= 100,
  'a number from 0 to 100',
);

export const flag = field((value): value is boolean => typeof value === 'boolean', 'true or false');

/** Any JSON; its bounds are those of the body. */
export const anyJson = z.unknown();

/**
 * Checks a body against a schema.
 * @throws AppError `invalid_request` with the first field that is wrong, as `dayparts[0].start_hour`.
 */
export function checked<T>(schema: z.ZodType<T>, body: JsonObject): T {
  // Named here because an object schema passes over this one key, and nothing may be dropped silently.
  if (Object.hasOwn(body, '__proto__')) throw unknownField('__proto__');
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  if (issue === undefined) throw new RangeError('a refusal without an issue');
  const path = pathOf(issue.path);
  if (issue.code === 'unrecognized_keys')
    throw unknownField(`${path === '' ? '' : `${path}.`}${issue.keys[0]}`);
  throw new AppError('invalid_request', `${path === '' ? 'the body' : path} must be ${issue.message}`, path);
}

function unknownField(path: string): AppError {
  return new AppError('invalid_request', `${shown(path)} is not a field of this request`, shown(path));
}

function pathOf(path: readonly PropertyKey[]): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += text === '' ? String(step) : `.${String(step)}`;
  }
  return text;
}

/** Text that UTF-8 and Postgres can hold: no NUL, no half of a surrogate pair; counted in code points. */
export function isText(value: unknown, least: number, most: number): value is string {
  if (typeof value !== 'string' || value.includes('\0') || /\p{Surrogate}/u.test(value)) return false;
  // A code point is at most two units, so a longer string need not be counted.
  if (value.length > 2 * most) return false;
  const length = [...value].length;
  return length >= least && length <= most;
}
