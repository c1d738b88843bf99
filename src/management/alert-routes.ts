/** The routes of /alerts: reading them, the newest first, and resolving one. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { AlertFilter, AlertRow, AlertStore } from '../sinks/postgres/alert-store.ts';
import { type CampaignStore, campaignNotFound } from '../sinks/postgres/campaign-store.ts';
import { checked } from './field-rules.ts';
import { limitOf, queryOf, refused, switchOf } from './list-query.ts';
import { optionalBodyOf, pathId } from './request.ts';
import type { JsonObject } from './request-body.ts';

const resolveBody = z.strictObject({});

export function addAlertRoutes(app: FastifyInstance, store: CampaignStore, alerts: AlertStore): void {
  app.get('/alerts', async (request, reply) => {
    const page = await alerts.list(filterOf(request.query));
    if (page.nextCursor !== null) reply.header('x-next-cursor', String(page.nextCursor));
    return page.alerts.map(wireAlert);
  });

  app.get('/alerts/:id', async (request, reply) => {
    const campaignId = pathId(request);
    const filter = { ...filterOf(request.query), campaignId };
    if ((await store.get(campaignId)) === null) throw campaignNotFound(campaignId);
    const page = await alerts.list(filter);
    if (page.nextCursor !== null) reply.header('x-next-cursor', String(page.nextCursor));
    return page.alerts.map(wireAlert);
  });

  app.post('/alerts/:id/resolve', async (request) => {
    const { id } = queryOf(request.params);
    const alertId = numberOf(id);
    if (alertId === null) throw refused('id', 'the id of an alert: a whole number above 0');
    checked(resolveBody, optionalBodyOf(request));
    return wireAlert(await alerts.resolve(alertId, Date.now()));
  });
}

/** An alert as clients and the WebSocket see it. */
export function wireAlert(alert: AlertRow): JsonObject {
  return {
    ...alert,
    created_at: alert.created_at.toISOString(),
    resolved_at: alert.resolved_at?.toISOString() ?? null,
  };
}

function filterOf(query: unknown): AlertFilter {
  const { limit, cursor, unresolved_only } = queryOf(query);
  const before = numberOf(cursor);
  if (cursor !== undefined && before === null)
    throw refused('cursor', 'the X-Next-Cursor of the page before');
  return {
    limit: limitOf(limit),
    unresolvedOnly: switchOf('unresolved_only', unresolved_only),
    ...(before === null ? {} : { cursor: before }),
  };
}

/** The id of an alert, or null. */
function numberOf(value: unknown): number | null {
  return typeof value === 'string' && /^[1-9][0-9]{0,14}$/.test(value) ? Number(value) : null;
}
