/** The routes of /campaigns: reading, creating, replacing, changing and deleting campaigns. */
import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { CAMPAIGN_STATUSES, type CampaignStatus, ID_ACCEPTED, isId } from '../domain/campaign.ts';
import {
  type CampaignFilter,
  type CampaignStore,
  campaignNotFound,
} from '../sinks/postgres/campaign-store.ts';
import type { CampaignChanges } from './campaign-changes.ts';
import { campaignToCreate, campaignToPatch, campaignToReplace, wireCampaign } from './campaign-schema.ts';
import { orderOf } from './change-note.ts';
import { isText } from './field-rules.ts';
import { limitOf, queryOf, refused } from './list-query.ts';
import { bodyOf, pathId } from './request.ts';

const SEARCH_LENGTH_MAX = 256;

export function addCampaignRoutes(
  app: FastifyInstance,
  store: CampaignStore,
  changes: CampaignChanges,
): void {
  app.get('/campaigns', async (request, reply) => {
    const page = await store.list(filterOf(request.query));
    if (page.nextCursor !== null) reply.header('x-next-cursor', page.nextCursor);
    return page.campaigns.map(wireCampaign);
  });

  app.post('/campaigns', async (request, reply) => {
    const asked = campaignToCreate(bodyOf(request), randomUUID, Date.now());
    const campaign = await changes.create(asked, orderOf(request, 'campaign.create'));
    reply.code(201).header('location', `/campaigns/${campaign.id}`);
    return wireCampaign(campaign);
  });

  app.get('/campaigns/:id', async (request) => {
    const id = pathId(request);
    const campaign = await store.get(id);
    if (campaign === null) throw campaignNotFound(id);
    return wireCampaign(campaign);
  });

  app.put('/campaigns/:id', async (request) => {
    const body = bodyOf(request);
    const edited = await changes.edit(
      pathId(request),
      orderOf(request, 'campaign.replace'),
      (current) => campaignToReplace(body, current, Date.now()),
      body.version !== undefined,
    );
    return wireCampaign(edited);
  });

  app.patch('/campaigns/:id', async (request) => {
    const body = bodyOf(request);
    const edited = await changes.edit(
      pathId(request),
      orderOf(request, 'campaign.patch'),
      (current) => campaignToPatch(body, current, Date.now()),
      body.version !== undefined,
    );
    return wireCampaign(edited);
  });

  app.delete('/campaigns/:id', async (request) =>
    wireCampaign(await changes.remove(pathId(request), orderOf(request, 'campaign.delete'), Date.now())),
  );
}

function filterOf(query: unknown): CampaignFilter {
  const { status, limit, cursor, q } = queryOf(query);
  return {
    limit: limitOf(limit),
    ...(status === undefined ? {} : { status: statusOf(status) }),
    ...(cursor === undefined ? {} : { cursor: cursorOf(cursor) }),
    ...(q === undefined || q === '' ? {} : { text: searchOf(q) }),
  };
}

function statusOf(value: unknown): CampaignStatus {
  const status = CAMPAIGN_STATUSES.find((known) => known === value);
  if (status !== undefined) return status;
  throw refused('status', `one of ${CAMPAIGN_STATUSES.join(', ')}`);
}

function cursorOf(value: unknown): string {
  if (isId(value)) return value;
  throw refused('cursor', `the X-Next-Cursor of the page before: ${ID_ACCEPTED}`);
}

function searchOf(value: unknown): string {
  if (isText(value, 1, SEARCH_LENGTH_MAX)) return value;
  throw refused('q', `a text of at most ${SEARCH_LENGTH_MAX} characters`);
}
