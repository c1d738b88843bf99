/**
 * The management API's HTTP server, for operators: campaigns, budgets, what became of them, health. Owns nothing but its routes;
 * the store, the shards and the health report are given. Cold path: plain and readable.
 */
import Fastify, { type FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { ApiToken } from '../config/api-tokens.ts';
import { AppError } from '../domain/app-error.ts';
import type { Shards } from '../messages/shards.ts';
import type { AlertStore } from '../sinks/postgres/alert-store.ts';
import type { AuditStore } from '../sinks/postgres/audit-store.ts';
import type { CampaignStore } from '../sinks/postgres/campaign-store.ts';
import type { LearnedShapeStore } from '../sinks/postgres/learned-shape-store.ts';
import type { PerformanceStore } from '../sinks/postgres/performance-store.ts';
import type { TrafficStore } from '../sinks/postgres/traffic-store.ts';
import type { Tracing } from '../threads/tracing.ts';
import { addAccess } from './access.ts';
import { addAlertRoutes } from './alert-routes.ts';
import { addAuditRoutes } from './audit-routes.ts';
import { addBudgetRoutes } from './budget-routes.ts';
import { CampaignChanges } from './campaign-changes.ts';
import { addCampaignRoutes } from './campaign-routes.ts';
import {
  CONNECTION_LIMITS,
  type ConnectionLimits,
  limitConnections,
  serverOptions,
} from './connection-limits.ts';
import { Credentials } from './credentials.ts';
import { addDashboardRoutes } from './dashboard-routes.ts';
import { addErrorAnswers, answerError, answerUnreadable } from './error-answers.ts';
import type { Learning } from './learning.ts';
import { addLearningRoutes } from './learning-routes.ts';
import { addLiveRoutes } from './live/live-routes.ts';
import type { LiveUpdates } from './live/live-updates.ts';
import { endRefusedUpgrades } from './live/upgrades.ts';
import { addLoginRoutes } from './login-routes.ts';
import { addOpenApiRoutes } from './openapi/routes.ts';
import { collectOperations } from './operation.ts';
import { addCors } from './origin.ts';
import { addPerformanceRoutes } from './performance-routes.ts';
import { addRequestLog } from './request-log.ts';
import { addRequestTracing } from './request-tracing.ts';
import { addResponseHeaders, requestIdOf } from './response-headers.ts';
import { addServiceRoutes, type HealthReport } from './service-routes.ts';
import type { ShownSummary } from './shown-status.ts';
import { addSimulationRoutes } from './simulation-routes.ts';
import type { Simulations } from './simulations.ts';
import { addTrafficRoutes } from './traffic-routes.ts';

export interface ManagementServerOptions {
  readonly store: CampaignStore;
  readonly audit: AuditStore;
  readonly performance: PerformanceStore;
  readonly alerts: AlertStore;
  readonly shards: Shards;
  /** Whether pods share budgets through Redis. */
  readonly inFleet: boolean;
  /** Who is let in; nobody is asked for credentials when it is empty. */
  readonly apiTokens: readonly ApiToken[];
  /** Origins whose pages may call. */
  readonly corsOrigins: readonly string[];
  /** What GET /health answers. */
  readonly health: () => HealthReport;
  /** What GET /metrics/summary answers. */
  readonly summary: () => ShownSummary;
  /** Whether the traffic is simulated; the dashboard says so. */
  readonly isDemo?: boolean;
  /** Where today's traffic is; without it that route is not there. */
  readonly traffic?: Pick<TrafficStore, 'read'>;
  /** Serves the WebSocket; without it there is none. */
  readonly live?: LiveUpdates;
  /** Learns and simulates; without it those routes are not there. */
  readonly knowledge?: Knowledge;
  readonly tracing?: Tracing | null;
  readonly log: Logger;
  /** Largest body accepted. */
  readonly bodyBytesMax: number;
  readonly connections?: ConnectionLimits;
  /** Whether nobody but this machine can reach the port: it is then called by this machine's names only. */
  readonly isLocal?: boolean;
}

/** What the API knows beyond what is stored: needs the job pool. */
export interface Knowledge {
  readonly shapes: LearnedShapeStore;
  readonly learning: Learning;
  readonly simulations: Simulations;
}

/** Long enough that an id which is too long is told so, and does not look like an unknown path. */
const PATH_PARAMETER_LENGTH_MAX = 8_192;

/** Builds the server; the caller lets it listen, and closes it. */
export function buildManagementServer(options: ManagementServerOptions): FastifyInstance {
  const { store, audit, performance, alerts, shards, apiTokens, corsOrigins } = options;
  const { health, summary, knowledge, log, bodyBytesMax, connections = CONNECTION_LIMITS } = options;
  const app: FastifyInstance = Fastify({
    logger: false,
    bodyLimit: bodyBytesMax,
    ...serverOptions(connections),
    forceCloseConnections: 'idle',
    requestIdHeader: false,
    genReqId: requestIdOf,
    routerOptions: { maxParamLength: PATH_PARAMETER_LENGTH_MAX },
    clientErrorHandler: answerUnreadable,
    frameworkErrors: (_error, _request, reply) => {
      void answerError(new AppError('invalid_request', 'the path is malformed'), reply);
    },
  });
  const credentials = new Credentials(apiTokens);
  const routes = collectOperations(app);
  limitConnections(app, connections);
  addRequestTracing(app, options.tracing ?? null);
  addResponseHeaders(app);
  endRefusedUpgrades(app);
  addRequestLog(app, log);
  acceptAnyContentType(app);
  addCors(app, corsOrigins);
  addAccess(app, { credentials, corsOrigins, isLocal: options.isLocal ?? false, log });
  addErrorAnswers(app, log, bodyBytesMax);
  const changes = new CampaignChanges(store, shards, log, options.inFleet);
  addCampaignRoutes(app, store, shards, changes);
  addBudgetRoutes(app, store, shards, changes);
  addAuditRoutes(app, audit);
  addLoginRoutes(app, credentials);
  addPerformanceRoutes(app, store, performance, knowledge?.shapes ?? null);
  if (options.traffic !== undefined) addTrafficRoutes(app, store, options.traffic);
  addAlertRoutes(app, store, alerts);
  if (knowledge !== undefined) {
    addSimulationRoutes(app, knowledge.simulations);
    addLearningRoutes(app, store, knowledge.shapes, knowledge.learning);
  }
  if (options.live !== undefined) addLiveRoutes(app, options.live, credentials);
  addServiceRoutes(app, health, summary);
  addDashboardRoutes(app, { asksForLogin: credentials.required, isDemo: options.isDemo ?? false });
  addOpenApiRoutes(app, routes, credentials.required);
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
