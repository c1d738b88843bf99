/** `GET /pacing/traffic/{id}`: today's bids by slots of five minutes. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { localDayAt } from '../domain/local-day.ts';
import { centsFromMicros } from '../domain/money.ts';
import { type CampaignStore, campaignNotFound } from '../sinks/postgres/campaign-store.ts';
import { TRAFFIC_SLOT_MS, type TrafficPoint, type TrafficStore } from '../sinks/postgres/traffic-store.ts';
import { id } from './field-rules.ts';
import { addOperation } from './operation.ts';
import { shownCents, shownCount, shownRatio, shownTime } from './shown-fields.ts';

const RATE_STEPS = 10_000;

const shownSlot = z
  .strictObject({
    start: shownTime,
    seconds: z.int().min(1).describe('Length of the slot.'),
    asks: shownCount.describe('Bids that were asked for.'),
    allowed: shownCount.describe('Those that were let through.'),
    throttle_rate: shownRatio.describe('Mean over the bids that were asked for.'),
    spent_cents: shownCents.describe('Of the local day, by the end of the slot.'),
  })
  .meta({ id: 'TrafficSlot' });

type ShownSlot = z.output<typeof shownSlot>;

const EXAMPLE: ShownSlot = {
  start: '2026-03-01T09:00:00.000Z',
  seconds: 300,
  asks: 4_210,
  allowed: 2_713,
  throttle_rate: 0.3556,
  spent_cents: 41_250.5,
};

export function addTrafficRoutes(
  app: FastifyInstance,
  store: CampaignStore,
  traffic: Pick<TrafficStore, 'read'>,
): void {
  addOperation(
    app,
    {
      method: 'GET',
      url: '/pacing/traffic/:id',
      operationId: 'getTraffic',
      tag: 'Pacing',
      summary: "Today's bids and throttle by five minutes",
      description:
        "Of the campaign's local day and of all pods. A slot is there some seconds after it has ended, and left out when " +
        'nothing was asked for; what a pod had counted of the running one when it was killed is not there.',
      params: z.object({ id }),
      answer: { description: 'The slots, in their order.', body: z.array(shownSlot), example: [EXAMPLE] },
      errors: ['campaign_not_found', 'unavailable'],
    },
    async ({ params }) => {
      const campaign = await store.get(params.id);
      if (campaign === null) throw campaignNotFound(params.id);
      const { startMs, endMs } = localDayAt(campaign.timezone, Date.now());
      return (await traffic.read(params.id, startMs, endMs)).map(wireSlot);
    },
  );
}

function wireSlot({ startMs, asks, allowed, throttle, spentMicros }: TrafficPoint): ShownSlot {
  return {
    start: new Date(startMs).toISOString(),
    seconds: TRAFFIC_SLOT_MS / 1000,
    asks,
    allowed,
    throttle_rate: Math.round(throttle * RATE_STEPS) / RATE_STEPS,
    spent_cents: centsFromMicros(spentMicros),
  };
}
