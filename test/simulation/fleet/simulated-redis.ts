/**
 * The fleet's Redis: a real server that runs the production script, under the simulation's time, and that can be
 * wiped or go back to an older snapshot. All pods share one connection to it; what happens to their messages on
 * the way is pod-link.ts's business.
 */
import type { Redis } from 'ioredis';
import type { Campaign } from '../../../src/domain/campaign.ts';
import { localDayAt } from '../../../src/domain/local-day.ts';
import type { LeaseAnswer } from '../../../src/sinks/redis/lease-pipeline.ts';
import {
  type FlushHead,
  type LeaseRequest,
  leaseKeyOf,
  packCall,
  unpackReply,
} from '../../../src/sinks/redis/lease-request.ts';
import { LEASE_SCRIPT } from '../../../src/sinks/redis/lease-script.ts';
import { announceCampaign } from '../../../src/sinks/redis/new-campaign.ts';
import type { Timeline } from './timeline.ts';

/** A source's entry of a lease hash. */
export interface StoredLease {
  readonly leaseMicros: number;
  readonly floorMicros: number;
  readonly spentMicros: number;
  readonly endsAtMs: number;
}

export class SimulatedRedis {
  /** Grows with each process that stands for the server. */
  process = 1;
  /** When that process began, in the simulation's time. */
  bornMs = Number.NEGATIVE_INFINITY;
  private readonly client: Redis;
  private readonly timeline: Timeline;
  private readonly epochMs: number;
  private readonly script: string;
  private snapshot: (readonly [key: string, dump: Buffer])[] = [];

  /** @param script what `SCRIPT LOAD` answered @param epochMs the server's clock at the simulation's beginning */
  constructor(client: Redis, script: string, timeline: Timeline, epochMs: number) {
    this.client = client;
    this.script = script;
    this.timeline = timeline;
    this.epochMs = epochMs;
  }

  static async loadScript(client: Redis): Promise<string> {
    return String(await client.script('LOAD', LEASE_SCRIPT));
  }

  get nowMs(): number {
    return Math.floor(this.epochMs + this.timeline.nowMs);
  }

  /** A flush has arrived. */
  async run(head: FlushHead, doubted: boolean, requests: readonly LeaseRequest[]): Promise<LeaseAnswer[]> {
    const packed = packCall({ ...head, nowMs: this.nowMs }, doubted, requests);
    const keys = requests.map(leaseKeyOf);
    const replies = await this.client.callBuffer(
      'EVALSHA',
      this.script,
      keys.length,
      ...keys,
      head.source,
      packed,
    );
    return Array.isArray(replies) ? replies.map(unpackReply) : [];
  }

  /** A campaign is created. */
  async announce({ id, timezone }: Campaign): Promise<void> {
    await announceCampaign(this.client, id, localDayAt(timezone, this.nowMs).date);
  }

  /** Leaves a client's sign of life. @returns whether its last one was still there */
  async sign(signature: string): Promise<boolean> {
    return (await this.client.set(`budget:sign:{${signature}}`, '1', 'EX', 3600, 'GET')) !== null;
  }

  /** The leases of a campaign's day, by source. */
  async leases(campaignId: string, date: string): Promise<Map<string, StoredLease>> {
    const fields = await this.client.hgetall(`budget:lease:{${campaignId}}:${date}`);
    const leases = new Map<string, StoredLease>();
    for (const [source, text] of Object.entries(fields)) {
      if (source.startsWith('#')) continue;
      const [leaseMicros = 0, floorMicros = 0, spentMicros = 0, , , endsAtMs = 0] = text
        .split(' ')
        .map(Number);
      leases.set(source, { leaseMicros, floorMicros, spentMicros, endsAtMs });
    }
    return leases;
  }

  /** Micros spent in all, by source. */
  async totals(campaignId: string): Promise<Map<string, number>> {
    const fields = await this.client.hgetall(`budget:total:{${campaignId}}`);
    return new Map(Object.entries(fields).map(([source, text]) => [source, Number(text)]));
  }

  async wipe(): Promise<void> {
    await this.client.flushall();
  }

  async save(): Promise<void> {
    const keys = (await this.client.keys('*')).sort();
    const dumps = await Promise.all(keys.map((key) => this.client.dumpBuffer(key)));
    this.snapshot = keys.flatMap((key, at) => {
      const dump = dumps[at];
      return dump === undefined || dump === null ? [] : [[key, dump] as const];
    });
  }

  /** The server is killed and started again with what was last saved. */
  async restore(): Promise<void> {
    await this.client.flushall();
    for (const [key, dump] of this.snapshot) await this.client.restore(key, 0, dump);
    this.process++;
    this.bornMs = this.timeline.nowMs;
  }
}
