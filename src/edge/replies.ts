/** How the core service answers: JSON bodies, coded errors, and nothing written to a client that has gone. */
import type { AppError } from '../domain/app-error.ts';
import type { Reply, ReplyBody } from './msgpack.ts';

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

const encoder = new TextEncoder();

/** The status line and the header behind it in one: one call, and no string is made bytes, for each answer. */
const OK_JSON = encoder.encode('200 OK\r\ncontent-type: application/json').slice().buffer;

/** Answers 200 with JSON that is bytes already, where {@link replyJson} may. */
export function replyBytes(res: Reply, body: ReplyBody): void {
  res.writeStatus(OK_JSON).end(body);
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
