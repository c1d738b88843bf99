/**
 * Entry of autocannon's process: receives one load over IPC, runs it, sends its report and ends. Latencies
 * are recorded here in microseconds, because autocannon's own histogram knows whole milliseconds only.
 */
import autocannon from 'autocannon';
import { build } from 'hdr-histogram-js';
import { type Load, type LoadResult, type Post, SERIAL_MARK, serialText } from './load.ts';

export type AutocannonReport =
  | { readonly ok: true; readonly result: LoadResult; readonly message?: never }
  | { readonly ok: false; readonly message: string };

/** Requests that one connection turns round in; the connections begin at different ones. */
const REQUESTS_A_CONNECTION_MAX = 32;
const SAMPLE_MS = 100;
const REQUEST_TIMEOUT_SECONDS = 5;
const LATENCY_MICROS_MAX = 60_000_000;

let serial = 0;

function requestOf({ path, body }: Post): autocannon.Request {
  if (!body.includes(SERIAL_MARK)) return { method: 'POST', path, body: Buffer.from(body, 'latin1') };
  return {
    method: 'POST',
    path,
    body,
    setupRequest: (request) => ({
      ...request,
      body: body.replaceAll(SERIAL_MARK, () => serialText(serial++)),
    }),
  };
}

async function run(load: Load): Promise<LoadResult> {
  const {
    url,
    connections,
    durationSeconds,
    requests: posts,
    contentType = 'application/json',
    requestsMax,
  } = load;
  const histogram = build({ highestTrackableValue: LATENCY_MICROS_MAX, numberOfSignificantValueDigits: 3 });
  let clients = 0;
  let requests = 0;
  let lastAtMs = 0;
  const startedAtMs = performance.now();
  const options: autocannon.Options = {
    url,
    connections,
    ...(requestsMax === undefined ? { duration: durationSeconds } : { amount: requestsMax }),
    timeout: REQUEST_TIMEOUT_SECONDS,
    sampleInt: SAMPLE_MS,
    method: 'POST',
    headers: { 'content-type': contentType },
    setupClient: (client) => {
      const first = (clients++ * REQUESTS_A_CONNECTION_MAX) % posts.length;
      const turn = [...posts.slice(first), ...posts.slice(0, first)].slice(0, REQUESTS_A_CONNECTION_MAX);
      client.setRequests(turn.map(requestOf));
    },
  };
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const instance = autocannon(options, (error, done) => {
      if (error) reject(error instanceof Error ? error : new Error(String(error)));
      else resolve(done);
    });
    instance.on('response', (_client, _status, _bytes, responseMs) => {
      requests++;
      lastAtMs = performance.now();
      histogram.recordValue(Math.min(LATENCY_MICROS_MAX, Math.round(responseMs * 1000)));
    });
  });
  const percentile = (share: number): number => histogram.getValueAtPercentile(share) / 1000;
  return {
    requests,
    seconds: Math.max(0, lastAtMs - startedAtMs) / 1000,
    latency: {
      p50Ms: percentile(50),
      p95Ms: percentile(95),
      p99Ms: percentile(99),
      p999Ms: percentile(99.9),
    },
    refused: result.non2xx,
    socketErrors: result.errors,
  };
}

function report(message: AutocannonReport): void {
  process.send?.(message, () => process.disconnect());
}

process.once('disconnect', () => process.exit());
process.once('message', (load: Load) => {
  run(load).then(
    (result) => report({ ok: true, result }),
    (error: unknown) =>
      report({ ok: false, message: error instanceof Error ? error.message : String(error) }),
  );
});
