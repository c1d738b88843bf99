/**
 * The edge's way to the shards: records are collected and posted once for each event-loop turn; answers find
 * their request by ticket. A ticket is taken when a record that wants an answer is added and is given back
 * when the answer, or the end of the shard's port, arrives: no request waits for a shard that is gone.
 *
 * A bid is answered before its reservation is posted; the edge's turn in shared memory (table/edge-turns.ts) tells
 * owners so, in case that the bid's win comes to them over another edge in the meantime.
 */
import type { MessagePort } from 'node:worker_threads';
import {
  BatchWriter,
  KIND_LOSS,
  KIND_RESERVE,
  KIND_SPEND,
  KIND_STATUS,
  KIND_STATUS_EXPLAINED,
  OUTCOME_LOST,
  type ShardToEdge,
} from '../messages/edge-shard.ts';
import type { EdgeTurn } from '../table/edge-turns.ts';
import { hashId, shardOf } from '../table/hash.ts';
import type { SpendRequest } from './requests.ts';

/** Requests that may wait for shards at once in one edge; more are refused with 503. */
export const TICKETS_MAX = 65_536;
const NO_TICKET = -1;

/** A request that waits for one or more answers. */
export interface Waiting {
  /** @param position that the record was added with; @param outcome an OUTCOME code */
  answered(position: number, outcome: number): void;
  /** @param body of a status, or null when the campaign is unknown */
  statusAnswered(body: string | null): void;
}

class Link {
  readonly writer = new BatchWriter();
  port: MessagePort | null = null;
}

export class ShardLinks {
  private readonly links: readonly Link[];
  private readonly waiting: (Waiting | null)[] = [];
  private readonly positions: number[] = [];
  private readonly ports: (MessagePort | null)[] = [];
  private readonly freeTickets: number[] = [];
  private ticketsUsed = 0;
  private flushDue = false;
  private readonly turn: EdgeTurn;
  private readonly flushTurn = (): void => this.flush();

  constructor(shards: number, turn: EdgeTurn) {
    this.turn = turn;
    this.links = Array.from({ length: shards }, () => new Link());
  }

  /** Requests that wait for an answer. */
  get waitingCount(): number {
    return this.ticketsUsed;
  }

  /** Connects, or after its restart reconnects, a shard. */
  connect(shard: number, port: MessagePort): void {
    const link = this.links[shard] as Link;
    this.disconnect(link);
    link.port = port;
    port.on('message', (message: ShardToEdge) => this.receive(message));
    port.on('close', () => {
      if (link.port === port) this.disconnect(link);
    });
  }

  /** Whether there is room for so many more answers to wait for. */
  hasRoom(count: number): boolean {
    return this.ticketsUsed + count <= TICKETS_MAX;
  }

  /** @returns false when the owner is not connected: nothing was added */
  spend(slot: number, spend: SpendRequest, waiting: Waiting, position: number): boolean {
    const link = this.linkOf(spend.campaignId);
    if (link.port === null) return false;
    const ticket = this.takeTicket(waiting, position, link.port);
    const { campaignId, spendMicros, impressions, clicks, bidId, eventId } = spend;
    link.writer.add(KIND_SPEND, ticket, slot, campaignId, spendMicros, impressions, clicks, bidId, eventId);
    this.scheduleFlush();
    return true;
  }

  /** @returns false when the owner is not connected */
  loss(slot: number, campaignId: string, bidId: string, waiting: Waiting): boolean {
    const link = this.linkOf(campaignId);
    if (link.port === null) return false;
    link.writer.add(KIND_LOSS, this.takeTicket(waiting, 0, link.port), slot, campaignId, 0, 0, 0, bidId, '');
    this.scheduleFlush();
    return true;
  }

  /** @returns false when the owner is not connected */
  status(slot: number, campaignId: string, explained: boolean, waiting: Waiting): boolean {
    const link = this.linkOf(campaignId);
    if (link.port === null) return false;
    const kind = explained ? KIND_STATUS_EXPLAINED : KIND_STATUS;
    link.writer.add(kind, this.takeTicket(waiting, 0, link.port), slot, campaignId, 0, 0, 0, '', '');
    this.scheduleFlush();
    return true;
  }

  /**
   * Tells the owner which bid took a part of the allowance. When the owner is gone the message is dropped:
   * what was taken then stays reserved without a name until it expires.
   */
  reserve(slot: number, campaignId: string, takenMicros: number, bidId: string): void {
    const link = this.linkOf(campaignId);
    if (link.port === null) return;
    this.turn.begin();
    link.writer.add(KIND_RESERVE, NO_TICKET, slot, campaignId, takenMicros, 0, 0, bidId, '');
    this.scheduleFlush();
  }

  close(): void {
    for (const link of this.links) link.port?.close();
  }

  private linkOf(campaignId: string): Link {
    const shards = this.links.length;
    return this.links[shards === 1 ? 0 : shardOf(hashId(campaignId), shards)] as Link;
  }

  private scheduleFlush(): void {
    if (this.flushDue) return;
    this.flushDue = true;
    setImmediate(this.flushTurn);
  }

  private flush(): void {
    this.flushDue = false;
    for (const link of this.links) {
      if (link.writer.empty) continue;
      const batch = link.writer.finish();
      link.port?.postMessage(batch, [batch.numbers.buffer as ArrayBuffer]);
    }
    this.turn.end();
  }

  private takeTicket(waiting: Waiting, position: number, port: MessagePort): number {
    const ticket = this.freeTickets.pop() ?? this.waiting.length;
    this.waiting[ticket] = waiting;
    this.positions[ticket] = position;
    this.ports[ticket] = port;
    this.ticketsUsed++;
    return ticket;
  }

  private releaseTicket(ticket: number): Waiting | null {
    const waiting = this.waiting[ticket] ?? null;
    if (waiting === null) return null;
    this.waiting[ticket] = null;
    this.ports[ticket] = null;
    this.freeTickets.push(ticket);
    this.ticketsUsed--;
    return waiting;
  }

  private receive(message: ShardToEdge): void {
    if (message.type === 'status') {
      this.releaseTicket(message.ticket)?.statusAnswered(message.body);
      return;
    }
    const { numbers } = message;
    for (let at = 0; at < numbers.length; at += 2) {
      const ticket = numbers[at] as number;
      const position = this.positions[ticket] as number;
      this.releaseTicket(ticket)?.answered(position, numbers[at + 1] as number);
    }
  }

  /** Answers what waits for the shard, and forgets what was not posted yet: a new owner never saw either. */
  private disconnect(link: Link): void {
    const { port } = link;
    if (port === null) return;
    link.port = null;
    link.writer.finish();
    for (let ticket = 0; ticket < this.ports.length; ticket++) {
      if (this.ports[ticket] !== port) continue;
      const position = this.positions[ticket] as number;
      this.releaseTicket(ticket)?.answered(position, OUTCOME_LOST);
    }
    port.close();
  }
}
