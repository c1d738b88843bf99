/**
 * Sends one alert to the webhook: a POST that is answered within a bounded time, or has failed. Nothing that it
 * returns or throws shows the URL, whose path, query or user may be a secret.
 */
import type { Delivery } from '../../sinks/postgres/delivery-queue.ts';
import { wireAlert } from '../alert-routes.ts';
import { keyOf, signatureOf } from './webhook-signature.ts';

export interface WebhookTarget {
  readonly url: string;
  /** null: what is sent is not signed. */
  readonly secret: string | null;
}

/** `null` when it was taken, else what went wrong. */
export type SendResult = string | null;

const ANSWER_MS = 10_000;

export class WebhookSender {
  /** Where it sends to, for logs. */
  readonly host: string;
  readonly #url: string;
  readonly #authorization: string | null;
  readonly #key: Buffer | null;
  readonly #answerMs: number;

  constructor({ url, secret }: WebhookTarget, answerMs = ANSWER_MS) {
    const target = new URL(url);
    const user = decodeURIComponent(target.username);
    const password = decodeURIComponent(target.password);
    // fetch refuses a URL with credentials.
    target.username = target.password = '';
    this.host = target.host;
    this.#url = target.href;
    this.#authorization =
      user === '' && password === ''
        ? null
        : `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
    this.#key = secret === null ? null : keyOf(secret);
    this.#answerMs = answerMs;
  }

  /** @param stop ends it early */
  async send(delivery: Delivery, nowMs: number, stop: AbortSignal): Promise<SendResult> {
    const { body, headers } = this.#message(delivery, nowMs);
    try {
      const answer = await fetch(this.#url, {
        method: 'POST',
        body,
        headers,
        redirect: 'manual',
        signal: AbortSignal.any([stop, AbortSignal.timeout(this.#answerMs)]),
      });
      await answer.body?.cancel();
      return answer.ok ? null : `it answered ${answer.status}`;
    } catch (error) {
      return `it did not answer: ${reasonOf(error)}`;
    }
  }

  #message({ alert, event }: Delivery, nowMs: number) {
    const id = `alert-${alert.id}-${event}`;
    const timestamp = Math.floor(nowMs / 1_000);
    const body = JSON.stringify({
      type: `alert.${event}`,
      timestamp: new Date(nowMs).toISOString(),
      data: wireAlert(alert),
    });
    const headers: Record<string, string> = {
      'content-type': 'application/json',
      'user-agent': 'budget-pacer',
      'webhook-id': id,
      'webhook-timestamp': String(timestamp),
    };
    if (this.#key !== null) headers['webhook-signature'] = signatureOf(this.#key, id, timestamp, body);
    if (this.#authorization !== null) headers.authorization = this.#authorization;
    return { body, headers };
  }
}

/** A code such as ECONNREFUSED, or the kind of the error: its message could repeat the URL. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const { cause } = error;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return error.name;
}
