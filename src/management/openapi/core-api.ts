/**
 * The core service on :8080, for its document. Edges check requests by hand, without zod, as it costs a bid less: these
 * schemas only describe, and a contract test holds them against a pod.
 */
import { z } from 'zod';
import type { ErrorCode } from '../../domain/app-error.ts';
import { REASONS } from '../../domain/gate.ts';
import { centsFromMicros, MICROS_MAX } from '../../domain/money.ts';
import { EXAMPLE_ID } from '../examples.ts';
import { id } from '../field-rules.ts';
import type { DescribedRoute } from '../operation.ts';
import { shownCents, shownRatio } from '../shown-fields.ts';
import { BUDGET_STATUS_EXAMPLE, HEALTH_EXAMPLE, shownBudgetStatus, shownHealth } from '../shown-status.ts';
import type { DescribedApi } from './described-api.ts';

const BATCH_MAX = 1_000;
const COUNT_MAX = 1_000_000_000;
const CENTS_MAX = centsFromMicros(MICROS_MAX);

const INTRODUCTION = `
What a bidder calls, for each bid and each win. A decision is answered from memory; a spend when it is on stable storage.

Money is in cents with at most four decimals. Bodies are JSON whatever their content type says, and fields that they
do not know are ignored. Keep connections alive; decisions may be pipelined, other requests may not.

Send a \`bid_id\` with a decision and the same one with its win or loss: what the bid holds is then freed exactly. Send
an \`event_id\` with each spend, so that one whose answer was lost can be sent again and counts once.

With EDGE_TOKEN set, everything but /health and /metrics wants \`Authorization: Bearer …\`.
`.trim();

export const CORE_API: DescribedApi = {
  title: 'Budget pacer: core service',
  summary: 'Decisions about bids, and what they cost.',
  introduction: INTRODUCTION,
  servers: [
    {
      url: 'http://{host}:{port}',
      description: 'HOST and PORT of a pod',
      variables: { host: { default: 'localhost' }, port: { default: '8080' } },
    },
  ],
  tags: {
    Bids: 'May a campaign bid, and what became of it.',
    Spend: 'What was spent, and what is left.',
    Service: 'For probes and scrapers.',
  },
  securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'EDGE_TOKEN.' } },
  security: [{}, { token: [] }],
  headers: [],
  commonErrors: ({ body, access }: DescribedRoute): readonly ErrorCode[] => [
    ...(body === undefined ? [] : (['invalid_request', 'body_too_large'] as const)),
    ...(access === 'open' ? [] : (['unauthorized', 'unavailable'] as const)),
  ],
};

const bidId = id.nullable().optional().describe('The bidder’s own name of the bid.');
const count = z.int().min(0).max(COUNT_MAX).nullable().optional();

const decisionRequest = z
  .object({ campaign_id: id, bid_cents: z.number().gt(0).max(CENTS_MAX), bid_id: bidId })
  .meta({ id: 'DecisionRequest' });

const decision = z
  .strictObject({
    allow_bid: z.boolean(),
    max_bid_cents: shownCents.describe('The most that this bid may cost; 0 when it is denied.'),
    throttle_rate: shownRatio.describe('The probability with which bids are being held back right now.'),
    reason: z.enum(REASONS).describe('`within_budget` or `probe` when allowed.'),
    warning: z.string().optional().describe('While degraded.'),
  })
  .meta({ id: 'Decision' });

const spendEvent = z
  .object({
    campaign_id: id,
    spend_cents: z.number().min(0).max(CENTS_MAX),
    impressions: count.describe('Default 1.'),
    clicks: count.describe('Default 0.'),
    event_id: id
      .nullable()
      .optional()
      .describe('A second event with it, within 24 hours, counts for nothing.'),
    bid_id: bidId,
  })
  .meta({ id: 'SpendEvent' });

const DECISION_EXAMPLE = {
  allow_bid: true,
  max_bid_cents: 150,
  throttle_rate: 0.15,
  reason: 'within_budget',
};
const BID_EXAMPLE = { campaign_id: EXAMPLE_ID, bid_cents: 150, bid_id: 'bid-1' };
const SPEND_EXAMPLE = { campaign_id: EXAMPLE_ID, spend_cents: 120.5, bid_id: 'bid-1', event_id: 'win-1' };
const spendStatus = z.enum(['success', 'duplicate']);

/** `live` answers without looking at anything else. */
function probe(url: string, operationId: string, summary: string, states: readonly [string, ...string[]]) {
  const [up, down] = states;
  const body = z.strictObject({ status: z.enum(states) });
  const unready = { description: 'Not yet, or not any more.', body, example: { status: down } };
  return {
    method: 'GET',
    url,
    access: 'open',
    operationId,
    tag: 'Service',
    summary,
    answers: {
      200: { description: 'It is.', body, example: { status: up } },
      ...(down === undefined ? {} : { 503: unready }),
    },
  } as const satisfies DescribedRoute;
}

export const CORE_ROUTES: readonly DescribedRoute[] = [
  {
    method: 'POST',
    url: '/pacing/decision',
    access: 'viewer',
    operationId: 'decide',
    tag: 'Bids',
    summary: 'May this campaign bid, and how much',
    description:
      'An allowed bid reserves its `max_bid_cents` until its win or loss, or for RESERVATION_TTL_MS.',
    body: decisionRequest,
    bodyExamples: { bid: BID_EXAMPLE },
    answers: { 200: { description: 'The decision.', body: decision, example: DECISION_EXAMPLE } },
    errors: ['rate_limited'],
  },
  {
    method: 'POST',
    url: '/pacing/decisions',
    access: 'viewer',
    operationId: 'decideMany',
    tag: 'Bids',
    summary: 'The same for up to 1000 bids in one round trip',
    body: z.object({ requests: z.array(decisionRequest).min(1).max(BATCH_MAX) }),
    bodyExamples: { bids: { requests: [BID_EXAMPLE, { campaign_id: EXAMPLE_ID, bid_cents: 80 }] } },
    answers: {
      200: {
        description: 'In the order of the requests.',
        body: z.strictObject({ decisions: z.array(decision) }),
        example: { decisions: [DECISION_EXAMPLE, { ...DECISION_EXAMPLE, max_bid_cents: 80 }] },
      },
    },
    errors: ['rate_limited'],
  },
  {
    method: 'POST',
    url: '/bid/lost',
    access: 'viewer',
    operationId: 'loseBid',
    tag: 'Bids',
    summary: 'Free what a lost bid holds',
    body: z.object({ campaign_id: id, bid_id: id }),
    bodyExamples: { loss: { campaign_id: EXAMPLE_ID, bid_id: 'bid-1' } },
    answers: {
      200: {
        description: '`unknown`: nothing is held under this id.',
        body: z.strictObject({ status: z.enum(['released', 'unknown']) }),
        example: { status: 'released' },
      },
    },
  },
  {
    method: 'POST',
    url: '/spend/track',
    access: 'viewer',
    operationId: 'trackSpend',
    tag: 'Spend',
    summary: 'Record what a win cost',
    description:
      'Answered when it is on stable storage. Money that was spent is always recorded, whatever the budget.',
    body: spendEvent,
    bodyExamples: { win: SPEND_EXAMPLE },
    answers: {
      200: {
        description: 'It is on record; a `duplicate` was already.',
        body: z.strictObject({ status: spendStatus }),
        example: { status: 'success' },
      },
    },
    errors: ['campaign_not_found'],
  },
  {
    method: 'POST',
    url: '/spend/batch',
    access: 'viewer',
    operationId: 'trackSpends',
    tag: 'Spend',
    summary: 'The same for up to 1000 events',
    body: z.object({ events: z.array(spendEvent).min(1).max(BATCH_MAX) }),
    bodyExamples: { wins: { events: [{ ...SPEND_EXAMPLE, event_id: 'win-2' }] } },
    answers: {
      200: {
        description: 'In the order of the events. One that is `unavailable` was not recorded: send it again.',
        body: z.strictObject({
          results: z.array(
            z.strictObject({
              status: z.enum([...spendStatus.options, 'campaign_not_found', 'unavailable', 'too_large']),
            }),
          ),
        }),
        example: { results: [{ status: 'success' }] },
      },
    },
  },
  {
    method: 'GET',
    url: '/budget/status/:id',
    access: 'viewer',
    operationId: 'getBudgetStatus',
    tag: 'Spend',
    summary: 'A campaign’s money and pace right now',
    params: z.object({ id }),
    query: z.object({
      explain: z.string().optional().describe('`true`: also why bids are decided as they are, term by term.'),
    }),
    answers: { 200: { description: 'The status.', body: shownBudgetStatus, example: BUDGET_STATUS_EXAMPLE } },
    errors: ['campaign_not_found'],
  },
  {
    method: 'GET',
    url: '/health',
    access: 'open',
    operationId: 'getHealth',
    tag: 'Service',
    summary: 'Whether the pod serves, and what it stands on',
    answers: {
      200: { description: 'healthy or degraded.', body: shownHealth, example: HEALTH_EXAMPLE },
      503: {
        description: 'unhealthy.',
        body: shownHealth,
        example: { ...HEALTH_EXAMPLE, status: 'unhealthy' },
      },
    },
  },
  probe('/health/live', 'getLiveness', 'Whether the process answers', ['live']),
  probe('/health/ready', 'getReadiness', 'Whether campaigns are loaded and every thread runs', [
    'ready',
    'not_ready',
  ]),
  {
    method: 'GET',
    url: '/metrics',
    access: 'open',
    operationId: 'getMetrics',
    tag: 'Service',
    summary: 'Metrics of all threads, for Prometheus',
    answers: { 200: { description: 'The metrics.', other: { 'text/plain': null } } },
    errors: ['unavailable'],
  },
];
