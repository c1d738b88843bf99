import fc from 'fast-check';
import { Packr, Unpackr } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { DEPTH_MAX, isPlainMsgpack } from '../../../src/edge/msgpack-check.ts';

const PLAIN = { useRecords: false, variableMapSize: true, int64AsType: 'number' } as const;
const packr = new Packr(PLAIN);
const unpackr = new Unpackr(PLAIN);
const bytes = (...parts: (readonly number[] | Buffer)[]): Buffer =>
  Buffer.concat(parts.map((part) => Buffer.from(part)));

describe('a msgpack body', () => {
  it('of any JSON is plain, also with bytes, large numbers and times', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
        expect(isPlainMsgpack(packr.pack(value))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
    const others = [
      Buffer.alloc(300),
      Buffer.alloc(70_000),
      'x'.repeat(40),
      'x'.repeat(300),
      'x'.repeat(70_000),
      2 ** 40,
      -(2 ** 40),
      1.5,
      -1,
      -200,
      Array.from({ length: 70_000 }, (_, at) => at),
      new Date(1_700_000_000_000),
      new Date(1_700_000_000_123),
      new Date(-1),
    ];
    for (const value of others) expect(isPlainMsgpack(packr.pack({ value }))).toBe(true);
  });

  it('that claims more than it holds is refused, at every level', () => {
    const claims = [
      [0xdd, 0x01, 0xc9, 0xc3, 0x80],
      [0xdd, 0xff, 0xff, 0xff, 0xff],
      [0xdf, 0xff, 0xff, 0xff, 0xff],
      [0xdf, 0x80, 0x00, 0x00, 0x00],
      [0xdc, 0xff, 0xff],
      [0xdb, 0xff, 0xff, 0xff, 0xff, 0x41],
      [0xc6, 0x7f, 0xff, 0xff, 0xff],
      [0xdc, 0x00],
      [0xd9],
      [0x9f],
      [0x81, 0xa1],
    ];
    for (const claim of claims) {
      expect(isPlainMsgpack(bytes(claim)), bytes(claim).toString('hex')).toBe(false);
      expect(isPlainMsgpack(bytes([0x81, 0xa1, 0x61], claim))).toBe(false);
    }
    const nested = Buffer.concat(Array.from({ length: 6_000 }, () => Buffer.from([0xdc, 0xff, 0xff])));
    expect(isPlainMsgpack(nested)).toBe(false);
  });

  it('with an extension, a second value, or too deep a nesting is refused', () => {
    const others = [
      [0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61, 0x40, 0x01],
      [0xd4, 0x78, 0x92, 0xa1, 0x61, 0xa0],
      [0xc7, 1, 0xff, 0],
      [0xc8, 0, 1, 0xff, 0],
      [0xd8, 0xff],
      [0xc1],
      [0x01, 0x02],
      [],
    ];
    for (const other of others)
      expect(isPlainMsgpack(bytes(other)), bytes(other).toString('hex')).toBe(false);
    expect(isPlainMsgpack(bytes(Buffer.alloc(DEPTH_MAX, 0x91), [0x01]))).toBe(true);
    expect(isPlainMsgpack(bytes(Buffer.alloc(DEPTH_MAX + 1, 0x91), [0x01]))).toBe(false);
  });

  it('that is let through can be decoded, but for keys that are no texts', () => {
    let decoded = 0;
    const small = fc.uint8Array({ minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(small, (given) => {
        const body = Buffer.from(given);
        if (!isPlainMsgpack(body)) return;
        try {
          unpackr.unpack(body);
          decoded++;
        } catch (error) {
          expect(String(error)).toContain('Invalid property type');
        }
      }),
      { numRuns: 50_000 },
    );
    expect(decoded).toBeGreaterThan(1_000);
  });
});
