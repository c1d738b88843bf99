/** A span for each request to the management port, but for files of pages and probes of health. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { OpenSpan, Tracing } from '../threads/tracing.ts';

/** To be added before other hooks, so that what they do is within the span. */
export function addRequestTracing(app: FastifyInstance, tracing: Tracing | null): void {
  if (tracing === null) return;
  const spans = new WeakMap<FastifyRequest, OpenSpan>();
  app.addHook('onRequest', (request, _reply, done) => {
    const { method, routeOptions, headers, id } = request;
    const route = routeOptions.url;
    if (route === '/health' || routeOptions.config?.described === 'page-file') {
      done();
      return;
    }
    const attributes = { 'http.request.method': method, 'http.route': route ?? '', 'pacer.request_id': id };
    const parent = headers.traceparent;
    const span = tracing.begin(
      `${method} ${route ?? 'unknown path'}`,
      attributes,
      typeof parent === 'string' ? parent : undefined,
    );
    spans.set(request, span);
    span.inside(done);
  });
  app.addHook('onResponse', async (request, { statusCode }) => {
    const attributes = { 'http.response.status_code': statusCode, 'pacer.actor': request.actor };
    spans.get(request)?.end(attributes, statusCode >= 500);
  });
}
