/**
 * An expected failure at a boundary, with a stable code and the HTTP status it maps to. Both ports
 * answer it in the same shape: `{"error":{"code","message","field"?}}`. Never carries a stack to a client.
 */

const STATUS_OF = {
  invalid_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  campaign_not_found: 404,
  already_exists: 409,
  stale_version: 409,
  nothing_learned: 409,
  campaign_limit: 503,
  body_too_large: 413,
  rate_limited: 429,
  unavailable: 503,
} as const;

export type ErrorCode = keyof typeof STATUS_OF;

export const ERROR_CODES = Object.keys(STATUS_OF) as readonly ErrorCode[];

/** The HTTP status that a code is answered with. */
export function statusOf(code: ErrorCode): number {
  return STATUS_OF[code];
}

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
    return statusOf(this.code);
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
