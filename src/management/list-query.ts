/** What lists have in common: the parameters of a page, and how one that is wrong is refused. */
import { AppError } from '../domain/app-error.ts';

const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 1000;

/** The query's parameters. Those that a route does not know are ignored, as caches and proxies add some. */
export function queryOf(query: unknown): Readonly<Record<string, unknown>> {
  return (query ?? {}) as Record<string, unknown>;
}

/** Rows of a page. @throws AppError `invalid_request`. */
export function limitOf(value: unknown): number {
  if (value === undefined) return LIMIT_DEFAULT;
  const limit = typeof value === 'string' && /^[0-9]{1,4}$/.test(value) ? Number(value) : 0;
  if (limit >= 1 && limit <= LIMIT_MAX) return limit;
  throw refused('limit', `a whole number from 1 to ${LIMIT_MAX}`);
}

/** `true` or `false`; absent is false. @throws AppError `invalid_request`. */
export function switchOf(parameter: string, value: unknown): boolean {
  if (value === undefined || value === 'false') return false;
  if (value === 'true') return true;
  throw refused(parameter, 'true or false');
}

/** The refusal of a parameter that says what is accepted. */
export function refused(parameter: string, accepted: string): AppError {
  return new AppError('invalid_request', `${parameter} must be ${accepted}`, parameter);
}
