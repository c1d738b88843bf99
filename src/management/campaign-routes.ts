/** The routes of /campaigns: reading, creating, replacing, changing and deleting campaigns. */
import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { CAMPAIGN_STATUSES, type Campaign, ID_ACCEPTED, ID_PATTERN } from '../domain/campaign.ts';
import type { Shards } from '../messages/shards.ts';
import { type CampaignStore, campaignNotFound } from '../sinks/postgres/campaign-store.ts';
import { budgetWarning } from './budget-warning.ts';
import {
  changedCampaign,
  createBody,
  deleteBody,
  patchBody,
  replaceBody,
  shownCampaign,
} from './campaign-bodies.ts';
import type { CampaignChanges } from './campaign-changes.ts';
import { campaignToCreate, campaignToPatch, campaignToReplace, wireCampaign } from './campaign-schema.ts';
import { orderOf } from './change-note.ts';
import { CAMPAIGN_EXAMPLE, NEW_CAMPAIGN_EXAMPLE } from './examples.ts';
import { id, oneOf, text } from './field-rules.ts';
import { pageLimit } from './list-query.ts';
import { addOperation } from './operation.ts';

const SEARCH_LENGTH_MAX = 256;
const CURSOR_ACCEPTED = `the X-Next-Cursor of the page before: ${ID_ACCEPTED}`;

const byId = z.object({ id });

const listQuery = z.object({
  status: oneOf(CAMPAIGN_STATUSES).optional().describe('Absent: every one but `DELETED`.'),
  q: text(0, SEARCH_LENGTH_MAX, `a text of at most ${SEARCH_LENGTH_MAX} characters`)
    .optional()
    .describe('Part of the id or the name, letter case ignored.'),
  limit: pageLimit,
  cursor: z
    .string({ error: CURSOR_ACCEPTED })
    .regex(ID_PATTERN, { error: CURSOR_ACCEPTED })
    .optional()
    .describe('The `X-Next-Cursor` of the page before.'),
});

const tag = 'Campaigns';
const changed = { description: 'As it is now.', body: shownCampaign, example: CAMPAIGN_EXAMPLE };

export function addCampaignRoutes(
  app: FastifyInstance,
  store: CampaignStore,
  shards: Shards,
  changes: CampaignChanges,
): void {
  /** As it is after a change; budgets that the change gave and that stop the spending are said to. */
  const shownAfter = async (campaign: Campaign, { budgetsGiven }: { budgetsGiven: boolean }) => {
    const status = budgetsGiven ? await shards.status(campaign.id, false) : null;
    return { ...wireCampaign(campaign), ...budgetWarning(campaign, status) };
  };

  addOperation(
    app,
    {
      method: 'GET',
      url: '/campaigns',
      operationId: 'listCampaigns',
      tag,
      summary: 'List campaigns, ordered by id',
      query: listQuery,
      answer: {
        description: 'A page.',
        body: z.array(shownCampaign),
        headers: ['X-Next-Cursor'],
        example: [CAMPAIGN_EXAMPLE],
      },
      errors: ['unavailable'],
    },
    async ({ query }, _request, reply) => {
      const { status, q, limit, cursor } = query;
      const page = await store.list({
        limit,
        ...(status === undefined ? {} : { status }),
        ...(cursor === undefined ? {} : { cursor }),
        ...(q === undefined || q === '' ? {} : { text: q }),
      });
      if (page.nextCursor !== null) reply.header('x-next-cursor', page.nextCursor);
      return page.campaigns.map(wireCampaign);
    },
  );

  addOperation(
    app,
    {
      method: 'POST',
      url: '/campaigns',
      operationId: 'createCampaign',
      tag,
      summary: 'Create a campaign',
      description: 'Every decision thread knows it when this is answered.',
      body: createBody,
      bodyExamples: { campaign: NEW_CAMPAIGN_EXAMPLE },
      answer: { ...changed, status: 201, description: 'It is created.', headers: ['Location'] },
      errors: ['already_exists', 'unavailable', 'campaign_limit'],
    },
    async ({ body }, request, reply) => {
      const asked = campaignToCreate(body, randomUUID, Date.now());
      const campaign = await changes.create(asked, orderOf(request, 'campaign.create', body.reason));
      reply.header('location', `/campaigns/${campaign.id}`);
      return wireCampaign(campaign);
    },
  );

  addOperation(
    app,
    {
      method: 'GET',
      url: '/campaigns/:id',
      operationId: 'getCampaign',
      tag,
      summary: 'Read a campaign, a deleted one too',
      params: byId,
      answer: changed,
      errors: ['campaign_not_found', 'unavailable'],
    },
    async ({ params }) => {
      const campaign = await store.get(params.id);
      if (campaign === null) throw campaignNotFound(params.id);
      return wireCampaign(campaign);
    },
  );

  addOperation(
    app,
    {
      method: 'PUT',
      url: '/campaigns/:id',
      operationId: 'replaceCampaign',
      tag,
      summary: 'Replace every editable field',
      description: 'Editable fields that are absent get their default; hourly multipliers stay.',
      params: byId,
      body: replaceBody,
      bodyExamples: { replacement: { name: 'Spring sale', daily_budget_cents: 150_000, version: 1 } },
      answer: { ...changed, body: changedCampaign },
      errors: ['campaign_not_found', 'stale_version', 'unavailable'],
    },
    async ({ params, body }, request) => {
      const order = orderOf(request, 'campaign.replace', body.reason);
      const replace = (current: Campaign) => campaignToReplace(body, current, Date.now());
      const replaced = await changes.edit(params.id, order, replace, { pinned: body.version !== undefined });
      return shownAfter(replaced, { budgetsGiven: true });
    },
  );

  addOperation(
    app,
    {
      method: 'PATCH',
      url: '/campaigns/:id',
      operationId: 'patchCampaign',
      tag,
      summary: 'Change the fields given',
      params: byId,
      body: patchBody,
      bodyExamples: {
        pause: { status: 'PAUSED' },
        rename: { name: 'Summer sale', version: 1 },
      },
      answer: { ...changed, body: changedCampaign },
      errors: ['campaign_not_found', 'stale_version', 'unavailable'],
    },
    async ({ params, body }, request) => {
      const order = orderOf(request, 'campaign.patch', body.reason);
      const patch = (current: Campaign) => campaignToPatch(body, current, Date.now());
      const patched = await changes.edit(params.id, order, patch, { pinned: body.version !== undefined });
      const budgetsGiven = body.daily_budget_cents !== undefined || body.total_budget_cents !== undefined;
      return shownAfter(patched, { budgetsGiven });
    },
  );

  addOperation(
    app,
    {
      method: 'DELETE',
      url: '/campaigns/:id',
      operationId: 'deleteCampaign',
      tag,
      summary: 'Mark a campaign deleted; its history stays',
      params: byId,
      body: deleteBody,
      bodyOptional: true,
      bodyExamples: { delete: { reason: 'booked twice' } },
      answer: { ...changed, example: { ...CAMPAIGN_EXAMPLE, status: 'DELETED', version: 2 } },
      errors: ['campaign_not_found', 'unavailable'],
    },
    async ({ params, body }, request) => {
      const order = orderOf(request, 'campaign.delete', body.reason);
      return wireCampaign(await changes.remove(params.id, order, Date.now()));
    },
  );
}
