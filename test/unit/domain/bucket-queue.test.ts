import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  addToNewest,
  append,
  type BucketQueue,
  bucketCount,
  dropOldest,
  NO_BUCKETS,
  newestWindow,
  oldestMicros,
  oldestWindow,
  takeFromOldest,
} from '../../../src/domain/bucket-queue.ts';

const WINDOWS_MAX = 34;

/** The buckets that hold something, as pairs of window and micros; it takes them all from the queue. */
function emptied(queue: BucketQueue): [number, number][] {
  const held: [number, number][] = [];
  for (let left = queue; bucketCount(left) > 0; left = dropOldest(left)) {
    if (oldestMicros(left) > 0) held.push([oldestWindow(left), oldestMicros(left)]);
  }
  return held;
}

test('a queue that is filled and emptied alike keeps its room, and gives it back when it is emptied', () => {
  let queue = NO_BUCKETS;
  for (let at = 0; at < 64; at++) queue = append(queue, 1, at, 100);
  const filled = queue;
  for (let at = 64; at < 10_000; at++) queue = append(dropOldest(queue), 1, at, 100);
  expect(queue).toBe(filled);
  for (let left = 64; left > 4; left--) queue = dropOldest(queue);
  expect(queue.length).toBeLessThan(filled.length / 2);
});

test('what stands in older windows than the last ones is gathered in the first of these', () => {
  let queue = append(append(append(NO_BUCKETS, 1, 10, WINDOWS_MAX), 2, 11, WINDOWS_MAX), 4, 40, WINDOWS_MAX);
  queue = append(queue, 8, 60, WINDOWS_MAX);
  expect(bucketCount(queue)).toBe(WINDOWS_MAX);
  expect(emptied(queue)).toEqual([
    [27, 3],
    [40, 4],
    [60, 8],
  ]);
  const late = append(append(NO_BUCKETS, 1, 10, WINDOWS_MAX), 2, 1_000_000, WINDOWS_MAX);
  expect(late.length).toBeLessThan(2 * WINDOWS_MAX);
  expect(emptied(late)).toEqual([
    [999_967, 1],
    [1_000_000, 2],
  ]);
});

const step = fc.record({
  kind: fc.constantFrom('append', 'append', 'append', 'drop', 'drop', 'add', 'take'),
  times: fc.integer({ min: 1, max: 40 }),
  windows: fc.integer({ min: 1, max: 50 }),
});

test('a queue of buckets is first in, first out, with what was added and taken meanwhile', () => {
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      let queue = NO_BUCKETS;
      let expected: { window: number; micros: number }[] = [];
      let next = 0;
      for (const { kind, times, windows } of steps) {
        for (let time = 0; time < times; time++) {
          const newest = expected.at(-1);
          const oldest = expected[0];
          if (kind === 'append') {
            next += windows;
            const first = next - WINDOWS_MAX + 1;
            const old = expected.filter(({ window }) => window < first);
            const sum = old.reduce((total, { micros }) => total + micros, 0);
            expected = expected.filter(({ window }) => window >= first);
            const standing = expected.find(({ window }) => window === first);
            if (standing !== undefined) standing.micros += sum;
            else if (sum > 0) expected.unshift({ window: first, micros: sum });
            expected.push({ window: next, micros: next });
            queue = append(queue, next, next, WINDOWS_MAX);
          } else if (oldest === undefined || newest === undefined) continue;
          else if (kind === 'drop') {
            while (oldestMicros(queue) === 0) queue = dropOldest(queue);
            expected.shift();
            queue = dropOldest(queue);
          } else if (kind === 'add') {
            newest.micros += 5;
            addToNewest(queue, 5);
          } else if (oldest.micros > 0.5) {
            while (oldestMicros(queue) === 0) queue = dropOldest(queue);
            oldest.micros -= 0.5;
            takeFromOldest(queue, 0.5);
          }
          expect(bucketCount(queue) > 0).toBe(expected.length > 0);
          if (expected.length > 0) expect(newestWindow(queue)).toBe(expected.at(-1)?.window);
        }
        expect(emptied([...queue])).toEqual(expected.map(({ window, micros }) => [window, micros]));
      }
      expect(NO_BUCKETS).toEqual([0, 0, 0]);
    }),
  );
});
