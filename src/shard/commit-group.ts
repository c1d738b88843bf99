/**
 * One group commit: everything that arrived while the previous commit was being written. It is applied in
 * memory already; it is answered when it is in the ledger, or taken back when it cannot be.
 */
import type { Campaign } from '../domain/campaign.ts';
import type { AppliedSpend } from '../domain/counters.ts';
import {
  OUTCOME_DUPLICATE,
  OUTCOME_SUCCESS,
  OUTCOME_UNAVAILABLE,
  OutcomeWriter,
} from '../messages/edge-shard.ts';
import type { Account } from './account.ts';
import type { OutboxEntry } from './ledger.ts';

/** Called once with whether the change is in the ledger. */
export type CommitListener = (committed: boolean) => void;

interface Answer {
  readonly edge: number;
  readonly ticket: number;
  readonly outcome: number;
  /** The event a duplicate repeats, or empty. */
  readonly event: string;
}

export class CommitGroup {
  readonly dirty = new Set<Account>();
  readonly campaigns = new Map<string, Campaign>();
  /** History for Postgres, by key. */
  readonly outbox = new Map<string, OutboxEntry>();
  /** Keys of the events it counts. */
  readonly events = new Set<string>();
  readonly spends: { readonly account: Account; readonly applied: AppliedSpend }[] = [];
  readonly listeners: CommitListener[] = [];
  private answers: Answer[] = [];

  /** Whether there is anything to write. */
  get empty(): boolean {
    return this.dirty.size === 0 && this.campaigns.size === 0 && this.outbox.size === 0;
  }

  get answerCount(): number {
    return this.answers.length;
  }

  answer(edge: number, ticket: number, outcome: number): void {
    this.answers.push({ edge, ticket, outcome, event: '' });
  }

  /** Answers a duplicate, once the event that it repeats is sure to be counted. */
  answerDuplicate(edge: number, ticket: number, event: string): void {
    this.answers.push({ edge, ticket, outcome: OUTCOME_DUPLICATE, event });
  }

  /** The events of an earlier group were not counted: their duplicates here are none. */
  retract(events: ReadonlySet<string>): void {
    this.answers = this.answers.map((answer) =>
      events.has(answer.event) ? { ...answer, outcome: OUTCOME_UNAVAILABLE } : answer,
    );
  }

  /** Writes the answers, one writer an edge; what was not committed is answered as not recorded. */
  collect(committed: boolean, writers: Map<number, OutcomeWriter>): void {
    for (const { edge, ticket, outcome, event } of this.answers) {
      let writer = writers.get(edge);
      if (writer === undefined) {
        writer = new OutcomeWriter();
        writers.set(edge, writer);
      }
      const unaffected = outcome !== OUTCOME_SUCCESS && !this.events.has(event);
      writer.add(ticket, committed || unaffected ? outcome : OUTCOME_UNAVAILABLE);
    }
  }
}
