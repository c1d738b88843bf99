/**
 * What bidders may send, checked field by field. Each check fills an object that the caller owns and
 * reuses, and returns null, or the refusal to answer. Unknown fields are ignored on this port.
 */
import { AppError } from '../domain/app-error.ts';
import { ID_ACCEPTED, isId } from '../domain/campaign.ts';
import { CENTS_ACCEPTED, microsFromCents } from '../domain/money.ts';
import { unpack } from './msgpack.ts';

/** Events or requests in one batch body. */
export const BATCH_MAX = 1000;
const COUNT_MAX = 1_000_000_000;

type Fields = Readonly<Record<string, unknown>>;

export interface DecisionRequest {
  campaignId: string;
  bidMicros: number;
  /** Empty when the bid has no id. */
  bidId: string;
}

export interface SpendRequest {
  campaignId: string;
  spendMicros: number;
  impressions: number;
  clicks: number;
  /** Empty when the event has no id. */
  eventId: string;
  /** Empty when the bid had no id. */
  bidId: string;
}

function refuse(message: string, field?: string): AppError {
  return new AppError('invalid_request', message, field);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Parses a body of JSON or msgpack; an AppError when it is neither. Bytes of JSON are taken as Latin-1, which is
 * quicker: JSON's own characters, and all that the fields of this port may hold, are ASCII, and other fields are ignored.
 */
export function parseBody(bytes: Uint8Array, packed: boolean): unknown {
  if (bytes.length === 0) return refuse('the body is empty: a JSON object is expected');
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  try {
    return packed ? unpack(body) : JSON.parse(body.toString('latin1'));
  } catch {
    return refuse(packed ? 'the body is not valid msgpack' : 'the body is not valid JSON');
  }
}

function notAnObject(prefix: string): AppError {
  return prefix === ''
    ? refuse('the body must be a JSON object')
    : refuse('each element must be a JSON object', prefix.slice(0, -1));
}

function badId(value: unknown, field: string): AppError {
  return refuse(
    value === undefined ? `${field} is required: ${ID_ACCEPTED}` : `${field} must be ${ID_ACCEPTED}`,
    field,
  );
}

function optionalId(value: unknown): string | undefined {
  if (value === undefined || value === null) return '';
  return isId(value) ? value : undefined;
}

/** @param prefix of the field names in messages, such as `requests[3].` */
export function readDecision(value: unknown, prefix: string, into: DecisionRequest): AppError | null {
  if (!isFields(value)) return notAnObject(prefix);
  const { campaign_id: campaignId, bid_cents: bidCents, bid_id: bidIdGiven } = value;
  if (!isId(campaignId)) return badId(campaignId, `${prefix}campaign_id`);
  const bidMicros = microsFromCents(bidCents);
  if (bidMicros <= 0) {
    const field = `${prefix}bid_cents`;
    const need = bidCents === undefined ? 'is required' : 'is not accepted';
    return refuse(`${field} ${need}: ${CENTS_ACCEPTED}, above 0`, field);
  }
  const bidId = optionalId(bidIdGiven);
  if (bidId === undefined) return badId(bidIdGiven, `${prefix}bid_id`);
  into.campaignId = campaignId;
  into.bidMicros = bidMicros;
  into.bidId = bidId;
  return null;
}

function count(value: unknown, fallback: number): number {
  if (value === undefined || value === null) return fallback;
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= COUNT_MAX
    ? value
    : -1;
}

function badCount(field: string): AppError {
  return refuse(`${field} must be a whole number from 0 to ${COUNT_MAX}`, field);
}

export function readSpend(value: unknown, prefix: string, into: SpendRequest): AppError | null {
  if (!isFields(value)) return notAnObject(prefix);
  const {
    campaign_id: campaignId,
    spend_cents: spendCents,
    event_id: eventIdGiven,
    bid_id: bidIdGiven,
  } = value;
  if (!isId(campaignId)) return badId(campaignId, `${prefix}campaign_id`);
  const spendMicros = microsFromCents(spendCents);
  if (spendMicros < 0) {
    const field = `${prefix}spend_cents`;
    return refuse(
      `${field} ${spendCents === undefined ? 'is required' : 'is not accepted'}: ${CENTS_ACCEPTED}`,
      field,
    );
  }
  const impressions = count(value.impressions, 1);
  if (impressions < 0) return badCount(`${prefix}impressions`);
  const clicks = count(value.clicks, 0);
  if (clicks < 0) return badCount(`${prefix}clicks`);
  const eventId = optionalId(eventIdGiven);
  if (eventId === undefined) return badId(eventIdGiven, `${prefix}event_id`);
  const bidId = optionalId(bidIdGiven);
  if (bidId === undefined) return badId(bidIdGiven, `${prefix}bid_id`);
  into.campaignId = campaignId;
  into.spendMicros = spendMicros;
  into.impressions = impressions;
  into.clicks = clicks;
  into.eventId = eventId;
  into.bidId = bidId;
  return null;
}

export function readLoss(value: unknown): { readonly campaignId: string; readonly bidId: string } | AppError {
  if (!isFields(value)) return notAnObject('');
  const { campaign_id: campaignId, bid_id: bidId } = value;
  if (!isId(campaignId)) return badId(campaignId, 'campaign_id');
  if (!isId(bidId)) return badId(bidId, 'bid_id');
  return { campaignId, bidId };
}

/** The elements of a batch body: `{[field]: […]}` with 1 to {@link BATCH_MAX} elements. */
export function readBatch(value: unknown, field: string): readonly unknown[] | AppError {
  const list = isFields(value) ? value[field] : undefined;
  if (Array.isArray(list) && list.length >= 1 && list.length <= BATCH_MAX) return list;
  return refuse(`${field} must be an array of 1 to ${BATCH_MAX} elements`, field);
}
