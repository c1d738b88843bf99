/** Every operation of /openapi.json against running pods: every answer is a documented one, and every documented status is given. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  ApiContract,
  type ApiDocument,
  bodySchema,
  examplesOf,
  type JsonSchema,
  type Operation,
  VALUES,
} from '../../support/api-contract.ts';
import { TestLiveClient } from '../../support/live-client.ts';
import { freePorts, TestPod } from '../../support/pod.ts';
import { type Headers, HttpClient, type Reply } from '../../support/pod-http.ts';
import { until } from '../../support/pod-wait.ts';

/** Each may make 50 requests a second: many share the work. */
const WORKERS = 60;
const tokenOf = (name: string): string => `token-of-${name}-for-this-test`;
const TOKENS = ['viewer', 'flood', 'admin', ...Array.from({ length: WORKERS }, (_, at) => `w${at}`)];
const BODY_BYTES_MAX = 100_000;

const QUERY_VALUES = [
  '',
  'x',
  '-1',
  '0',
  '1.5',
  '1e2',
  '99999999999999999999',
  "' OR 1=1",
  '<b>',
  '\0',
  'é',
  'a'.repeat(300),
];
const PATH_VALUES = ['..%2f..%2fetc', 'a%20b', '%00', '%C3%A9', 'a'.repeat(129), '%zz', "x';--", '%3Cb%3E'];

/** Of the shards' memory alone, or tested on its own. */
const WITHOUT_DATABASE = ['getBudgetStatus', 'watchBudgets'];
/** Bodies that name a campaign, of operations whose first example does not. */
const NAMING: Readonly<Record<string, object>> = { simulatePacing: { campaign_id: 'camp-001' } };
const UPGRADE = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
};
/** Statuses that are given only by pods in a state that these are not in, and where they are tested. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'getBudgetStatus 503': 'a shard that is down: pod/threads.test.ts',
  'learnTrafficShape 200': 'whole days of history: pod/knowledge.test.ts',
  'watchBudgets 503': 'more clients than are served at once',
};

let pod: TestPod;
/** Without tokens, and with a database that does not answer. */
let orphan: TestPod;
let contract: ApiContract;
let alertId = 0;
let next = 0;

beforeAll(async () => {
  const tokens = TOKENS.map(
    (name) => `${name}:${name === 'viewer' ? 'viewer' : 'operator'}:${tokenOf(name)}`,
  );
  pod = await TestPod.start({
    env: { API_TOKENS: tokens.join(','), MAX_BODY_BYTES: BODY_BYTES_MAX },
    apiToken: tokenOf('admin'),
  });
  const [dead] = await freePorts();
  orphan = await TestPod.prepare({
    env: { DATABASE_URL: `postgres://127.0.0.1:${dead}/none`, MAX_BODY_BYTES: BODY_BYTES_MAX },
  });
  await orphan.launch();
  await until('the pod without a database answers', () =>
    orphan.api.request('GET', '/health').then(
      ({ status }) => status === 503,
      () => false,
    ),
  );
  contract = new ApiContract((await pod.api.request<ApiDocument>('GET', '/openapi.json')).body);
  // So that there is an alert to resolve.
  await pod.createCampaign({ id: 'spent', daily_budget_cents: 100 });
  await pod.core.spend({ campaign_id: 'spent', spend_cents: 60 });
  await until('an alert', async () => {
    const { body } = await pod.api.request<{ id: number }[]>('GET', '/alerts/spent');
    alertId = body[0]?.id ?? 0;
    return alertId > 0;
  });
});

afterAll(async () => {
  await pod.remove();
  await orphan.remove();
});

interface Sent {
  readonly id?: string;
  readonly query?: string;
  readonly body?: unknown;
  readonly headers?: Headers;
  /** Whose token; null for none. */
  readonly as?: string | null;
  readonly to?: TestPod;
  readonly what?: string;
}

/** Sends a request, and checks that the answer is documented. */
async function send(operation: Operation, sent: Sent = {}): Promise<Reply> {
  const { id = idFor(operation), query = '', body, headers = {}, to = pod, what = '' } = sent;
  const as = sent.as === undefined ? `w${next++ % WORKERS}` : sent.as;
  const path = operation.path.replace(/\{[a-z_]+\}/, id) + (query === '' ? '' : `?${query}`);
  const credentials = as === null || to === orphan ? {} : { authorization: `Bearer ${tokenOf(as)}` };
  // The client's own header is replaced, as it has the token of the admin.
  const reply =
    as === null || to === orphan
      ? await anonymous(to, operation.method, path, body, headers)
      : await to.api.request(operation.method, path, body, { ...credentials, ...headers });
  contract.check(
    operation,
    reply,
    `${what} ${path.slice(0, 200)} ${JSON.stringify(body)?.slice(0, 200) ?? ''}`,
  );
  return reply;
}

function anonymous(
  to: TestPod,
  method: string,
  path: string,
  body: unknown,
  headers: Headers,
): Promise<Reply> {
  const client = new HttpClient(to.apiPort, 1);
  return client.request(method, path, body, headers).finally(() => client.close());
}

/** Of something that is there. */
function idFor({ path }: Operation): string {
  return path === '/alerts/{id}/resolve' ? String(alertId) : 'camp-001';
}

describe('every operation of /openapi.json', () => {
  test('answers its own examples with what it documents, and most of them with success', async () => {
    const last = contract.operation('deleteCampaign');
    for (const operation of [...contract.operations.filter((each) => each !== last), last]) {
      if (operation.operationId === 'login' || operation === contract.operation('watchBudgets')) continue;
      let succeeded = 0;
      for (const body of examplesOf(operation)) {
        const { status } = await send(operation, { body });
        if (status < 300 || `${operation.operationId} 200` in ELSEWHERE) succeeded++;
        // An example may name a version that is not the present one any more.
        else expect(JSON.stringify(body), `${operation.operationId} answered ${status}`).toContain('version');
      }
      expect(succeeded, operation.operationId).toBeGreaterThan(0);
    }
    const csv = await send(contract.operation('getPerformance'), { headers: { accept: 'text/csv' } });
    expect(csv.headers['content-type']).toContain('text/csv');
  });

  test('lets in whoever logs in, with a form or with JSON', async () => {
    const login = contract.operation('login');
    const token = tokenOf('viewer');
    expect((await send(login, { as: null, body: { token } })).status).toBe(200);
    expect((await send(login, { as: null, body: `token=${token}` })).status).toBe(303);
    expect((await send(login, { as: null, body: { token: 'wrong' } })).status).toBe(401);
    expect((await send(login, { as: null, body: 'token=wrong' })).status).toBe(401);
    expect((await send(login, { to: orphan, body: { token } })).status).toBe(404);
  });

  test('opens the WebSocket, or says why not', async () => {
    const watch = contract.operation('watchBudgets');
    const authorization = `Bearer ${tokenOf('viewer')}`;
    const client = await TestLiveClient.open(pod.apiPort, { headers: { authorization } });
    contract.seen.add('watchBudgets 101');
    client.close();
    expect((await send(watch)).status).toBe(400);
    const unknown = await send(watch, { query: 'campaign_id=no-such', headers: UPGRADE });
    expect(unknown.status).toBe(404);
    const { headers } = await send(contract.operation('login'), {
      as: null,
      body: { token: tokenOf('viewer') },
    });
    const cookie = String(headers['set-cookie']).split(';')[0] ?? '';
    const elsewhere = { cookie, origin: 'https://elsewhere.example', ...UPGRADE };
    expect((await send(watch, { as: null, headers: elsewhere })).status).toBe(403);
  });

  test('refuses with 400 every body that its schema refuses, and answers any other as documented', {
    timeout: 240_000,
  }, async () => {
    for (const operation of contract.operations) {
      const schema = bodySchema(operation);
      if (schema === undefined) continue;
      const broken = [
        '{',
        '[]',
        'null',
        '"x"',
        '{"a":1e400}',
        `{"a":${'['.repeat(100)}${']'.repeat(100)}}`,
        '\xff',
      ];
      for (const body of [...broken, { no_such_field: 1 }]) {
        expect((await send(operation, { body })).status, JSON.stringify(body)).toBe(400);
      }
      const example = examplesOf(operation)[0] ?? {};
      for (const name of Object.keys(contract.propertiesOf(schema))) {
        for (const value of VALUES) {
          const body = { ...(example as object), [name]: value };
          const { status } = await send(operation, { body, what: name });
          if (!contract.accepts(schema, body)) expect(status, JSON.stringify(body).slice(0, 300)).toBe(400);
        }
        const { [name]: _without, ...rest } = example as Record<string, unknown>;
        const { status } = await send(operation, { body: rest, what: `without ${name}` });
        if (!contract.accepts(schema, rest)) expect(status, JSON.stringify(rest)).toBe(400);
      }
    }
  });

  test('answers any JSON as documented', async () => {
    const operations = contract.operations.filter((each) => bodySchema(each) !== undefined);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...operations), fc.jsonValue(), async (operation, body) => {
        await send(operation, { body: JSON.stringify(body) });
      }),
      { numRuns: 300 },
    );
  });

  test('refuses with 400 every parameter that its schema refuses', async () => {
    for (const operation of contract.operations) {
      for (const { name, in: where, schema } of operation.parameters ?? []) {
        if (where === 'path') {
          for (const id of PATH_VALUES) expect((await send(operation, { id })).status, id).toBe(400);
          continue;
        }
        for (const text of QUERY_VALUES) {
          const { status } = await send(operation, { query: `${name}=${encodeURIComponent(text)}` });
          if (!acceptsText(schema, text)) expect(status, `${name}=${text}`).toBe(400);
        }
        if (schema.anyOf !== undefined) continue; // one that may be given several times
        expect((await send(operation, { query: `${name}=1&${name}=2` })).status, `${name} twice`).toBe(400);
      }
    }
  });

  test('wants credentials, and those of an operator for changes', async () => {
    for (const operation of contract.operations.filter(({ security }) => security.length > 0)) {
      expect((await send(operation, { as: null })).status, operation.operationId).toBe(401);
      const wrong = { authorization: 'Bearer wrong' };
      expect((await send(operation, { as: null, headers: wrong })).status, operation.operationId).toBe(401);
      if ('403' in operation.responses && operation.method !== 'GET') {
        expect((await send(operation, { as: 'viewer' })).status, operation.operationId).toBe(403);
      }
      if (operation.method === 'GET') {
        const page = await send(operation, { as: null, headers: { accept: 'text/html' } });
        expect(page.headers['content-type']).toContain('text/html');
      }
    }
    for (const operationId of ['login', 'logout']) {
      const headers = { origin: 'https://elsewhere.example' };
      expect((await send(contract.operation(operationId), { as: null, headers })).status).toBe(403);
    }
  });

  test('says so when what it names is not there, or has moved on', async () => {
    for (const operation of contract.operations) {
      const properties = contract.propertiesOf(bodySchema(operation) ?? {});
      const example = (NAMING[operation.operationId] ?? examplesOf(operation)[0] ?? {}) as object;
      const body = bodySchema(operation) === undefined ? undefined : example;
      if (operation.path.includes('{id}')) {
        const id = operation.path.startsWith('/alerts/{id}/') ? '999999999' : 'no-such';
        expect((await send(operation, { id, body })).status, operation.operationId).toBe(404);
      } else if ('campaign_id' in properties) {
        const { status } = await send(operation, { body: { ...example, campaign_id: 'no-such' } });
        expect(status, operation.operationId).toBe(404);
      }
      if ('version' in properties) {
        const named = 'campaign_id' in properties ? { campaign_id: 'spent' } : {};
        const { status } = await send(operation, {
          id: 'spent',
          body: { ...example, ...named, version: 999 },
        });
        expect(status, operation.operationId).toBe(409);
      }
    }
    const create = contract.operation('createCampaign');
    expect((await send(create, { body: examplesOf(create)[0] })).status).toBe(409);
  });

  test('refuses a body that is too large', async () => {
    const body = `{"x":"${'y'.repeat(BODY_BYTES_MAX)}"}`;
    for (const operation of contract.operations.filter(({ method }) => method !== 'GET')) {
      expect((await send(operation, { body })).status, operation.operationId).toBe(413);
    }
  });

  test('refuses more requests than a token may make', async () => {
    for (const operation of contract.operations.filter(({ responses }) => '429' in responses)) {
      await until(`${operation.operationId} answers 429`, async () => {
        const burst = Array.from({ length: 20 }, () => send(operation, { as: 'flood', id: 'no-such' }));
        return (await Promise.all(burst)).some(({ status }) => status === 429);
      });
    }
  });

  test('answers 503 while the database does not, unless it needs none', async () => {
    for (const operation of contract.operations.filter(({ responses }) => '503' in responses)) {
      if (WITHOUT_DATABASE.includes(operation.operationId)) continue;
      const body = NAMING[operation.operationId] ?? examplesOf(operation)[0];
      expect((await send(operation, { to: orphan, body })).status, operation.operationId).toBe(503);
    }
  });

  test('has given every status that it documents', () => {
    const never = contract.documented.filter((each) => !contract.seen.has(each));
    expect(never.sort()).toEqual(Object.keys(ELSEWHERE).sort());
  });

  test('stores texts as they are, whatever they say in SQL or HTML', async () => {
    for (const name of VALUES.filter((value) => typeof value === 'string' && value.length > 1)) {
      const { status, body } = await pod.api.request<{ id: string }>('POST', '/campaigns', {
        name,
        daily_budget_cents: 1,
        targeting: { [String(name)]: name },
      });
      if (status !== 201) expect(name).toMatch(/\0|a{5000}/);
      else {
        const read = await pod.api.request('GET', `/campaigns/${body.id}`);
        expect(read.body).toMatchObject({ name, targeting: { [String(name)]: name } });
      }
    }
  });
});

/** What a query's text is read as, by its schema. */
function acceptsText(schema: JsonSchema, text: string): boolean {
  if (schema.type === 'integer') return /^[0-9]+$/.test(text) && contract.accepts(schema, Number(text));
  if (schema.type === 'boolean') return text === 'true' || text === 'false';
  return contract.accepts(schema, text);
}
