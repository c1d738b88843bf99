/**
 * Wins that were reported to another pod than the one that allowed the bid: one message per flush names the
 * bids, and the pod that holds a reservation of one releases it. A message that is lost only keeps its
 * reservations until they expire. Listens on a connection of its own, made when it is first needed.
 */
import { openRedis, type RedisClient } from './connection.ts';
import type { RedisTarget } from './redis-target.ts';

export interface ReleasedBid {
  readonly campaignId: string;
  readonly bidId: string;
}

const CHANNEL = 'budget:released';

export class ReleasedBids {
  readonly #target: RedisTarget;
  readonly #source: string;
  readonly #commandTimeoutMs: number;
  #listener: RedisClient | null = null;

  constructor(target: RedisTarget, source: string, commandTimeoutMs: number) {
    this.#target = target;
    this.#source = source;
    this.#commandTimeoutMs = commandTimeoutMs;
  }

  /** @param client the one that flushes */
  async publish(client: RedisClient, released: readonly ReleasedBid[]): Promise<void> {
    if (released.length === 0) return;
    const bids = released.map(({ campaignId, bidId }) => [campaignId, bidId]);
    await client.publish(CHANNEL, JSON.stringify({ source: this.#source, bids }));
  }

  /** Calls back for each message of another source, from when the listener is connected, and again after each loss. */
  subscribe(heard: (released: readonly ReleasedBid[]) => void): void {
    const listener = openRedis(
      this.#target,
      { onUp: () => listen(), onDown: () => {} },
      this.#commandTimeoutMs,
    );
    const listen = () => {
      // When this fails its connection has: the next one subscribes again.
      listener.subscribe(CHANNEL).catch(() => {});
    };
    listener.on('message', (_channel: string, text: string) => {
      const released = readMessage(text, this.#source);
      if (released.length > 0) heard(released);
    });
    listener.connect().catch(() => {});
    this.#listener = listener;
  }

  close(): void {
    this.#listener?.disconnect();
    this.#listener = null;
  }
}

/** A message's bids; none when it is this source's own, or not one of this release. */
function readMessage(text: string, ownSource: string): ReleasedBid[] {
  const message = parsed(text);
  if (typeof message !== 'object' || message === null) return [];
  if (!('source' in message) || message.source === ownSource) return [];
  if (!('bids' in message) || !Array.isArray(message.bids)) return [];
  return message.bids.flatMap((bid: unknown) => {
    if (!Array.isArray(bid)) return [];
    const [campaignId, bidId] = bid as unknown[];
    return typeof campaignId === 'string' && typeof bidId === 'string' ? [{ campaignId, bidId }] : [];
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
