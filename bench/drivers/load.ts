/**
 * What a driver is asked for and what it answers: a closed loop of POST requests over a fixed number of
 * connections, each of which sends its next request when it has the answer to the last. Bodies are strings of
 * which each character is a byte, so that they may be msgpack; JSON of a bench is ASCII.
 */

/** Stands in a body where every request gets a number of its own, of the same length. */
export const SERIAL_MARK = '@@@@@@@@@@@@';

/** One POST request. */
export interface Post {
  readonly path: string;
  readonly body: string;
}

export type ContentType = 'application/json' | 'application/msgpack';

export interface Load {
  /** The server's origin. */
  readonly url: string;
  readonly connections: number;
  /** wrk takes whole seconds and rounds up. */
  readonly durationSeconds: number;
  /** Sent in turn; bodies with a {@link SERIAL_MARK} are never the same twice within a run. */
  readonly requests: readonly Post[];
  readonly contentType?: ContentType;
  /** Over after so many requests, whatever the duration; a driver that cannot stop then goes on. */
  readonly requestsMax?: number;
}

/** Requests to one path. */
export function postsTo(path: string, bodies: readonly string[]): Post[] {
  return bodies.map((body) => ({ path, body }));
}

export interface Latency {
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
}

export interface LoadResult {
  /** Answers received, whatever their status. */
  readonly requests: number;
  readonly seconds: number;
  readonly latency: Latency;
  /** Answers with a status other than 2xx (wrk: 400 and above). */
  readonly refused: number;
  /** Connections, reads and writes that failed, and requests that timed out. */
  readonly socketErrors: number;
}

export interface Driver {
  readonly name: 'autocannon' | 'wrk';
  /** Rejects when the driver itself fails or is aborted. */
  run(load: Load, signal: AbortSignal): Promise<LoadResult>;
}

/** A driver that takes longer than its run and this is killed. */
export const OVERTIME_MS = 10_000;

/** The number that takes a mark's place. */
export function serialText(serial: number): string {
  return String(serial).padStart(SERIAL_MARK.length, '0');
}
