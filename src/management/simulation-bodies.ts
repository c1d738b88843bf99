/** What a simulation is asked by and answers, as zod schemas. */
import { z } from 'zod';
import { PACING_LEVERS, PACING_MODES } from '../domain/campaign.ts';
import { proposedBody } from './campaign-bodies.ts';
import { NEW_CAMPAIGN_EXAMPLE } from './examples.ts';
import { cents, id, instantOrDate, localDate, numberBetween, oneOf, wholeNumber } from './field-rules.ts';
import { shownCents, shownCount, shownDate, shownRatio, shownTime } from './shown-fields.ts';

export const HOURS_AHEAD_MAX = 168;
const HOURS_AHEAD_DEFAULT = 24;
const COMPARED_MAX = 3;
const SEED_MAX = 2 ** 32 - 1;
export const NAMED_PATTERNS = ['learned', 'default', 'flat'] as const;

const PATTERN_ACCEPTED =
  'one of learned, default, flat, or a list of 24 numbers from 0 to 1000, one for each local hour, not all 0';

/** Each part says what is accepted, as the one that fails is shown. */
const error = PATTERN_ACCEPTED;
const trafficPattern = z.union(
  [
    z.enum(NAMED_PATTERNS, { error }),
    z
      .array(z.number({ error }).min(0, { error }).max(1000, { error }), { error })
      .length(24, { error })
      .refine((hours) => hours.some((weight) => weight > 0), { error }),
  ],
  { error },
);

const slotMinutes = z.literal([15, 30, 60], { error: '15, 30 or 60' });

const variant = {
  pacing_mode: oneOf(PACING_MODES).optional(),
  pacing_lever: oneOf(PACING_LEVERS).optional(),
  daily_budget_cents: cents.optional(),
  total_budget_cents: cents.nullable().optional(),
};

const traffic = z
  .strictObject(
    {
      asks_per_day: numberBetween(1, 1e10).optional().describe('Bids asked for in a day.'),
      win_rate: numberBetween(0.0001, 1).optional().describe('Share of the allowed bids that is won.'),
      win_cents: numberBetween(0.0001, 1e6).optional().describe('What a win costs on average.'),
    },
    { error: 'an object {asks_per_day?, win_rate?, win_cents?}' },
  )
  .meta({ id: 'SimulatedTraffic' });

export const simulationBody = z
  .strictObject({
    campaign_id: id.optional().describe('A campaign that exists. Either this or `campaign`.'),
    campaign: proposedBody.optional().describe('A proposed one: nothing is created.'),
    hours_ahead: wholeNumber(1, HOURS_AHEAD_MAX)
      .optional()
      .describe(`Default ${HOURS_AHEAD_DEFAULT}; not together with \`backtest_date\`.`),
    start_at: instantOrDate
      .optional()
      .describe(
        'When it begins; default: now, with what the campaign has spent by now. Given, it begins with a day unspent.',
      ),
    backtest_date: localDate
      .optional()
      .describe("A past local day of the campaign's own history is replayed in place of the coming hours."),
    traffic_pattern: trafficPattern
      .optional()
      .describe('When bids come. Default: learned, or where nothing was learned yet, default.'),
    traffic: traffic.optional().describe("In place of what the campaign's last days came to."),
    ...variant,
    compare: z
      .array(z.strictObject(variant), { error: 'a list of {pacing_mode?, daily_budget_cents?, …}' })
      .max(COMPARED_MAX, { error: `a list of at most ${COMPARED_MAX} entries` })
      .optional()
      .describe('The same on the same traffic with these changes, side by side.'),
    slot_minutes: slotMinutes.optional().describe('Default 60.'),
    seed: wholeNumber(0, SEED_MAX).optional().describe('Of everything random; default 1.'),
  })
  .meta({ id: 'Simulation' });

export type SimulationBody = z.output<typeof simulationBody>;
export type Variant = Pick<
  SimulationBody,
  'pacing_mode' | 'pacing_lever' | 'daily_budget_cents' | 'total_budget_cents'
>;
export const hoursAheadOf = ({ hours_ahead = HOURS_AHEAD_DEFAULT }: SimulationBody): number => hours_ahead;

const shownSlot = z
  .strictObject({
    starts_at: shownTime,
    date: shownDate.describe('In the campaign’s zone, as `hour`.'),
    hour: z.int().min(0).max(23),
    planned_spend_cents: shownCents,
    spend_cents: shownCents,
    spent_today_cents: shownCents.describe('Of the local day, at the slot’s end.'),
    throttle_rate: shownRatio.describe('Mean share of bids held back.'),
    pacing_accuracy: shownRatio.nullable(),
    bids: shownCount,
    allowed: shownCount,
    wins: shownCount,
    actual_spend_cents: shownCents.nullable().describe('What was spent in truth: of a backtest; else null.'),
  })
  .meta({ id: 'SimulatedSlot' });

const shownRun = {
  pacing_mode: z.enum(PACING_MODES),
  pacing_lever: z.enum(PACING_LEVERS),
  daily_budget_cents: shownCents,
  total_planned_cents: shownCents,
  total_spend_cents: shownCents,
  overspend_cents: shownCents,
  pacing_accuracy: shownRatio.nullable().describe('Mean of the slots, weighted by their plan.'),
  throttle_rate: shownRatio,
  bids: shownCount,
  allowed: shownCount,
  wins: shownCount,
  exhaustion_at: shownTime
    .nullable()
    .describe("When a day's budget is first spent well before its plan ends; null when it lasts."),
  days: z.array(
    z.strictObject({
      date: shownDate,
      budget_cents: shownCents,
      spent_cents: shownCents,
      exhaustion_at: shownTime.nullable(),
    }),
  ),
  slots: z.array(shownSlot),
};

export const shownSimulation = z
  .strictObject({
    campaign_id: id.nullable().describe('null for a proposed one without an id.'),
    starts_at: shownTime,
    ends_at: shownTime,
    timezone: z.string(),
    seed: shownCount,
    traffic: z.strictObject({
      source: z
        .enum(['given', 'history', 'assumed', 'backtest'])
        .describe(
          'assumed: nothing is known, so the traffic could spend four times the budget and a fifth of the bids is won.',
        ),
      pattern: z.enum([...NAMED_PATTERNS, 'fleet', 'given', 'backtest']),
      asks_per_day: z.number().min(0),
      win_rate: shownRatio,
      win_cents: z.number().min(0),
      potential_cents_per_day: z.number().min(0).describe('What it could spend unthrottled.'),
      asks_per_bid: z.number().min(1).describe('Asks that one simulated bid stands for.'),
    }),
    actual_spend_cents: shownCents.nullable().describe('Of a backtest; else null.'),
    ...shownRun,
    compared: z.array(z.strictObject(shownRun)).describe('One for each entry of `compare`.'),
  })
  .meta({ id: 'SimulationOutcome' });

export type ShownSimulation = z.output<typeof shownSimulation>;
export type ShownRun = ShownSimulation['compared'][number];

export const SIMULATION_EXAMPLES = {
  budgets: {
    campaign: NEW_CAMPAIGN_EXAMPLE,
    hours_ahead: 24,
    traffic_pattern: 'default',
    compare: [{ daily_budget_cents: 200_000 }, { pacing_mode: 'ASAP' }],
  },
};
