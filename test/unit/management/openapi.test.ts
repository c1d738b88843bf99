import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import Fastify, { type FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { digestOf } from '../../../src/config/api-tokens.ts';
import { JobPool } from '../../../src/jobs/job-pool.ts';
import { Learning } from '../../../src/management/learning.ts';
import { openApiDocument } from '../../../src/management/openapi/document.ts';
import { managementApi } from '../../../src/management/openapi/management-api.ts';
import { addOperation, collectOperations, type DescribedRoute } from '../../../src/management/operation.ts';
import { buildManagementServer, type Knowledge } from '../../../src/management/server.ts';
import { SUMMARY_EXAMPLE } from '../../../src/management/shown-status.ts';
import { Simulations } from '../../../src/management/simulations.ts';
import { AlertStore } from '../../../src/sinks/postgres/alert-store.ts';
import { AuditStore } from '../../../src/sinks/postgres/audit-store.ts';
import { CampaignStore } from '../../../src/sinks/postgres/campaign-store.ts';
import { openPostgres, type Sql } from '../../../src/sinks/postgres/client.ts';
import { LearnedShapeStore } from '../../../src/sinks/postgres/learned-shape-store.ts';
import { PerformanceStore } from '../../../src/sinks/postgres/performance-store.ts';
import { RecordingShards } from '../../support/recording-shards.ts';

interface MediaType {
  readonly schema: object;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}
interface Operation {
  readonly operationId: string;
  readonly security: readonly object[];
  readonly requestBody?: { readonly content: Readonly<Record<string, MediaType>> };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, MediaType>> }>>;
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

/** Learning and simulations that nobody asks for: no thread is started. */
function knowledge(sql: Sql, store: CampaignStore): Knowledge {
  const pool = new JobPool();
  const shards = new RecordingShards();
  const shapes = new LearnedShapeStore({ run: async (statement) => statement(sql) });
  const log = pino({ level: 'silent' });
  const nowMs = Date.now;
  const address = { url: 'postgres://nobody@127.0.0.1:1/none' };
  const pacing = { reservationTtlMs: 120_000, breakerRecoveryMs: 300_000, breakerProbes: 2 };
  return {
    shapes,
    learning: new Learning({ pool, store: shapes, shards, address, pod: 'pod-a', log, nowMs }),
    simulations: new Simulations({ pool, store, shapes, shards, pacing, nowMs }),
  };
}

/** The server without a database: nothing is asked of it. */
function server(sql: Sql, tokens: readonly string[]): FastifyInstance {
  return buildManagementServer({
    store: new CampaignStore(sql),
    audit: new AuditStore(sql),
    performance: new PerformanceStore(sql),
    alerts: new AlertStore(sql),
    shards: new RecordingShards(),
    inFleet: false,
    apiTokens: tokens.map((token) => ({
      name: token,
      role: 'operator',
      digest: digestOf(token).toString('hex'),
      isShort: true,
    })),
    corsOrigins: [],
    health: () => ({ statusCode: 200, body: '{}' }),
    summary: () => SUMMARY_EXAMPLE,
    knowledge: knowledge(sql, new CampaignStore(sql)),
    log: pino({ level: 'silent' }),
    bodyBytesMax: 1_000,
  });
}

const operationsOf = ({ paths }: Document) =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

/** `GET /campaigns/{id}` and the like, from the tree that Fastify prints. */
function routesOf(tree: string): string[] {
  const path: string[] = [];
  return tree.split('\n').flatMap((line) => {
    const [, indent, segment, methods] = /^([│ ]*)[├└]── (\S*)(?: \((.*)\))?$/.exec(line) ?? [];
    if (indent === undefined || segment === undefined) return [];
    path.splice(indent.length / 4, path.length, segment);
    const url = path.join('').replace(/:([a-z_]+)/g, '{$1}');
    const own = (methods ?? '').split(', ').filter((method) => !['', 'HEAD', 'OPTIONS'].includes(method));
    return own.map((method) => `${method} ${url}`);
  });
}

describe('the OpenAPI document', () => {
  const sql = openPostgres({ url: 'postgres://127.0.0.1:1/none' });
  let document: Document;

  beforeAll(async () => {
    const reply = await server(sql, []).inject('/openapi.json');
    expect(reply.statusCode).toBe(200);
    document = reply.json();
  });
  afterAll(() => sql.end());

  it('is valid OpenAPI 3.1', async () => {
    const { valid, errors } = await new Validator().validate({ ...structuredClone(document) });
    expect({ valid, errors }).toEqual({ valid: true, errors: undefined });
  });

  it('has examples that pass the schemas they stand beside, of every body', () => {
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    formats.default(ajv);
    const components = structuredClone(document.components);
    let shown = 0;
    for (const { path, method, operation } of operationsOf(document)) {
      const bodies = [operation.requestBody, ...Object.values(operation.responses)];
      for (const { schema, example, examples } of bodies.flatMap((body) =>
        Object.values(body?.content ?? {}),
      )) {
        const given = [example, ...Object.values(examples ?? {}).map(({ value }) => value)];
        for (const value of given.filter((each) => each !== undefined)) {
          const check = ajv.compile({ ...schema, components });
          expect(
            check(value),
            `${method} ${path}: ${ajv.errorsText(check.errors)} in ${JSON.stringify(value)}`,
          ).toBe(true);
          shown++;
        }
      }
    }
    expect(shown).toBeGreaterThan(50);
  });

  it('has every route of the server, but for the files of pages, and no other', () => {
    const printed = routesOf(server(sql, []).printRoutes({ commonPrefix: false }));
    const files = /^GET \/docs\/|^GET \/assets\//;
    const routes = printed.filter((route) => !files.test(route));
    const documented = operationsOf(document).map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    expect(routes.length).toBeGreaterThan(20);
    expect(documented.sort()).toEqual(routes.sort());
  });

  it('calls each operation by a name of its own', () => {
    const names = operationsOf(document).map(({ operation }) => operation.operationId);
    expect(new Set(names).size).toBe(names.length);
  });

  it('says that credentials are wanted only where they are', async () => {
    const reply = await server(sql, ['secret-token']).inject({
      url: '/openapi.json',
      headers: { authorization: 'Bearer secret-token' },
    });
    const guarded = reply.json<Document>();
    expect(document.paths['/campaigns']?.post?.security).toContainEqual({});
    expect(guarded.paths['/campaigns']?.post?.security).toEqual([{ token: [] }, { session: [] }]);
    expect(guarded.paths['/health']?.get?.security).toEqual([]);
  });
});

describe('a route', () => {
  it('cannot be added without a description', () => {
    const app = Fastify();
    collectOperations(app);
    expect(() => app.get('/secret', async () => 'x')).toThrow('GET /secret is not described');
  });

  it('is described by the schemas that check it', async () => {
    const app = Fastify();
    const routes: readonly DescribedRoute[] = collectOperations(app);
    addOperation(
      app,
      {
        method: 'GET',
        url: '/sums/:id',
        operationId: 'getSum',
        tag: 'Service',
        summary: 'A sum',
        params: z.object({ id: z.string().regex(/^[a-z]+$/, { error: 'small letters' }) }),
        query: z.object({ by: z.stringbool().optional() }),
        answer: { description: 'The sum.', body: z.strictObject({ id: z.string(), by: z.boolean() }) },
      },
      async ({ params, query }) => ({ id: params.id, by: query.by ?? false }),
    );
    expect((await app.inject('/sums/abc?by=true&unknown=1')).json()).toEqual({ id: 'abc', by: true });
    expect((await app.inject('/sums/ABC')).json()).toMatchObject({
      message: 'the id in the path must be small letters',
    });
    const { paths } = openApiDocument(managementApi(false), routes) as unknown as Document;
    expect(paths['/sums/{id}']?.get).toMatchObject({
      parameters: [
        { name: 'id', in: 'path', required: true, schema: { type: 'string', pattern: '^[a-z]+$' } },
        { name: 'by', in: 'query', required: false, schema: { type: 'boolean' } },
      ],
      responses: { 200: {}, 400: {} },
    });
  });
});
