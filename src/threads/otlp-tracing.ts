/**
 * Spans over OTLP/HTTP, by OpenTelemetry's own SDK: batches of a bounded queue, so that a collector that is away costs
 * spans and a line in the log now and then. Nothing is registered globally. Spans hold no query, body, header or text of
 * an error: those may hold secrets.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type ReadableSpan,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { version } from '../config/version.ts';
import type { AppError } from '../domain/app-error.ts';
import type { Log } from './log.ts';
import type { Attributes, OpenSpan, Tracing } from './tracing.ts';

const QUEUE_MAX = 2_048;
const BATCH_MAX = 512;
const BATCH_MS = 1_000;
const EXPORT_MS_MAX = 5_000;
const CLOSE_MS_MAX = 1_000;
const LOGGED_MS = 60_000;
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

type ExportDone = Parameters<SpanExporter['export']>[1];

export interface OtlpOptions {
  /** Base URL of the collector, to which /v1/traces is added. */
  readonly endpoint: string;
  /** Sent with each export. */
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  /** Share of traces that begin here which are kept; of those that began elsewhere their own flag tells. */
  readonly sampleRatio: number;
  readonly nodeId: string;
  readonly thread: string;
  readonly log: Log;
}

export class OtlpTracing implements Tracing {
  readonly #provider: TracerProvider;
  readonly #tracer: Tracer;
  readonly #around = new AsyncLocalStorage<Context>();

  constructor(options: OtlpOptions) {
    const { endpoint, headers, serviceName, sampleRatio, nodeId, thread, log } = options;
    const exporter = new OTLPTraceExporter({
      url: `${endpoint.replace(/\/+$/, '')}/v1/traces`,
      headers: { ...headers },
      timeoutMillis: EXPORT_MS_MAX,
    });
    this.#provider = new TracerProvider({
      resource: resourceFromAttributes({
        'service.name': serviceName,
        'service.version': version,
        'service.instance.id': nodeId,
        'thread.name': thread,
      }),
      sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampleRatio) }),
      spanProcessors: [
        new BatchSpanProcessor({
          exporter: new WatchedExporter(exporter, log),
          maxQueueSize: QUEUE_MAX,
          maxExportBatchSize: BATCH_MAX,
          scheduledDelayMillis: BATCH_MS,
          exportTimeoutMillis: EXPORT_MS_MAX,
        }),
      ],
    });
    this.#tracer = this.#provider.getTracer('budget-pacer', version);
  }

  run<T>(name: string, attributes: Attributes, work: () => Promise<T>): Promise<T> {
    const around = this.#around.getStore() ?? ROOT_CONTEXT;
    const span = this.#tracer.startSpan(name, { attributes: { ...attributes } }, around);
    return this.#around.run(trace.setSpan(around, span), async () => {
      try {
        return await work();
      } catch (error) {
        fail(span, error);
        throw error;
      } finally {
        span.end();
      }
    });
  }

  begin(name: string, attributes: Attributes, traceparent: string | undefined): OpenSpan {
    const around = remoteContext(traceparent);
    const span = this.#tracer.startSpan(
      name,
      { kind: SpanKind.SERVER, attributes: { ...attributes } },
      around,
    );
    return {
      inside: (work) => this.#around.run(trace.setSpan(around, span), work),
      end: (more, failed) => {
        span.setAttributes({ ...more });
        if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
        span.end();
      },
    };
  }

  async close(): Promise<void> {
    const late = new Promise<void>((resolve) => {
      setTimeout(resolve, CLOSE_MS_MAX).unref();
    });
    await Promise.race([this.#provider.shutdown().catch(() => undefined), late]);
  }
}

/** The context of a caller that traces; that of nobody when it does not, or says so wrongly. */
function remoteContext(traceparent: string | undefined): Context {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent ?? '') ?? [];
  if (traceId === undefined || spanId === undefined || /^0+$/.test(traceId) || /^0+$/.test(spanId)) {
    return ROOT_CONTEXT;
  }
  const traceFlags = Number.parseInt(flags ?? '00', 16) & TraceFlags.SAMPLED;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}

function fail(span: Span, error: unknown): void {
  const type = isAppError(error) ? error.code : error instanceof Error ? error.name : 'unknown';
  span.setAttribute('error.type', type);
  span.setStatus({ code: SpanStatusCode.ERROR });
}

/** By its name, for a bundled thread (scripts/bundle-threads.js) has a class of its own. */
function isAppError(error: unknown): error is AppError {
  return error instanceof Error && error.name === 'AppError';
}

/** Says in the log, once a minute at most, that spans are lost, and when they no longer are. */
class WatchedExporter implements SpanExporter {
  readonly #exporter: SpanExporter;
  readonly #log: Log;
  #loggedAtMs = Number.NEGATIVE_INFINITY;
  #lost = 0;

  constructor(exporter: SpanExporter, log: Log) {
    this.#exporter = exporter;
    this.#log = log;
  }

  export(spans: ReadableSpan[], done: ExportDone): void {
    this.#exporter.export(spans, (result) => {
      if (result.error !== undefined) this.#failed(spans.length, result.error);
      else this.#succeeded();
      done(result);
    });
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }

  #failed(spans: number, error: Error): void {
    this.#lost += spans;
    const nowMs = performance.now();
    if (nowMs - this.#loggedAtMs < LOGGED_MS) return;
    this.#loggedAtMs = nowMs;
    const code = 'code' in error ? error.code : undefined;
    this.#log.warn(
      { lost: this.#lost, code, reason: error.message.slice(0, 200) },
      'traces cannot be exported',
    );
  }

  #succeeded(): void {
    if (this.#lost === 0) return;
    this.#log.info({ lost: this.#lost }, 'traces are exported again');
    this.#lost = 0;
    this.#loggedAtMs = Number.NEGATIVE_INFINITY;
  }
}
