/**
 * An operation of the API: one route together with what it takes and what it answers, as zod schemas. The schemas
 * check each request, give the handler its types, and make the OpenAPI document: what is described is what is
 * checked. A route that no operation describes cannot be added ({@link collectOperations}).
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { ErrorCode } from '../domain/app-error.ts';
import { checked } from './field-rules.ts';
import { bodyOf, optionalBodyOf } from './request.ts';

/** Headers that an answer can have, by the names that the document knows them under. */
export type AnswerHeader =
  | 'X-Next-Cursor'
  | 'Location'
  | 'Set-Cookie'
  | 'Content-Disposition'
  | 'X-Forecast-Error'
  | 'X-Forecast-Error-Mean';

export interface Answer<A extends z.ZodType = z.ZodType> {
  readonly description: string;
  /** Of the JSON body; absent, there is none but {@link other}. */
  readonly body?: A;
  /** Must pass the schema. */
  readonly example?: unknown;
  /** Bodies of other media types, such as `text/csv`, each with an example or null. */
  readonly other?: Readonly<Record<string, string | null>>;
  readonly headers?: readonly AnswerHeader[];
}

/** What the document says of a route. */
export interface Description {
  /** Unique, camelCase: what generated clients call the operation. */
  readonly operationId: string;
  readonly tag: Tag;
  /** One line. */
  readonly summary: string;
  /** More, in Markdown. */
  readonly description?: string;
  /** Of the path; every member is required. */
  readonly params?: z.ZodObject;
  /** Of the query; members take texts. Parameters that it does not name are ignored. */
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** Whether a request without a body is read as `{}`. */
  readonly bodyOptional?: boolean;
  /** Whether a form with the same fields is taken as well. */
  readonly alsoForm?: boolean;
  /** Bodies by a short name; each must pass the schema. */
  readonly bodyExamples?: Readonly<Record<string, unknown>>;
  /** By status; errors are in {@link errors}. */
  readonly answers: Readonly<Record<number, Answer>>;
  /**
   * Refusals of its own. Those that any route can have need not be named: a request that fails its schemas (400),
   * credentials (401, 403), a body that is too large (413), too many requests (429).
   */
  readonly errors?: readonly ErrorCode[];
}

export type Tag =
  | 'Campaigns'
  | 'Budgets'
  | 'Pacing'
  | 'Insight'
  | 'Alerts'
  | 'Audit'
  | 'Service'
  | 'Session'
  | 'Bids'
  | 'Spend';

/** A description with the method and path it is of. */
export interface DescribedRoute extends Description {
  readonly method: string;
  /** As Fastify has it: `/campaigns/:id`. */
  readonly url: string;
  readonly access: Access;
}

/** Least role that a route wants; `open` asks nobody. */
export type Access = 'open' | 'viewer' | 'operator';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Absent for nothing but files of a page, which say `page-file`. */
    readonly described?: Description | 'page-file';
  }
}

/** An operation whose requests are checked before its handler runs. */
interface Operation<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType, A extends z.ZodType>
  extends Omit<Description, 'answers'> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  /** Absent: by its method. */
  readonly access?: Access;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** What it answers when all is well; `status` is 200 when absent. */
  readonly answer: Answer<A> & { readonly body: A; readonly status?: number };
  readonly otherAnswers?: Readonly<Record<number, Answer>>;
}

/** What a request carried, checked and read. */
export interface Given<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType> {
  readonly params: z.output<P>;
  readonly query: z.output<Q>;
  readonly body: z.output<B>;
}

/** As a handler may return it. */
export type Shown<T> = T extends readonly (infer Element)[]
  ? readonly Shown<Element>[]
  : T extends object
    ? { readonly [Key in keyof T]: Shown<T[Key]> }
    : T;

/**
 * Adds a route. Its request is checked in the order path, query, body, before the handler is called; the handler
 * returns the answer's body, or the reply when it has sent that itself.
 */
export function addOperation<
  A extends z.ZodType,
  P extends z.ZodObject = z.ZodObject<Record<never, never>>,
  Q extends z.ZodObject = z.ZodObject<Record<never, never>>,
  B extends z.ZodType = z.ZodUndefined,
>(
  app: FastifyInstance,
  operation: Operation<P, Q, B, A>,
  handler: (
    given: Given<P, Q, B>,
    request: FastifyRequest,
    reply: FastifyReply,
  ) => Promise<Shown<z.input<A>> | FastifyReply>,
): void {
  const { method, url, access, answer, otherAnswers, ...said } = operation;
  const status = answer.status ?? 200;
  app.route({
    method,
    url,
    config: {
      ...(access === undefined ? {} : { access }),
      described: { ...said, answers: { [status]: answer, ...otherAnswers } },
    },
    handler: async (request, reply) => {
      const given = {
        params: read(operation.params, request.params, 'the %s in the path'),
        query: read(operation.query, request.query, '%s'),
        body: readBody(operation, request),
      };
      if (status !== 200) reply.code(status);
      return handler(given as Given<P, Q, B>, request, reply);
    },
  });
}

/** @param named how a refusal names the parameter `%s` */
function read(schema: z.ZodType | undefined, values: unknown, named: string): unknown {
  return schema === undefined ? {} : checked(schema, { ...(values as object) }, named);
}

function readBody({ body, bodyOptional }: Partial<Description>, request: FastifyRequest): unknown {
  if (body === undefined) return undefined;
  return checked(body, bodyOptional === true ? optionalBodyOf(request) : bodyOf(request));
}

/**
 * Keeps the description of every route that is added from now on, for the document. To be called before the first.
 * @throws Error from the addition of a route that has none.
 */
export function collectOperations(app: FastifyInstance): readonly DescribedRoute[] {
  const routes: DescribedRoute[] = [];
  app.addHook('onRoute', ({ method, url, config }) => {
    for (const each of Array.isArray(method) ? method : [method]) {
      // A HEAD comes with every GET, and an OPTIONS is a browser's.
      if (each === 'HEAD' || each === 'OPTIONS') continue;
      const described = config?.described;
      if (described === undefined) throw new Error(`${each} ${url} is not described: use addOperation`);
      if (described === 'page-file') continue;
      const access = config?.access ?? (each === 'GET' ? 'viewer' : 'operator');
      routes.push({ ...described, method: each, url, access });
    }
  });
  return routes;
}
