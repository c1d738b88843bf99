/** What the document says of errors: their one shape, and for each route the codes it can answer with. */
import { z } from 'zod';
import { ERROR_CODES, type ErrorCode, statusOf } from '../../domain/app-error.ts';
import type { DescribedRoute } from '../operation.ts';
import type { DescribedApi } from './described-api.ts';

export const shownError = z
  .strictObject({
    error: z.strictObject({
      code: z.enum(ERROR_CODES).describe('Stable; for programs.'),
      message: z.string().describe('What was wrong and what is accepted; for people.'),
      field: z
        .string()
        .optional()
        .meta({
          description: 'The field or parameter that was refused.',
          examples: ['dayparts[0].start_hour'],
        }),
    }),
  })
  .meta({ id: 'Error' });

export type ShownError = z.output<typeof shownError>;

const MESSAGES: Readonly<Record<ErrorCode, readonly [message: string, field?: string]>> = {
  invalid_request: ['limit must be a whole number from 1 to 1000', 'limit'],
  unauthorized: ['this port wants Authorization: Bearer with a token, or a login'],
  forbidden: ['the token dashboard may read only: this wants an operator'],
  not_found: ['there is no alert with this id', 'id'],
  campaign_not_found: ['there is no campaign with the id camp-001'],
  already_exists: ['a campaign with the id camp-001 exists already', 'id'],
  stale_version: ['the campaign is at version 3, not 2: read it again', 'version'],
  nothing_learned: [
    'the campaign has no whole day of traffic yet, of the last 28: there is nothing to learn from',
  ],
  campaign_limit: ['the pacing table is full: raise CAMPAIGNS_MAX'],
  body_too_large: ['a body of at most 1048576 bytes is accepted'],
  rate_limited: ['more than 50 requests a second with the token ops; try again'],
  unavailable: ['the database does not answer; try again'],
};

export const STATUS_MEANINGS: Readonly<Record<number, string>> = {
  400: 'Something in the request is not accepted; `field` names it.',
  401: 'Credentials are wanted, and missing or wrong.',
  403: 'The token may read only, or a page of another origin asked.',
  404: 'There is no such thing.',
  409: 'It conflicts with what stands.',
  413: 'The body is over MAX_BODY_BYTES.',
  429: 'Too many requests; try again after Retry-After.',
  503: 'It cannot be served safely right now; nothing was half done. Try again after Retry-After.',
};

export function exampleOf(code: ErrorCode): ShownError {
  const [message, field] = MESSAGES[code];
  return { error: field === undefined ? { code, message } : { code, message, field } };
}

/** The codes that a route can answer with, by status, ascending. */
export function errorsOf(
  route: DescribedRoute,
  api: DescribedApi,
): ReadonlyMap<number, readonly ErrorCode[]> {
  const codes = new Set<ErrorCode>([...(route.errors ?? []), ...api.commonErrors(route)]);
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of [...codes].sort((a, b) => statusOf(a) - statusOf(b))) {
    byStatus.set(statusOf(code), [...(byStatus.get(statusOf(code)) ?? []), code]);
  }
  return byStatus;
}
