/** The routes that change a campaign's budget, day or pacing mode in one step, and the one that reads its budget. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { AppError } from '../domain/app-error.ts';
import { PACING_MODES } from '../domain/campaign.ts';
import type { Shards } from '../messages/shards.ts';
import { type CampaignStore, campaignNotFound } from '../sinks/postgres/campaign-store.ts';
import type { CampaignChanges } from './campaign-changes.ts';
import { campaignToConfigure, nextVersion, wireCampaign, wirePacingConfig } from './campaign-schema.ts';
import { orderOf } from './change-note.ts';
import { cents, checked, id, oneOf, reason } from './field-rules.ts';
import { bodyOf, optionalBodyOf, pathId } from './request.ts';

const adjustBody = z.strictObject({
  campaign_id: id,
  new_daily_budget_cents: cents,
  /** Absent leaves the total budget as it is, null takes it away. */
  new_total_budget_cents: cents.nullable().optional(),
  reason: reason.nullable().optional(),
});

const resetBody = z.strictObject({ campaign_id: id.optional(), reason: reason.nullable().optional() });

const modeBody = z.strictObject({ campaign_id: id, pacing_mode: oneOf(PACING_MODES) });

export function addBudgetRoutes(
  app: FastifyInstance,
  store: CampaignStore,
  shards: Shards,
  changes: CampaignChanges,
): void {
  app.post('/budget/adjust', async (request) => {
    const given = checked(adjustBody, bodyOf(request));
    const total = given.new_total_budget_cents;
    const budgets = {
      dailyBudgetMicros: given.new_daily_budget_cents,
      ...(total === undefined ? {} : { totalBudgetMicros: total }),
    };
    const order = orderOf(request, 'budget.adjust', given.reason);
    return wireCampaign(
      await changes.edit(given.campaign_id, order, (current) => nextVersion(current, budgets, Date.now())),
    );
  });

  app.post('/pacing/mode', async (request) => {
    const { campaign_id, pacing_mode } = checked(modeBody, bodyOf(request));
    return wireCampaign(
      await changes.edit(campaign_id, orderOf(request, 'pacing.mode'), (current) =>
        nextVersion(current, { pacingMode: pacing_mode }, Date.now()),
      ),
    );
  });

  app.get('/pacing/config/:id', async (request) => {
    const campaignId = pathId(request);
    const campaign = await store.get(campaignId);
    if (campaign === null) throw campaignNotFound(campaignId);
    return wirePacingConfig(campaign);
  });

  app.put('/pacing/config/:id', async (request) => {
    const body = bodyOf(request);
    const order = orderOf(request, 'pacing.config');
    return wirePacingConfig(
      await changes.edit(pathId(request), order, (current) => campaignToConfigure(body, current, Date.now())),
    );
  });

  app.post('/budget/reset/:id', async (request, reply) => {
    const campaignId = pathId(request);
    const { campaign_id = campaignId } = checked(resetBody, optionalBodyOf(request));
    if (campaign_id !== campaignId) {
      throw new AppError('invalid_request', 'campaign_id must be the id in the path', 'campaign_id');
    }
    const status = await shards.reset(campaignId);
    if (status === null) throw campaignNotFound(campaignId);
    return reply.type('application/json; charset=utf-8').send(status);
  });

  app.get('/budget/status/:id', async (request, reply) => {
    const campaignId = pathId(request);
    const { explain } = (request.query ?? {}) as Record<string, unknown>;
    const status = await shards.status(campaignId, explain === 'true');
    if (status === null) throw campaignNotFound(campaignId);
    return reply.type('application/json; charset=utf-8').send(status);
  });
}
