/**
 * Lets several clients share the one session that PGlite has, over a unix socket.
 *
 * The session is lent to one connection at a time, from its first message until the database is idle again:
 * after a Sync or a simple query that leaves no transaction open. Lending it message by message (as
 * @electric-sql/pglite-socket does) mixes the Parse, Bind and Execute of different clients: rows then reach
 * the wrong one. Whoever waits is served in order of arrival. A borrower that falls silent is cut off.
 *
 *   sockets ──frames──▶ inbox per connection ──▶ waiting (in order) ──▶ borrower ──▶ PGlite
 */
import { createServer, type Server, type Socket } from 'node:net';
import { WireConnection } from './wire-connection.ts';
import { closeStatement, endsTurn, rollback, sync } from './wire-protocol.ts';

/** What the server needs of PGlite. */
export interface WireBackend {
  execProtocolRawStream(
    message: Uint8Array,
    options: { onRawData: (bytes: Uint8Array) => void },
  ): Promise<void>;
  isInTransaction(): boolean;
}

export interface WireServerOptions {
  /** Most connections at once; more are refused. */
  readonly connectionsMax?: number;
  /** How long a borrower may be silent inside a transaction before it loses its connection. */
  readonly silenceMaxMs?: number;
  /** Called once when the database itself broke; nothing is served from then on. */
  readonly onBroken: (error: unknown) => void;
}

const CONNECTIONS_MAX = 64;
const SILENCE_MAX_MS = 30_000;

export class WireServer {
  readonly #backend: WireBackend;
  readonly #connectionsMax: number;
  readonly #silenceMaxMs: number;
  readonly #onBroken: (error: unknown) => void;
  readonly #server: Server;
  readonly #connections = new Set<WireConnection>();
  readonly #waiting: WireConnection[] = [];
  readonly #chores: (() => Promise<void>)[] = [];
  #borrower: WireConnection | null = null;
  #running: Promise<void> | null = null;
  #silence: NodeJS.Timeout | undefined;
  #broken = false;
  #closing = false;

  constructor(backend: WireBackend, options: WireServerOptions) {
    this.#backend = backend;
    this.#connectionsMax = options.connectionsMax ?? CONNECTIONS_MAX;
    this.#silenceMaxMs = options.silenceMaxMs ?? SILENCE_MAX_MS;
    this.#onBroken = options.onBroken;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  listen(socketPath: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(socketPath, () => {
        this.#server.off('error', reject);
        // An accept that fails (no more file descriptors) concerns that client only.
        this.#server.on('error', () => {});
        resolve();
      });
    });
  }

  /** Runs work on the idle session, between the turns of the clients. Never rejects: a failed chore breaks it. */
  chore(work: () => Promise<void>): void {
    this.#chores.push(work);
    this.#wake();
  }

  /** Cuts every connection and waits until the session is idle, open transactions rolled back. */
  async close(): Promise<void> {
    this.#closing = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#chores.length = 0;
    for (const connection of this.#connections) connection.cut();
    await closed;
    while (this.#running !== null) await this.#running;
    clearTimeout(this.#silence);
  }

  #accept(socket: Socket): void {
    if (this.#closing || this.#connections.size >= this.#connectionsMax) {
      socket.destroy();
      return;
    }
    const connection = new WireConnection(socket, {
      onBytes: () => {
        if (connection === this.#borrower && this.#running === null) this.#silence?.refresh();
      },
      onWork: () => this.#enqueue(connection),
      onClosed: () => {
        this.#connections.delete(connection);
        // One more turn, in which what it left behind is put away.
        this.#enqueue(connection);
      },
    });
    this.#connections.add(connection);
  }

  #enqueue(connection: WireConnection): void {
    if (connection !== this.#borrower && !this.#waiting.includes(connection)) this.#waiting.push(connection);
    this.#wake();
  }

  #wake(): void {
    if (this.#running !== null || this.#broken || !this.#hasWork) return;
    this.#running = this.#serve()
      .catch((error: unknown) => {
        this.#broken = true;
        this.#onBroken(error);
      })
      .finally(() => {
        this.#running = null;
        this.#wake(); // for work that came after the last look
      });
  }

  /** While somebody borrows the session only that one's messages count, so that its silence is measured. */
  get #hasWork(): boolean {
    if (this.#borrower !== null) return this.#borrower.hasWork;
    return this.#waiting.length > 0 || this.#chores.length > 0;
  }

  /** Serves until nobody has work, or the borrower is silent in the middle of its turn. */
  async #serve(): Promise<void> {
    clearTimeout(this.#silence);
    for (;;) {
      if (this.#borrower === null) {
        for (let chore = this.#chores.shift(); chore !== undefined; chore = this.#chores.shift())
          await chore();
        this.#borrower = this.#waiting.shift() ?? null;
      }
      const borrower = this.#borrower;
      if (borrower === null) return;
      const message = borrower.take();
      if (message !== undefined) await this.#run(borrower, message);
      else if (borrower.closed) await this.#putAway(borrower);
      else {
        this.#silence = setTimeout(() => borrower.cut(), this.#silenceMaxMs);
        return;
      }
    }
  }

  async #run(borrower: WireConnection, message: Uint8Array): Promise<void> {
    const answer: Uint8Array[] = [];
    await this.#backend.execProtocolRawStream(message, {
      onRawData: (bytes) => answer.push(Uint8Array.from(bytes)),
    });
    borrower.answer(answer);
    if (endsTurn(message) && !this.#backend.isInTransaction()) this.#endTurn(borrower);
  }

  #endTurn(borrower: WireConnection): void {
    this.#borrower = null;
    if (borrower.hasWork) this.#waiting.push(borrower);
  }

  /** Leaves the session as if the client had never been: no open turn, transaction or statement. */
  async #putAway(borrower: WireConnection): Promise<void> {
    const discard = { onRawData: () => {} };
    await this.#backend.execProtocolRawStream(sync(), discard);
    if (this.#backend.isInTransaction()) await this.#backend.execProtocolRawStream(rollback(), discard);
    for (const name of borrower.statements) {
      await this.#backend.execProtocolRawStream(closeStatement(name), discard);
    }
    if (borrower.statements.size > 0) await this.#backend.execProtocolRawStream(sync(), discard);
    this.#borrower = null;
  }
}
