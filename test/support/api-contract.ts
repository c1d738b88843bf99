/** A pod's OpenAPI document as a contract: what each operation takes, and whether an answer is one that it documents. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { Reply } from './pod-http.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

interface MediaType {
  readonly schema: JsonSchema;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}

interface Response {
  readonly content?: Readonly<Record<string, MediaType>>;
  readonly headers: Readonly<Record<string, unknown>>;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly schema: JsonSchema;
}

interface OperationObject {
  readonly operationId: string;
  readonly security: readonly unknown[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: {
    readonly required: boolean;
    readonly content: Readonly<Record<string, MediaType>>;
  };
  readonly responses: Readonly<Record<string, Response>>;
}

export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> };
}

export interface Operation extends OperationObject {
  readonly method: string;
  /** As documented: `/campaigns/{id}`. */
  readonly path: string;
}

/** Values that hardly any field takes all of; whether one does, its schema says. */
export const VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  0.00001,
  1e300,
  2 ** 53,
  '',
  'x',
  '2026-02-30',
  '1; DROP TABLE campaigns; --',
  "' OR '1'='1",
  '<script>alert(1)</script>',
  'nul \0',
  '../../etc/passwd',
  'a'.repeat(5_000),
  [],
  {},
  [[1]],
  { hour: 25, start_hour: -1 },
  JSON.parse('{"__proto__":{"a":1}}'),
];

/** Headers that an answer always has when its status documents them. */
const ALWAYS = ['X-Request-Id', 'Retry-After', 'WWW-Authenticate', 'Location'];

export class ApiContract {
  readonly operations: readonly Operation[];
  /** `operationId status` of every answer that was checked. */
  readonly seen = new Set<string>();
  readonly #document: ApiDocument;
  readonly #ajv = new Ajv2020({ strict: false });
  readonly #compiled = new Map<JsonSchema, ValidateFunction>();

  constructor(document: ApiDocument) {
    formats.default(this.#ajv);
    this.#document = document;
    this.operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        ...operation,
        method: method.toUpperCase(),
        path,
      })),
    );
  }

  operation(operationId: string): Operation {
    const operation = this.operations.find((each) => each.operationId === operationId);
    if (operation === undefined) throw new Error(`there is no operation ${operationId}`);
    return operation;
  }

  /** Every `operationId status` that the document has. */
  get documented(): string[] {
    return this.operations.flatMap(({ operationId, responses }) =>
      Object.keys(responses).map((status) => `${operationId} ${status}`),
    );
  }

  accepts(schema: JsonSchema, value: unknown): boolean {
    return this.#check(schema)(value);
  }

  /** The properties of an object's schema, wherever it stands. */
  propertiesOf(schema: JsonSchema): Readonly<Record<string, JsonSchema>> {
    const { $ref, properties } = schema as { $ref?: string; properties?: Record<string, JsonSchema> };
    if ($ref === undefined) return properties ?? {};
    return this.propertiesOf(this.#document.components.schemas[$ref.split('/').at(-1) ?? ''] ?? {});
  }

  /** @throws Error when the document does not have this answer: its status, media type, body and headers. */
  check(operation: Operation, reply: Reply, what = ''): void {
    const { status, headers, text } = reply;
    const wrong = (why: string): Error =>
      new Error(`${operation.operationId} ${what}: ${why}\n${status} ${text.slice(0, 500)}`);
    const response = operation.responses[status];
    if (response === undefined) throw wrong(`${status} is not documented`);
    this.seen.add(`${operation.operationId} ${status}`);
    for (const name of ALWAYS) {
      if (name in response.headers && headers[name.toLowerCase()] === undefined)
        throw wrong(`no ${name} header`);
    }
    const type = headers['content-type']?.split(';')[0] ?? '';
    if (response.content === undefined) {
      if (text !== '') throw wrong('a body is not documented');
      return;
    }
    const media = response.content[type];
    if (media === undefined) throw wrong(`the media type ${type} is not documented`);
    if (type !== 'application/json') return;
    const check = this.#check(media.schema);
    if (!check(reply.body)) throw wrong(this.#ajv.errorsText(check.errors));
  }

  #check(schema: JsonSchema): ValidateFunction {
    const known = this.#compiled.get(schema);
    if (known !== undefined) return known;
    const check = this.#ajv.compile({ ...schema, components: this.#document.components });
    this.#compiled.set(schema, check);
    return check;
  }
}

/** Of its JSON body, if it takes one. */
export function bodySchema(operation: Operation): JsonSchema | undefined {
  return operation.requestBody?.content['application/json']?.schema;
}

/** Of its bodies; undefined where there are none. */
export function examplesOf(operation: Operation): readonly unknown[] {
  const { examples } = operation.requestBody?.content['application/json'] ?? {};
  return examples === undefined ? [undefined] : Object.values(examples).map(({ value }) => value);
}
