/** The pod's own routes: its health, and today's figures of its table and traffic. */
import type { FastifyInstance } from 'fastify';

import { addOperation } from './operation.ts';
import {
  HEALTH_EXAMPLE,
  type ShownSummary,
  SUMMARY_EXAMPLE,
  shownHealth,
  shownSummary,
} from './shown-status.ts';

export interface HealthReport {
  readonly statusCode: 200 | 503;
  /** JSON. */
  readonly body: string;
}

export function addServiceRoutes(
  app: FastifyInstance,
  health: () => HealthReport,
  summary: () => ShownSummary,
): void {
  addOperation(
    app,
    {
      method: 'GET',
      url: '/metrics/summary',
      operationId: 'getMetricsSummary',
      tag: 'Insight',
      summary: 'Fleet totals for today',
      answer: { description: 'The figures.', body: shownSummary, example: SUMMARY_EXAMPLE },
    },
    async () => summary(),
  );

  addOperation(
    app,
    {
      method: 'GET',
      url: '/health',
      access: 'open',
      operationId: 'getHealth',
      tag: 'Service',
      summary: 'Whether the pod serves, and what it stands on',
      answer: { description: 'It serves: healthy or degraded.', body: shownHealth, example: HEALTH_EXAMPLE },
      otherAnswers: {
        503: {
          description: 'unhealthy: a thread is down, starting or stopping, or the campaigns are not loaded.',
          body: shownHealth,
          example: { ...HEALTH_EXAMPLE, status: 'unhealthy' },
        },
      },
    },
    async (_given, _request, reply) => {
      const { statusCode, body } = health();
      return reply.code(statusCode).type('application/json; charset=utf-8').send(body);
    },
  );
}
