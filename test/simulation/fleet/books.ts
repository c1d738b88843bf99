/**
 * What the bidders and an all-knowing auditor write down of one campaign: which bids can still be won, what each pod
 * answered as spent, what of it Redis was told and when. From that alone follows by how much the fleet may be over
 * budget: the amounts that Redis could not know of in time (docs/reliability.md). Never looks into Redis.
 */
import { budgetDay } from '../../../src/domain/budget-day.ts';
import type { Campaign } from '../../../src/domain/campaign.ts';
import { localDayAt } from '../../../src/domain/local-day.ts';
import { LEASE_MS } from '../../../src/shard/lease-asks.ts';
import { GRACE_MS } from '../../../src/sinks/redis/lease-script.ts';
import { type HeardFlush, isReply } from './pod-link.ts';

/** Redis keeps a silent pod's lease so long beyond the lease's time and the reservations'. */
const HOLD_MARGIN_MS = 5_000;
/** A fleet's pods keep a reservation so much longer than bidders are told. */
const TOLD_MARGIN_MS = 2_000;
/** Pods' clocks may be so much fast. */
const CLOCK_PART = 0.99;

/** A bid that was allowed and can still be won. */
export interface Bid {
  /** Empty when it has none. */
  readonly id: string;
  readonly pod: string;
  readonly maxMicros: number;
  readonly bornMs: number;
}

/** A spend that Redis has not heard of. */
interface Untold {
  readonly micros: number;
  readonly day: string;
  /** The pod's spend in all with it. */
  readonly totalMicros: number;
  /** When the bid's own pod takes it for lost; null when this is that pod. */
  readonly byMs: number | null;
}

/** Redis lost what this pod told it. */
interface Forgotten {
  readonly sinceMs: number;
  readonly day: string;
  /** The most that the pod may come to have spent that Redis knows nothing of: of the day, and in all. */
  readonly dayMicros: number;
  readonly totalMicros: number;
  /** The part of it that was not spent yet: the next day may see it. */
  readonly openMicros: number;
  excused: boolean;
}

export interface Exposure {
  readonly day: string;
  readonly openMicros: number;
}

export class PodBooks {
  spentMicros = 0;
  readonly spentByDay = new Map<string, number>();
  /** Of the spend in all, what Redis has on record. */
  toldMicros = 0;
  untold: Untold[] = [];
  forgotten: Forgotten | null = null;
  heardAtMs = Number.NEGATIVE_INFINITY;
}

export class Books {
  campaign: Campaign;
  readonly reservationTtlMs: number;
  /** Those that can still be won, and those that were and whose wins are on their way. */
  bids: Bid[] = [];
  reported: Bid[] = [];
  readonly pods: ReadonlyMap<string, PodBooks>;
  /** The names of the budget's days so far, in order. */
  readonly days: string[] = [];
  /** By how much all days together may be over budget. */
  boundMicros = 0;
  private readonly boundByDay = new Map<string, number>();
  /** What may come to be spent on a day after the one named. */
  private readonly boundsAfter: { readonly day: string; readonly micros: number }[] = [];
  /** What Redis had on record of each pod when it was saved. */
  private savedMicros = new Map<string, number>();

  constructor(campaign: Campaign, reservationTtlMs: number, pods: readonly string[]) {
    this.campaign = campaign;
    this.reservationTtlMs = reservationTtlMs;
    this.pods = new Map(pods.map((pod) => [pod, new PodBooks()]));
  }

  pod(name: string): PodBooks {
    const books = this.pods.get(name);
    if (books === undefined) throw new Error(`no pod ${name}`);
    return books;
  }

  spentOf(day: string): number {
    let spent = 0;
    for (const { spentByDay } of this.pods.values()) spent += spentByDay.get(day) ?? 0;
    return spent;
  }

  /** The newest of the budget's days. */
  get today(): string {
    return this.days.at(-1) ?? '';
  }

  /** Some pod's clock may say so much, ms since the epoch. */
  at(wallMs: number): void {
    const day = budgetDay(this.campaign, localDayAt(this.campaign.timezone, wallMs).date);
    if (this.days.includes(day)) return;
    this.days.push(day);
    this.days.sort();
  }

  /** By how much a day may be over budget. */
  boundOf(day: string): number {
    let bound = this.boundByDay.get(day) ?? 0;
    for (const after of this.boundsAfter)
      if (day > after.day && day <= lastAfter(after.day)) bound += after.micros;
    return bound;
  }

  get spentMicros(): number {
    let spent = 0;
    for (const pod of this.pods.values()) spent += pod.spentMicros;
    return spent;
  }

  /** What the bids of a pod, or of all, can still cost. */
  openMicros(pod: string | null = null): number {
    let open = 0;
    for (const bid of this.bids.concat(this.reported)) {
      if (pod === null || bid.pod === pod) open += bid.maxMicros;
    }
    return open;
  }

  /** A pod has recorded a win. @param bid null when it was recorded before, on another pod */
  spent(name: string, micros: number, day: string, bid: Bid): void {
    const pod = this.pod(name);
    pod.spentMicros += micros;
    pod.spentByDay.set(day, (pod.spentByDay.get(day) ?? 0) + micros);
    const byMs = bid.pod === name ? null : bid.bornMs + CLOCK_PART * (this.reservationTtlMs + TOLD_MARGIN_MS);
    pod.untold.push({ micros, day, totalMicros: pod.spentMicros, byMs });
  }

  /** A bidder repeats, on another pod, a win whose first report was recorded and never answered. */
  repeated(micros: number, day: string): void {
    this.allow(micros, day);
  }

  /** Time has passed: bids can no longer be won, and what Redis should have heard by now it has not. */
  pass(nowMs: number): void {
    const inTime = ({ bornMs }: Bid) => nowMs - bornMs < this.reservationTtlMs;
    this.bids = this.bids.filter(inTime);
    this.reported = this.reported.filter(inTime);
    for (const pod of this.pods.values()) {
      const { forgotten } = pod;
      const holdEndMs = pod.heardAtMs + LEASE_MS + this.reservationTtlMs + HOLD_MARGIN_MS;
      pod.untold = pod.untold.filter((spend) => {
        if (spend.byMs === null && forgotten !== null) return true;
        if (nowMs < (spend.byMs ?? holdEndMs)) return true;
        this.allow(spend.micros, spend.day);
        return false;
      });
      if (forgotten !== null && !forgotten.excused && nowMs >= forgotten.sinceMs + GRACE_MS) {
        forgotten.excused = true;
        this.allow(forgotten.dayMicros, forgotten.day, forgotten.totalMicros);
        this.boundsAfter.push({ day: forgotten.day, micros: forgotten.openMicros });
      }
    }
  }

  /** Redis has heard a pod's flush. */
  heard(name: string, { sentAtMs, requests, answers }: HeardFlush, nowMs: number): void {
    this.pass(nowMs);
    const at = requests.findIndex(({ campaignId }) => campaignId === this.campaign.id);
    const request = requests[at];
    if (request === undefined || !isReply(answers[at])) return;
    const pod = this.pod(name);
    pod.heardAtMs = nowMs;
    pod.toldMicros = Math.max(pod.toldMicros, request.spentTotalMicros);
    pod.untold = pod.untold.filter(({ totalMicros }) => totalMicros > request.spentTotalMicros);
    if (pod.forgotten !== null && sentAtMs >= pod.forgotten.sinceMs) pod.forgotten = null;
  }

  /** Redis is saved as it is. */
  saved(): void {
    for (const [name, { toldMicros }] of this.pods) this.savedMicros.set(name, toldMicros);
  }

  /**
   * Redis forgets: all, or what it has heard since it was saved. Each pod must be heard before the grace is over.
   * @param exposureOf a pod's day, and what it may still spend of what it has
   */
  forget(restored: boolean, nowMs: number, exposureOf: (pod: string) => Exposure): void {
    this.pass(nowMs);
    for (const [name, pod] of this.pods) {
      const { day, openMicros } = exposureOf(name);
      const toldMicros = restored ? (this.savedMicros.get(name) ?? 0) : 0;
      pod.toldMicros = toldMicros;
      if (pod.forgotten?.excused) continue; // it has not been heard since
      const spentDay = pod.spentByDay.get(day) ?? 0;
      pod.forgotten = {
        sinceMs: nowMs,
        day,
        dayMicros: Math.min(spentDay, pod.spentMicros - toldMicros) + openMicros,
        totalMicros: pod.spentMicros - toldMicros + openMicros,
        openMicros,
        excused: false,
      };
    }
  }

  /** The fleet may be over budget by so much more. */
  private allow(micros: number, day: string, totalMicros = micros): void {
    this.boundByDay.set(day, (this.boundByDay.get(day) ?? 0) + micros);
    this.boundMicros += totalMicros;
  }
}

/** The last name of the days that may follow one: what is left of this date, or the next one. */
function lastAfter(day: string): string {
  return new Date(Date.parse(day.slice(0, 10)) + 86_400_000).toISOString().slice(0, 10);
}
