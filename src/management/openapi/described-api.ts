/** What a document says of its API as a whole. */
import type { ErrorCode } from '../../domain/app-error.ts';
import type { AnswerHeader, DescribedRoute } from '../operation.ts';
import type { JsonObject } from '../request-body.ts';

export type HeaderName = AnswerHeader | 'X-Request-Id' | 'Retry-After' | 'WWW-Authenticate';

export interface DescribedApi {
  readonly title: string;
  readonly summary: string;
  /** What holds for every route, in Markdown. */
  readonly introduction: string;
  readonly servers: readonly JsonObject[];
  /** By name, in the order in which they are shown. */
  readonly tags: Readonly<Record<string, string>>;
  readonly securitySchemes: Readonly<Record<string, JsonObject>>;
  /** What a route that is not open wants: one of these. */
  readonly security: readonly JsonObject[];
  /** Headers of every answer. */
  readonly headers: readonly HeaderName[];
  /** Codes that a route can answer with besides its own, by what it takes and wants. */
  readonly commonErrors: (route: DescribedRoute) => readonly ErrorCode[];
}
