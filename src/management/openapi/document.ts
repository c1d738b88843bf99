/** OpenAPI 3.1 documents, made from described routes alone. */
import { version } from '../../config/version.ts';
import type { ErrorCode } from '../../domain/app-error.ts';
import type { Answer, DescribedRoute } from '../operation.ts';
import type { JsonObject } from '../request-body.ts';
import type { DescribedApi, HeaderName } from './described-api.ts';
import { errorsOf, exampleOf, STATUS_MEANINGS, shownError } from './errors.ts';
import { JsonSchemas } from './json-schemas.ts';

const HEADERS: Readonly<Record<HeaderName, string>> = {
  'X-Request-Id': 'The request’s own, when it had one in the form of an id, else a new one.',
  'X-Next-Cursor': 'The `cursor` of the next page; absent on the last one.',
  Location: 'The path of what was created, or to go on with.',
  'Set-Cookie': 'The session, `pacer_session`.',
  'Content-Disposition': 'A file name, of a CSV.',
  'X-Forecast-Error':
    "How well the campaign's traffic of the last learned day was told from the days before: 0 to 1, docs/pacing.md.",
  'X-Forecast-Error-Mean': 'The same, mean over the last days, at most seven.',
  'Retry-After': 'Seconds.',
  'WWW-Authenticate': 'What credentials are wanted (RFC 6750).',
};

const text = { schema: { type: 'string' } } as const;

export function openApiDocument(api: DescribedApi, routes: readonly DescribedRoute[]): JsonObject {
  const schemas = new JsonSchemas();
  const paths: Record<string, Record<string, JsonObject>> = {};
  for (const route of routes) {
    const path = route.url.replace(/:([A-Za-z_]+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(api, route, schemas) };
  }
  const { title, summary, introduction, servers, tags, securitySchemes } = api;
  return {
    openapi: '3.1.1',
    info: {
      title,
      version,
      summary,
      description: introduction,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers,
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: schemas.components,
      headers: Object.fromEntries(
        Object.entries(HEADERS).map(([name, description]) => [name, { description, ...text }]),
      ),
      securitySchemes,
    },
  };
}

function operationOf(api: DescribedApi, route: DescribedRoute, schemas: JsonSchemas): JsonObject {
  const { operationId, tag, summary, description, access } = route;
  const role = access === 'operator' ? 'Wants the role `operator`.' : '';
  const said = [description, role].filter((part) => part !== undefined && part !== '').join('\n\n');
  const parameters = [
    ...parametersOf('path', route.params, schemas),
    ...parametersOf('query', route.query, schemas),
  ];
  return {
    operationId,
    tags: [tag],
    summary,
    ...(said === '' ? {} : { description: said }),
    security: access === 'open' ? [] : api.security,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined ? {} : { requestBody: requestBodyOf(route, schemas) }),
    responses: responsesOf(api, route, schemas),
  };
}

function parametersOf(
  where: 'path' | 'query',
  object: DescribedRoute['params'],
  schemas: JsonSchemas,
): JsonObject[] {
  return Object.entries(object?.shape ?? {}).map(([name, member]) => {
    const { description, examples, ...schema } = schemas.of(member, 'output');
    const required = !member.safeParse(undefined).success;
    // Tools show a parameter's own example, and none of its schema.
    const example = where === 'path' && Array.isArray(examples) ? { example: examples[0] as unknown } : {};
    return {
      name,
      in: where,
      required,
      ...(description === undefined ? {} : { description }),
      ...example,
      schema,
    };
  });
}

function requestBodyOf(route: DescribedRoute, schemas: JsonSchemas): JsonObject {
  const { body, bodyOptional, alsoForm, bodyExamples } = route;
  if (body === undefined) throw new RangeError('a route without a body');
  const schema = schemas.of(body, 'input');
  const examples = Object.entries(bodyExamples ?? {}).map(([name, value]) => [name, { value }]);
  const json = { schema, ...(examples.length === 0 ? {} : { examples: Object.fromEntries(examples) }) };
  return {
    required: bodyOptional !== true,
    content: {
      'application/json': json,
      ...(alsoForm === true ? { 'application/x-www-form-urlencoded': { schema } } : {}),
    },
  };
}

function responsesOf(api: DescribedApi, route: DescribedRoute, schemas: JsonSchemas): JsonObject {
  const responses: Record<string, JsonObject> = {};
  for (const [status, answer] of Object.entries(route.answers))
    responses[status] = responseOf(api, answer, schemas);
  for (const [status, codes] of errorsOf(route, api))
    responses[status] ??= errorResponseOf(api, route, status, codes, schemas);
  return responses;
}

function responseOf(
  api: DescribedApi,
  { description, body, example, other, headers }: Answer,
  schemas: JsonSchemas,
): JsonObject {
  const json = body === undefined ? {} : { schema: schemas.of(body, 'output') };
  const content = {
    ...(body === undefined
      ? {}
      : { 'application/json': { ...json, ...(example === undefined ? {} : { example }) } }),
    ...Object.fromEntries(
      Object.entries(other ?? {}).map(([type, shown]) => [
        type,
        { ...text, ...(shown === null ? {} : { example: shown }) },
      ]),
    ),
  };
  return {
    description,
    headers: headersOf(...api.headers, ...(headers ?? [])),
    ...(Object.keys(content).length === 0 ? {} : { content }),
  };
}

/** Browsers are answered with the form that asks for a token, where they lack one or sent it with that form. */
function isAlsoPage({ method, alsoForm }: DescribedRoute, status: number): boolean {
  return status === 401
    ? method === 'GET' || alsoForm === true
    : alsoForm === true && (status === 400 || status === 404);
}

function errorResponseOf(
  api: DescribedApi,
  route: DescribedRoute,
  status: number,
  codes: readonly ErrorCode[],
  schemas: JsonSchemas,
): JsonObject {
  const more: HeaderName[] = [];
  if (status === 401 || status === 403) more.push('WWW-Authenticate');
  if (status === 429 || status === 503) more.push('Retry-After');
  return {
    description: `${STATUS_MEANINGS[status]} \`code\`: ${codes.map((code) => `\`${code}\``).join(', ')}.`,
    headers: headersOf(...api.headers, ...more),
    content: {
      'application/json': {
        schema: schemas.of(shownError, 'output'),
        examples: Object.fromEntries(codes.map((code) => [code, { value: exampleOf(code) }])),
      },
      ...(isAlsoPage(route, status) ? { 'text/html': text } : {}),
    },
  };
}

function headersOf(...names: readonly HeaderName[]): JsonObject {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}
