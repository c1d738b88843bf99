/**
 * The frames of a WebSocket's server as they come, by their heads: what a dashboard's end costs the machine must not be
 * what a bench measures. Payloads are put together only where somebody wants to read them.
 */

/** A pong without a payload, masked with zeros as a client's frames must be. */
export const PONG_EMPTY = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);

const LENGTH_IN_16_BITS = 126;
const LENGTH_IN_64_BITS = 127;

export class FrameReader {
  private readonly keepsPayloads: boolean;
  private readonly took: (opcode: number, payload: Buffer | null) => void;
  private head: Buffer = Buffer.alloc(0);
  private opcode = 0;
  private payloadLeft = 0;
  private payload: Buffer[] = [];

  /** @param took with each whole frame; its payload is null unless payloads are kept */
  constructor(keepsPayloads: boolean, took: (opcode: number, payload: Buffer | null) => void) {
    this.keepsPayloads = keepsPayloads;
    this.took = took;
  }

  read(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0) rest = this.payloadLeft > 0 ? this.readPayload(rest) : this.readHead(rest);
  }

  private readPayload(chunk: Buffer): Buffer {
    const part = chunk.subarray(0, this.payloadLeft);
    this.payloadLeft -= part.length;
    if (this.keepsPayloads) this.payload.push(part);
    if (this.payloadLeft === 0) this.end();
    return chunk.subarray(part.length);
  }

  private readHead(chunk: Buffer): Buffer {
    const head = this.head.length === 0 ? chunk : Buffer.concat([this.head, chunk]);
    const short = (head[1] ?? 0) & 0x7f;
    const headBytes = short === LENGTH_IN_64_BITS ? 10 : short === LENGTH_IN_16_BITS ? 4 : 2;
    if (head.length < headBytes) {
      this.head = head;
      return Buffer.alloc(0);
    }
    this.head = Buffer.alloc(0);
    this.opcode = (head[0] ?? 0) & 0x0f;
    this.payloadLeft =
      short === LENGTH_IN_64_BITS
        ? Number(head.readBigUInt64BE(2))
        : short === LENGTH_IN_16_BITS
          ? head.readUInt16BE(2)
          : short;
    if (this.payloadLeft === 0) this.end();
    return head.subarray(headBytes);
  }

  private end(): void {
    const payload = this.keepsPayloads ? Buffer.concat(this.payload) : null;
    this.payload = [];
    this.took(this.opcode, payload);
  }
}
