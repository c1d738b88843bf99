/**
 * One connected client: what it wants, what it was sent last, and whether it lives. Nothing waits here for a client
 * that does not read: a frame is handed over only when all before it have left this process, so that its socket
 * holds at most one state and the alerts of one moment.
 */
import type { Writable } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Encoding, LiveFrame } from './live-frames.ts';

/** The status code of RFC 6455 for a server that goes away, for a breach of policy, and for one with too much to do. */
export const CLOSE_GOING_AWAY = 1001;
export const CLOSE_POLICY = 1008;
export const CLOSE_TRY_AGAIN = 1013;

export interface LiveClientOptions {
  readonly encoding: Encoding;
  /** The campaigns it wants; null = all. */
  readonly campaignIds: ReadonlySet<string> | null;
  /**
   * The connection below the WebSocket, where frames that were compressed for all clients at once go as they are; null
   * for a client that does not take them.
   */
  readonly compressedTo: Pick<Writable, 'write'> | null;
  /** Whether its credentials still hold. */
  readonly isWelcome: () => boolean;
  /** Name of the token behind it; null where nobody is asked for one. */
  readonly caller: string | null;
}

/** Messages and pings that a client may send between two beats. It has nothing to say. */
const HEARD_MAX = 64;

/** What a client was sent last; written by the hub. */
export interface SentState {
  /** The look up to which it knows all rows; −1 before its snapshot. */
  look: number;
  /** Number of the last alert. */
  alert: number;
  totals: string;
  atMs: number;
}

export class LiveClient {
  readonly encoding: Encoding;
  readonly campaignIds: ReadonlySet<string> | null;
  readonly caller: string | null;
  readonly sent: SentState;
  readonly #socket: WebSocket;
  readonly #compressedTo: Pick<Writable, 'write'> | null;
  readonly #isWelcome: () => boolean;
  /** Signs of life since the last beat. */
  #heard = 1;
  #waitingBytes = 0;

  constructor(socket: WebSocket, options: LiveClientOptions, alert: number) {
    this.#socket = socket;
    this.encoding = options.encoding;
    this.campaignIds = options.campaignIds;
    this.#compressedTo = options.compressedTo;
    this.#isWelcome = options.isWelcome;
    this.caller = options.caller;
    this.sent = { look: -1, alert, totals: '', atMs: Number.NEGATIVE_INFINITY };
    const hear = (): void => {
      this.#heard++;
      if (this.#heard <= HEARD_MAX) return;
      this.close(CLOSE_POLICY, 'too many messages');
      this.terminate(); // it would go on until it answers
    };
    socket.on('pong', hear);
    socket.on('message', hear);
    socket.on('ping', (data: Buffer) => {
      hear();
      // A client that pings without reading gets no answers to hold for it.
      if (this.hasDrained) socket.pong(data);
    });
  }

  /** Whether all that was sent has left this process. */
  get hasDrained(): boolean {
    return this.#socket.readyState === this.#socket.OPEN && this.#socket.bufferedAmount === 0;
  }

  /** Whether it wants to hear of a campaign; what concerns the whole pod, null, everybody does. */
  wants(campaignId: string | null): boolean {
    return campaignId === null || this.campaignIds === null || this.campaignIds.has(campaignId);
  }

  /**
   * @param frame may be shared between clients. Compressed, it is written past the WebSocket's own code, which would
   * compress it once more for each client; that code writes whole frames as well, so that none is torn.
   */
  send(frame: LiveFrame): void {
    const compressed = this.#compressedTo === null ? null : frame.compressed;
    if (compressed === null) this.#socket.send(frame.payload, { binary: frame.isBinary, compress: false });
    else this.#compressedTo?.write(compressed);
  }

  /**
   * Asks for a sign of life, and ends a client that gave none since the last beat: no answer to the ping, and, while
   * something waits for it, not a byte taken.
   */
  beat(): void {
    const waitingBytes = this.#socket.bufferedAmount;
    const reads = this.#waitingBytes > 0 && waitingBytes < this.#waitingBytes;
    if (this.#heard === 0 && !reads) {
      this.#socket.terminate();
      return;
    }
    if (!this.#isWelcome()) {
      this.close(CLOSE_POLICY, 'the session or token has ended');
      return;
    }
    this.#heard = 0;
    this.#waitingBytes = waitingBytes;
    if (waitingBytes === 0) this.#socket.ping();
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }
}
