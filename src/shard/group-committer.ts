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
import type { Account } from './account.ts';
import { CommitGroup } from './commit-group.ts';
import type { Ledger, OutboxEntry } from './ledger.ts';

/** After a commit that failed the next one waits so long: what it kept back would fail again at once, for ever. */
const FAILED_PAUSE_MS = 50;

export type SendOutcomes = (edge: number, writer: OutcomeWriter) => void;

export interface GroupCommitterParts {
  readonly ledger: Ledger;
  readonly meters: Meters;
  readonly log: Log;
  readonly readClock: () => Clock;
  readonly send: SendOutcomes;
  /** Events of a group are in the ledger, or are not counted. */
  readonly eventsEnded: (events: ReadonlySet<string>, committed: boolean) => void;
  /** History that is written with an account, and belongs to this commit alone. */
  readonly historyOf: (account: Account) => readonly [key: string, entry: OutboxEntry] | null;
}

export class GroupCommitter {
  open = new CommitGroup();
  private writing: CommitGroup | null = null;
  private due = false;
  private openSinceMs = 0;
  private failing = false;
  private failures = 0;
  private isEnding = false;
  private finished: Promise<void> = Promise.resolve();
  private readonly parts: GroupCommitterParts;

  constructor(parts: GroupCommitterParts) {
    this.parts = parts;
  }

  /** Whether an event is counted in a group that is not in the ledger yet. */
  holds(event: string): boolean {
    return this.open.events.has(event) || (this.writing?.events.has(event) ?? false);
  }

  /** Has the open group written, at the end of this event-loop turn or after the commit under way. */
  schedule(): void {
    if (this.openSinceMs === 0) this.openSinceMs = this.parts.readClock().wallMs;
    if (this.due || this.writing !== null) return;
    this.due = true;
    setImmediate(() => {
      this.due = false;
      this.begin();
    });
  }

  /**
   * Writes what is open and waits until it is written.
   * @param last nothing stands on the table any more, and nothing will; also of what others still flush afterwards
   * @returns whether all that was applied before the call is in the ledger now
   */
  async flush(last: boolean): Promise<boolean> {
    const failuresBefore = this.failures;
    if (last) this.isEnding = true;
    if (this.writing !== null) await this.finished;
    this.begin();
    await this.finished;
    return this.failures === failuresBefore;
  }

  /** Waits until nothing is being written: what is flushed within the same turn is then a group of its own. */
  async atRest(): Promise<void> {
    while (this.writing !== null) await this.finished;
  }

  private begin(): void {
    if (this.writing !== null) return;
    const group = this.open;
    this.open = new CommitGroup();
    this.writing = group;
    this.parts.meters.set(SHARD_WAITING_SINCE_MS, this.openSinceMs);
    this.openSinceMs = 0;
    this.finished = this.write(group);
  }

  private async write(group: CommitGroup): Promise<void> {
    const startedAtMs = performance.now();
    const { wallMs } = this.parts.readClock();
    this.parts.meters.set(SHARD_PENDING, group.dirty.size);
    let committed = true;
    if (group.empty) {
      await Promise.resolve(); // only answers: they keep their place behind the commit before
    } else {
      const accounts = Array.from(
        group.dirty,
        (account) => [account.campaign.id, account.encode(this.isEnding)] as const,
      );
      const { events } = group;
      const outbox = this.historyOf(group);
      const change = { accounts, campaigns: group.campaigns.values(), events, outbox };
      committed = await this.parts.ledger.commit(change, wallMs).then(
        () => true,
        (error: unknown) => this.reportFailure(error),
      );
      this.parts.meters.observe(SHARD_COMMIT_SECONDS, (performance.now() - startedAtMs) / 1000);
    }
    this.writing = null;
    this.finish(group, committed);
    if (this.open.answerCount === 0 && this.open.empty) return;
    if (committed) this.begin();
    else this.beginLater();
  }

  private historyOf({ dirty, outbox }: CommitGroup): ReadonlyMap<string, OutboxEntry> {
    let all: Map<string, OutboxEntry> | null = null;
    for (const account of dirty) {
      const entry = this.parts.historyOf(account);
      if (entry !== null) all = (all ?? new Map(outbox)).set(...entry);
    }
    return all ?? outbox;
  }

  private beginLater(): void {
    this.due = true;
    setTimeout(() => {
      this.due = false;
      this.begin();
    }, FAILED_PAUSE_MS);
  }

  private finish(group: CommitGroup, committed: boolean): void {
    const clock = this.parts.readClock();
    if (committed && this.failing) this.parts.log.warn('the ledger can be written again');
    if (committed) this.failing = false;
    this.parts.meters.set(SHARD_LEDGER_FAILING, this.failing ? 1 : 0);
    for (const account of group.dirty) account.committed(committed);
    if (committed) for (const { account, applied } of group.spends) account.paced.recorded(applied);
    else {
      for (const { account, applied } of group.spends) account.takeBack(applied, clock);
      this.open.retract(group.events);
      for (const [key, entry] of group.outbox) this.open.outbox.set(key, entry);
    }
    if (group.events.size > 0) this.parts.eventsEnded(group.events, committed);
    const writers = new Map<number, OutcomeWriter>();
    group.collect(committed, writers);
    for (const [edge, writer] of writers) this.parts.send(edge, writer);
    for (const listener of group.listeners) listener(committed);
    this.parts.meters.set(SHARD_PENDING, this.open.dirty.size);
    this.parts.meters.set(SHARD_WAITING_SINCE_MS, this.openSinceMs);
  }

  private reportFailure(error: unknown): false {
    if (!this.failing)
      this.parts.log.error({ err: error }, 'the ledger cannot be written; spend is refused until it can');
    this.failing = true;
    this.failures++;
    return false;
  }
}
