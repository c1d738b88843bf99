/**
 * Looks at a msgpack body before it is decoded. A decoder believes what lengths claim: it makes room for an array of
 * 65,535 elements when it reads three bytes, once more at each level of nesting, and a body of 18 kB so takes
 * gigabytes. Extensions are a decoder's own and can be anything. One pass over the bytes, which allocates nothing.
 */

/** Levels of nesting accepted, as of JSON on the management port. */
export const DEPTH_MAX = 64;

/** Values still to come at each level of nesting. */
const due = new Int32Array(DEPTH_MAX + 1);

const TIMESTAMP = 0xff;
const UNKNOWN = -1;
/** By a byte from 0xc0 on: how many bytes follow of a value that holds no others; UNKNOWN for all the rest. */
const PLAIN_BYTES = Int8Array.from([
  ...[0, UNKNOWN, 0, 0], // nil, -, false, true
  ...[UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN], // bytes and extensions, see afterSized
  ...[4, 8], // floats
  ...[1, 2, 4, 8], // unsigned
  ...[1, 2, 4, 8], // signed
  ...new Array<number>(12).fill(UNKNOWN), // extensions, texts; arrays and maps
]);

/** Whether the body is one whole value of nil, booleans, numbers, texts, bytes, timestamps, arrays and maps. */
export function isPlainMsgpack(body: Buffer): boolean {
  const end = body.length;
  let at = 0;
  let depth = 0;
  due[0] = 1;
  for (;;) {
    while (due[depth] === 0) {
      if (depth === 0) return at === end;
      depth--;
    }
    if (at >= end) return false;
    (due[depth] as number)--;
    const byte = body[at++] as number;
    let values = 0;
    if (byte <= 0x7f || byte >= 0xe0) continue;
    if (byte < 0x90) values = 2 * (byte & 0x0f);
    else if (byte < 0xa0) values = byte & 0x0f;
    else if (byte < 0xc0) at += byte & 0x1f;
    else if (byte >= 0xdc) {
      const lengthBytes = byte & 1 ? 4 : 2;
      if (at + lengthBytes > end) return false;
      values = body.readUIntBE(at, lengthBytes) * (byte >= 0xde ? 2 : 1);
      at += lengthBytes;
    } else {
      const bytes = PLAIN_BYTES[byte - 0xc0] as number;
      at = bytes === UNKNOWN ? afterSized(body, byte, at) : at + bytes;
    }
    // Each value that is still to come has a byte at least; that also keeps the count within 32 bits.
    if (values > end - at) return false;
    if (at > end) return false;
    if (values > 0) {
      if (depth === DEPTH_MAX) return false;
      due[++depth] = values;
    }
  }
}

/** Where a text, bytes or a timestamp end; beyond every end when it is something else. */
function afterSized(body: Buffer, byte: number, at: number): number {
  if (byte === 0xd6 || byte === 0xd7) return body[at] === TIMESTAMP ? at + (byte === 0xd6 ? 5 : 9) : NOWHERE;
  if (byte === 0xc7) return body[at] === 12 && body[at + 1] === TIMESTAMP ? at + 14 : NOWHERE;
  const lengthBytes = LENGTH_BYTES.get(byte) ?? 0;
  if (lengthBytes === 0 || at + lengthBytes > body.length) return NOWHERE;
  return at + lengthBytes + body.readUIntBE(at, lengthBytes);
}

const NOWHERE = Number.MAX_SAFE_INTEGER;
const LENGTH_BYTES: ReadonlyMap<number, number> = new Map([
  [0xc4, 1],
  [0xc5, 2],
  [0xc6, 4],
  [0xd9, 1],
  [0xda, 2],
  [0xdb, 4],
]);
