/** How the core service answers: JSON bodies, coded errors, and nothing written to a client that has gone. */
import type { HttpResponse } from 'uWebSockets.js';
import type { AppError } from '../domain/app-error.ts';
import { centsFromMicros } from '../domain/money.ts';
import { isAllowed, REASONS } from '../table/gate.ts';
import type { Decision } from '../table/pacing-table.ts';

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

/** A decision as the contract's JSON. Runs for every request; the string is its only allocation. */
export function decisionJson(decision: Decision): string {
  const throttleRate = Math.round(decision.throttleRate * THROTTLE_STEPS) / THROTTLE_STEPS;
  const reason = REASONS[decision.reason];
  return isAllowed(decision.reason)
    ? `{"allow_bid":true,"max_bid_cents":${centsFromMicros(decision.maxBidMicros)},"throttle_rate":${throttleRate},"reason":"${reason}"}`
    : `{"allow_bid":false,"max_bid_cents":0,"throttle_rate":${throttleRate},"reason":"${reason}"}`;
}

/** Answers 200 from inside the request's own handler or body callback, where uWebSockets.js has corked. */
export function replyJson(res: HttpResponse, body: string): void {
  res.writeHeader('content-type', 'application/json').end(body);
}

/** Answers with a status, from anywhere. */
export function replyCorked(res: HttpResponse, status: number, contentType: string, body: string): void {
  res.cork(() => {
    res.writeStatus(STATUS_LINES[status] ?? `${status}`).writeHeader('content-type', contentType);
    if (status === 503 || status === 429) res.writeHeader('retry-after', '1');
    res.end(body);
  });
}

export function replyError(res: HttpResponse, error: AppError): void {
  replyCorked(res, error.status, 'application/json', JSON.stringify(error.toBody()));
}
