/** A campaign's bodies as zod schemas: what clients send to create and change one, and what they are shown. */
import { z } from 'zod';
import { CAMPAIGN_STATUSES, PACING_LEVERS, PACING_MODES } from '../domain/campaign.ts';
import {
  anyJson,
  cents,
  flag,
  id,
  instantOrDate,
  multiplier,
  name,
  oneOf,
  reason,
  share,
  timezone,
  wholeNumber,
} from './field-rules.ts';
import { shownCents, shownTime } from './shown-fields.ts';

/** Statuses a client may set; `DELETED` is what DELETE is for. */
const SETTABLE_STATUSES = ['ACTIVE', 'PAUSED', 'ENDED'] as const;

/** Enough for every hour of a week on its own. */
const DAYPARTS_MAX = 168;
/** An entry for every hour of every day and one for every hour of each weekday. */
const PACING_CONFIGS_MAX = 192;
const VERSION_MAX = 2 ** 31 - 1;

const DAYPART_ACCEPTED = 'an object {day_of_week?: 0–6, start_hour: 0–23, end_hour: 1–24}';
const DAYPARTS_ACCEPTED = 'null or a list of {day_of_week?, start_hour, end_hour}';

const daypart = z
  .strictObject(
    {
      day_of_week: wholeNumber(0, 6).optional().describe('0 = Sunday … 6 = Saturday; absent = every day.'),
      start_hour: wholeNumber(0, 23),
      end_hour: wholeNumber(1, 24).describe('The hour it ends before, greater than `start_hour`.'),
    },
    { error: DAYPART_ACCEPTED },
  )
  .meta({ id: 'Daypart', description: 'Hours of the local day in which the campaign may bid.' });

export const dayparts = z
  .array(daypart, { error: DAYPARTS_ACCEPTED })
  .max(DAYPARTS_MAX, { error: `a list of at most ${DAYPARTS_MAX} entries` })
  .nullable();

/** What PUT replaces and PATCH changes. */
const editable = {
  name,
  daily_budget_cents: cents,
  total_budget_cents: cents.nullable().optional().describe('Of the whole flight; null = none.'),
  start_date: instantOrDate
    .nullable()
    .optional()
    .describe('`YYYY-MM-DD` (from the local midnight that begins it) or an instant; null = no bound.'),
  end_date: instantOrDate
    .nullable()
    .optional()
    .describe('`YYYY-MM-DD` (to the local midnight that ends it) or an instant; null = no bound.'),
  timezone: timezone.optional().describe('IANA zone in which its days begin and end; default `UTC`.'),
  pacing_mode: oneOf(PACING_MODES).optional().describe('Default `EVEN`.'),
  pacing_lever: oneOf(PACING_LEVERS).optional().describe('Default `THROTTLE`.'),
  status: oneOf(SETTABLE_STATUSES).optional().describe('Default `ACTIVE`; `DELETED` is what DELETE is for.'),
  breaker_threshold: share
    .optional()
    .describe('Share of the daily budget at which the breaker trips; default 0.95.'),
  confidence_gate: flag.optional().describe('Default false; docs/pacing.md explains it.'),
  dayparts: dayparts.optional().describe('null or an empty list = it may always bid.'),
  targeting: anyJson.optional().describe('Any JSON; kept and returned, never read by the pacer.'),
  creative: anyJson.optional().describe('Any JSON; kept and returned, never read by the pacer.'),
};

/** Which version a change was made from. */
export const fromVersion = wholeNumber(1, VERSION_MAX)
  .optional()
  .describe('The version that this change was made from; when another one stands: 409.');

/** What a client may send back as it read it: `version` is checked against the row, the others must agree. */
const readBack = {
  id: id.optional().describe('As it was read.'),
  version: fromVersion,
  created_at: anyJson.optional().describe('As it was read.'),
  updated_at: anyJson.optional().describe('As it was read.'),
  reason,
};

export const createBody = z
  .strictObject({ id: id.optional().describe('Made when absent.'), ...editable, reason })
  .meta({ id: 'NewCampaign' });

/** One that is asked about and not created. */
export const proposedBody = createBody.omit({ reason: true }).meta({ id: 'ProposedCampaign' });

export const deleteBody = z.strictObject({ reason });

export const replaceBody = z.strictObject({ ...readBack, ...editable }).meta({
  id: 'CampaignReplacement',
  description: 'Editable fields that are absent get their default.',
});

export const patchBody = z
  .strictObject({ ...readBack, ...editable, name: name.optional(), daily_budget_cents: cents.optional() })
  .meta({ id: 'CampaignPatch', description: 'Fields that are absent stay as they are.' });

export type CreateBody = z.output<typeof createBody>;
export type ReplaceBody = z.output<typeof replaceBody>;
export type PatchBody = z.output<typeof patchBody>;

/** A campaign as clients see it; every field is always there. */
export const shownCampaign = z
  .strictObject({
    id,
    name: z.string(),
    daily_budget_cents: shownCents,
    total_budget_cents: shownCents.nullable(),
    start_date: z.string().nullable(),
    end_date: z.string().nullable(),
    timezone: z.string(),
    pacing_mode: z.enum(PACING_MODES),
    pacing_lever: z.enum(PACING_LEVERS),
    status: z.enum(CAMPAIGN_STATUSES),
    breaker_threshold: z.number().min(0).max(1),
    confidence_gate: z.boolean(),
    dayparts: z.array(daypart).nullable(),
    targeting: z.unknown(),
    creative: z.unknown(),
    version: z.int().min(1).describe('Grows by one with each change.'),
    created_at: shownTime,
    updated_at: shownTime,
  })
  .meta({ id: 'Campaign' });

export type ShownCampaign = z.output<typeof shownCampaign>;

/** After a change that may have moved its budgets. */
export const changedCampaign = shownCampaign
  .extend({ warning: z.string().optional().describe('What its budgets stop: they are below what is spent.') })
  .meta({ id: 'ChangedCampaign' });

const CONFIG_ACCEPTED = 'an object {hour: 0–23, multiplier: 0–100, day_of_week?: 0–6}';

const DAY_OF_WEEK =
  '0 = Sunday … 6 = Saturday; absent = every day. An entry with a day wins over one without.';

const hourConfig = z
  .strictObject(
    {
      hour: wholeNumber(0, 23),
      multiplier: multiplier.describe('Weight of the hour in the plan: 0 plans nothing, 1 is neutral.'),
      day_of_week: wholeNumber(0, 6).nullable().optional().describe(DAY_OF_WEEK),
    },
    { error: CONFIG_ACCEPTED },
  )
  .meta({ id: 'HourMultiplier' });

export const configBody = z
  .strictObject({
    campaign_id: id.optional().describe('When it is given: the id in the path.'),
    version: fromVersion,
    reason,
    pacing_configs: z
      .array(hourConfig, { error: 'a list of {hour, multiplier, day_of_week?}' })
      .max(PACING_CONFIGS_MAX, { error: `a list of at most ${PACING_CONFIGS_MAX} entries` })
      .describe('Each hour once for each `day_of_week`; an empty list takes all away.'),
  })
  .meta({ id: 'PacingConfigReplacement' });

export type ConfigBody = z.output<typeof configBody>;

export const shownPacingConfig = z
  .strictObject({
    campaign_id: id,
    pacing_configs: z.array(
      z.strictObject({
        hour: z.int().min(0).max(23),
        multiplier: z.number().min(0).max(100),
        day_of_week: z.int().min(0).max(6).optional().describe(DAY_OF_WEEK),
      }),
    ),
  })
  .meta({ id: 'PacingConfig' });

export type ShownPacingConfig = z.output<typeof shownPacingConfig>;
