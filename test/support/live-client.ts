/** A client of the WebSocket of live updates: keeps every message, and the rows as a client would merge them. */
import { unpack } from 'msgpackr';
import { type PerMessageDeflateOptions, WebSocket } from 'ws';
import { until } from './pod-wait.ts';

export interface LiveRow {
  readonly campaign_id: string;
  readonly status: string;
  readonly daily_spent_cents: number;
  readonly [field: string]: unknown;
}

export interface LiveMessage {
  readonly type: 'snapshot' | 'update' | 'alert';
  readonly at: string;
  readonly campaigns: readonly LiveRow[];
  readonly totals: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

export interface LiveClientOptions {
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether it answers pings; it does when absent. */
  readonly autoPong?: boolean;
  /** What it offers to take compressed; what browsers offer when absent. */
  readonly perMessageDeflate?: boolean | PerMessageDeflateOptions;
}

export class TestLiveClient {
  readonly socket: WebSocket;
  readonly messages: LiveMessage[] = [];
  readonly rows = new Map<string, LiveRow>();
  closedWith: number | null = null;
  /** Status of an upgrade that was refused. */
  refusedWith: number | null = null;
  refusal = '';
  isBinary = false;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (frame: Buffer, isBinary) => {
      this.isBinary = isBinary;
      this.take((isBinary ? unpack(frame) : JSON.parse(frame.toString('utf8'))) as LiveMessage);
    });
    socket.on('close', (code) => {
      this.closedWith = code;
    });
    socket.on('error', () => undefined);
    socket.on('unexpected-response', (_request, response) => {
      response.setEncoding('utf8').on('data', (text: string) => {
        this.refusal += text;
      });
      response.on('end', () => {
        this.refusedWith = response.statusCode ?? 0;
      });
    });
  }

  /** Begins to connect. */
  static connect(
    port: number,
    { query = '', headers = {}, autoPong = true, perMessageDeflate = true }: LiveClientOptions = {},
  ): TestLiveClient {
    return new TestLiveClient(
      new WebSocket(`ws://127.0.0.1:${port}/ws/budget-updates${query}`, {
        headers: { ...headers },
        autoPong,
        perMessageDeflate,
      }),
    );
  }

  /** Connects and waits for the snapshot. */
  static async open(port: number, options: LiveClientOptions = {}): Promise<TestLiveClient> {
    const client = TestLiveClient.connect(port, options);
    await until('the snapshot', () => client.messages.length > 0);
    return client;
  }

  updates(): LiveMessage[] {
    return this.messages.filter(({ type }) => type === 'update');
  }

  alerts(): LiveMessage[] {
    return this.messages.filter(({ type }) => type === 'alert');
  }

  close(): void {
    this.socket.terminate();
  }

  private take(message: LiveMessage): void {
    this.messages.push(message);
    if (message.type === 'alert') return;
    if (message.type === 'snapshot') this.rows.clear();
    for (const row of message.campaigns) {
      if (row.status === 'DELETED') this.rows.delete(row.campaign_id);
      else this.rows.set(row.campaign_id, row);
    }
  }
}
