/**
 * The wire's field types as zod schemas, each with one message that says what is accepted, whatever was
 * sent; and the step that turns a failed check into an AppError that names the field.
 */
import { z } from 'zod';
import { AppError } from '../domain/app-error.ts';
import { ID_ACCEPTED, ID_PATTERN } from '../domain/campaign.ts';
import { INSTANT_OR_DATE_ACCEPTED, parseInstantOrDate } from '../domain/flight.ts';
import { isTimezone, wallMidnight } from '../domain/local-day.ts';
import {
  CENTS_ACCEPTED,
  centsFromMicros,
  MICROS_MAX,
  type Micros,
  microsFromCents,
} from '../domain/money.ts';
import { type JsonObject, shown } from './request-body.ts';

const NAME_LENGTH_MAX = 256;
const REASON_LENGTH_MAX = 1024;
const TIMEZONE_LENGTH_MAX = 64;
const TIMEZONE_ACCEPTED = 'an IANA time zone such as UTC or America/New_York';
const TOKEN_LENGTH_MAX = 256;
const LOCAL_DATE_ACCEPTED = "a date as YYYY-MM-DD, in the campaign's time zone";
const CENTS_SHOWN = 'Cents, with at most four decimals.';

/** One of a few words. */
export function oneOf<const T extends string>(words: readonly T[]) {
  return z.enum(words, { error: `one of ${words.join(', ')}` });
}

/** A whole number between two bounds, both included. */
export function wholeNumber(least: number, most: number) {
  const error = `a whole number from ${least} to ${most}`;
  return z.int({ error }).min(least, { error }).max(most, { error });
}

/** A number between two bounds, both included. */
export function numberBetween(least: number, most: number) {
  const error = `a number from ${least} to ${most}`;
  return z.number({ error }).min(least, { error }).max(most, { error });
}

/** Text of so many code points, as {@link isText} takes it. */
export function text(least: number, most: number, accepted: string) {
  return z
    .string({ error: accepted })
    .refine((value) => isText(value, least, most), { error: accepted })
    .meta({ ...(least === 0 ? {} : { minLength: least }), maxLength: most });
}

/** An amount in cents, read as micros. */
export const cents = z
  .number({ error: CENTS_ACCEPTED })
  .refine((value) => microsFromCents(value) !== -1, { error: CENTS_ACCEPTED })
  .meta({ minimum: 0, maximum: centsFromMicros(MICROS_MAX), description: CENTS_SHOWN })
  .transform((value): Micros => {
    const amount = microsFromCents(value);
    if (amount === -1) throw new RangeError('not an amount after the check');
    return amount;
  });

export const id = z
  .string({ error: ID_ACCEPTED })
  .regex(ID_PATTERN, { error: ID_ACCEPTED })
  .meta({ description: ID_ACCEPTED, examples: ['camp-001'] });

export const name = text(1, NAME_LENGTH_MAX, `a string of 1 to ${NAME_LENGTH_MAX} characters`);

/** Why a change is made, as the audit log keeps it. */
export const reason = text(0, REASON_LENGTH_MAX, `a string of at most ${REASON_LENGTH_MAX} characters`)
  .nullable()
  .optional()
  .describe('For the audit log.');

/** A secret: its refusal, as every other, does not repeat it. */
export const tokenText = text(1, TOKEN_LENGTH_MAX, `a string of 1 to ${TOKEN_LENGTH_MAX} characters`);

export const timezone = z
  .string({ error: TIMEZONE_ACCEPTED })
  .refine((value) => isTimezone(value) && value.length <= TIMEZONE_LENGTH_MAX, { error: TIMEZONE_ACCEPTED })
  .meta({
    maxLength: TIMEZONE_LENGTH_MAX,
    description: TIMEZONE_ACCEPTED,
    examples: ['UTC', 'America/New_York'],
  });

export const instantOrDate = z
  .string({ error: INSTANT_OR_DATE_ACCEPTED })
  .refine((value) => parseInstantOrDate(value) !== null, { error: INSTANT_OR_DATE_ACCEPTED })
  .meta({ description: INSTANT_OR_DATE_ACCEPTED, examples: ['2026-03-01', '2026-03-01T09:00:00Z'] });

/** A day of a campaign's calendar. */
export const localDate = z
  .string({ error: LOCAL_DATE_ACCEPTED })
  .refine((value) => wallMidnight(value) !== null, { error: LOCAL_DATE_ACCEPTED })
  .meta({ format: 'date', description: LOCAL_DATE_ACCEPTED });

export const share = numberBetween(0, 1);

/** The weight of an hour in a campaign's plan. */
export const multiplier = numberBetween(0, 100);

export const flag = z.boolean({ error: 'true or false' });

/** Any JSON; its bounds are those of the body. */
export const anyJson = z.unknown();

/** `true` or `false` in a query; absent is false. */
export const querySwitch = z
  .stringbool({ truthy: ['true'], falsy: ['false'], case: 'sensitive', error: 'true or false' })
  .default(false);

/** A whole number in a query. */
export function queryNumber(least: number, most: number) {
  const error = `a whole number from ${least} to ${most}`;
  const digits = new RegExp(`^[0-9]{1,${String(most).length}}$`);
  return z.string({ error }).regex(digits, { error }).transform(Number).pipe(wholeNumber(least, most));
}

/**
 * Checks a body, or the parameters of a path or a query, against a schema.
 * @param named how a refusal names the field `%s`
 * @throws AppError `invalid_request` with the first field that is wrong, as `dayparts[0].start_hour`.
 */
export function checked<T>(schema: z.ZodType<T>, fields: JsonObject, named = '%s'): T {
  // Named here because an object schema passes over this one key, and nothing may be dropped silently.
  if (Object.hasOwn(fields, '__proto__')) throw unknownField('__proto__');
  const result = schema.safeParse(fields);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  if (issue === undefined) throw new RangeError('a refusal without an issue');
  const path = pathOf(issue.path);
  if (issue.code === 'unrecognized_keys')
    throw unknownField(`${path === '' ? '' : `${path}.`}${issue.keys[0]}`);
  const shownPath = path === '' ? 'the body' : named.replace('%s', path);
  throw new AppError('invalid_request', `${shownPath} must be ${issue.message}`, path);
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
