/** Bidders that speak msgpack are answered what those that speak JSON are, in msgpack. */
import { pack, unpack } from 'msgpackr';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestPod } from '../../support/pod.ts';
import { until } from '../../support/pod-wait.ts';
import { TestPostgres } from '../../support/postgres.ts';

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly bytes: string;
  readonly body: unknown;
}

let postgres: TestPostgres;
let pod: TestPod;

beforeAll(async () => {
  postgres = await TestPostgres.start();
  pod = await TestPod.start({
    env: { DATABASE_URL: postgres.url, EDGE_THREADS: 1, MAX_BODY_BYTES: 100_000 },
  });
  await pod.createCampaign({ id: 'c', daily_budget_cents: 1_000_000 });
});
afterAll(async () => {
  await pod.remove();
  await postgres.remove();
});

async function post(path: string, bytes: Uint8Array): Promise<Answer> {
  const reply = await fetch(`http://127.0.0.1:${pod.port}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/msgpack' },
    body: bytes as Uint8Array<ArrayBuffer>,
  });
  const body = Buffer.from(await reply.arrayBuffer());
  return {
    status: reply.status,
    type: reply.headers.get('content-type'),
    bytes: body.toString('hex'),
    body: unpack(body),
  };
}

const send = (path: string, value: unknown) => post(path, pack(value));

describe('in msgpack', () => {
  it('a decision, its win and its loss are asked for and answered', async () => {
    const bid = { campaign_id: 'c', bid_cents: 150.25, bid_id: 'b-1', unknown: [new Date(0), null] };
    expect(await send('/pacing/decision', bid)).toEqual({
      status: 200,
      type: 'application/msgpack',
      bytes: expect.any(String),
      body: { allow_bid: true, max_bid_cents: 150.25, throttle_rate: 0, reason: 'within_budget' },
    });
    const win = { campaign_id: 'c', spend_cents: 120, bid_id: 'b-1', event_id: 'e-1' };
    expect(await send('/spend/track', win)).toMatchObject({ status: 200, body: { status: 'success' } });
    expect(await send('/spend/track', win)).toMatchObject({ status: 200, body: { status: 'duplicate' } });
    expect(await pod.core.status('c')).toMatchObject({ daily_spent_cents: 120, reserved_cents: 0 });
    const loss = { campaign_id: 'c', bid_id: 'b-1' };
    expect(await send('/bid/lost', loss)).toMatchObject({ status: 200, body: { status: 'unknown' } });
  });

  it('a decision with fields of the contract alone is answered in the same bytes, and reserves for its bid', async () => {
    const before = (await pod.core.status('c')).reserved_cents;
    const others = [{}, { more: 1 }];
    const answers: Answer[] = [];
    for (const [at, other] of others.entries()) {
      const bid = { campaign_id: 'c', bid_cents: 2.5, bid_id: `plain-${at}`, ...other };
      answers.push(await send('/pacing/decision', bid));
      answers.push(await send('/pacing/decisions', { requests: [{ ...bid, bid_id: `batch-${at}` }] }));
    }
    expect(answers.slice(2)).toEqual(answers.slice(0, 2));
    await until('they are reserved', async () => (await pod.core.status('c')).reserved_cents === before + 10);
    for (const bid_id of ['plain-0', 'batch-0', 'plain-1', 'batch-1']) {
      const released = await send('/bid/lost', { campaign_id: 'c', bid_id });
      expect(released).toMatchObject({ status: 200, body: { status: 'released' } });
    }
  });

  it('batches of the largest size are answered in their order', async () => {
    const ids = Array.from({ length: 1_000 }, (_, at) => (at % 3 === 0 ? 'none' : 'c'));
    const requests = ids.map((campaign_id) => ({ campaign_id, bid_cents: 0.01 }));
    const decided = (await send('/pacing/decisions', { requests })).body as {
      readonly decisions: readonly { readonly reason: string }[];
    };
    const found = decided.decisions.map(({ reason }) => reason !== 'campaign_not_found');
    expect(found).toEqual(ids.map((id) => id === 'c'));
    const events = ids.map((campaign_id) => ({ campaign_id, spend_cents: 0.01 }));
    const spent = (await send('/spend/batch', { events })).body as {
      readonly results: readonly { readonly status: string }[];
    };
    const wanted = ids.map((id) => (id === 'c' ? 'success' : 'campaign_not_found'));
    expect(spent.results.map(({ status }) => status)).toEqual(wanted);
  });

  it('what is wrong is refused with the same error', async () => {
    expect(await send('/pacing/decision', { campaign_id: 'c', bid_cents: -1 })).toMatchObject({
      status: 400,
      type: 'application/msgpack',
      body: { error: { code: 'invalid_request', field: 'bid_cents' } },
    });
    expect(await send('/spend/track', { campaign_id: 'none', spend_cents: 1 })).toMatchObject({
      status: 404,
      type: 'application/msgpack',
      body: { error: { code: 'campaign_not_found' } },
    });
  });

  it.each([
    ['a map that ends early', [0x82, 0xa1]],
    ['a map that says it has four billion entries', [0xdf, 0xff, 0xff, 0xff, 0xff]],
    [
      'an array in it that says it has four billion elements',
      [0x81, 0xa1, 0x61, 0xdd, 0xff, 0xff, 0xff, 0xff, 0x01],
    ],
    ['two maps', [0x80, 0x80]],
    ['a byte that begins nothing', [0x81, 0xa1, 0x61, 0xc1]],
    ['a hundred thousand arrays in each other', [0x81, 0xa1, 0x61, ...new Array<number>(90_000).fill(0x91)]],
  ])('%s is refused', async (_what, bytes) => {
    const reply = await post('/pacing/decision', Uint8Array.from(bytes));
    expect(reply).toMatchObject({ status: 400, body: { error: { code: 'invalid_request' } } });
  });

  it('of another content type is no msgpack', async () => {
    const reply = await fetch(`http://127.0.0.1:${pod.port}/pacing/decision`, {
      method: 'POST',
      body: pack({ campaign_id: 'c', bid_cents: 1 }) as Uint8Array<ArrayBuffer>,
    });
    expect(reply.headers.get('content-type')).toBe('application/json');
    expect(await reply.json()).toMatchObject({ error: { code: 'invalid_request' } });
  });
});
