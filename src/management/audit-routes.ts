/** GET /audit: who changed what, when, from what to what; newest first. */
import type { FastifyInstance } from 'fastify';
import { ID_ACCEPTED, isId } from '../domain/campaign.ts';
import type { AuditEntry, AuditFilter, AuditStore } from '../sinks/postgres/audit-store.ts';
import { limitOf, queryOf, refused } from './list-query.ts';
import type { JsonObject } from './request-body.ts';

export function addAuditRoutes(app: FastifyInstance, audit: AuditStore): void {
  app.get('/audit', async (request, reply) => {
    const page = await audit.list(filterOf(request.query));
    if (page.nextCursor !== null) reply.header('x-next-cursor', String(page.nextCursor));
    return page.entries.map(wireEntry);
  });
}

function wireEntry(entry: AuditEntry): JsonObject {
  return {
    id: entry.id,
    at: entry.at.toISOString(),
    actor: entry.actor,
    action: entry.action,
    campaign_id: entry.campaignId,
    version: entry.version,
    before: entry.before,
    after: entry.after,
    reason: entry.reason,
    request_id: entry.requestId,
  };
}

function filterOf(query: unknown): AuditFilter {
  const { campaign_id, limit, cursor } = queryOf(query);
  return {
    limit: limitOf(limit),
    ...(campaign_id === undefined ? {} : { campaignId: campaignIdOf(campaign_id) }),
    ...(cursor === undefined ? {} : { cursor: cursorOf(cursor) }),
  };
}

function campaignIdOf(value: unknown): string {
  if (isId(value)) return value;
  throw refused('campaign_id', ID_ACCEPTED);
}

function cursorOf(value: unknown): number {
  if (typeof value === 'string' && /^[1-9][0-9]{0,14}$/.test(value)) return Number(value);
  throw refused('cursor', 'the X-Next-Cursor of the page before');
}
