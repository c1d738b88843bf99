/** Answers to HEAD: the status and headers that GET would have, its body's length, and no body. */
import type { HttpResponse } from 'uWebSockets.js';
import type { Reply, ReplyBody } from './msgpack.ts';

export class BodylessReply implements Reply {
  private readonly res: HttpResponse;

  constructor(res: HttpResponse) {
    this.res = res;
  }

  cork(write: () => void): void {
    this.res.cork(write);
  }

  writeStatus(status: string | ArrayBuffer): this {
    this.res.writeStatus(status);
    return this;
  }

  writeHeader(name: string, value: string): this {
    this.res.writeHeader(name, value);
    return this;
  }

  end(body: ReplyBody): void {
    // With the length as an argument uWebSockets.js takes the answer for unfinished, and ends the process.
    this.res.writeHeader('content-length', String(Buffer.byteLength(body))).endWithoutBody();
  }

  onAborted(aborted: () => void): void {
    this.res.onAborted(aborted);
  }
}
