/**
 * Reads a request's body. Almost every body arrives in one piece and is handed on without a copy; larger
 * ones are put together, up to a limit, and what passes the limit is refused while it arrives.
 */
import type { HttpResponse } from 'uWebSockets.js';
import { AppError } from '../domain/app-error.ts';
import { replyError } from './replies.ts';

/** What receives a whole body; the buffer is only valid until it returns. */
export type BodyReceiver = (body: Buffer) => void;

/**
 * The response must have an abort handler already. When the body is refused, the reply is sent here and
 * `refused` is called instead of `receive`.
 */
export function readBody(
  res: HttpResponse,
  bytesMax: number,
  receive: BodyReceiver,
  refused: () => void,
): void {
  let parts: Buffer[] | null = null;
  let bytes = 0;
  let done = false;
  res.onData((chunk, isLast) => {
    if (done) return;
    bytes += chunk.byteLength;
    if (bytes > bytesMax) {
      done = true;
      parts = null;
      refused();
      replyError(res, new AppError('body_too_large', `the body is larger than ${bytesMax} bytes`));
      return;
    }
    if (isLast) {
      done = true;
      if (parts === null) receive(Buffer.from(chunk));
      else receive(Buffer.concat([...parts, Buffer.from(chunk)], bytes));
      return;
    }
    // uWebSockets.js takes the chunk back when this returns: keep a copy.
    parts ??= [];
    parts.push(Buffer.from(Buffer.from(chunk)));
  });
}
