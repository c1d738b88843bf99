/**
 * What edges report to their shard: reservations, wins, losses, and questions for a status. A report is applied at once and
 * answered once it is in the ledger. Wins and losses that came before their reservation wait for it (early-settlements.ts),
 * and in a fleet spends wait to hear whether another pod has counted their event (event-claims.ts).
 */
import type { Clock } from '../domain/clock.ts';
import {
  BatchReader,
  type EdgeBatch,
  KIND_LOSS,
  KIND_RESERVE,
  KIND_SPEND,
  KIND_STATUS,
  KIND_STATUS_EXPLAINED,
  OUTCOME_DUPLICATE,
  OUTCOME_RELEASED,
  OUTCOME_SUCCESS,
  OUTCOME_TOO_LARGE,
  OUTCOME_UNKNOWN_BID,
  OUTCOME_UNKNOWN_CAMPAIGN,
} from '../messages/edge-shard.ts';
import type { EdgeTurns } from '../table/edge-turns.ts';
import type { Meters } from '../table/meters.ts';
import {
  SHARD_DUPLICATES,
  SHARD_EVENTS_UNCHECKED,
  SHARD_LATE_WIN_MICROS,
  SHARD_SPEND_REJECTED,
  SHARD_SPENDS,
} from '../table/thread-meters.ts';
import type { Account } from './account.ts';
import { EarlySettlements } from './early-settlements.ts';
import { EventClaims, type FleetEvents } from './event-claims.ts';
import type { GroupCommitter } from './group-committer.ts';
import { eventKey, type Ledger } from './ledger.ts';

/** A batch and the number of the line (edge-lines.ts) that an edge posted it over, which its answers go back by. */
export interface PostedBatch {
  readonly edge: number;
  readonly batch: EdgeBatch;
  /** Its wins and losses have waited for their reservations. */
  readonly waited?: boolean;
  /** Its spends' events are this pod's to count. */
  readonly claimed?: boolean;
}

/** What reports are taken and counted with. */
export interface ReportSources {
  readonly ledger: Ledger;
  readonly meters: Meters;
  readonly readClock: () => Clock;
  readonly turns: EdgeTurns;
  /** Takes what stands in the edges' ports. */
  readonly takePosted: () => PostedBatch[];
  /** What the fleet has counted; null for a pod of its own. */
  readonly fleetEvents: FleetEvents | null;
}

export interface EdgeReportsParts extends ReportSources {
  readonly committer: GroupCommitter;
  /** By an edge's slot, or by id when the edge found none. */
  readonly find: (slot: number, campaignId: string) => Account | undefined;
  /** The same of a deleted campaign that was closed since, opened again; undefined when there never was one. */
  readonly reopen: (slot: number, campaignId: string, clock: Clock) => Account | undefined;
  /** The account changed. */
  readonly touch: (account: Account, clock: Clock) => void;
  readonly sendStatus: (
    edge: number,
    ticket: number,
    account: Account | undefined,
    explained: boolean,
  ) => void;
}

export class EdgeReports {
  private readonly parts: EdgeReportsParts;
  private readonly reader = new BatchReader();
  private readonly early: EarlySettlements;
  private readonly claims: EventClaims | null;

  constructor(parts: EdgeReportsParts) {
    this.parts = parts;
    this.early = new EarlySettlements(parts.turns, () => this.receiveHeld());
    this.claims = parts.fleetEvents === null ? null : this.claimsOf(parts.fleetEvents);
  }

  /**
   * Applies what edges have posted; answers go out when their commit has ended. A win may have been posted by
   * another edge than its bid's reservation and stand before it here, or be here before it is posted:
   * reservations are applied first, and a win that has none waits until none can be on its way.
   * @param outstanding the edges' turns before their ports were emptied into `posted`: what was posted by then is in it
   */
  receive(posted: readonly PostedBatch[], outstanding = this.outstandingTurns()): void {
    const clock = this.parts.readClock();
    for (const { batch } of posted) this.reserve(batch, clock);
    for (const each of posted) this.settle(each, outstanding, clock);
    const { committer } = this.parts;
    if (committer.open.answerCount > 0) committer.schedule();
  }

  /** Takes what edges have posted meanwhile, and then what has waited for it. */
  private receiveHeld(): void {
    const { readClock, takePosted } = this.parts;
    const outstanding = this.outstandingTurns();
    const ready = this.early.take(readClock());
    this.receive([...takePosted(), ...ready], outstanding);
  }

  /** The edges' turns whose reservations may not be posted yet, or null: to be read before the ports are emptied. */
  outstandingTurns(): readonly number[] | null {
    return this.parts.turns.outstanding();
  }

  private reserve(batch: EdgeBatch, clock: Clock): void {
    const { reader } = this;
    reader.open(batch);
    while (reader.next()) {
      if (reader.kind === KIND_RESERVE) this.find()?.name(reader.bidId, reader.micros, clock);
    }
  }

  private settle(posted: PostedBatch, outstanding: readonly number[] | null, clock: Clock): void {
    const { edge, batch, waited = false, claimed = false } = posted;
    const { reader } = this;
    const group = this.parts.committer.open;
    reader.open(batch);
    while (reader.next()) {
      if (reader.kind === KIND_RESERVE) continue;
      if (!waited && outstanding !== null && this.isEarly()) {
        this.early.hold(edge, reader, outstanding, clock);
      } else if (reader.kind === KIND_SPEND) {
        if (claimed || !this.claim(edge, clock)) this.spend(edge, clock);
      } else if (reader.kind === KIND_LOSS) group.answer(edge, reader.ticket, this.lose(clock));
      else if (reader.kind === KIND_STATUS) this.sendStatus(edge, false);
      else if (reader.kind === KIND_STATUS_EXPLAINED) this.sendStatus(edge, true);
      else throw new Error('an edge sent a record of an unknown kind');
    }
  }

  /** Holds a spend until its event is known to be this pod's to count. @returns false when that need not be asked */
  private claim(edge: number, clock: Clock): boolean {
    const { claims, reader } = this;
    const { committer, ledger, meters } = this.parts;
    if (claims === null || reader.eventId === '') return false;
    const account = this.find();
    if (account === undefined) return false;
    const key = eventKey(account.campaign.id, reader.eventId);
    if (committer.holds(key) || ledger.remembers(key, clock.wallMs)) return false;
    if (!claims.mayHold) {
      meters.add(SHARD_EVENTS_UNCHECKED, 1);
      return false;
    }
    claims.hold(edge, reader, key, clock);
    return true;
  }

  private claimsOf(events: FleetEvents): EventClaims {
    const { committer, readClock, meters } = this.parts;
    return new EventClaims({
      events,
      readClock,
      take: (ready) => this.receive(ready),
      answer: (edge, ticket, outcome) => {
        if (outcome === OUTCOME_DUPLICATE) meters.add(SHARD_DUPLICATES, 1);
        committer.open.answer(edge, ticket, outcome);
        committer.schedule();
      },
      unchecked: (count) => meters.add(SHARD_EVENTS_UNCHECKED, count),
    });
  }

  /** Whether the reader's record is about a reservation that is not here. */
  private isEarly(): boolean {
    const { bidId } = this.reader;
    if (bidId === '' || !this.early.mayHold) return false;
    const account = this.find();
    return account !== undefined && !account.paced.reservations.has(bidId);
  }

  private spend(edge: number, clock: Clock): void {
    const { reader } = this;
    const { committer, meters, ledger } = this.parts;
    const group = committer.open;
    const account = this.find() ?? this.reopen(clock);
    if (account === undefined) {
      meters.add(SHARD_SPEND_REJECTED, 1);
      group.answer(edge, reader.ticket, OUTCOME_UNKNOWN_CAMPAIGN);
      return;
    }
    if (!account.paced.canCount(reader.micros)) {
      group.answer(edge, reader.ticket, OUTCOME_TOO_LARGE);
      return;
    }
    if (reader.eventId !== '') {
      const key = eventKey(account.campaign.id, reader.eventId);
      if (committer.holds(key) || ledger.remembers(key, clock.wallMs)) {
        meters.add(SHARD_DUPLICATES, 1);
        group.answerDuplicate(edge, reader.ticket, key);
        return;
      }
      group.events.add(key);
    }
    const applied = account.spend(reader.micros, reader.impressions, reader.clicks, reader.bidId, clock);
    meters.add(SHARD_SPENDS, 1);
    meters.add(SHARD_LATE_WIN_MICROS, applied.lateMicros);
    group.spends.push({ account, applied });
    group.answer(edge, reader.ticket, OUTCOME_SUCCESS);
    this.parts.touch(account, clock);
  }

  private lose(clock: Clock): number {
    const account = this.find();
    if (account === undefined) return OUTCOME_UNKNOWN_BID;
    return account.lose(this.reader.bidId, clock) ? OUTCOME_RELEASED : OUTCOME_UNKNOWN_BID;
  }

  /** The account of the record that the reader stands on. */
  private find(): Account | undefined {
    return this.parts.find(this.reader.slot, this.reader.campaignId);
  }

  private reopen(clock: Clock): Account | undefined {
    return this.parts.reopen(this.reader.slot, this.reader.campaignId, clock);
  }

  private sendStatus(edge: number, explained: boolean): void {
    this.parts.sendStatus(edge, this.reader.ticket, this.find(), explained);
  }
}
