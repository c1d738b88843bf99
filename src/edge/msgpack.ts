/** msgpack in and out: a request whose content type is application/msgpack is answered in msgpack, also when it is wrong. */
import { Packr, Unpackr } from 'msgpackr';
import { isPlainMsgpack } from './msgpack-check.ts';

/** What a response is written from: text, or bytes. */
export type ReplyBody = string | ArrayBuffer | Uint8Array;

/** What answers need of a response: uWebSockets.js's, or one that packs what is written to it. */
export interface Reply {
  cork(write: () => void): unknown;
  writeStatus(status: string | ArrayBuffer): Reply;
  writeHeader(name: string, value: string): Reply;
  end(body: ReplyBody): unknown;
  onAborted(aborted: () => void): unknown;
}

const CONTENT_TYPE = 'application/msgpack';

// Plain maps and arrays, as every msgpack library writes and reads them.
const PLAIN = { useRecords: false, variableMapSize: true, int64AsType: 'number' } as const;
const unpackr = new Unpackr(PLAIN);
const packr = new Packr(PLAIN);

export function isMsgpack(contentType: string): boolean {
  // Nearly all are shorter, and begin alike.
  return contentType.length >= CONTENT_TYPE.length && contentType.startsWith(CONTENT_TYPE);
}

/** @throws Error when it is not one whole msgpack value, of what JSON has, bytes and timestamps */
export function unpack(body: Buffer): unknown {
  if (!isPlainMsgpack(body)) throw new Error('not one whole value of plain msgpack');
  return unpackr.unpack(body);
}

/** A value as msgpack, in a buffer of its own. */
export function packed(value: unknown): ArrayBuffer {
  return new Uint8Array(packr.pack(value)).buffer;
}

/** The status line and the header behind it in one. */
const OK_MSGPACK = new TextEncoder().encode(`200 OK\r\ncontent-type: ${CONTENT_TYPE}`).slice().buffer;

/** Answers in msgpack what is written to it as JSON. */
export class PackedReply implements Reply {
  private readonly reply: Reply;

  constructor(reply: Reply) {
    this.reply = reply;
  }

  cork(write: () => void): void {
    this.reply.cork(write);
  }

  writeStatus(status: string | ArrayBuffer): this {
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

  /** Answers 200 with msgpack, from inside the request's own handler or body callback. */
  endPacked(body: ArrayBuffer | Uint8Array): void {
    this.reply.writeStatus(OK_MSGPACK).end(body);
  }

  onAborted(aborted: () => void): void {
    this.reply.onAborted(aborted);
  }
}
