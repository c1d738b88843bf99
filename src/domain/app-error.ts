/**
 * An expected failure at a boundary, with a stable code and the HTTP status it maps to. Both ports
 * answer it in the same shape: `{"error":{"code","message","field"?}}`. Never carries a stack to a client.
 */

export type ErrorCode =
  | 'invalid_request'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'campaign_not_found'
  | 'already_exists'
  | 'stale_version'
  | 'not_in_fleet'
  | 'campaign_limit'
  | 'body_too_large'
  | 'rate_limited'
  | 'unavailable';

const STATUS_OF: Readonly<Record<ErrorCode, number>> = {
  invalid_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  campaign_not_found: 404,
  already_exists: 409,
  stale_version: 409,
  not_in_fleet: 409,
  campaign_limit: 503,
  body_too_large: 413,
  rate_limited: 429,
  unavailable: 503,
};

export interface ErrorBody {
  readonly error: { readonly code: ErrorCode; readonly message: string; readonly field?: string };
}

export class AppError extends Error {
  readonly code: ErrorCode;
  readonly field: string | undefined;

  constructor(code: ErrorCode, message: string, field?: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'AppError';
    this.code = code;
    this.field = field;
  }

  get status(): number {
    return STATUS_OF[this.code];
  }

  /** Seconds for a Retry-After header, or 0 when trying again will not help. */
  get retryAfterSeconds(): number {
    return this.status === 503 || this.status === 429 ? 1 : 0;
  }

  toBody(): ErrorBody {
    const { code, message, field } = this;
    return { error: field === undefined ? { code, message } : { code, message, field } };
  }
}
