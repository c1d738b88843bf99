/**
 * The load of bidders: a fixed rate of decisions, batches, wins, losses, events told without a bid, repetitions and
 * status reads, at random by a seed, over connections that are kept. A pod that is away is left alone.
 */
import type { Decision, Spend } from '../../test/support/pod-http.ts';
import { pause } from '../../test/support/pod-wait.ts';
import { type Books, centsOf } from './books.ts';
import type { SoakCampaign } from './cast.ts';
import type { PodLine } from './pod-line.ts';
import type { Settlements } from './settlements.ts';

const TURNS_A_SECOND = 20;
const BATCH = 20;
const BID_MICROS_MIN = 200_000;
const BID_MICROS_MAX = 2_000_000;
const NOTICE_MS_MAX = 3_000;
const REMEMBERED_MAX = 200;

interface Bid {
  readonly campaignId: string;
  readonly bidId: string;
  readonly allowedMicros: number;
}

export class Bidders {
  readonly #lines: readonly PodLine[];
  readonly #books: Books;
  readonly #settlements: Settlements;
  readonly #random: () => number;
  readonly #bidOn: readonly string[];
  readonly #toldOf: readonly string[];
  /** Makes ids of this run's own. */
  readonly #run = Date.now().toString(36);
  /** Events that were answered, with the pod that has them. */
  readonly #told: { readonly line: PodLine; readonly spend: Spend }[] = [];
  #ids = 0;
  #running = false;
  #workers: Promise<unknown> = Promise.resolve();

  constructor(
    lines: readonly PodLine[],
    cast: readonly SoakCampaign[],
    books: Books,
    settlements: Settlements,
    random: () => number,
  ) {
    this.#lines = lines;
    this.#books = books;
    this.#settlements = settlements;
    this.#random = random;
    this.#bidOn = cast.filter(({ kind }) => kind === 'bid').map(({ id }) => id);
    this.#toldOf = cast.filter(({ kind }) => kind === 'told').map(({ id }) => id);
  }

  /** @param rate requests a second */
  start(rate: number): void {
    this.#running = true;
    const workers = Math.max(1, Math.round(rate / TURNS_A_SECOND));
    this.#workers = Promise.all(Array.from({ length: workers }, () => this.#work()));
  }

  /** Resolves when the last of them has stopped and everything they owe has been answered. */
  async stop(): Promise<void> {
    this.#running = false;
    await this.#workers;
    await this.#settlements.done();
  }

  async #work(): Promise<void> {
    const everyMs = 1000 / TURNS_A_SECOND;
    let dueMs = performance.now() + this.#random() * everyMs;
    while (this.#running) {
      const early = dueMs - performance.now();
      if (early > 0) await pause(early);
      await this.#turn();
      // What was missed while a pod did not answer is not made up for.
      dueMs = Math.max(dueMs, performance.now() - everyMs) + everyMs;
    }
  }

  async #turn(): Promise<void> {
    const line = this.#line();
    if (line === null) return;
    const kind = this.#random();
    if (kind < 0.45) await this.#bid(line);
    else if (kind < 0.5) await this.#bids(line);
    else if (kind < 0.75) await this.#tell(line, [this.#event()]);
    else if (kind < 0.8)
      await this.#tell(
        line,
        Array.from({ length: BATCH }, () => this.#event()),
      );
    else if (kind < 0.9) await this.#repeat();
    else await this.#read(line);
  }

  async #bid(line: PodLine): Promise<void> {
    const { campaignId, bidId, body } = this.#ask();
    const startMs = performance.now();
    const reply = await line.core<Decision>('POST', '/pacing/decision', body);
    if (reply === null) return;
    this.#books.latency(performance.now() - startMs);
    if (reply.status === 200) this.#settle(line, campaignId, bidId, reply.body);
    else this.#books.problem(`pod ${line.at}: a decision was answered ${reply.status}: ${reply.text}`);
  }

  async #bids(line: PodLine): Promise<void> {
    const asks = Array.from({ length: BATCH }, () => this.#ask());
    const requests = asks.map(({ body }) => body);
    const reply = await line.core<{ decisions: Decision[] }>('POST', '/pacing/decisions', { requests });
    if (reply === null) return;
    if (reply.status !== 200) {
      this.#books.problem(`pod ${line.at}: decisions were answered ${reply.status}: ${reply.text}`);
      return;
    }
    for (const [at, { campaignId, bidId }] of asks.entries()) {
      const decision = reply.body.decisions[at];
      if (decision !== undefined) this.#settle(line, campaignId, bidId, decision);
    }
  }

  #settle(line: PodLine, campaignId: string, bidId: string, decision: Decision): void {
    this.#books.tally.decisions++;
    if (!decision.allow_bid) return;
    this.#books.tally.allowed++;
    const fate = this.#random();
    const delayMs = this.#random() ** 2 * NOTICE_MS_MAX;
    // Some are never heard of again.
    if (fate < 0.03) return;
    if (fate < 0.45) {
      this.#settlements.later(delayMs, () => this.#settlements.lose(line, campaignId, bidId));
      return;
    }
    const bid: Bid = { campaignId, bidId, allowedMicros: Math.round(decision.max_bid_cents * 10_000) };
    const at = fate < 0.55 ? (this.#line() ?? line) : line;
    this.#settlements.later(delayMs, () => this.#settlements.spend(at, this.#win(bid)));
  }

  /** A bid that was won at some price up to what it may cost. */
  #win({ campaignId, bidId, allowedMicros }: Bid): Spend {
    const micros = Math.max(1, Math.round(allowedMicros * (0.4 + 0.6 * this.#random())));
    return {
      campaign_id: campaignId,
      spend_cents: centsOf(Math.min(allowedMicros, micros)),
      bid_id: bidId,
      event_id: `win-${bidId}`,
    };
  }

  async #tell(line: PodLine, events: readonly Spend[]): Promise<void> {
    const [first] = events;
    if (first === undefined) return;
    if (events.length === 1) await this.#settlements.spend(line, first);
    else await this.#settlements.batch(line, events);
    this.#told.push({ line, spend: first });
    if (this.#told.length > REMEMBERED_MAX) this.#told.shift();
  }

  async #repeat(): Promise<void> {
    const told = this.#told[Math.floor(this.#random() * this.#told.length)];
    if (told !== undefined && !told.line.isAway) await this.#settlements.repeat(told.line, told.spend);
  }

  async #read(line: PodLine): Promise<void> {
    const id = this.#one([...this.#bidOn, ...this.#toldOf]);
    const query = this.#random() < 0.2 ? '?explain=true' : '';
    const reply = await line.core('GET', `/budget/status/${id}${query}`);
    if (reply === null) return;
    this.#books.tally.reads++;
    if (reply.status !== 200 && !line.isExcused) {
      this.#books.problem(`pod ${line.at}: a status was answered ${reply.status}: ${reply.text}`);
    }
  }

  #ask(): { readonly campaignId: string; readonly bidId: string; readonly body: object } {
    const campaignId = this.#one(this.#bidOn);
    const bidId = `${this.#run}-${this.#ids++}`;
    const bidMicros = BID_MICROS_MIN + Math.floor(this.#random() * (BID_MICROS_MAX - BID_MICROS_MIN));
    return {
      campaignId,
      bidId,
      body: { campaign_id: campaignId, bid_cents: centsOf(bidMicros), bid_id: bidId },
    };
  }

  #event(): Spend {
    return {
      campaign_id: this.#one(this.#toldOf),
      spend_cents: centsOf(1 + Math.floor(this.#random() * BID_MICROS_MAX)),
      event_id: `told-${this.#run}-${this.#ids++}`,
      impressions: 1,
      clicks: this.#random() < 0.02 ? 1 : 0,
    };
  }

  /** One of the pods that are there. */
  #line(): PodLine | null {
    const there = this.#lines.filter((line) => !line.isAway);
    return there[Math.floor(this.#random() * there.length)] ?? null;
  }

  #one(ids: readonly string[]): string {
    return ids[Math.floor(this.#random() * ids.length)] ?? '';
  }
}
