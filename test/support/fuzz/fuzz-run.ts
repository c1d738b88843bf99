/** A run of the fuzzer: how many requests are left, what was answered, and what was wrong with it. */
import { type Answer, shown } from './http-stream.ts';

const FAULTS_SHOWN = 20;
const LEAK = /node_modules|\bat [^"]{1,200}\.[jt]s:\d+/;

export class FuzzRun {
  readonly name: string;
  requests = 0;
  /** Connections that the server closed in place of an answer. */
  closed = 0;
  readonly statuses = new Map<number, number>();
  readonly faults: string[] = [];
  #left: number;

  constructor(name: string, requests: number) {
    this.name = name;
    this.#left = requests;
  }

  /** Whether so many more requests are to be sent; counts them. */
  take(count = 1): boolean {
    if (this.#left <= 0 || this.faults.length >= FAULTS_SHOWN) return false;
    this.#left -= count;
    this.requests += count;
    return true;
  }

  fault(what: string, request: Buffer): void {
    if (this.faults.length < FAULTS_SHOWN) this.faults.push(`${this.name}: ${what}\n  ${shown(request)}`);
  }

  /** Notes an answer, or with null a closed connection; `allowed` are the statuses that it may have. */
  note(answer: Answer | null, allowed: ReadonlySet<number>, request: Buffer): void {
    if (answer === null) {
      this.closed++;
      return;
    }
    const { status, body } = answer;
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    const text = body.length < 20_000 ? body.toString('latin1') : '';
    if (!allowed.has(status)) this.fault(`answered ${status}: ${text.slice(0, 300)}`, request);
    else if (status >= 400 && LEAK.test(text))
      this.fault(`shows its insides: ${text.slice(0, 300)}`, request);
  }

  get summary(): string {
    const statuses = [...this.statuses]
      .sort(([a], [b]) => a - b)
      .map(([status, count]) => `${status}×${count}`);
    return `${this.name}: ${this.requests} requests, ${statuses.join(' ')}, ${this.closed} closed`;
  }
}

/** Runs a worker so many times at once, each by its number. */
export async function together(count: number, worker: (at: number) => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, at) => worker(at)));
}
