/** Every operation of /openapi-core.json, which is written beside the edges' own checks, against running pods. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  ApiContract,
  type ApiDocument,
  bodySchema,
  examplesOf,
  type Operation,
  VALUES,
} from '../../support/api-contract.ts';
import { freePorts, TestPod } from '../../support/pod.ts';
import { Bidder, type Reply } from '../../support/pod-http.ts';
import { until } from '../../support/pod-wait.ts';

const TOKEN = 'a-token-of-the-bidders-of-this-test';
const BODY_BYTES_MAX = 50_000;
/** Nothing here gives it: the management thread is down only while it is started anew. */
const ELSEWHERE = ['getMetrics 503'];

let pod: TestPod;
/** Never has campaigns: its database does not answer. */
let orphan: TestPod;
let contract: ApiContract;

beforeAll(async () => {
  const env = { EDGE_TOKEN: TOKEN, MAX_BODY_BYTES: BODY_BYTES_MAX };
  pod = await TestPod.start({ env, edgeToken: TOKEN });
  const [dead] = await freePorts();
  orphan = await TestPod.prepare({
    env: { ...env, DATABASE_URL: `postgres://127.0.0.1:${dead}/none` },
    edgeToken: TOKEN,
  });
  await orphan.launch();
  contract = new ApiContract((await pod.api.request<ApiDocument>('GET', '/openapi-core.json')).body);
  await pod.createCampaign({ id: 'camp-001', daily_budget_cents: 10_000_000 });
  await until('the pod without a database answers', () =>
    orphan.core.request('GET', '/health/live').then(
      ({ status }) => status === 200,
      () => false,
    ),
  );
});

afterAll(async () => {
  await pod.remove();
  await orphan.remove();
});

async function send(
  operation: Operation,
  { body, id = 'camp-001', to = pod.core }: { body?: unknown; id?: string; to?: Bidder } = {},
): Promise<Reply> {
  const path = operation.path.replace('{id}', id);
  const reply = await to.request(operation.method, path, body);
  contract.check(operation, reply, JSON.stringify(body)?.slice(0, 300));
  return reply;
}

test('each answers its own examples with success', async () => {
  for (const operation of contract.operations) {
    for (const body of examplesOf(operation)) {
      expect((await send(operation, { body })).status, operation.operationId).toBe(200);
    }
  }
});

test('each refuses with 400 what its schema refuses, and answers any other body as documented', async () => {
  for (const operation of contract.operations) {
    const schema = bodySchema(operation);
    if (schema === undefined) continue;
    for (const body of ['{', '[]', 'null', '"x"', '{}']) {
      expect((await send(operation, { body })).status, body).toBe(400);
    }
    const example = (examplesOf(operation)[0] ?? {}) as Record<string, unknown>;
    for (const name of Object.keys(contract.propertiesOf(schema))) {
      for (const value of VALUES) {
        const body = { ...example, [name]: value };
        const { status } = await send(operation, { body });
        if (!contract.accepts(schema, body)) expect(status, JSON.stringify(body).slice(0, 300)).toBe(400);
      }
      const { [name]: _without, ...rest } = example;
      const { status } = await send(operation, { body: rest });
      expect(status, JSON.stringify(rest)).toBe(contract.accepts(schema, rest) ? 200 : 400);
    }
    // Unknown fields are ignored on this port.
    expect((await send(operation, { body: { ...example, more: '<b>' } })).status).toBe(200);
  }
});

test('each answers any JSON as documented', async () => {
  const operations = contract.operations.filter((each) => bodySchema(each) !== undefined);
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...operations), fc.jsonValue(), async (operation, body) => {
      await send(operation, { body: JSON.stringify(body) });
    }),
    { numRuns: 300 },
  );
});

test('each wants the token where the document says so, and takes no body that is too large', async () => {
  const stranger = new Bidder(pod.port);
  const huge = { x: 'y'.repeat(BODY_BYTES_MAX) };
  for (const operation of contract.operations) {
    const wanted = '401' in operation.responses ? 401 : 200;
    const body = examplesOf(operation)[0];
    expect((await send(operation, { body, to: stranger })).status, operation.operationId).toBe(wanted);
    if ('413' in operation.responses) expect((await send(operation, { body: huge })).status).toBe(413);
  }
  stranger.close();
});

test('each says when there is no such campaign', async () => {
  for (const operation of contract.operations.filter(({ responses }) => '404' in responses)) {
    const body = bodySchema(operation) && { ...(examplesOf(operation)[0] as object), campaign_id: 'no-such' };
    expect((await send(operation, { body, id: 'no-such' })).status, operation.operationId).toBe(404);
  }
});

test('each answers 503 while the campaigns are not loaded', async () => {
  for (const operation of contract.operations.filter(({ responses }) => '503' in responses)) {
    if (operation.operationId === 'getMetrics') continue;
    const { status } = await send(operation, { body: examplesOf(operation)[0], to: orphan.core });
    expect(status, operation.operationId).toBe(503);
  }
});

test('decisions above MAX_QPS are refused with 429, and every documented status has been given', async () => {
  await pod.stop();
  await pod.restart({ MAX_QPS: 1 });
  for (const operation of contract.operations.filter(({ responses }) => '429' in responses)) {
    await until(`${operation.operationId} answers 429`, async () => {
      return (await send(operation, { body: examplesOf(operation)[0] })).status === 429;
    });
  }
  const never = contract.documented.filter((each) => !contract.seen.has(each));
  expect(never).toEqual(ELSEWHERE);
});
