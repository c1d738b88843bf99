/**
 * Reads a request's body. Almost every body arrives in one piece and is handed on without a copy; larger
 * ones are put together, up to a limit, and what passes the limit is refused while it arrives.
 */
import type { HttpResponse } from 'uWebSockets.js';
import { AppError } from '../domain/app-error.ts';
import type { Reply } from './msgpack.ts';
import { replyError } from './replies.ts';

/**
 * What receives a whole body; the buffer is only valid until it returns.
 * @param startedAt what {@link readBody} was given
 */
export type BodyReceiver = (res: Reply, body: Uint8Array, startedAt: number) => void;

/**
 * The response must have an abort handler already. A body that is refused is answered here.
 * @param startedAt when the request came, seconds of the steady clock
 */
export function readBody(
  res: HttpResponse,
  reply: Reply,
  bytesMax: number,
  startedAt: number,
  receive: BodyReceiver,
): void {
  let parts: Uint8Array[] | null = null;
  let bytes = 0;
  res.onData((chunk, isLast) => {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) {
      if (parts !== REFUSED) replyError(reply, tooLarge(bytesMax));
      parts = REFUSED;
    } else if (!isLast) {
      // uWebSockets.js takes the chunk back when this returns: keep a copy.
      parts ??= [];
      parts.push(new Uint8Array(chunk).slice());
    } else if (parts === null) {
      receive(reply, new Uint8Array(chunk), startedAt);
    } else {
      receive(reply, Buffer.concat([...parts, new Uint8Array(chunk)], bytes), startedAt);
    }
  });
}

/** Stands for the parts of a body that was refused. */
const REFUSED: Uint8Array[] = [];

function tooLarge(bytesMax: number): AppError {
  return new AppError('body_too_large', `the body is larger than ${bytesMax} bytes`);
}
