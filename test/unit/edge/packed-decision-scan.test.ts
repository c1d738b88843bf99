import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { describe, expect, test } from 'vitest';
import { scanPackedDecision, scanPackedDecisions } from '../../../src/edge/packed-decision-scan.ts';
import { parseBody, readBatch } from '../../../src/edge/requests.ts';
import { newScannedDecision } from '../../../src/edge/scanned-decision.ts';
import { decisionParsed, decisionScanned } from '../../support/scanned-decisions.ts';

const packr = new Packr({ useRecords: false, variableMapSize: true });
const id = fc.stringMatching(/^[A-Za-z0-9._:-]{1,128}$/);

/** Encodings of a value that some library writes: heads are as wide as they are told. */
const text = (value: string, wide: boolean): Buffer => {
  const bytes = Buffer.from(value, 'latin1');
  const head = bytes.length < 32 && !wide ? [0xa0 + bytes.length] : [0xd9, bytes.length];
  return Buffer.concat([Buffer.from(head), bytes]);
};
const headOf = (size: number, small: number, large: number, wide: boolean): Buffer =>
  Buffer.from(size < 16 && !wide ? [small + size] : [large, size >> 8, size & 255]);
const map = (entries: readonly Buffer[], wide: boolean): Buffer =>
  Buffer.concat([headOf(entries.length, 0x80, 0xde, wide), ...entries]);
const array = (elements: readonly Buffer[], wide: boolean): Buffer =>
  Buffer.concat([headOf(elements.length, 0x90, 0xdc, wide), ...elements]);
const whole = (value: number, head: number): Buffer => {
  const bytes = Buffer.alloc(9);
  bytes[0] = head;
  bytes.writeBigUInt64BE(BigInt(value), 1);
  return Buffer.concat([bytes.subarray(0, 1), bytes.subarray(9 - 2 ** (head & 3))]);
};
const float = (value: number): Buffer => {
  const bytes = Buffer.alloc(9, 0xcb);
  bytes.writeDoubleBE(value, 1);
  return bytes;
};

/** Amounts above zero in every type that holds them. */
const amount = fc.oneof(
  fc.integer({ min: 1, max: 127 }).map((value) => Buffer.from([value])),
  fc
    .integer({ min: 1, max: 127 })
    .chain((value) =>
      fc.constantFrom(0xcc, 0xcd, 0xce, 0xcf, 0xd0, 0xd1, 0xd2, 0xd3).map((head) => whole(value, head)),
    ),
  fc
    .integer({ min: 1, max: 900_719_925_474 })
    .chain((value) => fc.constantFrom(0xcf, 0xd3).map((head) => whole(value, head))),
  fc.integer({ min: 1, max: 10_000_000 }).map((micros) => float(micros / 10_000)),
  fc.integer({ min: 1, max: 2 ** 51 }).map((micros) => float(micros / 10_000)),
  fc.constant(Buffer.from([0xca, 0x3e, 0x80, 0x00, 0x00])),
);

/** Maps as programs write them, in any order. */
const plain = fc
  .record({
    campaignId: id,
    cents: amount,
    bidId: fc.oneof(id, fc.constantFrom('absent', 'nil') as fc.Arbitrary<'absent' | 'nil'>),
    wide: fc.boolean(),
    order: fc.constantFrom([0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0]),
  })
  .map(({ campaignId, cents, bidId, wide, order }) => {
    const field = (name: string, value: Buffer): Buffer => Buffer.concat([text(name, false), value]);
    const fields: readonly (Buffer | null)[] = [
      field('campaign_id', text(campaignId, wide)),
      field('bid_cents', cents),
      bidId === 'absent' ? null : field('bid_id', bidId === 'nil' ? Buffer.from([0xc0]) : text(bidId, wide)),
    ];
    const inOrder = order.map((which) => fields[which] ?? null).filter((each) => each !== null);
    return map(inOrder, wide);
  });

/** Values near to the plain form: most are no request. */
const name = fc.constantFrom('campaign_id', 'bid_cents', 'bid_id', 'other', 'campaign_iD', '');
const value = fc.oneof(
  fc.constantFrom<unknown>('c', '', 'a b', 'é', 'x'.repeat(128), 'x'.repeat(129), null, true, 0, -1, -200, 7),
  fc.constantFrom<unknown>(1.00005, 0.12345, 2 ** 53, 900_719_925_474.0992, 1e300, Number.NaN, -0.5, [], {}),
  fc.double({ min: 0 }),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.bigInt({ min: -(2n ** 63n), max: 0n }),
);
const odd = fc.array(fc.tuple(name, value), { maxLength: 5 }).map((fields) =>
  map(
    fields.map(([key, each]) => Buffer.concat([text(key, false), packr.pack(each)])),
    false,
  ),
);
const byte = fc.oneof(
  fc.constantFrom(0x80, 0x83, 0x90, 0xa6, 0xa9, 0xab, 0xc0, 0xca, 0xcb, 0xd9, 0xde),
  fc.nat(255),
);
const mutated = fc.tuple(fc.oneof(plain, odd), fc.nat(), byte, fc.nat(2)).map(([bytes, place, put, how]) => {
  const at = place % (bytes.length + 1);
  const [from, inserted] = how === 0 ? [at, [put]] : how === 1 ? [at + 1, [put]] : [at + 1, []];
  return Buffer.concat([bytes.subarray(0, at), Buffer.from(inserted), bytes.subarray(from)]);
});
const anyBytes = fc.oneof(
  { weight: 2, arbitrary: mutated },
  odd,
  plain,
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
);

describe('one decision in msgpack', () => {
  test('as programs write it is read from its bytes, as msgpackr would', () => {
    fc.assert(
      fc.property(plain, (bytes) => {
        const into = newScannedDecision();
        expect(scanPackedDecision(bytes, into)).toBe(true);
        expect(decisionScanned(bytes, into)).toEqual(decisionParsed(parseBody(bytes, true)));
      }),
      { numRuns: 2_000 },
    );
  });

  test('of whatever form is read as msgpackr would, or left to it', () => {
    const into = newScannedDecision();
    let scanned = 0;
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        if (!scanPackedDecision(bytes, into)) return;
        scanned++;
        expect(decisionScanned(bytes, into)).toEqual(decisionParsed(parseBody(bytes, true)));
      }),
      { numRuns: 20_000 },
    );
    expect(scanned).toBeGreaterThan(1_000);
  });

  test('as msgpackr packs it by default, with wide maps, is read', () => {
    const bytes = new Packr({ useRecords: false }).pack({ campaign_id: 'c', bid_cents: 1.5, bid_id: 'b' });
    expect(bytes[0]).toBe(0xde);
    const into = newScannedDecision();
    expect(scanPackedDecision(bytes, into)).toBe(true);
    expect(decisionScanned(bytes, into)).toEqual({ campaignId: 'c', bidMicros: 15_000, bidId: 'b' });
  });

  test.each<readonly [string, readonly (readonly [string, unknown])[]]>([
    [
      'twice the same field',
      [
        ['campaign_id', 'a'],
        ['bid_cents', 1],
        ['campaign_id', 'b'],
      ],
    ],
    [
      'twice a price',
      [
        ['campaign_id', 'a'],
        ['bid_cents', 1],
        ['bid_cents', 2],
      ],
    ],
    [
      'an unknown field',
      [
        ['campaign_id', 'a'],
        ['bid_cents', 1],
        ['other', 2],
      ],
    ],
    [
      'four fields',
      [
        ['campaign_id', 'a'],
        ['bid_cents', 1],
        ['bid_id', 'b'],
        ['other', 2],
      ],
    ],
    [
      'a price of nothing',
      [
        ['campaign_id', 'a'],
        ['bid_cents', 0],
      ],
    ],
    [
      'a negative price',
      [
        ['campaign_id', 'a'],
        ['bid_cents', -1],
      ],
    ],
    [
      'a price with a fifth decimal',
      [
        ['campaign_id', 'a'],
        ['bid_cents', 1.00005],
      ],
    ],
    [
      'a text for a price',
      [
        ['campaign_id', 'a'],
        ['bid_cents', '1'],
      ],
    ],
    [
      'an id with a blank',
      [
        ['campaign_id', 'a b'],
        ['bid_cents', 1],
      ],
    ],
    [
      'an id that is too long',
      [
        ['campaign_id', 'x'.repeat(129)],
        ['bid_cents', 1],
      ],
    ],
    ['no id', [['bid_cents', 1]]],
    ['no price', [['campaign_id', 'a']]],
  ])('with %s is left to msgpackr', (_what, fields) => {
    const bytes = map(
      fields.map(([key, each]) => Buffer.concat([text(key, false), packr.pack(each)])),
      false,
    );
    expect(scanPackedDecision(bytes, newScannedDecision())).toBe(false);
  });

  test('cut off anywhere, or with something behind it, is left to msgpackr', () => {
    const bytes = packr.pack({ campaign_id: 'camp-1', bid_cents: 1.25, bid_id: 'b' });
    for (let length = 0; length < bytes.length; length++)
      expect(scanPackedDecision(bytes.subarray(0, length), newScannedDecision())).toBe(false);
    expect(scanPackedDecision(Buffer.concat([bytes, Buffer.from([0])]), newScannedDecision())).toBe(false);
  });
});

describe('a batch in msgpack', () => {
  const room = Array.from({ length: 20 }, newScannedDecision);

  test('is read as msgpackr would, or left to it', () => {
    let scanned = 0;
    const element = fc.oneof({ weight: 9, arbitrary: plain }, { weight: 1, arbitrary: mutated });
    const head = fc.constantFrom([0x81], [0xde, 0, 1], [0x82], [0x80]);
    const key = fc.constantFrom('requests', 'requests', 'requests', 'request');
    const tail = fc.constantFrom([], [], [], [0]);
    fc.assert(
      fc.property(head, key, fc.array(element, { maxLength: 24 }), fc.boolean(), tail, (...parts) => {
        const [before, named, elements, wide, after] = parts;
        const list = [text(named, false), array(elements, wide)];
        const bytes = Buffer.concat([Buffer.from(before), ...list, Buffer.from(after)]);
        const count = scanPackedDecisions(bytes, room);
        if (count === 0) return;
        scanned++;
        const wanted = readBatch(parseBody(bytes, true), 'requests') as readonly unknown[];
        const found = room.slice(0, count).map((each) => decisionScanned(bytes, each));
        expect(found).toEqual(wanted.map(decisionParsed));
      }),
      { numRuns: 5_000 },
    );
    expect(scanned).toBeGreaterThan(200);
  });

  test('of as many as there is room for is read, and of one more is not', () => {
    const batch = (count: number): Buffer =>
      packr.pack({ requests: Array.from({ length: count }, () => ({ campaign_id: 'a', bid_cents: 1 })) });
    for (const count of [1, 15, 16, 20]) expect(scanPackedDecisions(batch(count), room)).toBe(count);
    for (const count of [0, 21]) expect(scanPackedDecisions(batch(count), room)).toBe(0);
  });

  test('cut off anywhere is left to msgpackr', () => {
    const bytes = packr.pack({ requests: [{ campaign_id: 'camp-1', bid_cents: 1.25 }] });
    for (let length = 0; length < bytes.length; length++)
      expect(scanPackedDecisions(bytes.subarray(0, length), room)).toBe(0);
  });
});
