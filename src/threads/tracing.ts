/**
 * Traces of what happens beside decisions: requests of operators, flushes to Redis and Postgres, jobs. Without
 * OTEL_EXPORTER_OTLP_ENDPOINT nothing of OpenTelemetry is loaded, and work is called as it is.
 */
import type { Config } from '../config/config.ts';
import type { Log } from './log.ts';

export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** A span that is ended by who began it. */
export interface OpenSpan {
  /** Calls what belongs to the span: spans that begin in it are its children. */
  inside(work: () => void): void;
  end(attributes: Attributes, failed: boolean): void;
}

export interface Tracing {
  /** Runs the work within a span, a child of the one around it; what it throws marks the span, and is thrown on. */
  run<T>(name: string, attributes: Attributes, work: () => Promise<T>): Promise<T>;
  /**
   * Begins the span of a request from outside.
   * @param traceparent the header of W3C Trace Context, if it came with one
   */
  begin(name: string, attributes: Attributes, traceparent: string | undefined): OpenSpan;
  /** Sends what waits, within a second. */
  close(): Promise<void>;
}

/** Null where nothing is traced. @param thread its name, which its spans carry */
export async function openTracing(config: Config, thread: string, log: Log): Promise<Tracing | null> {
  const { otlpEndpoint, otlpHeaders, otlpServiceName, otlpSampleRatio, nodeId } = config;
  if (otlpEndpoint === null) return null;
  const { OtlpTracing } = await import('./otlp-tracing.ts');
  return new OtlpTracing({
    endpoint: otlpEndpoint,
    headers: otlpHeaders,
    serviceName: otlpServiceName,
    sampleRatio: otlpSampleRatio,
    nodeId,
    thread,
    log,
  });
}

/** Runs the work, traced where there is tracing. */
export function traced<T>(
  tracing: Tracing | null,
  name: string,
  attributes: Attributes,
  work: () => Promise<T>,
): Promise<T> {
  return tracing === null ? work() : tracing.run(name, attributes, work);
}

/** Ends a thread that has closed everything: an export that was given up keeps trying, and the thread alive, for seconds. */
export function endTraced(tracing: Tracing | null): void {
  if (tracing !== null) process.exit(0);
}
