/**
 * Spends sent without a pause over many connections, with books of what was answered and what was sent:
 * what a pod has counted must lie between the two, whatever happened to it meanwhile.
 */
import type { TestPod } from './pod.ts';
import { Bidder, type Spend } from './pod-http.ts';

export interface SpendLoadOptions {
  readonly bidders?: number;
  /** Go on after a connection was lost, as a bidder does. */
  readonly reconnect?: boolean;
}

export class SpendLoad {
  /** Cents of each campaign that were answered with success. */
  readonly answered = new Map<string, number>();
  /** Cents of each campaign that were sent. */
  readonly sent = new Map<string, number>();
  answers = 0;
  /** Answers of 503 with Retry-After. */
  refused = 0;
  connectionsLost = 0;
  readonly #ids: readonly string[];
  #stopped = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(ids: readonly string[]) {
    this.#ids = ids;
    for (const id of ids) {
      this.answered.set(id, 0);
      this.sent.set(id, 0);
    }
  }

  start(pod: TestPod, options: SpendLoadOptions = {}): void {
    this.#stopped = false;
    const bidders = Array.from({ length: options.bidders ?? 16 }, (_, at) => this.#run(pod, at, options));
    this.#running = Promise.all(bidders);
  }

  /** Resolves when the last bidder has stopped; rejects when one got an answer it must not get. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(pod: TestPod, at: number, { reconnect = false }: SpendLoadOptions): Promise<void> {
    let bidder = new Bidder(pod.port);
    for (let turn = at; !this.#stopped; turn++) {
      try {
        await this.#spend(bidder, turn);
      } catch (error) {
        if (!(error instanceof Error && 'code' in error)) throw error;
        this.connectionsLost++;
        if (!reconnect) break;
        bidder.close();
        bidder = new Bidder(pod.port);
      }
    }
    bidder.close();
  }

  async #spend(bidder: Bidder, turn: number): Promise<void> {
    const campaign_id = this.#ids[turn % this.#ids.length] ?? '';
    const spend: Spend = { campaign_id, spend_cents: 1 };
    this.sent.set(campaign_id, (this.sent.get(campaign_id) ?? 0) + 1);
    const reply = await bidder.request('POST', '/spend/track', spend);
    if (reply.status === 200) {
      this.answered.set(campaign_id, (this.answered.get(campaign_id) ?? 0) + 1);
      this.answers++;
    } else if (reply.status === 503 && reply.headers['retry-after'] !== undefined) {
      this.refused++;
    } else {
      throw new Error(`a spend was answered ${reply.status}: ${reply.text}`);
    }
  }

  /** What is wrong with the pod's counters, in words; takes what it has counted as answered from here on. */
  async check(pod: TestPod): Promise<string[]> {
    const wrong: string[] = [];
    for (const id of this.#ids) {
      const { daily_spent_cents: counted } = await pod.core.status(id);
      const [answered = 0, sent = 0] = [this.answered.get(id), this.sent.get(id)];
      if (counted < answered || counted > sent) {
        wrong.push(`${id}: answered ${answered}, counted ${counted}, sent ${sent}`);
      }
      this.answered.set(id, counted);
      this.sent.set(id, counted);
    }
    return wrong;
  }
}
