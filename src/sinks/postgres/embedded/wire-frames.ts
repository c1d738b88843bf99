/**
 * Cuts a client's byte stream into messages of the Postgres protocol (version 3):
 *
 *   before the start-up message   [ length: int32 | code: int32 | … ]
 *   after it                      [ type: byte | length: int32, itself included | … ]
 *
 * Owned by one connection. Holds at most one unfinished message, of at most {@link MESSAGE_BYTES_MAX}.
 */

/** Far above any statement of the pacer; a longer message is a broken or a foreign client. */
export const MESSAGE_BYTES_MAX = 64 * 1024 * 1024;

export type FrameKind =
  /** Opens the session. */
  | 'startup'
  /** Asks for TLS or GSS encryption; the answer is one byte. */
  | 'encryption'
  /** Asks to cancel a statement of another connection. */
  | 'cancel'
  /** Any message of an open session. */
  | 'message';

export interface Frame {
  readonly kind: FrameKind;
  readonly bytes: Uint8Array;
}

const PROTOCOL_MAJOR = 3;
const CANCEL_CODE = 80_877_102;
const SSL_CODE = 80_877_103;
const GSS_CODE = 80_877_104;
const STARTUP_BYTES_MAX = 10_000;

export class FrameReader {
  #pending: Buffer = Buffer.alloc(0);
  #started = false;

  /**
   * The messages completed by these bytes, in order.
   * @throws RangeError when they cannot be the Postgres protocol; the connection is of no use then.
   */
  push(bytes: Buffer): Frame[] {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    const frames: Frame[] = [];
    for (let frame = this.#next(); frame !== null; frame = this.#next()) frames.push(frame);
    return frames;
  }

  #next(): Frame | null {
    return this.#started ? this.#nextMessage() : this.#nextOpening();
  }

  #nextMessage(): Frame | null {
    if (this.#pending.length < 5) return null;
    const length = this.#pending.readUInt32BE(1) + 1;
    if (length < 5 || length > MESSAGE_BYTES_MAX) throw new RangeError('message length out of range');
    return this.#cut(length, 'message');
  }

  #nextOpening(): Frame | null {
    if (this.#pending.length < 8) return null;
    const length = this.#pending.readUInt32BE(0);
    if (length < 8 || length > STARTUP_BYTES_MAX) throw new RangeError('start-up length out of range');
    const frame = this.#cut(length, openingKind(this.#pending.readUInt32BE(4)));
    if (frame?.kind === 'startup') this.#started = true;
    return frame;
  }

  #cut(length: number, kind: FrameKind): Frame | null {
    if (this.#pending.length < length) return null;
    // A copy of its own memory: the database reads it later, when the socket's buffer may be reused.
    const bytes = Uint8Array.from(this.#pending.subarray(0, length));
    this.#pending = this.#pending.subarray(length);
    return { kind, bytes };
  }
}

function openingKind(code: number): FrameKind {
  if (code === SSL_CODE || code === GSS_CODE) return 'encryption';
  if (code === CANCEL_CODE) return 'cancel';
  if (code >>> 16 !== PROTOCOL_MAJOR) throw new RangeError('unknown protocol version');
  return 'startup';
}
