import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { scanDecision, scanDecisions } from '../../../src/edge/decision-scan.ts';
import { parseBody, readBatch } from '../../../src/edge/requests.ts';
import { newScannedDecision } from '../../../src/edge/scanned-decision.ts';
import { decisionParsed as parsed, decisionScanned as read } from '../../support/scanned-decisions.ts';

const id = fc.stringMatching(/^[A-Za-z0-9._:-]{1,128}$/);
const space = fc.constantFrom('', '', '', ' ', '\n', '\t\r ');
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));

/** Objects as programs write them, in any order and with any space. */
const plain = fc
  .record({
    campaignId: id,
    micros: fc.oneof(fc.integer({ min: 1, max: 10_000_000 }), fc.integer({ min: 1, max: 10 ** 15 - 1 })),
    bidId: fc.option(id),
    spaces: fc.array(space, { minLength: 14, maxLength: 14 }),
    order: fc.constantFrom([0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0]),
  })
  .map(({ campaignId, micros, bidId, spaces, order }) => {
    let at = 0;
    const gap = (): string => spaces[at++] ?? '';
    const field = (name: string, value: string): string =>
      `${gap()}"${name}"${gap()}:${gap()}${value}${gap()}`;
    const fields = [
      field('campaign_id', `"${campaignId}"`),
      field('bid_cents', String(micros / 10_000)),
      bidId === null ? '' : field('bid_id', `"${bidId}"`),
    ];
    const inOrder = order.map((which) => fields[which]).filter((text) => text !== '');
    return `{${inOrder.join(',')}}`;
  });

/** Texts near to the plain form: most are not JSON, or not a request. */
const number = fc.oneof(
  fc.constantFrom(
    '0',
    '-1',
    '0.0',
    '01',
    '1.',
    '.5',
    '1e3',
    '1E-2',
    '1.00005',
    '0.12345',
    '99999999999.9999',
  ),
  fc.constantFrom(
    '900719925474.0992',
    '900719925474.0993',
    '123456789012',
    '1.2.3',
    '1x',
    '+1',
    'NaN',
    '1 2',
  ),
  fc.double({ min: 0, noNaN: true }).map(String),
  fc.tuple(fc.nat(), fc.nat({ max: 99_999 })).map(([whole, fraction]) => `${whole}.${fraction}`),
);
const word = fc.constantFrom(
  '"c"',
  '""',
  '"a b"',
  '"a\\u0062"',
  '"\\n"',
  '"é"',
  `"${'x'.repeat(129)}"`,
  'null',
  '7',
  '{}',
);
const name = fc.constantFrom(
  'campaign_id',
  'bid_cents',
  'bid_id',
  'other',
  'campaign_iD',
  'bid\\u005fid',
  '',
);
const odd = fc
  .array(fc.tuple(name, fc.oneof(number, word), space), { maxLength: 5 })
  .map((fields) => `{${fields.map(([key, value, gap]) => `"${key}":${gap}${value}`).join(',')}}`);
const mutated = fc
  .tuple(
    fc.oneof(plain, odd),
    fc.nat(),
    fc.constantFrom('', '"', '{', '}', ',', ':', '\\', '0', ' ', 'e', '[', '\u0000'),
  )
  .map(([text, place, put]) => {
    const at = place % (text.length + 1);
    return text.slice(0, at) + put + text.slice(at + (place % 2));
  });
const anyText = fc.oneof({ weight: 2, arbitrary: mutated }, odd, plain, fc.string());

describe('one decision', () => {
  test('as programs write it is read from its bytes, as JSON.parse would', () => {
    fc.assert(
      fc.property(plain, space, space, (text, before, after) => {
        const bytes = bytesOf(before + text + after);
        const into = newScannedDecision();
        expect(scanDecision(bytes, into)).toBe(true);
        expect(read(bytes, into)).toEqual(parsed(parseBody(bytes, false)));
      }),
      { numRuns: 2_000 },
    );
  });

  test('of whatever form is read as JSON.parse would, or left to it', () => {
    const into = newScannedDecision();
    let scanned = 0;
    fc.assert(
      fc.property(anyText, (text) => {
        const bytes = bytesOf(text);
        if (!scanDecision(bytes, into)) return;
        scanned++;
        expect(read(bytes, into)).toEqual(parsed(parseBody(bytes, false)));
      }),
      { numRuns: 20_000 },
    );
    expect(scanned).toBeGreaterThan(1_000);
  });

  test.each([
    ['twice the same field', '{"campaign_id":"a","bid_cents":1,"campaign_id":"b"}'],
    ['twice a price', '{"campaign_id":"a","bid_cents":1,"bid_cents":2}'],
    ['twice a bid', '{"campaign_id":"a","bid_cents":1,"bid_id":"x","bid_id":"y"}'],
    ['an unknown field', '{"campaign_id":"a","bid_cents":1,"other":2}'],
    ['an escape', '{"campaign_id":"\\u0061","bid_cents":1}'],
    ['an exponent', '{"campaign_id":"a","bid_cents":1e1}'],
    ['no id', '{"bid_cents":1}'],
    ['no price', '{"campaign_id":"a"}'],
    ['nothing', ''],
    ['the beginning of one', '{"campaign_id":"a'],
    ['something behind it', '{"campaign_id":"a","bid_cents":1}}'],
  ])('with %s is left to JSON.parse', (_what, text) => {
    expect(scanDecision(bytesOf(text), newScannedDecision())).toBe(false);
  });

  test('cut off anywhere is left to JSON.parse', () => {
    const text = '{ "campaign_id" : "camp-1" , "bid_cents" : 1.25 , "bid_id" : "b" }';
    for (let length = 0; length < text.length; length++) {
      expect(scanDecision(bytesOf(text.slice(0, length)), newScannedDecision())).toBe(false);
    }
  });
});

describe('a batch', () => {
  const room = Array.from({ length: 20 }, newScannedDecision);

  test('is read as JSON.parse would, or left to it', () => {
    let scanned = 0;
    const element = fc.oneof({ weight: 9, arbitrary: plain }, { weight: 1, arbitrary: mutated });
    const head = fc.constantFrom('{"requests":[', '{"requests":[', ' { "requests" : [ ', '{"request":[', '[');
    const tail = fc.constantFrom(']}', ']}', ' ] } ', ']', ',]}', ']},', '],"more":1}');
    fc.assert(
      fc.property(head, fc.array(element, { maxLength: 24 }), tail, (before, elements, after) => {
        const bytes = bytesOf(before + elements.join(',') + after);
        const count = scanDecisions(bytes, room);
        if (count === 0) return;
        scanned++;
        const list = readBatch(parseBody(bytes, false), 'requests') as readonly unknown[];
        expect(room.slice(0, count).map((each) => read(bytes, each))).toEqual(list.map(parsed));
      }),
      { numRuns: 5_000 },
    );
    expect(scanned).toBeGreaterThan(200);
  });

  test('of as many as there is room for is read, and of one more is not', () => {
    const batch = (count: number): Uint8Array =>
      bytesOf(
        `{"requests":[${Array.from({ length: count }, () => '{"campaign_id":"a","bid_cents":1}').join(',')}]}`,
      );
    expect(scanDecisions(batch(20), room)).toBe(20);
    expect(scanDecisions(batch(21), room)).toBe(0);
  });
});
