import { expect, test } from 'vitest';
import { RateLimiter } from '../../../src/management/rate-limiter.ts';

const taken = (limiter: RateLimiter, key: string, nowMs: number): number => {
  let count = 0;
  while (limiter.take(key, nowMs)) count++;
  return count;
};

test('a key has its burst, and then its rate', () => {
  const limiter = new RateLimiter({ perSecond: 50, burst: 100, keysMax: 10 });
  expect(taken(limiter, 'ada', 0)).toBe(100);
  expect(taken(limiter, 'ada', 20)).toBe(1);
  expect(taken(limiter, 'ada', 1_020)).toBe(50);
  expect(taken(limiter, 'ada', 60_000)).toBe(100);
});

test('a key takes nothing from another', () => {
  const limiter = new RateLimiter({ perSecond: 1, burst: 2, keysMax: 10 });
  expect([taken(limiter, 'ada', 0), taken(limiter, 'bob', 0), taken(limiter, 'ada', 0)]).toEqual([2, 2, 0]);
});

test('only so many keys are remembered: the one that came longest ago is forgotten', () => {
  const limiter = new RateLimiter({ perSecond: 1, burst: 1, keysMax: 2 });
  expect(limiter.take('ada', 0)).toBe(true);
  expect(limiter.take('bob', 0)).toBe(true);
  expect(limiter.take('ada', 0)).toBe(false);
  expect(limiter.take('cid', 0)).toBe(true);
  expect(limiter.take('ada', 0)).toBe(false);
  expect(limiter.take('bob', 0)).toBe(true);
});
