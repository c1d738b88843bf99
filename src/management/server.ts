/**
 * The management API's HTTP server, for operators: campaigns, budgets, what became of them, health. Owns nothing but its routes;
 * the store, the shards and the health report are given. Cold path: plain and readable.
 */
import Fastify, { type FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { AppError } from '../domain/app-error.ts';
import type { Shards } from '../messages/shards.ts';
import type { AlertStore } from '../sinks/postgres/alert-store.ts';
import type { CampaignStore } from '../sinks/postgres/campaign-store.ts';
import type { PerformanceStore } from '../sinks/postgres/performance-store.ts';
import { addAlertRoutes } from './alert-routes.ts';
import { addBudgetRoutes } from './budget-routes.ts';
import { CampaignChanges } from './campaign-changes.ts';
import { addCampaignRoutes } from './campaign-routes.ts';
import { addErrorAnswers, answerError, answerUnreadable } from './error-answers.ts';
import { addPerformanceRoutes } from './performance-routes.ts';
import type { JsonObject } from './request-body.ts';

export interface HealthReport {
  readonly statusCode: number;
  readonly body: unknown;
}

export interface ManagementServerOptions {
  readonly store: CampaignStore;
  readonly performance: PerformanceStore;
  readonly alerts: AlertStore;
  readonly shards: Shards;
  /** What GET /health answers. */
  readonly health: () => HealthReport | Promise<HealthReport>;
  /** What GET /metrics/summary answers. */
  readonly summary: () => JsonObject;
  readonly log: Logger;
  /** Largest body accepted. */
  readonly bodyBytesMax: number;
}

const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_TIMEOUT_MS = 60_000;

/** Long enough that an id which is too long is told so, and does not look like an unknown path. */
const PATH_PARAMETER_LENGTH_MAX = 8_192;

/** Builds the server; the caller lets it listen, and closes it. */
export function buildManagementServer(options: ManagementServerOptions): FastifyInstance {
  const { store, performance, alerts, shards, health, summary, log, bodyBytesMax } = options;
  const app: FastifyInstance = Fastify({
    logger: false,
    bodyLimit: bodyBytesMax,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: PATH_PARAMETER_LENGTH_MAX },
    clientErrorHandler: answerUnreadable,
    frameworkErrors: (_error, _request, reply) => {
      void answerError(new AppError('invalid_request', 'the path is malformed'), reply);
    },
  });
  acceptAnyContentType(app);
  addErrorAnswers(app, log, bodyBytesMax);
  const changes = new CampaignChanges(store, shards, log);
  addCampaignRoutes(app, store, changes);
  addBudgetRoutes(app, store, shards, changes);
  addPerformanceRoutes(app, store, performance);
  addAlertRoutes(app, store, alerts);
  app.get('/metrics/summary', async () => summary());
  app.get('/health', async (_request, reply) => {
    const report = await health();
    reply.code(report.statusCode);
    return report.body;
  });
  return app;
}

/** Bodies are JSON whatever the header says, as curl sends them. They are parsed where they are wanted. */
function acceptAnyContentType(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.addHook('onRequest', async (request) => {
    // Fastify refuses a malformed header on its own before any parser is asked.
    delete request.raw.headers['content-type'];
  });
}
