/** GET /audit: who changed what, when, from what to what; newest first. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { AuditEntry, AuditStore } from '../sinks/postgres/audit-store.ts';
import { EXAMPLE_ID } from './examples.ts';
import { id } from './field-rules.ts';
import { numberCursor, pageLimit } from './list-query.ts';
import { addOperation } from './operation.ts';
import { shownCount, shownTime } from './shown-fields.ts';

const listQuery = z.object({
  campaign_id: id.optional().describe('Absent: of all campaigns.'),
  limit: pageLimit,
  cursor: numberCursor,
});

const changedFields = z.record(z.string(), z.unknown());

const shownEntry = z
  .strictObject({
    id: shownCount,
    at: shownTime,
    actor: z.string().describe('Name of the token, or `anonymous` when nobody is asked for one.'),
    action: z.string().meta({ examples: ['campaign.create', 'budget.adjust'] }),
    campaign_id: id.nullable(),
    version: z.int().nullable().describe('The campaign’s version since this change.'),
    before: changedFields.nullable().describe('The fields that changed, as they were; null of a creation.'),
    after: changedFields.describe('The same fields, as they are since.'),
    reason: z.string().nullable(),
    request_id: z.string().nullable(),
  })
  .meta({ id: 'AuditEntry' });

type ShownEntry = z.output<typeof shownEntry>;

const EXAMPLE: ShownEntry = {
  id: 17,
  at: '2026-03-01T09:30:00.000Z',
  actor: 'ops',
  action: 'budget.adjust',
  campaign_id: EXAMPLE_ID,
  version: 2,
  before: { daily_budget_cents: 100_000 },
  after: { daily_budget_cents: 150_000 },
  reason: 'a good week',
  request_id: '0d6f9b1e-3f0e-4a40-9f0a-7c52ad1f9b11',
};

export function addAuditRoutes(app: FastifyInstance, audit: AuditStore): void {
  addOperation(
    app,
    {
      method: 'GET',
      url: '/audit',
      operationId: 'listAudit',
      tag: 'Audit',
      summary: 'Who changed what, when, from what to what; newest first',
      query: listQuery,
      answer: {
        description: 'A page.',
        body: z.array(shownEntry),
        headers: ['X-Next-Cursor'],
        example: [EXAMPLE],
      },
      errors: ['unavailable'],
    },
    async ({ query }, _request, reply) => {
      const { campaign_id, limit, cursor } = query;
      const page = await audit.list({
        limit,
        ...(campaign_id === undefined ? {} : { campaignId: campaign_id }),
        ...(cursor === undefined ? {} : { cursor }),
      });
      if (page.nextCursor !== null) reply.header('x-next-cursor', String(page.nextCursor));
      return page.entries.map(wireEntry);
    },
  );
}

function wireEntry(entry: AuditEntry): ShownEntry {
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
