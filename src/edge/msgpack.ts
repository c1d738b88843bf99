/**
 * msgpack in and out. A body is told by its first byte: a msgpack map begins with one that no JSON text does, so that
 * requests in JSON pay nothing for it. Whoever sends a msgpack map is answered in msgpack.
 */
import { Packr, Unpackr } from 'msgpackr';

/** What answers need of a response: uWebSockets.js's, or one that packs what is written to it. */
export interface Reply {
  cork(write: () => void): unknown;
  writeStatus(status: string): Reply;
  writeHeader(name: string, value: string): Reply;
  end(body: string | Buffer): unknown;
  onAborted(aborted: () => void): unknown;
}

/** First bytes of maps (msgpack specification): of up to 15 entries, with a 16-bit and with a 32-bit length. */
const SMALL_MAP = 0x80;
const SMALL_MAP_MASK = 0xf0;
const MAP_16 = 0xde;
const MAP_32 = 0xdf;

// Plain maps and arrays, as every msgpack library writes and reads them.
const PLAIN = { useRecords: false, variableMapSize: true, int64AsType: 'number' } as const;
const unpackr = new Unpackr(PLAIN);
const packr = new Packr(PLAIN);

export function isMsgpack(body: Buffer): boolean {
  const first = body[0] ?? 0;
  return (first & SMALL_MAP_MASK) === SMALL_MAP || first === MAP_16 || first === MAP_32;
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
    this.reply.writeHeader(name, name === 'content-type' ? 'application/msgpack' : value);
    return this;
  }

  end(body: string): void {
    this.reply.end(packr.pack(JSON.parse(body)));
  }

  onAborted(aborted: () => void): void {
    this.reply.onAborted(aborted);
  }
}
