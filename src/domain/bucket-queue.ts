/**
 * A queue of buckets, oldest first, one for each of the windows of time from the oldest to the newest that holds an amount.
 * Under load every campaign has one, so it is a single array of numbers, which grows by a quarter (one that is pushed to
 * grows by half and sixteen). Its buckets stand in a ring: one that is filled and emptied alike makes no garbage.
 *
 *   count, place of the oldest in the ring, its window │ micros │ micros │ …
 *
 * What adds or drops a bucket returns the queue to go on with.
 */
import { doubles } from './doubles.ts';

export type BucketQueue = number[];

const COUNT = 0;
const HEAD = 1;
const OLDEST_WINDOW = 2;
const FIRST = 3;
const GROWTH = 0.25;
const GROWTH_BUCKETS_MIN = 4;
/** A queue that uses less of its room gives it back. */
const USE_MIN = 0.25;

/** The queue of all that have no bucket. Nobody changes it: appending makes another one. */
export const NO_BUCKETS: BucketQueue = doubles(FIRST);

export function bucketCount(queue: BucketQueue): number {
  return queue[COUNT] as number;
}

/** Of a queue that has one, as are the others; 0 where nothing was put into its window. */
export function oldestMicros(queue: BucketQueue): number {
  return queue[placeOf(queue, 0)] as number;
}

export function oldestWindow(queue: BucketQueue): number {
  return queue[OLDEST_WINDOW] as number;
}

export function newestWindow(queue: BucketQueue): number {
  return oldestWindow(queue) + bucketCount(queue) - 1;
}

export function addToNewest(queue: BucketQueue, micros: number): void {
  const place = placeOf(queue, bucketCount(queue) - 1);
  queue[place] = (queue[place] as number) + micros;
}

export function takeFromOldest(queue: BucketQueue, micros: number): void {
  const place = placeOf(queue, 0);
  queue[place] = (queue[place] as number) - micros;
}

/**
 * @param window a later one than the newest
 * @param windowsMax what stands in windows before the last so many is moved to the first of these
 */
export function append(queue: BucketQueue, micros: number, window: number, windowsMax: number): BucketQueue {
  const recent = gathered(queue, window - windowsMax + 1);
  const count = bucketCount(recent);
  const more = count === 0 ? 1 : window - newestWindow(recent);
  const roomy = withRoom(recent, count + more, windowsMax);
  for (let empty = count; empty < count + more - 1; empty++) roomy[placeOf(roomy, empty)] = 0;
  roomy[placeOf(roomy, count + more - 1)] = micros;
  roomy[COUNT] = count + more;
  if (count === 0) roomy[OLDEST_WINDOW] = window;
  return roomy;
}

export function dropOldest(queue: BucketQueue): BucketQueue {
  const count = bucketCount(queue) - 1;
  if (count === 0) return NO_BUCKETS;
  queue[HEAD] = placeOf(queue, 1) - FIRST;
  queue[COUNT] = count;
  queue[OLDEST_WINDOW] = oldestWindow(queue) + 1;
  return FIRST + count < USE_MIN * queue.length
    ? moved(queue, doubles(FIRST + count + growthOf(count)))
    : queue;
}

/** Makes one bucket, in this window, of those that stand before it. */
function gathered(queue: BucketQueue, window: number): BucketQueue {
  let left = queue;
  while (bucketCount(left) > 1 && oldestWindow(left) < window) {
    const micros = oldestMicros(left);
    left = dropOldest(left);
    const place = placeOf(left, 0);
    left[place] = (left[place] as number) + micros;
  }
  if (bucketCount(left) === 1 && oldestWindow(left) < window) left[OLDEST_WINDOW] = window;
  return left;
}

function withRoom(queue: BucketQueue, buckets: number, bucketsMax: number): BucketQueue {
  if (FIRST + buckets <= queue.length) return queue;
  const grown = bucketCount(queue) + growthOf(bucketCount(queue));
  return moved(queue, doubles(FIRST + Math.max(buckets, Math.min(grown, bucketsMax))));
}

/** Moves the buckets to the front of another array. */
function moved(queue: BucketQueue, to: BucketQueue): BucketQueue {
  const count = bucketCount(queue);
  for (let bucket = 0; bucket < count; bucket++) to[FIRST + bucket] = queue[placeOf(queue, bucket)] as number;
  to[COUNT] = count;
  to[OLDEST_WINDOW] = oldestWindow(queue);
  return to;
}

function placeOf(queue: BucketQueue, bucket: number): number {
  const place = FIRST + (queue[HEAD] as number) + bucket;
  return place < queue.length ? place : place - queue.length + FIRST;
}

function growthOf(count: number): number {
  return Math.max(GROWTH_BUCKETS_MIN, Math.floor(GROWTH * count));
}
