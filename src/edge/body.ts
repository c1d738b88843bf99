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
  let parts: BodyParts | null = null;
  res.onData((chunk, isLast) => {
    if (isLast && parts === null && chunk.byteLength <= bytesMax) {
      receive(reply, new Uint8Array(chunk), startedAt);
      return;
    }
    parts ??= new BodyParts(bytesMax);
    const body = parts.add(chunk, isLast, reply);
    if (body !== null) receive(reply, body, startedAt);
  });
}

/** A body that comes in pieces, or is too large. */
export class BodyParts {
  private readonly bytesMax: number;
  private parts: Uint8Array[] = [];
  private bytes = 0;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** @returns the whole body, when this was its last part; null before, and when it is refused, which is answered here */
  add(part: ArrayBuffer, isLast: boolean, reply: Reply): Uint8Array | null {
    const fitted = this.bytes <= this.bytesMax;
    this.bytes += part.byteLength;
    if (this.bytes > this.bytesMax) {
      this.parts = [];
      if (fitted) replyError(reply, tooLarge(this.bytesMax));
      return null;
    }
    // uWebSockets.js takes the part back when this returns: keep a copy.
    this.parts.push(new Uint8Array(part).slice());
    return isLast ? Buffer.concat(this.parts, this.bytes) : null;
  }
}

function tooLarge(bytesMax: number): AppError {
  return new AppError('body_too_large', `the body is larger than ${bytesMax} bytes`);
}
