/**
 * The input lines of `pacer replay`, checked field by field. A bid or spend line fills an object that the
 * caller owns and reuses: there are millions of them.
 */
import { ID_ACCEPTED, isId } from '../../domain/campaign.ts';
import { MICROS_MAX } from '../../domain/money.ts';
import type { Prior } from '../../domain/pacing-settings.ts';

/** A line that cannot be replayed; the message says what is wrong and what is accepted. */
export class LineError extends Error {}

export interface ReplayLine {
  type: 'campaign' | 'bid' | 'spend' | 'end';
  timeMs: number;
  /** Of the campaign line, its fields as in the API. */
  campaign: Record<string, unknown>;
  campaignId: string;
  /** The bid's id; of a spend, the id of the bid that it is for. */
  bidId: string;
  /** The bid, or the spend; 0 of a spend = the bid was lost. */
  micros: number;
  /** Whether a bid's answer is to say why. */
  explain: boolean;
  reservationTtlMs: number | null;
  learnedShape: readonly number[] | null;
  prior: Prior;
}

type Fields = Readonly<Record<string, unknown>>;

const TIME_MS_MAX = 8.64e15;
const TTL_MS_MIN = 1;
const TTL_MS_MAX = 86_400_000;

export function newReplayLine(): ReplayLine {
  return {
    type: 'end',
    timeMs: 0,
    campaign: {},
    campaignId: '',
    bidId: '',
    micros: 0,
    explain: false,
    reservationTtlMs: null,
    learnedShape: null,
    prior: { spendPerAllowed: Number.NaN, potentialMicros: Number.NaN },
  };
}

/** @throws LineError */
export function readReplayLine(text: string, into: ReplayLine): void {
  const fields = parse(text);
  const { t_ms: timeMs, type } = fields;
  if (typeof timeMs !== 'number' || !(timeMs >= 0 && timeMs <= TIME_MS_MAX)) {
    throw new LineError('t_ms must be milliseconds since 1970, a number from 0 to 8640000000000000');
  }
  into.timeMs = timeMs;
  if (type === 'bid') {
    into.type = type;
    into.bidId = idOf(fields, 'id');
    into.campaignId = idOf(fields, 'campaign_id');
    into.micros = microsOf(fields, 'bid_micros', 1);
    into.explain = fields.explain === true;
  } else if (type === 'spend') {
    into.type = type;
    into.bidId = idOf(fields, 'bid_id');
    into.campaignId = idOf(fields, 'campaign_id');
    into.micros = microsOf(fields, 'spend_micros', 0);
  } else if (type === 'campaign') {
    into.type = type;
    readCampaign(fields, into);
  } else if (type === 'end') into.type = type;
  else throw new LineError('type must be one of campaign, bid, spend, end');
}

function parse(text: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new LineError('it is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new LineError('it is not a JSON object');
  }
  return value as Fields;
}

function readCampaign(fields: Fields, into: ReplayLine): void {
  const { campaign, learned_shape: shape } = fields;
  if (typeof campaign !== 'object' || campaign === null || Array.isArray(campaign)) {
    throw new LineError('campaign must be an object with the fields of the API');
  }
  into.campaign = campaign as Record<string, unknown>;
  into.campaignId = idOf(into.campaign, 'id', 'campaign.id');
  into.reservationTtlMs = optional(fields, 'reservation_ttl_ms', TTL_MS_MIN, TTL_MS_MAX);
  into.learnedShape = shape === undefined || shape === null ? null : shapeOf(shape);
  into.prior = {
    spendPerAllowed: optional(fields, 'prior_spend_per_allowed', 0, 1) ?? Number.NaN,
    potentialMicros: optional(fields, 'prior_potential_micros', 0, MICROS_MAX) ?? Number.NaN,
  };
}

function idOf(fields: Fields, field: string, shown = field): string {
  const value = fields[field];
  if (isId(value)) return value;
  throw new LineError(`${shown} must be ${ID_ACCEPTED}`);
}

function microsOf(fields: Fields, field: string, least: number): number {
  const value = fields[field];
  if (Number.isInteger(value) && Number(value) >= least && Number(value) <= MICROS_MAX) return Number(value);
  throw new LineError(`${field} must be a whole number of micros from ${least} to ${MICROS_MAX}`);
}

function optional(fields: Fields, field: string, least: number, most: number): number | null {
  const value = fields[field];
  if (value === undefined || value === null) return null;
  if (typeof value === 'number' && value >= least && value <= most) return value;
  throw new LineError(`${field} must be a number from ${least} to ${most}`);
}

function shapeOf(value: unknown): readonly number[] {
  const isWeight = (weight: unknown): boolean =>
    typeof weight === 'number' && weight >= 0 && Number.isFinite(weight);
  if (Array.isArray(value) && value.length === 24 && value.every(isWeight)) return value as number[];
  throw new LineError('learned_shape must be 24 numbers of at least 0, one for each hour');
}
