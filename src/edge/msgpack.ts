/** msgpack in and out: a request whose content type is application/msgpack is answered in msgpack, also when it is wrong. */
import { Packr, Unpackr } from 'msgpackr';

/** What answers need of a response: uWebSockets.js's, or one that packs what is written to it. */
export interface Reply {
  cork(write: () => void): unknown;
  writeStatus(status: string): Reply;
  writeHeader(name: string, value: string): Reply;
  end(body: string | Buffer): unknown;
  onAborted(aborted: () => void): unknown;
}

const CONTENT_TYPE = 'application/msgpack';

// Plain maps and arrays, as every msgpack library writes and reads them.
const PLAIN = { useRecords: false, variableMapSize: true, int64AsType: 'number' } as const;
const unpackr = new Unpackr(PLAIN);
const packr = new Packr(PLAIN);

export function isMsgpack(contentType: string): boolean {
  return contentType.startsWith(CONTENT_TYPE);
}

/** @throws Error when it is not one whole msgpack value */
export function unpack(body: Buffer): unknown {
  return unpackr.unpack(body);
}

/** Answers in msgpack what is written to it as JSON. */
export class PackedReply implements Reply {
  private readonly reply: Reply;

  constructor(reply: Reply) {
    this.reply = reply;
  }

  cork(write: () => void): void {
    this.reply.cork(write);
  }

  writeStatus(status: string): this {
    this.reply.writeStatus(status);
    return this;
  }

  writeHeader(name: string, value: string): this {
    this.reply.writeHeader(name, name === 'content-type' ? CONTENT_TYPE : value);
    return this;
  }

  end(body: string): void {
    this.reply.end(packr.pack(JSON.parse(body)));
  }

  onAborted(aborted: () => void): void {
    this.reply.onAborted(aborted);
  }
}
