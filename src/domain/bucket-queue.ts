/**
 * A queue of buckets, oldest first: each holds an amount and expires at a time. Under load every campaign has one, so it is
 * a single array of numbers that grows by a quarter (one that is pushed to grows by half and sixteen). Dropped buckets
 * leave their room in front until it is as much as a growth would bring: dropping touches none of the others.
 *
 *   count, dropped │ room of dropped ones │ micros, expiresAtMs │ micros, expiresAtMs │ … │ room
 *
 * What adds or drops a bucket returns the queue to go on with.
 */
export type BucketQueue = number[];

const COUNT = 0;
const DROPPED = 1;
const FIRST = 2;
const BUCKET_NUMBERS = 2;
const EXPIRES_AT = 1;
const GROWTH = 0.25;
const GROWTH_BUCKETS_MIN = 2;
/** A queue that uses less of its room gives it back. */
const USE_MIN = 0.25;

/** The queue of all that have no bucket. Nobody changes it: appending makes another one. */
export const NO_BUCKETS: BucketQueue = numbers(FIRST);

export function bucketCount(queue: BucketQueue): number {
  return queue[COUNT] as number;
}

/** Of a queue that has one, as are the others. */
export function oldestMicros(queue: BucketQueue): number {
  return queue[placeOf(queue, 0)] as number;
}

export function oldestExpiresAtMs(queue: BucketQueue): number {
  return queue[placeOf(queue, 0) + EXPIRES_AT] as number;
}

export function newestExpiresAtMs(queue: BucketQueue): number {
  return queue[newestPlace(queue) + EXPIRES_AT] as number;
}

export function addToNewest(queue: BucketQueue, micros: number): void {
  const place = newestPlace(queue);
  queue[place] = (queue[place] as number) + micros;
}

export function takeFromOldest(queue: BucketQueue, micros: number): void {
  const place = placeOf(queue, 0);
  queue[place] = (queue[place] as number) - micros;
}

export function append(queue: BucketQueue, micros: number, expiresAtMs: number): BucketQueue {
  const roomy = withRoom(queue);
  const place = placeOf(roomy, bucketCount(roomy));
  roomy[place] = micros;
  roomy[place + EXPIRES_AT] = expiresAtMs;
  roomy[COUNT] = bucketCount(roomy) + 1;
  return roomy;
}

export function dropOldest(queue: BucketQueue): BucketQueue {
  const count = bucketCount(queue) - 1;
  if (count === 0) return NO_BUCKETS;
  queue[COUNT] = count;
  queue[DROPPED] = (queue[DROPPED] as number) + 1;
  return sizeOf(count) < USE_MIN * queue.length
    ? moved(queue, numbers(sizeOf(count + growthOf(count))))
    : queue;
}

/** Room for another bucket at the end: what there is, what dropped ones left in front, or more. */
function withRoom(queue: BucketQueue): BucketQueue {
  const count = bucketCount(queue);
  if (placeOf(queue, count) < queue.length) return queue;
  const growth = growthOf(count);
  return moved(queue, (queue[DROPPED] as number) < growth ? numbers(sizeOf(count + growth)) : queue);
}

/** Moves the buckets to the front of an array, which may be their own. */
function moved(queue: BucketQueue, to: BucketQueue): BucketQueue {
  const from = placeOf(queue, 0);
  const used = bucketCount(queue) * BUCKET_NUMBERS;
  for (let at = 0; at < used; at++) to[FIRST + at] = queue[from + at] as number;
  to[COUNT] = bucketCount(queue);
  to[DROPPED] = 0;
  return to;
}

function placeOf(queue: BucketQueue, bucket: number): number {
  return FIRST + ((queue[DROPPED] as number) + bucket) * BUCKET_NUMBERS;
}

function newestPlace(queue: BucketQueue): number {
  return placeOf(queue, bucketCount(queue) - 1);
}

function sizeOf(buckets: number): number {
  return FIRST + buckets * BUCKET_NUMBERS;
}

function growthOf(count: number): number {
  return Math.max(GROWTH_BUCKETS_MIN, Math.floor(GROWTH * count));
}

function numbers(length: number): number[] {
  // V8 keeps an array's numbers without boxes once one of them is a fraction.
  return new Array<number>(length).fill(0.5).fill(0);
}
