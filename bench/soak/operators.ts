/** The load of operators: each second something is read, now and then a campaign is changed or a day simulated. */
import { pause } from '../../test/support/pod-wait.ts';
import type { Books } from './books.ts';
import type { Outages } from './outages.ts';
import type { PodLine } from './pod-line.ts';

const EVERY_MS = 1_000;
const CHANGE_TURNS = 7;
const SIMULATE_TURNS = 20;

const READS = [
  '/campaigns?limit=5',
  '/metrics/summary',
  '/alerts?unresolved_only=true',
  '/performance/asap',
  '/audit?limit=10',
  '/campaigns/even',
  '/pacing/config/even',
  '/pacing/shape/adaptive',
  '/budget/status/brink-1?explain=true',
  '/health',
] as const;

export class Operators {
  readonly #lines: readonly PodLine[];
  readonly #books: Books;
  readonly #outages: Outages;
  #running = false;
  #worker: Promise<void> = Promise.resolve();
  #turn = 0;

  constructor(lines: readonly PodLine[], books: Books, outages: Outages) {
    this.#lines = lines;
    this.#books = books;
    this.#outages = outages;
  }

  start(): void {
    this.#running = true;
    this.#worker = this.#work();
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#worker;
  }

  async #work(): Promise<void> {
    while (this.#running) {
      const turn = this.#turn++;
      const line = this.#lines[turn % this.#lines.length];
      if (line !== undefined && !line.isAway) await this.#visit(line, turn);
      await pause(EVERY_MS);
    }
  }

  async #visit(line: PodLine, turn: number): Promise<void> {
    this.#books.tally.reads++;
    await this.#ask(line, 'GET', READS[turn % READS.length] ?? '/health');
    if (turn % CHANGE_TURNS === 0) {
      this.#books.tally.changes++;
      await this.#ask(line, 'PATCH', '/campaigns/told-1', { name: `Told, change ${turn}` });
      const multipliers = [{ hour: turn % 24, multiplier: 1 + (turn % 3) / 10 }];
      await this.#ask(line, 'PUT', '/pacing/config/even', { pacing_configs: multipliers });
    }
    if (turn % SIMULATE_TURNS === 0) {
      this.#books.tally.simulations++;
      await this.#ask(line, 'POST', '/pacing/simulate', { campaign_id: 'adaptive', hours_ahead: 24 });
    }
  }

  /** Postgres's absence is answered by 503; nothing else may go wrong. */
  async #ask(line: PodLine, method: string, path: string, body?: object): Promise<void> {
    const reply = await line.api(method, path, body);
    if (reply === null || reply.status === 200) return;
    const isProper = reply.status === 503 && reply.headers['retry-after'] !== undefined;
    if (isProper && (this.#outages.excuses('postgres') || line.isExcused)) {
      this.#books.tally.refused++;
      return;
    }
    this.#books.problem(
      `pod ${line.at}: ${method} ${path} was answered ${reply.status}: ${reply.text.slice(0, 200)}`,
    );
  }
}
