/**
 * The messages of the WebSocket as frames. A frame is made, and compressed, once and shared by all clients that want
 * it; a row's JSON is made once for each of its changes.
 */
import { constants, deflateRawSync } from 'node:zlib';
import { Packr } from 'msgpackr';
import type { JsonObject } from '../request-body.ts';
import type { LiveRow } from './live-rows.ts';

export const ENCODINGS = ['json', 'msgpack'] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** Plain maps that any msgpack library reads. */
const packr = new Packr({ useRecords: false });

/** What is smaller is not worth a decompression. */
const COMPRESSED_BYTES_MIN = 1_024;
/** An eighth of the size at some 250 MB/s; higher levels take twice as long for a tenth less. */
const COMPRESSION = { level: 1, finishFlush: constants.Z_SYNC_FLUSH };
/** What a flush ends with, and RFC 7692 leaves out. */
const FLUSH_TAIL_BYTES = 4;
const FIN_AND_COMPRESSED = 0xc0;
const OPCODE_TEXT = 1;
const OPCODE_BINARY = 2;

/** One message for any number of clients. */
export class LiveFrame {
  readonly payload: Buffer;
  readonly isBinary: boolean;
  #compressed: Buffer | null = null;

  constructor(encoding: Encoding, payload: Buffer) {
    this.payload = payload;
    this.isBinary = encoding === 'msgpack';
  }

  /**
   * The whole frame, head and all, compressed by itself (RFC 7692 without context takeover) so that every client that
   * takes compressed messages can be sent the same bytes; null for a message that is too small for it.
   */
  get compressed(): Buffer | null {
    if (this.payload.length < COMPRESSED_BYTES_MIN) return null;
    this.#compressed ??= compressedFrame(this.payload, this.isBinary);
    return this.#compressed;
  }
}

function compressedFrame(payload: Buffer, isBinary: boolean): Buffer {
  const flushed = deflateRawSync(payload, COMPRESSION);
  const body = flushed.subarray(0, flushed.length - FLUSH_TAIL_BYTES);
  const head = Buffer.alloc(10);
  head[0] = FIN_AND_COMPRESSED | (isBinary ? OPCODE_BINARY : OPCODE_TEXT);
  if (body.length < 126) {
    head[1] = body.length;
    return Buffer.concat([head.subarray(0, 2), body]);
  }
  if (body.length < 65_536) {
    head[1] = 126;
    head.writeUInt16BE(body.length, 2);
    return Buffer.concat([head.subarray(0, 4), body]);
  }
  head[1] = 127;
  head.writeBigUInt64BE(BigInt(body.length), 2);
  return Buffer.concat([head, body]);
}

/** All rows that a client is to have. */
export function snapshotFrame(
  encoding: Encoding,
  at: string,
  rows: readonly LiveRow[],
  totals: JsonObject,
): LiveFrame {
  return frame(encoding, 'snapshot', at, rows, totals);
}

/** The rows that changed, whole. */
export function updateFrame(
  encoding: Encoding,
  at: string,
  rows: readonly LiveRow[],
  totals: JsonObject,
): LiveFrame {
  return frame(encoding, 'update', at, rows, totals);
}

export function alertFrame(encoding: Encoding, alert: JsonObject): LiveFrame {
  const message = { type: 'alert', ...alert };
  return new LiveFrame(
    encoding,
    encoding === 'msgpack' ? packr.pack(message) : Buffer.from(JSON.stringify(message)),
  );
}

function frame(
  encoding: Encoding,
  type: 'snapshot' | 'update',
  at: string,
  rows: readonly LiveRow[],
  totals: JsonObject,
): LiveFrame {
  if (encoding === 'msgpack') {
    const message = { type, at, campaigns: rows.map(({ wire }) => wire), totals };
    return new LiveFrame(encoding, packr.pack(message));
  }
  const campaigns = rows.map((row) => {
    row.json ??= JSON.stringify(row.wire);
    return row.json;
  });
  const text = `{"type":"${type}","at":"${at}","campaigns":[${campaigns.join(',')}],"totals":${JSON.stringify(totals)}}`;
  return new LiveFrame(encoding, Buffer.from(text));
}
