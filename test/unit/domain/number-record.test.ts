import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { copyNumbers, joined, numberRecord } from '../../../src/domain/number-record.ts';

interface Point {
  x: number;
  y: number;
}

const newPoint = numberRecord<Point>({ x: 1, y: 0 });
const anyNumber = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(Infinity, -Infinity, Number.NaN, -0));

describe('a record of numbers', () => {
  test('begins with what it was defined with, and keeps every number as it is', () => {
    expect(newPoint().x).toBe(1);
    fc.assert(
      fc.property(anyNumber, anyNumber, (x, y) => {
        const point = newPoint();
        point.x = x;
        point.y = y;
        expect(point.x).toBe(x);
        expect(point.y).toBe(y);
        expect(newPoint(point).y).toBe(y);
      }),
    );
  });

  test('is copied by its maker: neither changes the other', () => {
    const first = newPoint({ x: 2, y: 3 });
    const second = newPoint(first);
    second.x += 5;
    first.y = 7;
    expect([first.x, first.y, second.x, second.y]).toEqual([2, 7, 7, 3]);
  });

  test('shows its fields as JSON', () => {
    expect(JSON.stringify(newPoint({ x: 2, y: 0.5 }))).toBe('{"x":2,"y":0.5}');
  });

  test('keeps a field that is seldom anything but 0 as any other', () => {
    const newRecord = numberRecord<Point & { z: number }>({ x: 1, y: 0, z: 0 }, ['y', 'z']);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('x', 'y', 'z'), anyNumber)), (writes) => {
        const record = newRecord();
        const plain = { x: 1, y: 0, z: 0 };
        for (const [name, value] of writes) {
          record[name] = value;
          plain[name] = value === 0 ? 0 : value; // the sign of a zero is not kept
          expect(record[name] === 0 ? 0 : record[name]).toBe(plain[name]);
        }
        expect(JSON.stringify(newRecord(record))).toBe(JSON.stringify(plain));
      }),
    );
  });

  test('is given whole to what wants a part of it', () => {
    const size = { width: 5 };
    const newBox = numberRecord(joined<Point & { width: number }>({ x: 1, y: 0 }, size));
    const box = newBox();
    copyNumbers<Point>({ x: 0, y: 0 }, newPoint({ x: 2, y: 3 }), box);
    expect([box.x, box.y, box.width]).toEqual([2, 3, 5]);
  });

  test('is not joined from parts that have a field of the same name', () => {
    expect(() => joined<Point>({ x: 1 }, { x: 2, y: 0 })).toThrow('two parts have a field of the same name');
  });
});
