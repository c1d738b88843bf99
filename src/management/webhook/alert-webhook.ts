/**
 * Sends alerts to the webhook, beside everything else and never in its way: a loop that takes a few deliveries from
 * the database, sends them at once, and reports what became of them. While the webhook fails it is tried with one at a
 * time, after pauses that grow. Memory holds the few that are under way; the rest waits in the database, bounded in
 * age and number, over restarts.
 *
 * Each alert is sent at least once, in a fleet by one pod: twice only when a pod dies, or the database goes away,
 * between the webhook's answer and the report of it. The receiver tells by `webhook-id`.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { AppError } from '../../domain/app-error.ts';
import type { Delivery, DeliveryQueue } from '../../sinks/postgres/delivery-queue.ts';
import type { WebhookSender } from './webhook-sender.ts';

export interface WebhookTiming {
  /** Between two looks for deliveries. */
  readonly pollMs: number;
  /** After the first failure; it doubles up to the most. */
  readonly pauseMs: number;
  readonly pauseMsMax: number;
  /** Until a delivery that failed is tried again; doubles too. */
  readonly retryMs: number;
  readonly retryMsMax: number;
}

const TIMING: WebhookTiming = {
  pollMs: 1_000,
  pauseMs: 1_000,
  pauseMsMax: 60_000,
  retryMs: 2_000,
  retryMsMax: 900_000,
};
/** Sent at the same time. */
const BATCH = 8;
/** For so long no other pod takes what this one took; longer than a webhook may take to answer. */
const TAKEN_MS = 30_000;
const WANT_MS = 60_000;

export class AlertWebhook {
  readonly #queue: DeliveryQueue;
  readonly #sender: WebhookSender;
  readonly #log: Logger;
  readonly #timing: WebhookTiming;
  readonly #stop = new AbortController();
  #failures = 0;
  #databaseFails = false;
  #wantedAtMs = Number.NEGATIVE_INFINITY;
  #running: Promise<void> = Promise.resolve();

  constructor(queue: DeliveryQueue, sender: WebhookSender, log: Logger, timing: WebhookTiming = TIMING) {
    this.#queue = queue;
    this.#sender = sender;
    this.#log = log;
    this.#timing = timing;
  }

  /** Sends until it is closed. @param fail is told of a bug */
  run(fail: (error: unknown) => void): void {
    this.#running = this.#loop().catch(fail);
  }

  /** What is under way is cut and waits for the next start. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #loop(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const pauseMs = await this.#turn();
      if (pauseMs > 0) await pause(pauseMs, undefined, { signal }).catch(() => {}); // it ends
    }
  }

  /** @returns how long to wait for the next one */
  async #turn(): Promise<number> {
    const { pollMs, pauseMs, pauseMsMax } = this.#timing;
    try {
      await this.#want();
      const deliveries = await this.#queue.take(this.#failures === 0 ? BATCH : 1, TAKEN_MS);
      const sent = await Promise.all(deliveries.map((delivery) => this.#deliver(delivery)));
      if (this.#databaseFails) this.#log.info('alerts for the webhook can be read again');
      this.#databaseFails = false;
      if (sent.length > 0) this.#note(sent);
      if (this.#failures > 0) return jittered(Math.min(pauseMsMax, pauseMs * 2 ** (this.#failures - 1)));
      return deliveries.length === BATCH ? 0 : pollMs;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      if (!this.#databaseFails && !this.#stop.signal.aborted) {
        this.#log.warn({ err: error }, 'alerts for the webhook wait until the database answers');
      }
      this.#databaseFails = true;
      return jittered(pauseMs);
    }
  }

  async #want(): Promise<void> {
    if (performance.now() - this.#wantedAtMs < WANT_MS) return;
    await this.#queue.want();
    const givenUp = await this.#queue.giveUp();
    if (givenUp > 0)
      this.#log.error({ alerts: givenUp }, 'alerts were not taken by the webhook and are given up');
    this.#wantedAtMs = performance.now();
  }

  /** @returns what went wrong, or null */
  async #deliver(delivery: Delivery): Promise<string | null> {
    const { signal } = this.#stop;
    const { retryMs, retryMsMax } = this.#timing;
    const wrong = await this.#sender.send(delivery, Date.now(), signal);
    if (wrong === null) await this.#queue.finish(delivery);
    else if (signal.aborted) await this.#queue.retry(delivery, 0);
    else {
      const doublings = Math.min(delivery.attempts - 1, 20);
      await this.#queue.retry(delivery, jittered(Math.min(retryMsMax, retryMs * 2 ** doublings)));
    }
    return wrong;
  }

  #note(sent: readonly (string | null)[]): void {
    const wrong = sent.find((each) => each !== null) ?? null;
    const { host } = this.#sender;
    if (sent.includes(null)) {
      if (this.#failures > 0) this.#log.info({ host }, 'the webhook takes alerts again');
      this.#failures = 0;
      return;
    }
    if (this.#stop.signal.aborted) return;
    if (this.#failures === 0) this.#log.warn({ host, wrong }, 'the webhook does not take alerts; they wait');
    this.#failures = Math.min(this.#failures + 1, 20);
  }
}

/** So that pods do not come back all at once. */
function jittered(ms: number): number {
  return ms * (0.75 + Math.random() / 2);
}
