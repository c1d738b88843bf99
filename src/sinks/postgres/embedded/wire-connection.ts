/**
 * One client of the embedded database: its socket, the messages it has sent and that have not been run, and
 * the names of the statements it has prepared. Bounded: a full inbox stops the reading of the socket, and a
 * client that does not read its answers loses its connection.
 */
import type { Socket } from 'node:net';
import { type Frame, FrameReader } from './wire-frames.ts';
import { isTerminate, namedStatement } from './wire-protocol.ts';

export interface WireConnectionEvents {
  /** Bytes have arrived: the client is not silent, whether or not they complete a message. */
  readonly onBytes: () => void;
  /** Messages have arrived. */
  readonly onWork: () => void;
  /** The client is gone; called once. */
  readonly onClosed: () => void;
}

const INBOX_MESSAGES_MAX = 256;
const UNREAD_ANSWER_BYTES_MAX = 64 * 1024 * 1024;
const ENCRYPTION_REFUSED = Buffer.from('N');

export class WireConnection {
  /** Statements prepared in the shared session that nobody else will close. */
  readonly statements = new Set<string>();
  readonly #socket: Socket;
  readonly #events: WireConnectionEvents;
  readonly #frames = new FrameReader();
  #inbox: Uint8Array[] = [];
  #closed = false;

  constructor(socket: Socket, events: WireConnectionEvents) {
    this.#socket = socket;
    this.#events = events;
    socket.on('data', (bytes: Buffer) => this.#receive(bytes));
    socket.on('error', () => this.cut());
    socket.on('close', () => this.#close());
  }

  get closed(): boolean {
    return this.#closed;
  }

  get hasWork(): boolean {
    return this.#closed || this.#inbox.length > 0;
  }

  /** The next message to run, noting what it does to the session. */
  take(): Uint8Array | undefined {
    const message = this.#inbox.shift();
    if (message === undefined) return undefined;
    if (this.#socket.isPaused() && this.#inbox.length < INBOX_MESSAGES_MAX / 2) this.#socket.resume();
    const statement = namedStatement(message);
    if (statement?.prepared === true) this.statements.add(statement.name);
    else if (statement !== null) this.statements.delete(statement.name);
    return message;
  }

  answer(parts: readonly Uint8Array[]): void {
    if (this.#closed || parts.length === 0) return;
    this.#socket.write(Buffer.concat(parts));
    if (this.#socket.writableLength > UNREAD_ANSWER_BYTES_MAX) this.cut();
  }

  /** Ends the connection now. */
  cut(): void {
    this.#socket.destroy();
    this.#close();
  }

  #receive(bytes: Buffer): void {
    this.#events.onBytes();
    let frames: Frame[];
    try {
      frames = this.#frames.push(bytes);
    } catch {
      this.cut(); // not the Postgres protocol: no answer would be understood
      return;
    }
    for (const frame of frames) this.#admit(frame);
    if (this.#inbox.length >= INBOX_MESSAGES_MAX) this.#socket.pause();
    if (this.#inbox.length > 0) this.#events.onWork();
  }

  #admit(frame: Frame): void {
    if (frame.kind === 'encryption') this.#socket.write(ENCRYPTION_REFUSED);
    // There is one session and it runs one statement at a time: nothing can be cancelled from beside it.
    else if (frame.kind === 'cancel') this.#socket.end();
    else if (frame.kind === 'message' && isTerminate(frame.bytes)) this.#socket.end();
    else this.#inbox.push(frame.bytes);
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#inbox = [];
    this.#events.onClosed();
  }
}
