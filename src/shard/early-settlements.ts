/**
 * Wins and losses that came before their bid's reservation: the edge that answered the bid had not posted it yet. Each
 * waits until all that was answered then is posted, usually well under a millisecond, and is then taken as it is.
 */
import type { Clock } from '../domain/clock.ts';
import { type BatchReader, BatchWriter, type EdgeBatch } from '../messages/edge-shard.ts';
import type { EdgeTurns } from '../table/edge-turns.ts';
import type { PostedBatch } from './edge-reports.ts';

/** An edge that does not end its turn in this time has died or stands still: nobody waits longer for it. */
const WAIT_MS_MAX = 1_000;
const LOOK_MS = 1;
/** More are taken as they come. */
const HELD_MAX = 100_000;

interface Held {
  readonly edge: number;
  readonly batch: EdgeBatch;
  /** The turns that it waits for. */
  readonly begun: readonly number[];
  readonly sinceMs: number;
}

export class EarlySettlements {
  private readonly turns: EdgeTurns;
  private readonly due: () => void;
  private readonly writer = new BatchWriter();
  private held: Held[] = [];
  private timer: NodeJS.Timeout | null = null;

  /** @param due called a moment after something was held, to {@link take} it */
  constructor(turns: EdgeTurns, due: () => void) {
    this.turns = turns;
    this.due = due;
  }

  /** Whether there is room to wait for a reservation. */
  get mayHold(): boolean {
    return this.held.length < HELD_MAX;
  }

  /** Keeps the record that the reader stands on. @param begun the turns that its reservation may be of */
  hold(edge: number, record: BatchReader, begun: readonly number[], clock: Clock): void {
    const { kind, ticket, slot, campaignId, micros, impressions, clicks, bidId, eventId } = record;
    this.writer.add(kind, ticket, slot, campaignId, micros, impressions, clicks, bidId, eventId);
    this.held.push({ edge, batch: this.writer.finish(), begun, sinceMs: clock.steadyMs });
    this.lookLater();
  }

  /** What need not wait any longer, once the ports are emptied after this; in the order it came. */
  take(clock: Clock): PostedBatch[] {
    const ready: PostedBatch[] = [];
    const held: Held[] = [];
    for (const each of this.held) {
      const { edge, batch, begun, sinceMs } = each;
      const over = this.turns.posted(begun) || clock.steadyMs - sinceMs > WAIT_MS_MAX;
      if (over) ready.push({ edge, batch, waited: true });
      else held.push(each);
    }
    this.held = held;
    if (held.length > 0) this.lookLater();
    return ready;
  }

  private lookLater(): void {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.due();
    }, LOOK_MS);
  }
}
