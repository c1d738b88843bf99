/** What was learned of a campaign's traffic, and learning it now. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { AppError } from '../domain/app-error.ts';
import type { Campaign } from '../domain/campaign.ts';
import { FLEET_SHAPE_ID } from '../domain/stored-traffic.ts';
import { priorsOf, type WeekShape } from '../domain/traffic-history.ts';
import { type CampaignStore, campaignNotFound } from '../sinks/postgres/campaign-store.ts';
import type { LearnedShape, LearnedShapeStore } from '../sinks/postgres/learned-shape-store.ts';
import { EXAMPLE_ID } from './examples.ts';
import { id } from './field-rules.ts';
import type { Learning } from './learning.ts';
import { addOperation } from './operation.ts';
import { shownCount, shownDate, shownRatio, shownTime } from './shown-fields.ts';

const WEEKDAYS = 7;

const shownShape = z
  .strictObject({
    campaign_id: id,
    source: z
      .enum(['learned', 'fleet', 'default'])
      .describe(
        'learned: from its own days. fleet: it has none yet, and is planned as the fleet is. default: nobody has.',
      ),
    learned_at: shownTime.nullable(),
    through_date: shownDate.nullable().describe('The last local day that was learned from.'),
    whole_days: shownCount.describe('Local days that were learned from, of the last 28.'),
    shape: z
      .array(z.strictObject({ day_of_week: z.int().min(0).max(6), hours: z.array(z.number().min(0)) }))
      .describe('For each weekday, 0 = Sunday, the shares of a day’s bids in the local hours 0–23.'),
    backtest: z
      .strictObject({
        date: shownDate,
        error: shownRatio.describe(
          'Of that day told from those before it: the largest difference of the cumulative shares.',
        ),
        default_error: shownRatio.describe('The same of the default multipliers.'),
        mean_error: shownRatio.describe('Mean over the last days.'),
        days: shownCount,
      })
      .nullable()
      .describe('How well the days before would have told the last ones; null with fewer than two.'),
  })
  .meta({ id: 'TrafficShape' });

type ShownShape = z.output<typeof shownShape>;

const EXAMPLE: ShownShape = {
  campaign_id: EXAMPLE_ID,
  source: 'learned',
  learned_at: '2026-03-02T05:10:00.000Z',
  through_date: '2026-03-01',
  whole_days: 28,
  shape: Array.from({ length: WEEKDAYS }, (_, day_of_week) => ({
    day_of_week,
    hours: new Array<number>(24).fill(0.041667),
  })),
  backtest: { date: '2026-03-01', error: 0.021, default_error: 0.094, mean_error: 0.026, days: 7 },
};

export function addLearningRoutes(
  app: FastifyInstance,
  store: CampaignStore,
  shapes: LearnedShapeStore,
  learning: Learning,
): void {
  async function existing(campaignId: string): Promise<Campaign> {
    const campaign = await store.get(campaignId);
    if (campaign === null || campaign.status === 'DELETED') throw campaignNotFound(campaignId);
    return campaign;
  }

  addOperation(
    app,
    {
      method: 'GET',
      url: '/pacing/shape/:id',
      operationId: 'getTrafficShape',
      tag: 'Pacing',
      summary: "What was learned of a campaign's traffic",
      description:
        'ADAPTIVE plans by it, and every mode spends ahead by it when the rest of the day cannot carry the budget. ' +
        'Learned each day from the hours of all pods; docs/pacing.md says how.',
      params: z.object({ id }),
      answer: { description: 'The shape.', body: shownShape, example: EXAMPLE },
      errors: ['campaign_not_found', 'unavailable'],
    },
    async ({ params }) => {
      await existing(params.id);
      const own = await shapes.get(params.id);
      return wireShape(params.id, own ?? (await shapes.get(FLEET_SHAPE_ID)));
    },
  );

  addOperation(
    app,
    {
      method: 'POST',
      url: '/pacing/learn/:id',
      operationId: 'learnTrafficShape',
      tag: 'Pacing',
      summary: "Learn a campaign's traffic now",
      description:
        'As the daily run does. The plan takes it over without a jump, on this pod at once and on others within a minute.',
      params: z.object({ id }),
      body: z.strictObject({}),
      bodyOptional: true,
      answer: { description: 'What was learned.', body: shownShape, example: EXAMPLE },
      errors: ['campaign_not_found', 'nothing_learned', 'unavailable', 'rate_limited'],
    },
    async ({ params }) => {
      const shape = await learning.learnOne(await existing(params.id));
      if (shape !== null) return wireShape(params.id, shape);
      throw new AppError(
        'nothing_learned',
        'the campaign has no whole day of traffic yet, of the last 28: there is nothing to learn from',
      );
    },
  );
}

function wireShape(campaignId: string, shape: LearnedShape | null): ShownShape {
  const isOwn = shape?.campaignId === campaignId;
  const week: WeekShape = shape?.asks ?? priorsOf(null).map(({ shares }) => Array.from(shares));
  return {
    campaign_id: campaignId,
    source: isOwn ? 'learned' : shape === null ? 'default' : 'fleet',
    learned_at: shape === null ? null : new Date(shape.learnedAtMs).toISOString(),
    through_date: shape?.throughDate ?? null,
    whole_days: isOwn ? shape.wholeDays : 0,
    shape: week.map((hours, day_of_week) => ({ day_of_week, hours: hours.map(rounded) })),
    backtest: isOwn ? wireBacktest(shape) : null,
  };
}

function wireBacktest({ backtest }: LearnedShape): ShownShape['backtest'] {
  if (backtest === null) return null;
  const { date, error, defaultError, meanError, days } = backtest;
  return {
    date,
    error: rounded(error),
    default_error: rounded(defaultError),
    mean_error: rounded(meanError),
    days,
  };
}

function rounded(value: number): number {
  return Number(value.toPrecision(6));
}
