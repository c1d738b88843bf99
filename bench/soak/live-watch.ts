/** A client of the WebSocket that stays, connects again when it is cut off, and merges what it is told. */
import { WebSocket } from 'ws';
import { type Books, microsOf } from './books.ts';
import type { PodLine } from './pod-line.ts';

const RECONNECT_MS = 500;

interface Row {
  readonly campaign_id: string;
  readonly daily_spent_cents: number;
}

interface Frame {
  readonly type: 'snapshot' | 'update' | 'alert';
  readonly campaigns?: readonly Row[];
}

export class LiveWatch {
  readonly #line: PodLine;
  readonly #books: Books;
  readonly #spentMicros = new Map<string, number>();
  #socket: WebSocket | null = null;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(line: PodLine, books: Books) {
    this.#line = line;
    this.#books = books;
    this.#connect();
  }

  /** Micros of a campaign's day as last told. */
  spentMicros(campaignId: string): number | undefined {
    return this.#spentMicros.get(campaignId);
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#socket?.terminate();
  }

  #connect(): void {
    const socket = new WebSocket(`ws://127.0.0.1:${this.#line.pod.apiPort}/ws/budget-updates`);
    this.#socket = socket;
    socket.on('message', (bytes: Buffer) => this.#take(JSON.parse(bytes.toString('utf8')) as Frame));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (this.#closed) return;
      if (!this.#line.isExcused) this.#books.problem(`pod ${this.#line.at} closed the WebSocket`);
      this.#timer = setTimeout(() => this.#connect(), RECONNECT_MS);
    });
  }

  #take({ type, campaigns = [] }: Frame): void {
    this.#books.tally.frames++;
    if (type === 'snapshot') this.#spentMicros.clear();
    for (const row of campaigns) this.#spentMicros.set(row.campaign_id, microsOf(row.daily_spent_cents));
  }
}
