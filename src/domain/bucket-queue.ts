/**
 * A queue of buckets, oldest first: each holds an amount and expires at a time. Under load every campaign has one, so it is
 * a single array of numbers that grows by a quarter (one that is pushed to grows by half and sixteen):
 *
 *   count │ micros, expiresAtMs │ micros, expiresAtMs │ … │ room
 *
 * What adds or drops a bucket returns the queue to go on with.
 */
export type BucketQueue = number[];

/** The queue of all that have no bucket. Nobody changes it: appending makes another one. */
export const NO_BUCKETS: BucketQueue = numbers(1);

const FIRST = 1;
const BUCKET_NUMBERS = 2;
const EXPIRES_AT = 1;
const GROWTH = 0.25;
const GROWTH_BUCKETS_MIN = 2;
/** A queue that uses less of its room gives it back. */
const USE_MIN = 0.25;

export function bucketCount(queue: BucketQueue): number {
  return queue[0] as number;
}

/** Of a queue that has one, as are the others. */
export function oldestMicros(queue: BucketQueue): number {
  return queue[FIRST] as number;
}

export function oldestExpiresAtMs(queue: BucketQueue): number {
  return queue[FIRST + EXPIRES_AT] as number;
}

export function newestExpiresAtMs(queue: BucketQueue): number {
  return queue[placeOf(bucketCount(queue) - 1) + EXPIRES_AT] as number;
}

export function addToNewest(queue: BucketQueue, micros: number): void {
  const place = placeOf(bucketCount(queue) - 1);
  queue[place] = (queue[place] as number) + micros;
}

export function takeFromOldest(queue: BucketQueue, micros: number): void {
  queue[FIRST] = (queue[FIRST] as number) - micros;
}

export function append(queue: BucketQueue, micros: number, expiresAtMs: number): BucketQueue {
  const count = bucketCount(queue);
  const roomy = placeOf(count) < queue.length ? queue : resized(queue, count + growthOf(count));
  roomy[placeOf(count)] = micros;
  roomy[placeOf(count) + EXPIRES_AT] = expiresAtMs;
  roomy[0] = count + 1;
  return roomy;
}

export function dropOldest(queue: BucketQueue): BucketQueue {
  const count = bucketCount(queue) - 1;
  if (count === 0) return NO_BUCKETS;
  for (let at = FIRST; at < placeOf(count); at++) queue[at] = queue[at + BUCKET_NUMBERS] as number;
  queue[0] = count;
  return placeOf(count) < USE_MIN * queue.length ? resized(queue, count + growthOf(count)) : queue;
}

function placeOf(bucket: number): number {
  return FIRST + bucket * BUCKET_NUMBERS;
}

function growthOf(count: number): number {
  return Math.max(GROWTH_BUCKETS_MIN, Math.floor(GROWTH * count));
}

function resized(queue: BucketQueue, buckets: number): BucketQueue {
  const other = numbers(placeOf(buckets));
  const used = placeOf(bucketCount(queue));
  for (let at = 0; at < used; at++) other[at] = queue[at] as number;
  return other;
}

function numbers(length: number): number[] {
  // V8 keeps an array's numbers without boxes once one of them is a fraction.
  return new Array<number>(length).fill(0.5).fill(0);
}
