/**
 * A line for each answer: changes at `info`, reads at `debug`. Never a header, a query or a body: those may hold
 * secrets.
 */
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';

export function addRequestLog(app: FastifyInstance, log: Logger): void {
  app.addHook('onResponse', async (request, reply) => {
    const { id, actor, method, routeOptions } = request;
    const isRead = method === 'GET' || method === 'HEAD';
    log[isRead || reply.statusCode >= 400 ? 'debug' : 'info'](
      {
        request_id: id,
        actor,
        method,
        route: routeOptions.url,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
      },
      'answered',
    );
  });
}
