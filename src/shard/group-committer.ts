/**
 * Group commit: one commit is being written at a time; what arrives meanwhile gathers in the open group and
 * is written next. Under load a commit carries hundreds of spends for one flush of the disk.
 */

import type { Clock } from '../domain/clock.ts';
import type { OutcomeWriter } from '../messages/edge-shard.ts';
import type { Meters } from '../table/meters.ts';
import {
  SHARD_COMMIT_SECONDS,
  SHARD_LEDGER_FAILING,
  SHARD_PENDING,
  SHARD_WAITING_SINCE_MS,
} from '../table/thread-meters.ts';
import type { Log } from '../threads/log.ts';
import { CommitGroup } from './commit-group.ts';
import type { Ledger } from './ledger.ts';

/** After a commit that failed the next one waits so long: what it kept back would fail again at once, for ever. */
const FAILED_PAUSE_MS = 50;

/** Events of a group are in the ledger, or are not counted. */
export type EventsEnded = (events: ReadonlySet<string>, committed: boolean) => void;
export type SendOutcomes = (edge: number, writer: OutcomeWriter) => void;

export class GroupCommitter {
  open = new CommitGroup();
  private writing: CommitGroup | null = null;
  private due = false;
  private openSinceMs = 0;
  private failing = false;
  private failures = 0;
  private finished: Promise<void> = Promise.resolve();
  private readonly ledger: Ledger;
  private readonly meters: Meters;
  private readonly log: Log;
  private readonly readClock: () => Clock;
  private readonly send: SendOutcomes;
  private readonly eventsEnded: EventsEnded;

  constructor(
    ledger: Ledger,
    meters: Meters,
    log: Log,
    readClock: () => Clock,
    send: SendOutcomes,
    eventsEnded: EventsEnded,
  ) {
    this.ledger = ledger;
    this.meters = meters;
    this.log = log;
    this.readClock = readClock;
    this.send = send;
    this.eventsEnded = eventsEnded;
  }

  /** Whether an event is counted in a group that is not in the ledger yet. */
  holds(event: string): boolean {
    return this.open.events.has(event) || (this.writing?.events.has(event) ?? false);
  }

  /** Has the open group written, at the end of this event-loop turn or after the commit under way. */
  schedule(): void {
    if (this.openSinceMs === 0) this.openSinceMs = this.readClock().wallMs;
    if (this.due || this.writing !== null) return;
    this.due = true;
    setImmediate(() => {
      this.due = false;
      this.begin(false);
    });
  }

  /**
   * Writes what is open and waits until it is written.
   * @param last nothing stands on the table any more, and nothing will
   * @returns whether all that was applied before the call is in the ledger now
   */
  async flush(last: boolean): Promise<boolean> {
    const failuresBefore = this.failures;
    await this.finished;
    this.begin(last);
    await this.finished;
    return this.failures === failuresBefore;
  }

  private begin(last: boolean): void {
    if (this.writing !== null) return;
    const group = this.open;
    this.open = new CommitGroup();
    this.writing = group;
    this.meters.set(SHARD_WAITING_SINCE_MS, this.openSinceMs);
    this.openSinceMs = 0;
    this.finished = this.write(group, last);
  }

  private async write(group: CommitGroup, last: boolean): Promise<void> {
    const startedAtMs = performance.now();
    const { wallMs } = this.readClock();
    this.meters.set(SHARD_PENDING, group.dirty.size);
    let committed = true;
    if (group.empty) {
      await Promise.resolve(); // only answers: they keep their place behind the commit before
    } else {
      const accounts = Array.from(
        group.dirty,
        (account) => [account.campaign.id, account.encode(last)] as const,
      );
      const { events, outbox } = group;
      const change = { accounts, campaigns: group.campaigns.values(), events, outbox };
      committed = await this.ledger.commit(change, wallMs).then(
        () => true,
        (error: unknown) => this.reportFailure(error),
      );
      this.meters.observe(SHARD_COMMIT_SECONDS, (performance.now() - startedAtMs) / 1000);
    }
    this.writing = null;
    this.finish(group, committed);
    if (this.open.answerCount === 0 && this.open.empty) return;
    if (committed) this.begin(false);
    else this.beginLater();
  }

  private beginLater(): void {
    this.due = true;
    setTimeout(() => {
      this.due = false;
      this.begin(false);
    }, FAILED_PAUSE_MS);
  }

  private finish(group: CommitGroup, committed: boolean): void {
    const clock = this.readClock();
    if (committed && this.failing) this.log.warn('the ledger can be written again');
    if (committed) this.failing = false;
    this.meters.set(SHARD_LEDGER_FAILING, this.failing ? 1 : 0);
    for (const account of group.dirty) account.committed(committed);
    if (committed) for (const { account, applied } of group.spends) account.paced.recorded(applied);
    else {
      for (const { account, applied } of group.spends) account.takeBack(applied, clock);
      this.open.retract(group.events);
      for (const [key, entry] of group.outbox) this.open.outbox.set(key, entry);
    }
    if (group.events.size > 0) this.eventsEnded(group.events, committed);
    const writers = new Map<number, OutcomeWriter>();
    group.collect(committed, writers);
    for (const [edge, writer] of writers) this.send(edge, writer);
    for (const listener of group.listeners) listener(committed);
    this.meters.set(SHARD_PENDING, this.open.dirty.size);
    this.meters.set(SHARD_WAITING_SINCE_MS, this.openSinceMs);
  }

  private reportFailure(error: unknown): false {
    if (!this.failing)
      this.log.error({ err: error }, 'the ledger cannot be written; spend is refused until it can');
    this.failing = true;
    this.failures++;
    return false;
  }
}
