/** Changes to values, texts and bytes, of the kinds that parsers and checks are known to stumble over. */
import { VALUES } from '../api-contract.ts';
import type { Dice } from './dice.ts';

const ODD_VALUES: readonly unknown[] = [
  ...VALUES.filter((value) => typeof value !== 'string' || value.length < 100),
  -0,
  Number.MIN_VALUE,
  Number.MAX_VALUE,
  2 ** 53 - 1,
  900_719_925_474.0992,
  0.0001,
  '\u0000',
  '\ud800',
  '0x10',
  'constructor',
  '__proto__',
  '9'.repeat(30),
  [null],
  { toString: 1 },
  '2026-03-29T02:30:00',
  '9999-12-31T23:59:59Z',
];

const ODD_KEYS = ['__proto__', 'constructor', 'toString', 'length', '', 'a'.repeat(300), '\u0000', '0'];

/** What is put into texts: of JSON, HTTP, SQL, HTML and paths. */
const TOKENS = [
  '"',
  '\\',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  'null',
  '1e999',
  '-',
  '.',
  '\\u0000',
  '\\ud800',
  '\r\n',
  '\r\n\r\n',
  '\0',
  '%00',
  '%2e%2e%2f',
  '../',
  "'",
  '<',
  '\ufeff',
  '\xff\xfe',
  '0x',
  '__proto__',
  '['.repeat(200),
];

/** The value with some part of it changed, dropped, added or exchanged for an odd one. */
export function mutatedValue(dice: Dice, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || dice.chance(0.08)) return oddFor(dice, value);
  if (Array.isArray(value)) return mutatedArray(dice, value);
  const fields = Object.entries(value);
  const at = dice.int(fields.length);
  const [key, member] = fields[at] ?? ['campaign_id', 'x'];
  const kind = dice.int(10);
  if (kind === 0) fields.splice(at, 1);
  else if (kind === 1) fields.push([dice.pick(ODD_KEYS), dice.pick(ODD_VALUES)]);
  else if (kind === 2) fields[at] = [dice.pick(ODD_KEYS), member];
  else fields[at] = [key, mutatedValue(dice, member)];
  return Object.fromEntries(fields);
}

function mutatedArray(dice: Dice, list: readonly unknown[]): unknown {
  const at = dice.int(list.length);
  const kind = dice.int(8);
  if (kind === 0) return list.filter((_, other) => other !== at);
  if (kind === 1) return [...list, ...list];
  if (kind === 2) return [...list, dice.pick(ODD_VALUES)];
  if (kind === 3) return Array.from({ length: dice.pick([0, 1, 24, 169, 1001]) }, () => list[at] ?? null);
  return list.map((member, other) => (other === at ? mutatedValue(dice, member) : member));
}

function oddFor(dice: Dice, value: unknown): unknown {
  if (typeof value === 'number' && dice.chance(0.6)) {
    return dice.pick([
      value + 1,
      -value,
      value * 1e6,
      value / 3,
      value + 0.00001,
      Math.trunc(value),
      `${value}`,
    ]);
  }
  if (typeof value === 'string' && dice.chance(0.6)) {
    const text = mutatedBytes(dice, Buffer.from(value, 'utf8')).toString('utf8');
    return dice.pick([text, value.toUpperCase(), `${value} `, value.repeat(dice.int(40)), '']);
  }
  return dice.pick(ODD_VALUES);
}

/** The bytes with one to four places changed. */
export function mutatedBytes(dice: Dice, given: Buffer): Buffer {
  let bytes: Buffer = Buffer.from(given);
  for (let left = 1 + dice.int(4); left > 0; left--) bytes = mutatedOnce(dice, bytes);
  return bytes;
}

function mutatedOnce(dice: Dice, bytes: Buffer): Buffer {
  const at = dice.int(bytes.length + 1);
  const until = Math.min(bytes.length, at + 1 + dice.int(8));
  switch (dice.int(7)) {
    case 0:
      if (at < bytes.length) bytes[at] = (bytes[at] as number) ^ (1 << dice.int(8));
      return bytes;
    case 1:
      return Buffer.concat([bytes.subarray(0, at), dice.bytes(1 + dice.int(4)), bytes.subarray(at)]);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(until)]);
    case 3:
      return Buffer.concat([bytes.subarray(0, until), bytes.subarray(at)]);
    case 4:
      return bytes.subarray(0, at);
    case 5:
      if (at < bytes.length) bytes[at] = dice.pick([0, 9, 10, 13, 32, 48, 127, 128, 255]);
      return bytes;
    default:
      return Buffer.concat([bytes.subarray(0, at), Buffer.from(dice.pick(TOKENS)), bytes.subarray(at)]);
  }
}

/** A path or query with something odd in it, of characters that a request line may carry. */
export function mutatedTarget(dice: Dice, target: string): string {
  const bytes = mutatedBytes(dice, Buffer.from(target, 'latin1')).toString('latin1');
  const safe = bytes.replaceAll(/[^\x21-\x7e]/g, () =>
    dice.pick(['%00', '%ff', '%2e', '%', '%252e', ';', '/']),
  );
  return safe.startsWith('/') ? safe : `/${safe}`;
}

const HEADERS: readonly (readonly [name: string, values: readonly string[]])[] = [
  [
    'content-type',
    ['application/json', 'text/plain', 'application/msgpack', 'application/msgpack; x', 'a/b;', ';', ''],
  ],
  ['accept', ['*/*', 'text/html', 'text/csv', 'application/msgpack', ',,,', 'q=1']],
  ['accept-encoding', ['gzip', 'identity', 'br;q=9', '*', '']],
  ['x-request-id', ['abc', 'a b', '<script>', 'x'.repeat(129), '']],
  [
    'cookie',
    ['pacer_session=', `pacer_session=${'A'.repeat(43)}`, ';;;', 'a=b; pacer_session=x', '='.repeat(100)],
  ],
  ['origin', ['null', 'https://elsewhere.example', 'http://127.0.0.1', 'x', '']],
  ['sec-fetch-site', ['cross-site', 'same-origin', 'none', '?']],
  ['upgrade', ['h2c', 'websocket', 'TLS/1.3', '']],
  ['x-forwarded-host', ['elsewhere.example', '']],
  ['x-forwarded-proto', ['https', 'x']],
  ['if-none-match', ['*', '"x"']],
  ['range', ['bytes=0-1', 'bytes=-1']],
  ['x-http-method-override', ['DELETE', 'TRACE']],
  ['expect', ['100-continue']],
  ['te', ['trailers']],
  ['forwarded', ['for=127.0.0.1;host=x', '"']],
];

/** Some header lines more, well formed and unusual. */
export function oddHeaders(dice: Dice): string {
  let lines = '';
  for (let left = dice.int(4); left > 0; left--) {
    const [name, values] = dice.pick(HEADERS);
    lines += `${dice.chance(0.2) ? name.toUpperCase() : name}: ${dice.pick(values)}\r\n`;
  }
  if (dice.chance(0.02)) lines += `x-long: ${'y'.repeat(dice.int(3_000))}\r\n`;
  if (dice.chance(0.02)) lines += 'x-many: 1\r\n'.repeat(dice.int(60));
  return lines;
}
