/**
 * What follows a bid, and events by themselves: each is reported to one pod until it is answered, as a bidder should,
 * and stands in the books once it is.
 */
import type { Reply, Spend } from '../../test/support/pod-http.ts';
import { pause } from '../../test/support/pod-wait.ts';
import { type Books, microsOf } from './books.ts';
import type { PodLine } from './pod-line.ts';

const RETRY_MS = 150;
const PATIENCE_MS = 90_000;

export class Settlements {
  readonly #books: Books;
  readonly #open = new Set<Promise<void>>();

  constructor(books: Books) {
    this.#books = books;
  }

  /** Reports something later, whatever the load does meanwhile. */
  later(delayMs: number, report: () => Promise<void>): void {
    const promise = pause(delayMs)
      .then(report)
      .catch((error: unknown) => this.#books.problem(`a report failed: ${String(error)}`))
      .finally(() => this.#open.delete(promise));
    this.#open.add(promise);
  }

  /** Waits until everything has been reported and answered. */
  async done(): Promise<void> {
    while (this.#open.size > 0) await Promise.all(this.#open);
  }

  async spend(line: PodLine, spend: Spend, wasSent = false): Promise<void> {
    await this.#untilAnswered(line, 'a spend', wasSent, async (again) => {
      const reply = await line.core<{ status: string }>('POST', '/spend/track', spend);
      return reply?.status === 200 ? this.#take(spend, reply.body.status, again) : reply;
    });
  }

  async batch(line: PodLine, events: readonly Spend[]): Promise<void> {
    let left = events;
    await this.#untilAnswered(line, 'a batch of spends', false, async (again) => {
      const reply = await line.core<{ results: { status: string }[] }>('POST', '/spend/batch', {
        events: left,
      });
      if (reply?.status !== 200) return reply;
      left = left.filter((spend, at) => {
        const status = reply.body.results[at]?.status ?? 'nothing';
        if (status === 'unavailable') return true;
        this.#take(spend, status, again);
        return false;
      });
      return left.length === 0 ? 'done' : reply;
    });
  }

  async lose(line: PodLine, campaignId: string, bidId: string): Promise<void> {
    const reply = await line.core('POST', '/bid/lost', { campaign_id: campaignId, bid_id: bidId });
    if (reply?.status === 200) this.#books.tally.losses++;
    else if (reply !== null) this.#refused(line, 'a loss', reply);
  }

  /** The same event once more: it must not count again. */
  async repeat(line: PodLine, spend: Spend): Promise<void> {
    const reply = await line.core<{ status: string }>('POST', '/spend/track', spend);
    if (reply === null) return;
    if (reply.status !== 200) this.#refused(line, 'a repeated spend', reply);
    else if (reply.body.status === 'duplicate') this.#books.tally.duplicates++;
    else this.#books.problem(`pod ${line.at} counted ${spend.event_id} of ${spend.campaign_id} again`);
  }

  /** @param again whether it may have been counted before without an answer */
  #take(spend: Spend, status: string, again: boolean): 'done' {
    const wasCounted = status === 'success' || (again && status === 'duplicate');
    if (wasCounted) this.#books.counted(spend.campaign_id, microsOf(spend.spend_cents));
    else this.#books.problem(`${spend.event_id} of ${spend.campaign_id} was answered ${status}`);
    return 'done';
  }

  async #untilAnswered(
    line: PodLine,
    what: string,
    wasSent: boolean,
    send: (again: boolean) => Promise<Reply | 'done' | null>,
  ): Promise<void> {
    const sinceMs = performance.now();
    for (let again = wasSent; ; again = true) {
      const reply = await send(again);
      if (reply === 'done') return;
      if (reply !== null) this.#refused(line, what, reply);
      if (performance.now() - sinceMs > PATIENCE_MS) {
        this.#books.problem(`${what} was not answered by pod ${line.at} in time`);
        return;
      }
      await pause(RETRY_MS);
    }
  }

  /** Losses and spends may be refused while a pod starts or stops, never for what else is away. */
  #refused(line: PodLine, what: string, { status, text, headers }: Reply): void {
    this.#books.tally.refused++;
    const isProper = status === 503 && headers['retry-after'] !== undefined;
    if (isProper && line.isExcused) return;
    this.#books.problem(`pod ${line.at}: ${what} was answered ${status}: ${text.slice(0, 200)}`);
  }
}
