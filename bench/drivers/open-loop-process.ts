/**
 * Entry of the open-loop driver's process. Request n is due at start + n / rate; it is sent over a free connection
 * as soon as it is due, and waits while none is free. Latency counts from when it was due, so a server that stalls
 * is charged for every request that it kept waiting (coordinated omission).
 *
 * Timers of Node know whole milliseconds: between requests that are closer than that the process polls its event
 * loop without sleeping, and so takes most of one core. Requests stand ready as bytes, answers are read into one
 * buffer for all connections, and nothing is allocated for each but what Node's sockets do.
 *
 * Why `pacer load-test` has another (src/cli/load-test/open-loop.ts): that one answers what it is answered, as a bidder does, and
 * sleeps between the milliseconds. A bench that is to tell a tenth of a millisecond at 20,000 requests a second can do neither;
 * a load test beside a pacer in production must not take a core for itself.
 */
import { connect, type Socket } from 'node:net';
import { build, type Histogram } from 'hdr-histogram-js';
import type { Latency } from './load.ts';
import type { KindResult, OpenLoad, OpenReport, OpenResult } from './open-loop.ts';

const MICROS_MAX = 60_000_000;
/** Node's timers fire up to a millisecond late: within this time of what is due it polls. */
const POLL_WITHIN_MS = 2;
const GRACE_MS = 2_000;
const ANSWER_BYTES_MAX = 65_536;
const NEWLINES = Buffer.from('\r\n\r\n');
const STATUS_OFFSET = 'HTTP/1.1 '.length;

interface Kind {
  readonly histogram: Histogram;
  readonly fromSending: Histogram;
  answered: number;
}

interface Connection {
  readonly socket: Socket;
  /** When the request under way was due, ms; only while one is. */
  dueMs: number;
  sentMs: number;
  kind: Kind;
  /** Bytes of the answer that are still to come; -1 while its head is not read. */
  missing: number;
}

function histogram(): Histogram {
  return build({ highestTrackableValue: MICROS_MAX, numberOfSignificantValueDigits: 3 });
}

function micros(ms: number): number {
  return Math.min(MICROS_MAX, Math.max(0, Math.round(ms * 1000)));
}

class OpenLoop {
  private readonly load: OpenLoad;
  private readonly requests: readonly Buffer[];
  private readonly kinds = new Map<string, Kind>();
  private readonly kindOf: readonly Kind[];
  private readonly free: Connection[] = [];
  private readonly sentLate = histogram();
  private readonly due: number;
  private readonly spacingMs: number;
  private startMs = 0;
  private sent = 0;
  private answered = 0;
  private refused = 0;
  private socketErrors = 0;
  private opened = 0;
  private lastAnswerMs = 0;
  private cpu = process.cpuUsage();
  private readonly finished: () => void;

  constructor(load: OpenLoad, finished: () => void) {
    this.load = load;
    this.finished = finished;
    this.due = Math.round(load.rate * load.durationSeconds);
    this.spacingMs = 1000 / load.rate;
    const { host } = new URL(load.url);
    const contentType = load.contentType ?? 'application/json';
    this.requests = load.requests.map(({ path, body }) =>
      Buffer.from(
        `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: ${contentType}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        'latin1',
      ),
    );
    this.kindOf = load.requests.map(({ kind }) => this.kindNamed(kind));
  }

  /** Opens the connections; the load begins when the last is open. */
  open(): void {
    const { hostname, port } = new URL(this.load.url);
    const buffer = Buffer.allocUnsafe(ANSWER_BYTES_MAX);
    const [kind] = this.kindOf;
    if (kind === undefined) throw new Error('there are no requests');
    for (let at = 0; at < this.load.connections; at++) {
      const socket: Socket = connect({
        host: hostname,
        port: Number(port),
        noDelay: true,
        onread: { buffer, callback: (bytes) => this.read(connection, buffer, bytes) },
      });
      const connection: Connection = { socket, dueMs: 0, sentMs: 0, kind, missing: -1 };
      socket.once('connect', () => {
        this.free.push(connection);
        if (++this.opened === this.load.connections) this.begin();
      });
      socket.once('error', () => {
        this.socketErrors++;
        this.finished();
      });
    }
  }

  result(): OpenResult {
    const seconds = Math.max(0, this.lastAnswerMs - this.startMs) / 1000;
    const { user, system } = process.cpuUsage(this.cpu);
    const late = (share: number): number => this.sentLate.getValueAtPercentile(share) / 1000;
    return {
      kinds: Object.fromEntries(Array.from(this.kinds, ([name, kind]) => [name, resultOf(kind)])),
      seconds,
      refused: this.refused,
      socketErrors: this.socketErrors,
      unanswered: this.due - this.answered,
      sentLateMs: { p50Ms: late(50), p999Ms: late(99.9) },
      driverBusy: (user + system) / 1e6 / seconds,
    };
  }

  private kindNamed(name: string): Kind {
    const known = this.kinds.get(name);
    if (known !== undefined) return known;
    const made: Kind = { histogram: histogram(), fromSending: histogram(), answered: 0 };
    this.kinds.set(name, made);
    return made;
  }

  private begin(): void {
    this.cpu = process.cpuUsage();
    this.startMs = performance.now();
    this.turn();
  }

  /** Sends what is due, then comes back when the next is. */
  private readonly turn = (): void => {
    const nowMs = performance.now();
    while (this.sent < this.due && this.free.length > 0) {
      const dueMs = this.startMs + this.sent * this.spacingMs;
      if (dueMs > nowMs) break;
      this.send(this.free.pop() as Connection, dueMs);
    }
    if (this.sent === this.due) {
      setTimeout(this.finished, GRACE_MS);
      return;
    }
    const aheadMs = this.startMs + this.sent * this.spacingMs - performance.now();
    if (aheadMs > POLL_WITHIN_MS) setTimeout(this.turn, aheadMs - POLL_WITHIN_MS);
    else setImmediate(this.turn);
  };

  private send(connection: Connection, dueMs: number): void {
    const at = this.sent % this.requests.length;
    connection.dueMs = dueMs;
    connection.kind = this.kindOf[at] as Kind;
    connection.missing = -1;
    connection.sentMs = performance.now();
    connection.socket.write(this.requests[at] as Buffer);
    this.sent++;
    this.sentLate.recordValue(micros(connection.sentMs - dueMs));
  }

  /** @returns true: read on */
  private read(connection: Connection, buffer: Buffer, bytes: number): boolean {
    if (connection.missing < 0) {
      const headEnd = buffer.indexOf(NEWLINES);
      if (headEnd < 0 || headEnd >= bytes) throw new Error('the head of an answer came in pieces');
      const head = buffer.toString('latin1', 0, headEnd);
      const length = /content-length: *(\d+)/i.exec(head)?.[1];
      if (length === undefined) throw new Error('an answer without a Content-Length');
      if (!head.startsWith('200', STATUS_OFFSET)) this.refused++;
      connection.missing = headEnd + NEWLINES.length + Number(length);
    }
    connection.missing -= bytes;
    if (connection.missing === 0) this.settle(connection);
    return true;
  }

  private settle(connection: Connection): void {
    const nowMs = performance.now();
    connection.kind.histogram.recordValue(micros(nowMs - connection.dueMs));
    connection.kind.fromSending.recordValue(micros(nowMs - connection.sentMs));
    connection.kind.answered++;
    this.lastAnswerMs = nowMs;
    this.free.push(connection);
    if (++this.answered === this.due) this.finished();
  }
}

function resultOf({ histogram: own, fromSending, answered }: Kind): KindResult {
  return {
    answered,
    latency: latencyOf(own),
    fromSending: latencyOf(fromSending),
    maxMs: own.maxValue / 1000,
  };
}

function latencyOf(own: Histogram): Latency {
  const percentile = (share: number): number => own.getValueAtPercentile(share) / 1000;
  return { p50Ms: percentile(50), p95Ms: percentile(95), p99Ms: percentile(99), p999Ms: percentile(99.9) };
}

function report(message: OpenReport): void {
  process.send?.(message, () => process.exit());
}

process.once('disconnect', () => process.exit());
process.once('uncaughtException', (error) => report({ ok: false, message: error.message }));
process.once('message', (load: OpenLoad) => {
  let over = false;
  const loop = new OpenLoop(load, () => {
    if (over) return;
    over = true;
    report({ ok: true, result: loop.result() });
  });
  loop.open();
});
