/** The routes that change a campaign's budget, day or pacing mode in one step, and the one that reads its budget. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { AppError } from '../domain/app-error.ts';
import { resetsOn } from '../domain/budget-day.ts';
import { type Campaign, PACING_MODES } from '../domain/campaign.ts';
import { localDayAt } from '../domain/local-day.ts';
import type { Shards } from '../messages/shards.ts';
import { type CampaignStore, campaignNotFound } from '../sinks/postgres/campaign-store.ts';
import { budgetWarning } from './budget-warning.ts';
import {
  changedCampaign,
  configBody,
  fromVersion,
  shownCampaign,
  shownPacingConfig,
} from './campaign-bodies.ts';
import type { CampaignChanges } from './campaign-changes.ts';
import {
  campaignToConfigure,
  checkVersion,
  nextVersion,
  wireCampaign,
  wirePacingConfig,
} from './campaign-schema.ts';
import { noteOfReset, orderOf } from './change-note.ts';
import { CAMPAIGN_EXAMPLE, EXAMPLE_ID } from './examples.ts';
import { cents, id, oneOf, querySwitch, reason } from './field-rules.ts';
import { addOperation } from './operation.ts';
import { BUDGET_STATUS_EXAMPLE, shownBudgetStatus } from './shown-status.ts';

const adjustBody = z
  .strictObject({
    campaign_id: id,
    new_daily_budget_cents: cents,
    new_total_budget_cents: cents
      .nullable()
      .optional()
      .describe('Absent leaves the total budget as it is, null takes it away.'),
    version: fromVersion,
    reason,
  })
  .meta({ id: 'BudgetAdjustment' });

const resetBody = z
  .strictObject({
    campaign_id: id.optional().describe('When it is given: the id in the path.'),
    reason,
  })
  .meta({ id: 'BudgetReset' });

const modeBody = z
  .strictObject({ campaign_id: id, pacing_mode: oneOf(PACING_MODES), version: fromVersion, reason })
  .meta({ id: 'PacingModeChange' });

/** The campaign with its day's counters beginning anew now. */
function resetDay(current: Campaign): Campaign {
  const nowMs = Date.now();
  const { date } = localDayAt(current.timezone, nowMs);
  const dayReset = { date, count: resetsOn(current, date) + 1, at: new Date(nowMs).toISOString() };
  return nextVersion(current, { dayReset }, nowMs);
}

const byId = z.object({ id });
const changed = { description: 'As it is now.', body: shownCampaign };
const status = { description: 'The status.', body: shownBudgetStatus, example: BUDGET_STATUS_EXAMPLE };
const config = {
  description: 'Its hourly multipliers.',
  body: shownPacingConfig,
  example: { campaign_id: EXAMPLE_ID, pacing_configs: [{ hour: 9, multiplier: 1.5 }] },
};

export function addBudgetRoutes(
  app: FastifyInstance,
  store: CampaignStore,
  shards: Shards,
  changes: CampaignChanges,
): void {
  addOperation(
    app,
    {
      method: 'POST',
      url: '/budget/adjust',
      operationId: 'adjustBudget',
      tag: 'Budgets',
      summary: "Change a campaign's budgets",
      description:
        'A budget below what is spent is accepted: it stops the spending, and the answer says so in `warning`. A raised ' +
        'one closes the breaker.',
      body: adjustBody,
      bodyExamples: {
        raise: { campaign_id: EXAMPLE_ID, new_daily_budget_cents: 150_000, reason: 'a good week' },
      },
      answer: {
        description: 'As it is now.',
        body: changedCampaign,
        example: { ...CAMPAIGN_EXAMPLE, daily_budget_cents: 150_000, version: 2 },
      },
      errors: ['campaign_not_found', 'stale_version', 'unavailable'],
    },
    async ({ body }, request) => {
      const { campaign_id, new_daily_budget_cents, new_total_budget_cents: total, version, reason } = body;
      const budgets = {
        dailyBudgetMicros: new_daily_budget_cents,
        ...(total === undefined ? {} : { totalBudgetMicros: total }),
      };
      const order = orderOf(request, 'budget.adjust', reason);
      const adjust = (current: Campaign) => {
        checkVersion(version, current);
        return nextVersion(current, budgets, Date.now());
      };
      const campaign = await changes.edit(campaign_id, order, adjust, { pinned: version !== undefined });
      const status = await shards.status(campaign_id, false);
      return { ...wireCampaign(campaign), ...budgetWarning(campaign, status) };
    },
  );

  addOperation(
    app,
    {
      method: 'POST',
      url: '/pacing/mode',
      operationId: 'setPacingMode',
      tag: 'Pacing',
      summary: "Change a campaign's pacing mode",
      body: modeBody,
      bodyExamples: { asap: { campaign_id: EXAMPLE_ID, pacing_mode: 'ASAP' } },
      answer: { ...changed, example: { ...CAMPAIGN_EXAMPLE, pacing_mode: 'ASAP', version: 2 } },
      errors: ['campaign_not_found', 'stale_version', 'unavailable'],
    },
    async ({ body }, request) => {
      const { campaign_id, pacing_mode: pacingMode, version } = body;
      const change = (current: Campaign) => {
        checkVersion(version, current);
        return nextVersion(current, { pacingMode }, Date.now());
      };
      const order = orderOf(request, 'pacing.mode', body.reason);
      return wireCampaign(await changes.edit(campaign_id, order, change, { pinned: version !== undefined }));
    },
  );

  addOperation(
    app,
    {
      method: 'GET',
      url: '/pacing/config/:id',
      operationId: 'getPacingConfig',
      tag: 'Pacing',
      summary: "Read a campaign's hourly multipliers",
      params: byId,
      answer: config,
      errors: ['campaign_not_found', 'unavailable'],
    },
    async ({ params }) => {
      const campaign = await store.get(params.id);
      if (campaign === null) throw campaignNotFound(params.id);
      return wirePacingConfig(campaign);
    },
  );

  addOperation(
    app,
    {
      method: 'PUT',
      url: '/pacing/config/:id',
      operationId: 'replacePacingConfig',
      tag: 'Pacing',
      summary: "Replace a campaign's hourly multipliers",
      params: byId,
      body: configBody,
      bodyExamples: {
        evening: {
          pacing_configs: [
            { hour: 20, multiplier: 2 },
            { hour: 20, multiplier: 3, day_of_week: 5 },
          ],
        },
      },
      answer: config,
      errors: ['campaign_not_found', 'stale_version', 'unavailable'],
    },
    async ({ params, body }, request) => {
      const configure = (current: Campaign) => campaignToConfigure(body, current, Date.now());
      const order = orderOf(request, 'pacing.config', body.reason);
      return wirePacingConfig(
        await changes.edit(params.id, order, configure, { pinned: body.version !== undefined }),
      );
    },
  );

  addOperation(
    app,
    {
      method: 'POST',
      url: '/budget/reset/:id',
      operationId: 'resetBudget',
      tag: 'Budgets',
      summary: "Start a campaign's day anew",
      description:
        "The day's count, its breaker and its plan begin anew; the spend history stays and what is in flight stays " +
        'reserved. Pods that share the budget follow within a second.',
      params: byId,
      body: resetBody,
      bodyOptional: true,
      bodyExamples: { reset: { reason: 'a test campaign ran on it' } },
      answer: { ...status, description: 'The status after it.' },
      errors: ['campaign_not_found', 'unavailable'],
    },
    async ({ params, body }, request, reply) => {
      if (body.campaign_id !== undefined && body.campaign_id !== params.id) {
        throw new AppError('invalid_request', 'campaign_id must be the id in the path', 'campaign_id');
      }
      const campaign = await store.get(params.id);
      const before = campaign === null ? null : await shards.status(params.id, false);
      if (before === null) throw campaignNotFound(params.id);
      const order = orderOf(request, 'budget.reset', body.reason);
      await changes.edit(params.id, order, resetDay, { note: () => noteOfReset(order, before) });
      const text = await shards.status(params.id, false);
      if (text === null) throw campaignNotFound(params.id);
      return reply.type('application/json; charset=utf-8').send(text);
    },
  );

  addOperation(
    app,
    {
      method: 'GET',
      url: '/budget/status/:id',
      operationId: 'getBudgetStatus',
      tag: 'Budgets',
      summary: "Read a campaign's money and pace right now",
      description: 'From its owner’s memory: it answers while the database is down.',
      params: byId,
      query: z.object({
        explain: querySwitch.describe('Whether to say why bids are decided as they are, term by term.'),
      }),
      answer: status,
      errors: ['campaign_not_found', 'unavailable'],
    },
    async ({ params, query }, _request, reply) => {
      const text = await shards.status(params.id, query.explain);
      if (text === null) throw campaignNotFound(params.id);
      return reply.type('application/json; charset=utf-8').send(text);
    },
  );
}
