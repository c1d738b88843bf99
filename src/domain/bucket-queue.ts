/**
 * A queue of buckets, oldest first, one for each of the windows of time from the oldest to the newest that holds an amount.
 * Under load every campaign has one, so it is a single array of numbers, which grows by a quarter (one that is pushed to
 * grows by half and sixteen). Dropped buckets leave their room in front until it is as much as a growth would bring:
 * dropping touches none of the others.
 *
 *   count, dropped, window of the oldest │ room of dropped ones │ micros │ micros │ … │ room
 *
 * What adds or drops a bucket returns the queue to go on with.
 */
import { doubles } from './doubles.ts';

export type BucketQueue = number[];

const COUNT = 0;
const DROPPED = 1;
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
  const roomy = withRoom(recent, more);
  const place = placeOf(roomy, count);
  for (let empty = 0; empty < more - 1; empty++) roomy[place + empty] = 0;
  roomy[place + more - 1] = micros;
  roomy[COUNT] = count + more;
  if (count === 0) roomy[OLDEST_WINDOW] = window;
  return roomy;
}

export function dropOldest(queue: BucketQueue): BucketQueue {
  const count = bucketCount(queue) - 1;
  if (count === 0) return NO_BUCKETS;
  queue[COUNT] = count;
  queue[DROPPED] = (queue[DROPPED] as number) + 1;
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

/** Room for more buckets at the end: what there is, what dropped ones left in front, or new. */
function withRoom(queue: BucketQueue, more: number): BucketQueue {
  const count = bucketCount(queue);
  if (placeOf(queue, count + more) <= queue.length) return queue;
  const growth = Math.max(more, growthOf(count));
  return moved(queue, (queue[DROPPED] as number) < growth ? doubles(FIRST + count + growth) : queue);
}

/** Moves the buckets to the front of an array, which may be their own. */
function moved(queue: BucketQueue, to: BucketQueue): BucketQueue {
  const from = placeOf(queue, 0);
  const count = bucketCount(queue);
  for (let bucket = 0; bucket < count; bucket++) to[FIRST + bucket] = queue[from + bucket] as number;
  to[COUNT] = count;
  to[DROPPED] = 0;
  to[OLDEST_WINDOW] = oldestWindow(queue);
  return to;
}

function placeOf(queue: BucketQueue, bucket: number): number {
  return FIRST + (queue[DROPPED] as number) + bucket;
}

function growthOf(count: number): number {
  return Math.max(GROWTH_BUCKETS_MIN, Math.floor(GROWTH * count));
}
