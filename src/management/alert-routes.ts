/** The routes of /alerts: reading them, the newest first, and resolving one. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import type { AlertFilter, AlertRow, AlertStore } from '../sinks/postgres/alert-store.ts';
import { type CampaignStore, campaignNotFound } from '../sinks/postgres/campaign-store.ts';
import { noteOfResolution, orderOf } from './change-note.ts';
import { EXAMPLE_ID } from './examples.ts';
import { id, querySwitch, reason } from './field-rules.ts';
import { numberCursor, pageLimit } from './list-query.ts';
import { addOperation } from './operation.ts';
import { shownBreaker, shownTime } from './shown-fields.ts';

const ALERT_ID_ACCEPTED = 'the id of an alert: a whole number above 0';

const listQuery = z.object({
  unresolved_only: querySwitch,
  limit: pageLimit,
  cursor: numberCursor,
});

const byAlert = z.object({
  id: z
    .string({ error: ALERT_ID_ACCEPTED })
    .regex(/^[1-9][0-9]{0,14}$/, { error: ALERT_ID_ACCEPTED })
    .transform(Number)
    .pipe(z.int().min(1))
    .describe('Of the alert.'),
});

const shownAlert = z
  .strictObject({
    id: z.int().min(1),
    campaign_id: id.nullable().describe('null when it concerns a pod.'),
    alert_type: z.string().meta({ examples: ['budget_threshold', 'circuit_breaker'] }),
    severity: z.enum(['info', 'warning', 'critical']),
    threshold_percentage: z.number().nullable(),
    message: z.string(),
    circuit_breaker_state: shownBreaker.nullable(),
    created_at: shownTime,
    resolved_at: shownTime.nullable().describe('null while it stands.'),
  })
  .meta({ id: 'Alert' });

export type ShownAlert = z.output<typeof shownAlert>;

const EXAMPLE: ShownAlert = {
  id: 42,
  campaign_id: EXAMPLE_ID,
  alert_type: 'budget_threshold',
  severity: 'warning',
  threshold_percentage: 80,
  message: 'camp-001 has spent 80% of its daily budget of $1000.00 on 2026-03-01',
  circuit_breaker_state: 'CLOSED',
  created_at: '2026-03-01T19:04:11.000Z',
  resolved_at: null,
};

const tag = 'Alerts';
const page = {
  description: 'A page.',
  body: z.array(shownAlert),
  headers: ['X-Next-Cursor'],
  example: [EXAMPLE],
} as const;

export function addAlertRoutes(app: FastifyInstance, store: CampaignStore, alerts: AlertStore): void {
  const list = async (
    query: z.output<typeof listQuery>,
    of: Pick<AlertFilter, 'campaignId'>,
    reply: FastifyReply,
  ): Promise<ShownAlert[]> => {
    const { limit, cursor, unresolved_only: unresolvedOnly } = query;
    const from = cursor === undefined ? {} : { cursor };
    const found = await alerts.list({ ...of, limit, unresolvedOnly, ...from });
    if (found.nextCursor !== null) reply.header('x-next-cursor', String(found.nextCursor));
    return found.alerts.map(wireAlert);
  };

  addOperation(
    app,
    {
      method: 'GET',
      url: '/alerts',
      operationId: 'listAlerts',
      tag,
      summary: 'Alerts of all campaigns and of pods, newest first',
      query: listQuery,
      answer: page,
      errors: ['unavailable'],
    },
    async ({ query }, _request, reply) => list(query, {}, reply),
  );

  addOperation(
    app,
    {
      method: 'GET',
      url: '/alerts/:id',
      operationId: 'listCampaignAlerts',
      tag,
      summary: 'Alerts of one campaign, newest first',
      params: z.object({ id }),
      query: listQuery,
      answer: page,
      errors: ['campaign_not_found', 'unavailable'],
    },
    async ({ params, query }, _request, reply) => {
      if ((await store.get(params.id)) === null) throw campaignNotFound(params.id);
      return list(query, { campaignId: params.id }, reply);
    },
  );

  addOperation(
    app,
    {
      method: 'POST',
      url: '/alerts/:id/resolve',
      operationId: 'resolveAlert',
      tag,
      summary: 'Resolve an alert by hand',
      description: 'One that is resolved already stays as it is. Who resolved it stands in the audit log.',
      params: byAlert,
      body: z.strictObject({ reason }),
      bodyOptional: true,
      bodyExamples: { resolve: { reason: 'the budget is meant to end early today' } },
      answer: {
        description: 'The alert, resolved.',
        body: shownAlert,
        example: { ...EXAMPLE, resolved_at: '2026-03-01T19:10:00.000Z' },
      },
      errors: ['not_found', 'unavailable'],
    },
    async ({ params, body }, request) => {
      const order = orderOf(request, 'alert.resolve', body.reason);
      return wireAlert(
        await alerts.resolve(params.id, Date.now(), (standing, resolvedAt) =>
          noteOfResolution(order, standing, resolvedAt),
        ),
      );
    },
  );
}

/** An alert as clients and the WebSocket see it. */
export function wireAlert(alert: AlertRow): ShownAlert {
  return {
    ...alert,
    created_at: alert.created_at.toISOString(),
    resolved_at: alert.resolved_at?.toISOString() ?? null,
  };
}
