import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/domain/app-error.ts';
import { type Campaign, PACING_LEVERS, PACING_MODES } from '../../../src/domain/campaign.ts';
import { createBody, patchBody, replaceBody } from '../../../src/management/campaign-bodies.ts';
import {
  campaignToCreate,
  campaignToPatch,
  campaignToReplace,
  wireCampaign,
} from '../../../src/management/campaign-schema.ts';
import { checked } from '../../../src/management/field-rules.ts';
import { parseJsonObject } from '../../../src/management/request-body.ts';
import { someCampaign } from '../../support/campaigns.ts';

const NOW_MS = Date.UTC(2026, 2, 1, 9);
const create = (body: object) => campaignToCreate(checked(createBody, { ...body }), () => 'made-id', NOW_MS);
const replace = (body: object, current: Campaign, nowMs = NOW_MS) =>
  campaignToReplace(checked(replaceBody, { ...body }), current, nowMs);
const patch = (body: object, current: Campaign, nowMs = NOW_MS) =>
  campaignToPatch(checked(patchBody, { ...body }), current, nowMs);
const minimal = { name: 'Spring', daily_budget_cents: 100 };

function refusal(run: () => unknown): AppError {
  try {
    run();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

/** Up to 2^51 micros, where the product of cents and 10,000 is always within half a micro. */
const centsArbitrary = fc.integer({ min: 0, max: 2 ** 51 }).map((micros) => micros / 10_000);
const daypart = fc
  .record(
    {
      day_of_week: fc.integer({ min: 0, max: 6 }),
      start_hour: fc.integer({ min: 0, max: 23 }),
      length: fc.nat(23),
    },
    { requiredKeys: ['start_hour', 'length'] },
  )
  .map(({ length, ...part }) => ({ ...part, end_hour: Math.min(24, part.start_hour + 1 + length) }));
const json = fc
  .jsonValue({ maxDepth: 4, noUnicodeString: false })
  .map((value) => JSON.parse(JSON.stringify(value)));
const campaignBody = fc.record(
  {
    id: fc.stringMatching(/^[A-Za-z0-9._:-]{1,128}$/),
    name: fc
      .string({ minLength: 1, maxLength: 200, unit: 'grapheme' })
      .filter((text) => !text.includes('\0') && [...text].length <= 256),
    daily_budget_cents: centsArbitrary,
    total_budget_cents: fc.option(centsArbitrary),
    start_date: fc.constantFrom(null, '2026-02-28', '2026-03-01T00:00:00Z', '2026-03-01T00:00:00+05:30'),
    end_date: fc.constantFrom(null, '2028-02-29', '2027-12-31T23:59:59.999Z'),
    timezone: fc.constantFrom('UTC', 'America/New_York', 'Asia/Kolkata', 'Pacific/Apia'),
    pacing_mode: fc.constantFrom(...PACING_MODES),
    pacing_lever: fc.constantFrom(...PACING_LEVERS),
    status: fc.constantFrom('ACTIVE', 'PAUSED', 'ENDED'),
    breaker_threshold: fc.double({ min: 0, max: 1, noNaN: true }).map((share) => share + 0),
    confidence_gate: fc.boolean(),
    dayparts: fc.option(fc.array(daypart, { minLength: 1, maxLength: 20 })),
    targeting: json,
    creative: json,
  },
  { requiredKeys: ['name', 'daily_budget_cents'] },
);

describe('a campaign on the wire', () => {
  it('comes back with every field as it was given', () => {
    fc.assert(
      fc.property(campaignBody, (body) => {
        expect(wireCampaign(create(body))).toMatchObject(JSON.parse(JSON.stringify(body)));
      }),
    );
  });

  it('survives being read and put back unchanged, but for its version', () => {
    fc.assert(
      fc.property(campaignBody, (body) => {
        const campaign = create(body);
        const replaced = replace(wireCampaign(campaign), campaign, NOW_MS + 1);
        const patched = patch(wireCampaign(campaign), campaign, NOW_MS + 1);
        const expected = { ...campaign, version: 2, updatedAt: '2026-03-01T09:00:00.001Z' };
        expect(replaced).toEqual(expected);
        expect(patched).toEqual(expected);
      }),
    );
  });

  it('has every field of the contract and its default when only a name and a daily budget are given', () => {
    expect(wireCampaign(create(minimal))).toEqual({
      id: 'made-id',
      name: 'Spring',
      daily_budget_cents: 100,
      total_budget_cents: null,
      start_date: null,
      end_date: null,
      timezone: 'UTC',
      pacing_mode: 'EVEN',
      pacing_lever: 'THROTTLE',
      status: 'ACTIVE',
      breaker_threshold: 0.95,
      confidence_gate: false,
      dayparts: null,
      targeting: null,
      creative: null,
      version: 1,
      created_at: '2026-03-01T09:00:00.000Z',
      updated_at: '2026-03-01T09:00:00.000Z',
    });
  });

  it('keeps its hour multipliers through a PUT, although the body cannot carry them', () => {
    const current = someCampaign({ hourMultipliers: [{ hour: 9, multiplier: 2 }], timezone: 'Asia/Kolkata' });
    const replaced = replace(minimal, current);
    expect(replaced.hourMultipliers).toEqual([{ hour: 9, multiplier: 2 }]);
    expect(replaced.timezone).toBe('UTC');
  });

  it('keeps its last reset through a PUT, and the day that goes on after a change of zone', () => {
    const dayReset = { date: '2026-03-01', count: 1, at: '2026-03-01T01:00:00.000Z' };
    expect(replace(minimal, someCampaign({ dayReset, timezone: 'UTC' }))).toMatchObject({ dayReset });
    const moved = {
      from: '2026-03-01',
      to: '2026-02-28',
      count: 1,
      day: '2026-03-01.0001',
      since: dayReset.at,
    };
    const atMs = Date.UTC(2026, 2, 1, 3);
    const west = patch({ timezone: 'America/New_York' }, someCampaign({ dayReset, timezone: 'UTC' }), atMs);
    expect(west).toMatchObject({ dayReset: null, zoneChange: moved });
    const zoned = { timezone: 'America/New_York' };
    expect(replace({ ...minimal, ...zoned }, west, atMs)).toMatchObject({ zoneChange: moved });
    expect(patch({ name: 'other' }, west, atMs)).toMatchObject({ zoneChange: moved });
  });

  it('keeps in a PATCH what the body does not name, and clears what it sets to null', () => {
    const current = someCampaign({
      startDate: '2026-01-01',
      endDate: '2026-12-31',
      targeting: { geo: ['DE'] },
    });
    const patched = patch({ end_date: null }, current);
    expect(patched).toEqual({ ...current, endDate: null, version: 2, updatedAt: '2026-03-01T09:00:00.000Z' });
  });
});

describe('a refused campaign', () => {
  const refused: [string, object, string][] = [
    ['a missing name', { daily_budget_cents: 1 }, 'name'],
    ['a name that is a number', { ...minimal, name: 1 }, 'name'],
    ['an empty name', { ...minimal, name: '' }, 'name'],
    ['a name of 257 characters', { ...minimal, name: 'é'.repeat(257) }, 'name'],
    ['a name with a NUL', { ...minimal, name: 'a\0b' }, 'name'],
    ['a name with half a surrogate pair', { ...minimal, name: 'a\ud800' }, 'name'],
    ['a missing budget', { name: 'x' }, 'daily_budget_cents'],
    ['a negative budget', { ...minimal, daily_budget_cents: -1 }, 'daily_budget_cents'],
    ['a budget as text', { ...minimal, daily_budget_cents: '9' }, 'daily_budget_cents'],
    ['a fifth decimal', { ...minimal, daily_budget_cents: 0.00001 }, 'daily_budget_cents'],
    ['a budget of null', { ...minimal, daily_budget_cents: null }, 'daily_budget_cents'],
    [
      'an infinite budget',
      { ...minimal, total_budget_cents: Number.POSITIVE_INFINITY },
      'total_budget_cents',
    ],
    ['an unknown mode', { ...minimal, pacing_mode: 'FAST' }, 'pacing_mode'],
    ['an unknown lever', { ...minimal, pacing_lever: 'PRICE' }, 'pacing_lever'],
    ['a deletion by status', { ...minimal, status: 'DELETED' }, 'status'],
    ['a status of null', { ...minimal, status: null }, 'status'],
    ['an unknown zone', { ...minimal, timezone: 'Mars/Base' }, 'timezone'],
    ['a day that is not in the calendar', { ...minimal, start_date: '2026-02-30' }, 'start_date'],
    ['a date of another notation', { ...minimal, end_date: '01/02/2026' }, 'end_date'],
    ['an end before the start', { ...minimal, start_date: '2027-01-02', end_date: '2027-01-01' }, 'end_date'],
    [
      'an end instant before the local start',
      { ...minimal, start_date: '2027-01-02', end_date: '2027-01-01T23:00:00Z' },
      'end_date',
    ],
    [
      'an end at the instant of the start',
      { ...minimal, start_date: '2027-01-02T00:00:00Z', end_date: '2027-01-02T00:00:00Z' },
      'end_date',
    ],
    ['a threshold above 1', { ...minimal, breaker_threshold: 1.01 }, 'breaker_threshold'],
    ['an hour of 24', { ...minimal, dayparts: [{ start_hour: 24, end_hour: 24 }] }, 'dayparts[0].start_hour'],
    [
      'a daypart that ends before it starts',
      { ...minimal, dayparts: [{ start_hour: 9, end_hour: 9 }] },
      'dayparts[0].end_hour',
    ],
    [
      'a day of 7',
      { ...minimal, dayparts: [{ day_of_week: 7, start_hour: 1, end_hour: 2 }] },
      'dayparts[0].day_of_week',
    ],
    [
      'an unknown field of a daypart',
      { ...minimal, dayparts: [{ start_hour: 1, end_hour: 2, hour: 1 }] },
      'dayparts[0].hour',
    ],
    ['dayparts that are no list', { ...minimal, dayparts: {} }, 'dayparts'],
    ['an id with a slash', { ...minimal, id: '../x' }, 'id'],
    ['an empty id', { ...minimal, id: '' }, 'id'],
    ['an unknown field', { ...minimal, budget: 1 }, 'budget'],
    ['a version of its own', { ...minimal, version: 3 }, 'version'],
    ['hour multipliers', { ...minimal, hour_multipliers: [] }, 'hour_multipliers'],
    [
      'a key that names the prototype',
      JSON.parse('{"name":"x","daily_budget_cents":1,"__proto__":{"status":"ENDED"}}'),
      '__proto__',
    ],
    ['a key that names the constructor', { ...minimal, constructor: {} }, 'constructor'],
  ];

  it.each(refused)('names the field: %s', (_what, body, field) => {
    const error = refusal(() => create(body));
    expect({ code: error.code, field: error.field }).toEqual({ code: 'invalid_request', field });
    expect(error.message).toContain(field);
  });

  it('is the same for any value of a wrong type', () => {
    const fields = Object.keys(wireCampaign(someCampaign())).filter(
      (field) => !['id', 'targeting', 'creative', 'version', 'created_at', 'updated_at'].includes(field),
    );
    const wrong = fc.oneof(
      fc.boolean(),
      fc.constant({}),
      fc.constant('\0'),
      fc.constant(-1),
      fc.constant([[]]),
    );
    fc.assert(
      fc.property(fc.constantFrom(...fields), wrong, (field, value) => {
        fc.pre(field !== 'confidence_gate' || typeof value !== 'boolean');
        expect(refusal(() => create({ ...minimal, [field]: value })).field?.startsWith(field)).toBe(true);
      }),
    );
  });

  it('is a conflict when the body names another version than the stored one', () => {
    const error = refusal(() => patch({ version: 2, name: 'x' }, someCampaign()));
    expect({ code: error.code, field: error.field }).toEqual({ code: 'stale_version', field: 'version' });
  });

  it.each(['id', 'created_at', 'updated_at'])('cannot change %s', (field) => {
    const error = refusal(() => patch({ [field]: '2020-01-01T00:00:00.000Z' }, someCampaign()));
    expect(error.field).toBe(field);
  });
});

describe('a body', () => {
  const parse = (text: string) => parseJsonObject(Buffer.from(text, 'latin1'));

  it.each(['', ' ', '{', 'null', '[]', '1', '"x"', '{"a":NaN}', '\xff\xfe', '[[['])(
    'is refused when it is %j',
    (text) => {
      expect(refusal(() => parse(text)).code).toBe('invalid_request');
    },
  );

  it('is refused by the name of the field that is nested too deeply, however deep', () => {
    const error = refusal(() => parse(`{"targeting":${'['.repeat(100_000)}${']'.repeat(100_000)}}`));
    expect({ code: error.code, field: error.field }).toEqual({ code: 'invalid_request', field: 'targeting' });
  });

  it('is refused when a number anywhere in it is out of range', () => {
    expect(refusal(() => parse('{"targeting":{"a":[1e400]}}')).field).toBe('targeting');
  });

  it('is refused when a whole number in it would come back with other digits', () => {
    const bytes = (targeting: string) => `{"name":"x","daily_budget_cents":1,"targeting":${targeting}}`;
    for (const number of ['9007199254740993', '-12345678901234567890', '1'.repeat(300)]) {
      expect(refusal(() => parse(bytes(`["\\"${number}",{"a":${number}}]`)))).toMatchObject({
        code: 'invalid_request',
        field: 'targeting',
        message: expect.stringContaining('string'),
      });
    }
    const kept = ['9007199254740993', 'a\\', '\\"9007199254740993'].map((text) => JSON.stringify(text));
    for (const value of [...kept, '9007199254740992', '1e300', '-0.12345678901234567890', '[1,20]']) {
      expect(parse(bytes(value)).targeting, value).toEqual(JSON.parse(value));
    }
  });

  it('keeps keys that name a prototype as plain data', () => {
    const campaign = create(parse('{"name":"x","daily_budget_cents":1,"targeting":{"__proto__":{"a":1}}}'));
    expect(JSON.stringify(wireCampaign(campaign).targeting)).toBe('{"__proto__":{"a":1}}');
    expect(({} as { a?: number }).a).toBeUndefined();
  });
});
