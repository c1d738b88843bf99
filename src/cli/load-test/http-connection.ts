/**
 * One kept connection that carries one request at a time, as HTTP/1.1. Node's own client costs several times as much CPU,
 * and a load test shares the machine with what it tests. It reads answers with a Content-Length, which is how both ports
 * of a pacer answer.
 */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ServiceAddress } from '../service-client.ts';

/** @param status 0 when there was no answer; then `body` says why */
export type Answered = (status: number, body: string) => void;

const ANSWER_DEADLINE_MS = 10_000;
const RECONNECT_MS = 200;
const HEAD_BYTES_MAX = 65_536;

export class HttpConnection {
  private readonly host: string;
  private readonly port: number;
  private readonly isTls: boolean;
  private readonly head: string;
  private readonly becameFree: (connection: HttpConnection) => void;
  private socket: Socket | null = null;
  private received: Buffer = Buffer.alloc(0);
  private answered: Answered | null = null;
  private sentAtMs = 0;
  private closed = false;
  private reconnecting: NodeJS.Timeout | null = null;

  /** @param becameFree called whenever it can take a request, first when it is connected */
  constructor({ url, token }: ServiceAddress, becameFree: (connection: HttpConnection) => void) {
    const { hostname, port, protocol, host } = new URL(url);
    this.isTls = protocol === 'https:';
    this.host = hostname.replace(/^\[(.*)\]$/, '$1');
    this.port = Number(port) || (this.isTls ? 443 : 80);
    const credentials = token === null ? '' : `Authorization: Bearer ${token}\r\n`;
    this.head = `Host: ${host}\r\nContent-Type: application/json\r\n${credentials}`;
    this.becameFree = becameFree;
    this.open();
  }

  /** Only for a connection that said it is free. */
  post(path: string, body: string, answered: Answered): void {
    this.answered = answered;
    this.sentAtMs = performance.now();
    this.socket?.write(
      `POST ${path} HTTP/1.1\r\n${this.head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  }

  /** Gives a request up that was sent too long ago. */
  expire(nowMs: number): void {
    if (this.answered === null || nowMs - this.sentAtMs < ANSWER_DEADLINE_MS) return;
    this.socket?.destroy(new Error(`no answer within ${ANSWER_DEADLINE_MS} ms`));
  }

  close(): void {
    this.closed = true;
    if (this.reconnecting !== null) clearTimeout(this.reconnecting);
    this.socket?.destroy();
  }

  private open(): void {
    const { host, port } = this;
    const socket = this.isTls ? connectTls({ host, port, servername: host }) : connectTcp({ host, port });
    this.socket = socket;
    this.received = Buffer.alloc(0);
    let reason = 'the connection was closed';
    socket.setNoDelay(true);
    socket.once(this.isTls ? 'secureConnect' : 'connect', () => this.becameFree(this));
    socket.on('data', (bytes: Buffer) => this.read(bytes));
    socket.once('error', (error) => {
      reason = error.message;
    });
    socket.once('close', () => {
      this.settle(0, reason);
      if (this.closed) return;
      this.reconnecting = setTimeout(() => this.open(), RECONNECT_MS);
    });
  }

  private read(bytes: Buffer): void {
    this.received = this.received.length === 0 ? bytes : Buffer.concat([this.received, bytes]);
    const headEnd = this.received.indexOf('\r\n\r\n');
    if (headEnd < 0) {
      if (this.received.length > HEAD_BYTES_MAX) this.socket?.destroy(new Error('a head without an end'));
      return;
    }
    const head = this.received.toString('latin1', 0, headEnd);
    const [, status] = /^HTTP\/1\.1 (\d{3})/.exec(head) ?? [];
    const [, length] = /\r\ncontent-length: *(\d+)/i.exec(head) ?? [];
    if (status === undefined || length === undefined) {
      this.socket?.destroy(new Error('an answer that is not HTTP/1.1 with a Content-Length'));
      return;
    }
    const end = headEnd + 4 + Number(length);
    if (this.received.length < end) return;
    const body = this.received.toString('utf8', headEnd + 4, end);
    this.received = this.received.subarray(end);
    const closes = /\r\nconnection: *close/i.test(head);
    this.settle(Number(status), body);
    if (closes) this.socket?.destroy();
    else this.becameFree(this);
  }

  private settle(status: number, body: string): void {
    const { answered } = this;
    this.answered = null;
    answered?.(status, body);
  }
}
