/** How the core service answers: JSON bodies, coded errors, and nothing written to a client that has gone. */
import type { AppError } from '../domain/app-error.ts';
import { isAllowed, REASONS } from '../domain/gate.ts';
import { centsFromMicros } from '../domain/money.ts';
import type { Decision } from '../table/pacing-table.ts';
import type { Reply } from './msgpack.ts';

const STATUS_LINES: Readonly<Record<number, string>> = {
  200: '200 OK',
  400: '400 Bad Request',
  401: '401 Unauthorized',
  403: '403 Forbidden',
  404: '404 Not Found',
  409: '409 Conflict',
  413: '413 Payload Too Large',
  429: '429 Too Many Requests',
  503: '503 Service Unavailable',
};

const THROTTLE_STEPS = 10_000;
const DEGRADED_WARNING = 'Operating in degraded mode';

/** A decision as the contract's JSON. */
export function decisionJson(decision: Decision): string {
  const throttleRate = Math.round(decision.throttleRate * THROTTLE_STEPS) / THROTTLE_STEPS;
  const allowed = isAllowed(decision.reason);
  const maxBid = allowed ? centsFromMicros(decision.maxBidMicros) : 0;
  const warning = decision.degraded ? `,"warning":"${DEGRADED_WARNING}"` : '';
  return `{"allow_bid":${allowed},"max_bid_cents":${maxBid},"throttle_rate":${throttleRate},"reason":"${REASONS[decision.reason]}"${warning}}`;
}

const REPLIES = 1024;

/**
 * The last replies: a campaign's denials are alike for a second, and its bids have few prices. Making the
 * string anew and flattening it for the socket costs several times the look-up.
 */
export class ReplyCache {
  private readonly maxBids = new Float64Array(REPLIES);
  private readonly throttleRates = new Float64Array(REPLIES);
  private readonly reasons = new Int32Array(REPLIES).fill(-1);
  private readonly replies: string[] = Array.from({ length: REPLIES }, () => '');

  /** The same as {@link decisionJson}. */
  json(decision: Decision): string {
    return decision.degraded ? decisionJson(decision) : this.known(decision);
  }

  private known(decision: Decision): string {
    const { maxBidMicros, throttleRate, reason } = decision;
    const mixed =
      Math.imul(maxBidMicros | 0, 0x9e3779b1) ^ Math.imul((throttleRate * 0x3fffffff) | 0, 0x85ebca6b);
    const at = ((mixed >>> 16) ^ reason) & (REPLIES - 1);
    const known =
      this.reasons[at] === reason &&
      this.maxBids[at] === maxBidMicros &&
      this.throttleRates[at] === throttleRate;
    if (known) return this.replies[at] as string;
    this.reasons[at] = reason;
    this.maxBids[at] = maxBidMicros;
    this.throttleRates[at] = throttleRate;
    const reply = decisionJson(decision);
    this.replies[at] = reply;
    return reply;
  }
}

/** Answers 200 from inside the request's own handler or body callback, where uWebSockets.js has corked. */
export function replyJson(res: Reply, body: string): void {
  res.writeHeader('content-type', 'application/json').end(body);
}

/** Answers with a status, from anywhere. */
export function replyCorked(res: Reply, status: number, contentType: string, body: string): void {
  res.cork(() => {
    res.writeStatus(STATUS_LINES[status] ?? `${status}`).writeHeader('content-type', contentType);
    if (status === 503 || status === 429) res.writeHeader('retry-after', '1');
    if (status === 401) res.writeHeader('www-authenticate', 'Bearer realm="budget-pacer"');
    res.end(body);
  });
}

export function replyError(res: Reply, error: AppError): void {
  replyCorked(res, error.status, 'application/json', JSON.stringify(error.toBody()));
}
