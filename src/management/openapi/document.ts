/** The OpenAPI 3.1 document of the management API, made from the described routes alone. */
import { version } from '../../config/version.ts';
import type { ErrorCode } from '../../domain/app-error.ts';
import type { Answer, AnswerHeader, DescribedRoute, Tag } from '../operation.ts';
import type { JsonObject } from '../request-body.ts';
import { errorsOf, exampleOf, STATUS_MEANINGS, shownError } from './errors.ts';
import { INTRODUCTION } from './introduction.ts';
import { JsonSchemas } from './json-schemas.ts';

const TAGS: Readonly<Record<Tag, string>> = {
  Campaigns: 'What is to be spent, when and how.',
  Budgets: 'A campaign’s money: changing it, and where it stands right now.',
  Pacing: 'How a budget is spread over its day.',
  Insight: 'What became of the plans.',
  Alerts: 'What an operator should look at.',
  Audit: 'Who changed what.',
  Service: 'The pod itself, and this description.',
  Session: 'Logging in and out, for browsers.',
};

const HEADERS: Readonly<Record<AnswerHeader | 'X-Request-Id' | 'Retry-After' | 'WWW-Authenticate', string>> =
  {
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

/** @param credentialsRequired whether API_TOKENS is set */
export function openApiDocument(routes: readonly DescribedRoute[], credentialsRequired: boolean): JsonObject {
  const schemas = new JsonSchemas();
  const paths: Record<string, Record<string, JsonObject>> = {};
  for (const route of routes) {
    const path = route.url.replace(/:([A-Za-z_]+)/g, '{$1}');
    paths[path] = {
      ...paths[path],
      [route.method.toLowerCase()]: operationOf(route, schemas, credentialsRequired),
    };
  }
  schemas.of(shownError, 'output');
  return {
    openapi: '3.1.1',
    info: {
      title: 'Budget pacer: management API',
      version,
      summary: 'Campaigns, budgets, pacing, alerts and what became of the plans.',
      description: INTRODUCTION,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/', description: 'This pod' }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: schemas.components,
      headers: Object.fromEntries(
        Object.entries(HEADERS).map(([name, description]) => [name, { description, ...text }]),
      ),
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'One of API_TOKENS.' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: 'pacer_session',
          description: 'What POST /login sets; a browser sends it on its own.',
        },
      },
    },
  };
}

function operationOf(route: DescribedRoute, schemas: JsonSchemas, credentialsRequired: boolean): JsonObject {
  const { operationId, tag, summary, description, access } = route;
  const role = access === 'operator' ? 'Wants the role `operator`.' : '';
  const said = [description, role].filter((part) => part !== undefined && part !== '').join('\n\n');
  const parameters = [
    ...parametersOf('path', route.params, schemas),
    ...parametersOf('query', route.query, schemas),
  ];
  const credentials = [{ token: [] }, { session: [] }];
  return {
    operationId,
    tags: [tag],
    summary,
    ...(said === '' ? {} : { description: said }),
    security: access === 'open' ? [] : credentialsRequired ? credentials : [{}, ...credentials],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined ? {} : { requestBody: requestBodyOf(route, schemas) }),
    responses: responsesOf(route, schemas),
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

function responsesOf(route: DescribedRoute, schemas: JsonSchemas): JsonObject {
  const responses: Record<string, JsonObject> = {};
  for (const [status, answer] of Object.entries(route.answers))
    responses[status] = responseOf(answer, schemas);
  for (const [status, codes] of errorsOf(route))
    responses[status] ??= errorResponseOf(route, status, codes, schemas);
  return responses;
}

function responseOf(
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
    headers: headersOf('X-Request-Id', ...(headers ?? [])),
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
  route: DescribedRoute,
  status: number,
  codes: readonly ErrorCode[],
  schemas: JsonSchemas,
): JsonObject {
  const more: (keyof typeof HEADERS)[] = [];
  if (status === 401 || status === 403) more.push('WWW-Authenticate');
  if (status === 429 || status === 503) more.push('Retry-After');
  return {
    description: `${STATUS_MEANINGS[status]} \`code\`: ${codes.map((code) => `\`${code}\``).join(', ')}.`,
    headers: headersOf('X-Request-Id', ...more),
    content: {
      'application/json': {
        schema: schemas.of(shownError, 'output'),
        examples: Object.fromEntries(codes.map((code) => [code, { value: exampleOf(code) }])),
      },
      ...(isAlsoPage(route, status) ? { 'text/html': text } : {}),
    },
  };
}

function headersOf(...names: readonly (keyof typeof HEADERS)[]): JsonObject {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}
