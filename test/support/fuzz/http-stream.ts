/**
 * One keep-alive connection that reads HTTP strictly: whatever is not an answer, one too many, or has another length
 * than it says, is a fault of the server. Requests may be pipelined; answers come in their order.
 */
import { connect, type Socket } from 'node:net';

const ANSWER_DEADLINE_MS = 25_000;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

interface Pending {
  readonly isHead: boolean;
  readonly settle: (answer: Answer | null) => void;
  readonly fail: (error: Error) => void;
  readonly deadline: NodeJS.Timeout;
}

export class HttpStream {
  readonly #socket: Socket;
  readonly #pending: Pending[] = [];
  #received: Buffer = Buffer.alloc(0);
  #closed = false;
  /** What the server sent that is no HTTP, or that nobody asked for. */
  fault: string | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes]);
      this.#read();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#closed = true;
      for (const { settle, deadline } of this.#pending.splice(0)) {
        clearTimeout(deadline);
        settle(null);
      }
    });
  }

  static open(port: number): Promise<HttpStream> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new HttpStream(socket));
      });
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Sends a request: its answer, or null when the connection was closed instead. @throws Error when neither comes */
  ask(request: Buffer, isHead = false): Promise<Answer | null> {
    if (this.#closed) return Promise.resolve(null);
    return new Promise((settle, fail) => {
      const late = (): void => fail(new Error(`neither answered nor closed: ${shown(request)}`));
      const deadline = setTimeout(late, ANSWER_DEADLINE_MS);
      this.#pending.push({ isHead, settle, fail, deadline });
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#socket.resetAndDestroy();
  }

  #read(): void {
    while (this.#received.length > 0 && this.fault === null) {
      const end = this.#received.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = this.#received.toString('latin1', 0, end);
      const [, statusText] = /^HTTP\/1\.1 (\d{3}) /.exec(head) ?? [];
      const [first] = this.#pending;
      if (statusText === undefined || first === undefined) {
        this.#broken(
          `${first === undefined ? 'an answer too many' : 'no HTTP'}: ${JSON.stringify(head.slice(0, 300))}`,
        );
        return;
      }
      const status = Number(statusText);
      const headers = headersOf(head);
      if (status === 100) {
        this.#received = this.#received.subarray(end + 4);
        continue;
      }
      const bodyless = first.isHead || status === 204 || status === 304 || status === 101;
      const whole = bodyless
        ? { body: Buffer.alloc(0), end: end + 4 }
        : bodyAt(this.#received, end + 4, headers);
      if (whole === null) return;
      this.#received = this.#received.subarray(whole.end);
      this.#pending.shift();
      clearTimeout(first.deadline);
      first.settle({ status, headers, body: whole.body });
    }
  }

  #broken(what: string): void {
    this.fault = what;
    for (const { fail, deadline } of this.#pending.splice(0)) {
      clearTimeout(deadline);
      fail(new Error(`the server sent ${what}`));
    }
    this.close();
  }
}

function headersOf(head: string): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const line of head.split('\r\n').slice(1)) {
    const colon = line.indexOf(':');
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  return headers;
}

/** Null while it is not there as a whole. An answer without any length ends with the connection, so only its head counts. */
function bodyAt(
  bytes: Buffer,
  start: number,
  headers: Readonly<Record<string, string>>,
): { readonly body: Buffer; readonly end: number } | null {
  const length = headers['content-length'];
  if (length !== undefined) {
    const end = start + Number(length);
    return bytes.length < end ? null : { body: bytes.subarray(start, end), end };
  }
  if (headers['transfer-encoding'] !== 'chunked') return { body: bytes.subarray(start), end: bytes.length };
  const parts: Buffer[] = [];
  for (let at = start; ; ) {
    const line = bytes.indexOf('\r\n', at);
    if (line < 0) return null;
    const size = Number.parseInt(bytes.toString('latin1', at, line), 16);
    const end = line + 2 + size + 2;
    if (bytes.length < end) return null;
    if (size === 0) return { body: Buffer.concat(parts), end };
    parts.push(bytes.subarray(line + 2, line + 2 + size));
    at = end;
  }
}

export function shown(request: Buffer): string {
  return JSON.stringify(request.toString('latin1').slice(0, 700));
}

/** A request as bytes; with a body it is sent by its length, or in chunks of the given sizes. */
export function requestBytes(
  method: string,
  target: string,
  headerLines: string,
  body: Buffer | null,
  chunks: readonly number[] = [],
): Buffer {
  const head = `${method} ${target} HTTP/1.1\r\nhost: 127.0.0.1\r\n${headerLines}`;
  if (body === null) return Buffer.from(`${head}\r\n`, 'latin1');
  if (chunks.length === 0) {
    return Buffer.concat([Buffer.from(`${head}content-length: ${body.length}\r\n\r\n`, 'latin1'), body]);
  }
  const parts: Buffer[] = [Buffer.from(`${head}transfer-encoding: chunked\r\n\r\n`, 'latin1')];
  let at = 0;
  for (const size of [...chunks, body.length]) {
    const chunk = body.subarray(at, at + size);
    if (chunk.length === 0) continue;
    parts.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n'));
    at += size;
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]);
}
