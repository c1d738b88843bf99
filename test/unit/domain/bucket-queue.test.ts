import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  addToNewest,
  append,
  bucketCount,
  dropOldest,
  NO_BUCKETS,
  newestExpiresAtMs,
  oldestExpiresAtMs,
  oldestMicros,
  takeFromOldest,
} from '../../../src/domain/bucket-queue.ts';

const step = fc.record({
  kind: fc.constantFrom('append', 'append', 'append', 'drop', 'drop', 'add', 'take'),
  times: fc.integer({ min: 1, max: 40 }),
});

test('a queue that is filled and emptied alike keeps its room, and gives it back when it is emptied', () => {
  let queue = NO_BUCKETS;
  for (let at = 0; at < 64; at++) queue = append(queue, 1, at);
  const { length } = queue;
  for (let at = 64; at < 10_000; at++) queue = append(dropOldest(queue), 1, at);
  expect(queue.length).toBeLessThanOrEqual(length + 2 * 16);
  for (let left = 64; left > 4; left--) queue = dropOldest(queue);
  expect(queue.length).toBeLessThan(length / 2);
});

test('a queue of buckets is first in, first out, with what was added and taken meanwhile', () => {
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      let queue = NO_BUCKETS;
      const expected: { micros: number; expiresAtMs: number }[] = [];
      let next = 0;
      for (const { kind, times } of steps) {
        for (let time = 0; time < times; time++) {
          const [oldest, newest] = [expected[0], expected.at(-1)];
          if (kind === 'append') {
            expected.push({ micros: ++next, expiresAtMs: next * 1.5 });
            queue = append(queue, next, next * 1.5);
          } else if (oldest === undefined || newest === undefined) continue;
          else if (kind === 'drop') {
            expected.shift();
            queue = dropOldest(queue);
          } else if (kind === 'add') {
            newest.micros += 5;
            addToNewest(queue, 5);
          } else {
            oldest.micros -= 0.5;
            takeFromOldest(queue, 0.5);
          }
          expect(bucketCount(queue)).toBe(expected.length);
          if (expected.length === 0) continue;
          expect([oldestMicros(queue), oldestExpiresAtMs(queue)]).toEqual(Object.values(expected[0] ?? {}));
          expect(newestExpiresAtMs(queue)).toBe(expected.at(-1)?.expiresAtMs);
        }
      }
      expect(NO_BUCKETS).toEqual([0, 0]);
    }),
  );
});
