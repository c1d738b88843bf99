import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { describe, expect, test } from 'vitest';
import { AppError } from '../../../src/domain/app-error.ts';
import {
  parseBody,
  readBatch,
  readDecision,
  readLoss,
  readSpend,
  type SpendRequest,
} from '../../../src/edge/requests.ts';

const decision = () => ({ campaignId: '', bidMicros: 0, bidId: '' });
const spend = (): SpendRequest => ({
  campaignId: '',
  spendMicros: 0,
  impressions: 0,
  clicks: 0,
  eventId: '',
  bidId: '',
});

describe('a decision request', () => {
  test('with every field is read', () => {
    const into = decision();
    expect(readDecision({ campaign_id: 'c', bid_cents: 0.15, bid_id: 'b', other: 1 }, '', into)).toBeNull();
    expect(into).toEqual({ campaignId: 'c', bidMicros: 1500, bidId: 'b' });
  });

  test.each([
    ['campaign_id', { bid_cents: 1 }],
    ['campaign_id', { campaign_id: 7, bid_cents: 1 }],
    ['campaign_id', { campaign_id: '', bid_cents: 1 }],
    ['campaign_id', { campaign_id: 'a/b', bid_cents: 1 }],
    ['campaign_id', { campaign_id: 'x'.repeat(129), bid_cents: 1 }],
    ['bid_cents', { campaign_id: 'c' }],
    ['bid_cents', { campaign_id: 'c', bid_cents: 0 }],
    ['bid_cents', { campaign_id: 'c', bid_cents: '150' }],
    ['bid_cents', { campaign_id: 'c', bid_cents: 0.00001 }],
    ['bid_id', { campaign_id: 'c', bid_cents: 1, bid_id: 5 }],
    ['bid_id', { campaign_id: 'c', bid_cents: 1, bid_id: 'a b' }],
  ])('is refused with the field %s named for %j', (field, body) => {
    const refusal = readDecision(body, 'requests[2].', decision());
    expect(refusal?.toBody().error).toMatchObject({ code: 'invalid_request', field: `requests[2].${field}` });
  });
});

describe('a spend event', () => {
  test('counts one impression and no click unless it says otherwise', () => {
    const into = spend();
    expect(readSpend({ campaign_id: 'c', spend_cents: 0, event_id: null }, '', into)).toBeNull();
    expect(into).toEqual({
      campaignId: 'c',
      spendMicros: 0,
      impressions: 1,
      clicks: 0,
      eventId: '',
      bidId: '',
    });
  });

  test.each([
    ['spend_cents', { campaign_id: 'c' }],
    ['spend_cents', { campaign_id: 'c', spend_cents: -5 }],
    ['spend_cents', { campaign_id: 'c', spend_cents: 1e17 }],
    ['impressions', { campaign_id: 'c', spend_cents: 1, impressions: -1 }],
    ['impressions', { campaign_id: 'c', spend_cents: 1, impressions: 1.5 }],
    ['clicks', { campaign_id: 'c', spend_cents: 1, clicks: '3' }],
    ['event_id', { campaign_id: 'c', spend_cents: 1, event_id: {} }],
    ['bid_id', { campaign_id: 'c', spend_cents: 1, bid_id: '' }],
  ])('is refused with the field %s named for %j', (field, body) => {
    expect(readSpend(body, '', spend())?.field).toBe(field);
  });
});

const packr = new Packr({ useRecords: false, variableMapSize: true });

describe('bodies', () => {
  test('of any bytes or JSON are read or refused, never thrown on', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((json) => Buffer.from(json)),
        ),
        (bytes) => {
          const value = parseBody(Buffer.from(bytes), bytes.length % 2 === 0);
          if (value instanceof AppError) return;
          readDecision(value, '', decision());
          readSpend(value, '', spend());
          readLoss(value);
          readBatch(value, 'events');
        },
      ),
    );
  });

  test('of msgpack are read as the same object in JSON is', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })), (object) => {
        const json = JSON.stringify(object);
        fc.pre(!json.includes('__proto__')); // msgpackr renames that one, which no field here is called
        const plain: unknown = JSON.parse(json);
        const packed = packr.pack(plain);
        expect(parseBody(packed, true)).toEqual(plain);
        expect(parseBody(Buffer.from(JSON.stringify(plain)), false)).toEqual(
          JSON.parse(Buffer.from(json).toString('latin1')),
        );
      }),
    );
  });

  test('of a batch hold 1 to 1000 elements', () => {
    expect(readBatch({ events: [] }, 'events')).toBeInstanceOf(AppError);
    expect(readBatch({ events: Array(1001).fill({}) }, 'events')).toBeInstanceOf(AppError);
    expect(readBatch({ events: 'x' }, 'events')).toBeInstanceOf(AppError);
    expect(readBatch({ events: Array(1000).fill({}) }, 'events')).toHaveLength(1000);
  });

  test('of a loss need both ids', () => {
    expect(readLoss({ campaign_id: 'c', bid_id: 'b' })).toEqual({ campaignId: 'c', bidId: 'b' });
    expect(readLoss({ campaign_id: 'c' })).toMatchObject({ field: 'bid_id' });
    expect(readLoss([])).toBeInstanceOf(AppError);
  });
});
