/**
 * What lies between a pod and Redis: the production client, whose flushes are delayed, lost on the way there or
 * back, or arrive long after they were given up and newer ones were heard. A pod that was cut off is not heard and
 * hears nothing.
 */

import type { FleetLink } from '../../../src/shard/fleet-sync.ts';
import { redisUnavailable } from '../../../src/sinks/redis/connection.ts';
import type { FleetRedis } from '../../../src/sinks/redis/fleet-redis.ts';
import type { LeaseAnswer } from '../../../src/sinks/redis/lease-pipeline.ts';
import type { FlushHead, LeaseReply, LeaseRequest } from '../../../src/sinks/redis/lease-request.ts';
import { GRACE_MS } from '../../../src/sinks/redis/lease-script.ts';
import type { ReleasedBid } from '../../../src/sinks/redis/released-bids.ts';
import { YOUNG_SECONDS } from '../../../src/sinks/redis/server-memory.ts';
import type { SimulatedRedis } from './simulated-redis.ts';
import type { Timeline } from './timeline.ts';

/** How long the production client waits for an answer. */
const TIMEOUT_MS = 1_000;
const LATE_MS_MAX = 8_000;

export interface Weather {
  /** 0–1: of requests and of replies. */
  readonly loss: number;
  /** 0–1: requests that are given up, and heard later all the same. */
  readonly lateness: number;
  readonly delayMsMax: number;
}

export interface HeardFlush {
  readonly sentAtMs: number;
  readonly requests: readonly LeaseRequest[];
  readonly answers: readonly LeaseAnswer[];
}

export interface PodLinkParts {
  readonly timeline: Timeline;
  readonly redis: SimulatedRedis;
  readonly random: () => number;
  readonly weather: () => Weather;
  /** Runs what comes from outside in the pod: later when it stands still, never when it has died. */
  readonly deliver: (happen: () => void) => void;
  /** Redis has heard a flush, also one of a process that has died since. */
  readonly heard: (flush: HeardFlush) => void;
  readonly published: (released: readonly ReleasedBid[]) => void;
  readonly signature: string;
  readonly isCut: () => boolean;
}

export class PodLink implements FleetLink {
  private readonly parts: PodLinkParts;
  private client: FleetRedis | null = null;
  /** The server's process that was last spoken to. */
  private process = 0;
  private doubtedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(parts: PodLinkParts) {
    this.parts = parts;
  }

  /** @param client made with {@link run} as its pipeline */
  connect(client: FleetRedis): void {
    this.client = client;
  }

  sync(requests: readonly LeaseRequest[]): Promise<LeaseAnswer[]> {
    return this.connected.sync(requests);
  }

  release(requests: readonly LeaseRequest[]): Promise<LeaseAnswer[]> {
    return this.connected.release(requests);
  }

  ping(): Promise<boolean> {
    return this.exchange(() => this.parts.redis.sign(this.parts.signature));
  }

  async publishReleased(released: readonly ReleasedBid[]): Promise<void> {
    if (released.length === 0) return;
    await this.exchange(async () => this.parts.published(released));
  }

  /** Pods of a simulation do not share events: each win is reported once, or books.ts knows of it. */
  async claimEvents(): Promise<number[]> {
    throw new Error('no events are shared here');
  }

  async markCounted(): Promise<void> {}

  async forgoEvents(): Promise<void> {}

  close(): void {
    this.connected.close();
  }

  /** Carries a flush of the production client; like the real pipeline it never rejects. */
  readonly run = async (head: FlushHead, requests: readonly LeaseRequest[]): Promise<LeaseAnswer[]> => {
    const { redis, heard, timeline } = this.parts;
    const sentAtMs = timeline.nowMs;
    const doubted = this.doubts();
    try {
      return await this.exchange(async () => {
        const answers = await redis.run(head, doubted, requests);
        heard({ sentAtMs, requests, answers });
        return answers;
      });
    } catch (error) {
      return requests.map(() => redisUnavailable(error));
    }
  };

  private get connected(): FleetRedis {
    if (this.client === null) throw new Error('the link has no client yet');
    return this.client;
  }

  /** Whether the server may have forgotten grants, by the rules of server-memory.ts. */
  private doubts(): boolean {
    const { redis, timeline } = this.parts;
    if (this.process !== redis.process) {
      const first = this.process === 0;
      this.process = redis.process;
      const trusted = first && timeline.nowMs - redis.bornMs >= YOUNG_SECONDS * 1_000;
      if (!trusted) this.doubtedUntilMs = timeline.nowMs + GRACE_MS;
    }
    return timeline.nowMs < this.doubtedUntilMs;
  }

  /** A request and its reply, or a failure after the time-out. */
  private exchange<T>(serve: () => Promise<T>): Promise<T> {
    const { timeline, redis, random, weather, deliver, isCut } = this.parts;
    const { loss, lateness, delayMsMax } = weather();
    const { process } = redis;
    const requestLost = random() < loss;
    const replyLost = random() < loss;
    const late = random() < lateness;
    const there = 1 + random() * delayMsMax + (late ? TIMEOUT_MS + random() * LATE_MS_MAX : 0);
    const back = 1 + random() * delayMsMax;
    return new Promise((resolve, reject) => {
      timeline.after(TIMEOUT_MS, () => deliver(() => reject(new Error('Command timed out'))));
      timeline.after(there, async () => {
        if (requestLost || isCut() || process !== redis.process) return;
        const reply = await serve();
        timeline.after(back, () => {
          if (!replyLost && !isCut() && process === redis.process) deliver(() => resolve(reply));
        });
      });
    });
  }
}

/** Whether a campaign's flush was taken in. */
export function isReply(answer: LeaseAnswer | undefined): answer is LeaseReply {
  return answer !== undefined && !(answer instanceof Error);
}
