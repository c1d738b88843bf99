/**
 * Spends with an event id that wait to hear whether another pod has counted their event. What arrives while Redis is
 * asked is asked for next, together. When Redis does not answer in time they are taken all the same: a spend is
 * rather counted twice than lost, and nobody waits for long.
 */
import type { Clock } from '../domain/clock.ts';
import {
  type BatchReader,
  BatchWriter,
  type EdgeBatch,
  OUTCOME_DUPLICATE,
  OUTCOME_UNAVAILABLE,
} from '../messages/edge-shard.ts';
import { EVENT_COUNTED, EVENT_PENDING } from '../sinks/redis/event-claims.ts';
import type { PostedBatch } from './edge-reports.ts';

/** How long Redis may take to answer. */
const ANSWER_MS = 100;
/** An event that another pod is about to count is asked for again after this, and refused after that long. */
const AGAIN_MS = 50;
const PATIENCE_MS = 1_000;
const EVENTS_AT_ONCE = 2_000;
/** More are taken without asking. */
const HELD_MAX = 100_000;

/** The fleet's memory of events, as a shard sees it. */
export interface FleetEvents {
  /** Whether it can be asked now. */
  readonly reachable: boolean;
  /** EVENT_CLAIMED, EVENT_COUNTED or EVENT_PENDING of each; rejects when it cannot be had. */
  claimEvents(events: readonly string[]): Promise<readonly number[]>;
  /** Events that were claimed are in the ledger, or could not be written. */
  eventsEnded(events: Iterable<string>, committed: boolean): void;
}

export interface EventClaimsParts {
  readonly events: FleetEvents;
  readonly readClock: () => Clock;
  /** Takes spends whose events are this pod's to count. */
  readonly take: (ready: readonly PostedBatch[]) => void;
  readonly answer: (edge: number, ticket: number, outcome: number) => void;
  /** So many were taken without an answer of Redis. */
  readonly unchecked: (count: number) => void;
}

interface Held {
  readonly edge: number;
  readonly ticket: number;
  readonly batch: EdgeBatch;
  readonly event: string;
  readonly sinceMs: number;
}

export class EventClaims {
  private readonly parts: EventClaimsParts;
  private readonly writer = new BatchWriter();
  private held: Held[] = [];
  private asking = false;

  constructor(parts: EventClaimsParts) {
    this.parts = parts;
  }

  /** Whether a spend should wait for an answer. */
  get mayHold(): boolean {
    return this.parts.events.reachable && this.held.length < HELD_MAX;
  }

  /** Keeps the spend that the reader stands on until its event is known. @param event its key */
  hold(edge: number, record: BatchReader, event: string, clock: Clock): void {
    const { kind, ticket, slot, campaignId, micros, impressions, clicks, bidId, eventId } = record;
    this.writer.add(kind, ticket, slot, campaignId, micros, impressions, clicks, bidId, eventId);
    this.held.push({ edge, ticket, batch: this.writer.finish(), event, sinceMs: clock.steadyMs });
    if (!this.asking) this.askLater(0);
  }

  private askLater(afterMs: number): void {
    this.asking = true;
    const ask = (): void => void this.ask();
    if (afterMs > 0) setTimeout(ask, afterMs);
    else setImmediate(ask); // with all that this turn brings
  }

  /** Never rejects. */
  private async ask(): Promise<void> {
    const { events, readClock } = this.parts;
    const asked = this.held.splice(0, EVENTS_AT_ONCE);
    const verdicts = await inTime(events.claimEvents(asked.map(({ event }) => event))).catch(() => null);
    const { steadyMs } = readClock();
    const ready: PostedBatch[] = [];
    const pending: Held[] = [];
    for (const [at, held] of asked.entries()) {
      const { edge, ticket, batch, sinceMs } = held;
      const verdict = verdicts?.[at];
      if (verdict === EVENT_COUNTED) this.parts.answer(edge, ticket, OUTCOME_DUPLICATE);
      else if (verdict !== EVENT_PENDING) ready.push({ edge, batch, waited: true, claimed: true });
      else if (steadyMs - sinceMs < PATIENCE_MS) pending.push(held);
      else this.parts.answer(edge, ticket, OUTCOME_UNAVAILABLE);
    }
    if (verdicts === null) this.parts.unchecked(ready.length);
    const arrived = this.held.length > 0;
    this.held.push(...pending);
    this.asking = false;
    if (this.held.length > 0) this.askLater(arrived ? 0 : AGAIN_MS);
    this.parts.take(ready);
  }
}

async function inTime<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('Redis took too long')), ANSWER_MS);
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}
