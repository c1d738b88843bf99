/**
 * From a campaign on the wire (campaign-bodies.ts), snake_case with money in cents, to the campaign inside, and back.
 * Reading checks the rules that need more than one field; writing gives every field, in a fixed order.
 */
import { AppError } from '../domain/app-error.ts';
import { movedDay } from '../domain/budget-day.ts';
import type { Campaign, Daypart } from '../domain/campaign.ts';
import { flightBounds } from '../domain/flight.ts';
import { centsFromMicros } from '../domain/money.ts';
import type {
  ConfigBody,
  CreateBody,
  PatchBody,
  ReplaceBody,
  ShownCampaign,
  ShownPacingConfig,
} from './campaign-bodies.ts';

/** The fields of a campaign that a client edits. */
type EditableFields = Omit<
  Campaign,
  'id' | 'version' | 'createdAt' | 'updatedAt' | 'hourMultipliers' | 'dayReset' | 'zoneChange'
>;

const DEFAULTS: Omit<EditableFields, 'name' | 'dailyBudgetMicros'> = {
  totalBudgetMicros: null,
  startDate: null,
  endDate: null,
  timezone: 'UTC',
  pacingMode: 'EVEN',
  pacingLever: 'THROTTLE',
  status: 'ACTIVE',
  breakerThreshold: 0.95,
  confidenceGate: false,
  dayparts: null,
  targeting: null,
  creative: null,
};

/** A new campaign from the body of a create. @throws AppError `invalid_request`. */
export function campaignToCreate(given: CreateBody, makeId: () => string, nowMs: number): Campaign {
  const at = new Date(nowMs).toISOString();
  return checkedTimes({
    id: given.id ?? makeId(),
    ...allFields(given),
    hourMultipliers: null,
    dayReset: null,
    zoneChange: null,
    version: 1,
    createdAt: at,
    updatedAt: at,
  });
}

/**
 * What a PUT makes of `current`: editable fields that the body lacks get their default. Hour multipliers
 * have a route of their own and stay.
 * @throws AppError `invalid_request`, or `stale_version` when the body names another version.
 */
export function campaignToReplace(given: ReplaceBody, current: Campaign, nowMs: number): Campaign {
  checkReadBack(given, current);
  return checkedTimes(nextVersion(current, allFields(given), nowMs));
}

/**
 * What a PATCH makes of `current`: fields that the body lacks stay.
 * @throws AppError `invalid_request`, or `stale_version` when the body names another version.
 */
export function campaignToPatch(given: PatchBody, current: Campaign, nowMs: number): Campaign {
  checkReadBack(given, current);
  return checkedTimes(nextVersion(current, fieldsOf(given), nowMs));
}

/** `current` with some fields changed, as its next version. */
export function nextVersion(current: Campaign, changes: Partial<Campaign>, nowMs: number): Campaign {
  const { timezone = current.timezone } = changes;
  return {
    ...current,
    ...changes,
    ...(timezone === current.timezone ? {} : movedDay(current, timezone, nowMs)),
    version: current.version + 1,
    updatedAt: new Date(nowMs).toISOString(),
  };
}

/**
 * What a PUT of its hourly multipliers makes of `current`; an empty list takes them away.
 * @throws AppError `invalid_request` also for two entries of one hour and day, `stale_version`.
 */
export function campaignToConfigure(given: ConfigBody, current: Campaign, nowMs: number): Campaign {
  checkVersion(given.version, current);
  refuseChange('campaign_id', given.campaign_id, current.id);
  const seen = new Set<string>();
  const hourMultipliers = given.pacing_configs.map(({ hour, multiplier, day_of_week }, index) => {
    const key = `${day_of_week ?? 'every'} ${hour}`;
    if (seen.has(key)) {
      const field = `pacing_configs[${index}].hour`;
      throw new AppError('invalid_request', `${field} must be given once for each day_of_week`, field);
    }
    seen.add(key);
    const entry = { hour, multiplier };
    return day_of_week === undefined || day_of_week === null ? entry : { ...entry, dayOfWeek: day_of_week };
  });
  return nextVersion(
    current,
    { hourMultipliers: hourMultipliers.length === 0 ? null : hourMultipliers },
    nowMs,
  );
}

/** The body of an answer about a campaign's hourly multipliers. */
export function wirePacingConfig(campaign: Campaign): ShownPacingConfig {
  return {
    campaign_id: campaign.id,
    pacing_configs: (campaign.hourMultipliers ?? []).map(({ hour, multiplier, dayOfWeek }) =>
      dayOfWeek === undefined ? { hour, multiplier } : { hour, multiplier, day_of_week: dayOfWeek },
    ),
  };
}

/** The body of an answer. */
export function wireCampaign(campaign: Campaign): ShownCampaign {
  const total = campaign.totalBudgetMicros;
  return {
    id: campaign.id,
    name: campaign.name,
    daily_budget_cents: centsFromMicros(campaign.dailyBudgetMicros),
    total_budget_cents: total === null ? null : centsFromMicros(total),
    start_date: campaign.startDate,
    end_date: campaign.endDate,
    timezone: campaign.timezone,
    pacing_mode: campaign.pacingMode,
    pacing_lever: campaign.pacingLever,
    status: campaign.status,
    breaker_threshold: campaign.breakerThreshold,
    confidence_gate: campaign.confidenceGate,
    dayparts: campaign.dayparts?.map(wireDaypart) ?? null,
    targeting: campaign.targeting,
    creative: campaign.creative,
    version: campaign.version,
    created_at: campaign.createdAt,
    updated_at: campaign.updatedAt,
  };
}

function wireDaypart({
  dayOfWeek,
  startHour,
  endHour,
}: Daypart): NonNullable<ShownCampaign['dayparts']>[number] {
  const hours = { start_hour: startHour, end_hour: endHour };
  return dayOfWeek === undefined ? hours : { day_of_week: dayOfWeek, ...hours };
}

function allFields(given: CreateBody | ReplaceBody): EditableFields {
  const required = { name: given.name, dailyBudgetMicros: given.daily_budget_cents };
  return { ...DEFAULTS, ...required, ...fieldsOf(given) };
}

/** The editable fields that a body carries, and no others. */
function fieldsOf(given: PatchBody): Partial<EditableFields> {
  return present({
    name: given.name,
    dailyBudgetMicros: given.daily_budget_cents,
    totalBudgetMicros: given.total_budget_cents,
    startDate: given.start_date,
    endDate: given.end_date,
    timezone: given.timezone,
    pacingMode: given.pacing_mode,
    pacingLever: given.pacing_lever,
    status: given.status,
    breakerThreshold: given.breaker_threshold,
    confidenceGate: given.confidence_gate,
    dayparts: given.dayparts === undefined ? undefined : daypartsOf(given.dayparts),
    targeting: given.targeting,
    creative: given.creative,
  });
}

/** The object without its undefined members. */
function present<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(members).filter(([, member]) => member !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/** An empty list restricts nothing, which is what null says. */
function daypartsOf(given: NonNullable<PatchBody['dayparts']> | null): readonly Daypart[] | null {
  if (given === null || given.length === 0) return null;
  return given.map(({ day_of_week, start_hour, end_hour }) => {
    const hours = { startHour: start_hour, endHour: end_hour };
    return day_of_week === undefined ? hours : { dayOfWeek: day_of_week, ...hours };
  });
}

interface ReadBack {
  readonly id?: string | undefined;
  readonly version?: number | undefined;
  readonly created_at?: unknown;
  readonly updated_at?: unknown;
}

/** @throws AppError `stale_version` when a change was made from another version than the present one. */
export function checkVersion(given: number | undefined, current: Campaign): void {
  if (given === undefined || given === current.version) return;
  const message = `the campaign is at version ${current.version}, not ${given}: read it again`;
  throw new AppError('stale_version', message, 'version');
}

function checkReadBack(given: ReadBack, current: Campaign): void {
  checkVersion(given.version, current);
  refuseChange('id', given.id, current.id);
  refuseChange('created_at', given.created_at, current.createdAt);
  refuseChange('updated_at', given.updated_at, current.updatedAt);
}

function refuseChange(field: string, given: unknown, stored: string): void {
  if (given === undefined || given === stored) return;
  throw new AppError(
    'invalid_request',
    `${field} cannot be set: leave it out, or send it as it was read`,
    field,
  );
}

/** Rules that need more than one field. */
function checkedTimes(campaign: Campaign): Campaign {
  const { startMs, endMs } = flightBounds(campaign);
  if (endMs <= startMs) {
    const message = 'end_date must be after start_date; as a date it counts to the end of its day';
    throw new AppError('invalid_request', message, 'end_date');
  }
  for (const [index, { startHour, endHour }] of (campaign.dayparts ?? []).entries()) {
    if (endHour > startHour) continue;
    const field = `dayparts[${index}].end_hour`;
    throw new AppError('invalid_request', `${field} must be greater than start_hour`, field);
  }
  return campaign;
}
