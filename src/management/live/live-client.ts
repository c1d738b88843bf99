/**
 * One connected client: what it wants, what it was sent last, and whether it lives. Nothing waits here for a client
 * that does not read: a frame is handed over only when all before it have left this process, so that its socket
 * holds at most one state and the alerts of one moment.
 */
import type { WebSocket } from 'ws';
import type { Encoding } from './live-frames.ts';

/** The status code of RFC 6455 for a server that goes away, for a breach of policy, and for one with too much to do. */
export const CLOSE_GOING_AWAY = 1001;
export const CLOSE_POLICY = 1008;

export interface LiveClientOptions {
  readonly encoding: Encoding;
  /** The campaigns it wants; null = all. */
  readonly campaignIds: ReadonlySet<string> | null;
  /** Whether its credentials still hold. */
  readonly isWelcome: () => boolean;
}

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
  readonly sent: SentState;
  readonly #socket: WebSocket;
  readonly #isWelcome: () => boolean;
  /** A sign of life came since the last beat. */
  #heard = true;
  #waitingBytes = 0;

  constructor(socket: WebSocket, options: LiveClientOptions, alert: number) {
    this.#socket = socket;
    this.encoding = options.encoding;
    this.campaignIds = options.campaignIds;
    this.#isWelcome = options.isWelcome;
    this.sent = { look: -1, alert, totals: '', atMs: Number.NEGATIVE_INFINITY };
    const hear = (): void => {
      this.#heard = true;
    };
    socket.on('pong', hear);
    socket.on('message', hear);
  }

  /** Whether all that was sent has left this process. */
  get hasDrained(): boolean {
    return this.#socket.readyState === this.#socket.OPEN && this.#socket.bufferedAmount === 0;
  }

  /** Whether it wants to hear of a campaign; what concerns the whole pod, null, everybody does. */
  wants(campaignId: string | null): boolean {
    return campaignId === null || this.campaignIds === null || this.campaignIds.has(campaignId);
  }

  /** @param frame may be shared between clients */
  send(frame: Buffer): void {
    this.#socket.send(frame, { binary: this.encoding === 'msgpack' });
  }

  /**
   * Asks for a sign of life, and ends a client that gave none since the last beat: no answer to the ping, and, while
   * something waits for it, not a byte taken.
   */
  beat(): void {
    const waitingBytes = this.#socket.bufferedAmount;
    const reads = this.#waitingBytes > 0 && waitingBytes < this.#waitingBytes;
    if (!this.#heard && !reads) {
      this.#socket.terminate();
      return;
    }
    if (!this.#isWelcome()) {
      this.close(CLOSE_POLICY, 'the session or token has ended');
      return;
    }
    this.#heard = false;
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
