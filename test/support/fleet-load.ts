/**
 * Bidders on the pods of a fleet, as they should be written: every bid has an id, every win an event id and is
 * reported, to the pod that allowed the bid, until it is answered. Keeps books of what was answered.
 */
import type { TestPod } from './pod.ts';
import { Bidder, type Decision, type Spend } from './pod-http.ts';
import { pause, until } from './pod-wait.ts';

const PAUSE_MS = 4;
const RETRY_MS = 25;

export class FleetLoad {
  readonly campaignId: string;
  readonly bidCents: number;
  /** Decisions that were answered, and how many of them allowed the bid. */
  decisions = 0;
  allowed = 0;
  /** Spends that were answered as recorded. */
  wins = 0;
  /** Answers of 503 to a spend. */
  refused = 0;
  /** What a decision must never be answered, in words. */
  readonly wrong: string[] = [];
  #answeredMicros = 0;
  #unansweredMicros = 0;
  #stopped = false;
  #running: Promise<unknown> = Promise.resolve();
  #bids = 0;

  constructor(campaignId: string, bidCents: number) {
    this.campaignId = campaignId;
    this.bidCents = bidCents;
  }

  /** Cents of the spends that were answered. */
  get answeredCents(): number {
    return this.#answeredMicros / 10_000;
  }

  /** Cents that a pod that never came back may have counted without an answer. */
  get unansweredCents(): number {
    return this.#unansweredMicros / 10_000;
  }

  start(pods: readonly TestPod[], biddersEach = 2): void {
    this.#stopped = false;
    const bidders = pods.flatMap((pod) => Array.from({ length: biddersEach }, () => this.#run(pod)));
    this.#running = Promise.all(bidders);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** Goes on until so many more spends were answered. */
  async wonMore(count: number): Promise<void> {
    const goal = this.wins + count;
    await until(`${count} more wins of ${this.campaignId}`, () => this.wins >= goal);
  }

  /** Goes on until so many cents were answered in all. */
  async spent(cents: number): Promise<void> {
    await until(`${cents} cents are spent of ${this.campaignId}`, () => this.answeredCents >= cents);
  }

  /** Goes on until so many more decisions were answered. */
  async decidedMore(count: number): Promise<void> {
    const goal = this.decisions + count;
    await until(`${count} more decisions on ${this.campaignId}`, () => this.decisions >= goal);
  }

  async #run(pod: TestPod): Promise<void> {
    let bidder = new Bidder(pod.port);
    while (!this.#stopped) {
      if (bidder.port !== pod.port) {
        bidder.close();
        bidder = new Bidder(pod.port);
      }
      const bidId = `${pod.pid}-${this.#bids++}`;
      const decision = await this.#decide(bidder, bidId);
      if (decision === null) await pause(RETRY_MS);
      else if (decision.max_bid_cents > 0) bidder = await this.#win(pod, bidder, bidId, decision);
      else await pause(PAUSE_MS);
    }
    bidder.close();
  }

  /** Null when the pod cannot be reached. */
  async #decide(bidder: Bidder, bidId: string): Promise<Decision | null> {
    const body = { campaign_id: this.campaignId, bid_cents: this.bidCents, bid_id: bidId };
    const reply = await bidder.request<Decision>('POST', '/pacing/decision', body).catch(() => null);
    if (reply === null) return null;
    this.decisions++;
    if (reply.status !== 200) {
      this.wrong.push(`a decision was answered ${reply.status}: ${reply.text}`);
      return null;
    }
    if (reply.body.allow_bid) this.allowed++;
    return reply.body;
  }

  /** Reports the win until it is answered; a pod that does not come back before the end leaves it unanswered. */
  async #win(pod: TestPod, from: Bidder, bidId: string, { max_bid_cents }: Decision): Promise<Bidder> {
    const spend: Spend = {
      campaign_id: this.campaignId,
      spend_cents: max_bid_cents,
      bid_id: bidId,
      event_id: `win-${bidId}`,
    };
    let bidder = from;
    for (;;) {
      const reply = await bidder.request('POST', '/spend/track', spend).catch(() => null);
      if (reply?.status === 200) {
        this.wins++;
        this.#answeredMicros += Math.round(max_bid_cents * 10_000);
        return bidder;
      }
      if (reply?.status === 503) this.refused++;
      else if (reply !== null) this.wrong.push(`a spend was answered ${reply.status}: ${reply.text}`);
      if (this.#stopped) {
        this.#unansweredMicros += Math.round(max_bid_cents * 10_000);
        return bidder;
      }
      await pause(RETRY_MS);
      bidder.close();
      bidder = new Bidder(pod.port);
    }
  }
}
