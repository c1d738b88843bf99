/** A client that speaks HTTP byte by byte, for what no well-behaved one sends. */
import { connect, type Socket } from 'node:net';
import { until } from './pod-wait.ts';

export class RawClient {
  readonly socket: Socket;
  received = '';
  closed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('utf8').on('data', (text: string) => {
      this.received += text;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.closed = true;
    });
  }

  static open(port: number): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, noDelay: true }, () =>
        resolve(new RawClient(socket)),
      );
      socket.once('error', reject);
    });
  }

  /** Resolves when the bytes have left. */
  send(bytes: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => this.socket.write(bytes, () => resolve()));
  }

  /** Waits until so many answers have begun, and returns what has arrived. */
  async answers(count: number): Promise<string> {
    await until(`${count} answers`, () => this.statuses().length >= count);
    return this.received;
  }

  /** The status codes received so far, in order. */
  statuses(): number[] {
    return [...this.received.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((match) => Number(match[1]));
  }

  /** Ends the connection at once, with a reset. */
  hangUp(): void {
    this.socket.resetAndDestroy();
  }
}

/** A POST with a body, as bytes on the wire. */
export function postText(path: string, body: string): string {
  return `POST ${path} HTTP/1.1\r\nhost: pod\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}
