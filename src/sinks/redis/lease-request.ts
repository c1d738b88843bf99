/**
 * What a source tells of a campaign at a flush, and what it gets back; and both as the bytes that the lease
 * script reads and writes. All amounts are whole micros up to 2^53, all counters are of the source's day so far.
 */
import { HEAD_NUMBERS, REPLY_MARK, REPLY_NUMBERS, REQUEST_NUMBERS } from './lease-script.ts';

/** What all requests of a flush have in common. */
export interface FlushHead {
  readonly source: string;
  /** Greater than that of any flush of this source before. */
  readonly sequence: number;
  readonly holdMs: number;
  /** Ms since the epoch in place of the server's time; null = the server's. */
  readonly nowMs: number | null;
}

export interface LeaseRequest {
  /** 1–128 characters of `A-Z a-z 0-9 . _ : -`. */
  readonly campaignId: string;
  /** The name of the budget's day: see domain/budget-day.ts. */
  readonly day: string;
  /** Its local hour, 0–23. */
  readonly hour: number;
  /** The campaign's version: the budgets of the highest one seen are in force. */
  readonly version: number;
  readonly dailyBudgetMicros: number;
  /** null = none. */
  readonly totalBudgetMicros: number | null;
  /** What this source has spent in all: absolute values, never deltas. */
  readonly spentDayMicros: number;
  readonly spentHourMicros: number;
  readonly spentTotalMicros: number;
  /**
   * The day's lease that this source may be using right now: the last one it was given and still keeps to, 0
   * for none. On the first flush of a day: what was left of the last day's, its lease less what it spent.
   */
  readonly heldMicros: number;
  /** Spent today, plus everything in flight or on the table: never taken away. */
  readonly floorMicros: number;
  /** The most it wants to hold, >= floor. From now on it uses no more than min(held, cap). */
  readonly capMicros: number;
  /** What it would like to have above its floor, whatever its cap is now; leases are dealt by it. */
  readonly wantMicros: number;
  /** The largest bid it has seen today; 0 when none. */
  readonly largestBidMicros: number;
  readonly asks: number;
  readonly askedMicros: number;
  readonly allowedMicros: number;
  readonly wins: number;
}

export interface LeaseReply {
  /** The day's lease of this source: spent + in flight + on its table must stay within it. */
  readonly leaseMicros: number;
  /** Sums over all sources, this one included. */
  readonly fleetSpentDayMicros: number;
  readonly fleetSpentHourMicros: number;
  readonly fleetSpentTotalMicros: number;
  readonly fleetAsks: number;
  readonly fleetAskedMicros: number;
  readonly fleetAllowedMicros: number;
  readonly fleetWins: number;
  /** Sources among which leases are dealt: heard within their hold and not released. */
  readonly liveSources: number;
  /** What may be held above the floor while the budget is scarce; −1 while there is enough for all. */
  readonly partMicros: number;
  /** B: the day's budget in force, after what the total budget leaves. */
  readonly budgetMicros: number;
  /** Redis had forgotten this lease: no lease of the campaign grows for a moment. */
  readonly wiped: boolean;
}

/** A want that takes the source out of the deal. */
const RELEASED = -1;
const DOUBLE_BYTES = 8;

/** The request of a source that ends: it keeps what is in flight, asks for nothing, and takes no part any more. */
export function releaseOf(request: LeaseRequest): LeaseRequest {
  const { floorMicros } = request;
  return { ...request, heldMicros: floorMicros, capMicros: floorMicros, wantMicros: RELEASED };
}

/** The lease hash of a campaign's day; the script makes its other keys from it. */
export function leaseKeyOf({ campaignId, day }: Pick<LeaseRequest, 'campaignId' | 'day'>): string {
  return `budget:lease:{${campaignId}}:${day}`;
}

/** The second argument of a call of the script, for the requests in the order of the call's keys. */
export function packCall(head: FlushHead, doubted: boolean, requests: readonly LeaseRequest[]): Buffer {
  const packed = Buffer.allocUnsafe((HEAD_NUMBERS + requests.length * REQUEST_NUMBERS) * DOUBLE_BYTES);
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  view.setFloat64(0, head.sequence, true);
  view.setFloat64(8, head.holdMs, true);
  view.setFloat64(16, head.nowMs ?? -1, true);
  view.setFloat64(24, doubted ? 1 : 0, true);
  let at = HEAD_NUMBERS * DOUBLE_BYTES;
  for (const request of requests) at = packRequest(view, at, request);
  return packed;
}

/** @returns where the next one begins */
function packRequest(view: DataView, from: number, request: LeaseRequest): number {
  view.setFloat64(from, request.hour, true);
  view.setFloat64(from + 8, request.version, true);
  view.setFloat64(from + 16, request.dailyBudgetMicros, true);
  view.setFloat64(from + 24, request.totalBudgetMicros ?? -1, true);
  view.setFloat64(from + 32, request.spentDayMicros, true);
  view.setFloat64(from + 40, request.spentHourMicros, true);
  view.setFloat64(from + 48, request.spentTotalMicros, true);
  view.setFloat64(from + 56, request.heldMicros, true);
  view.setFloat64(from + 64, request.floorMicros, true);
  view.setFloat64(from + 72, request.capMicros, true);
  view.setFloat64(from + 80, request.wantMicros, true);
  view.setFloat64(from + 88, request.largestBidMicros, true);
  view.setFloat64(from + 96, request.asks, true);
  view.setFloat64(from + 104, request.askedMicros, true);
  view.setFloat64(from + 112, request.allowedMicros, true);
  view.setFloat64(from + 120, request.wins, true);
  return from + REQUEST_NUMBERS * DOUBLE_BYTES;
}

/** Reads one campaign's reply. @returns an Error when the script refused this campaign's request */
export function unpackReply(packed: unknown): LeaseReply | Error {
  if (!Buffer.isBuffer(packed)) return new Error('the lease script answered something else');
  if (packed[0] !== REPLY_MARK.charCodeAt(0) || packed.length !== 1 + REPLY_NUMBERS * DOUBLE_BYTES) {
    return new Error(packed.toString());
  }
  return {
    leaseMicros: packed.readDoubleLE(1),
    fleetSpentDayMicros: packed.readDoubleLE(9),
    fleetSpentHourMicros: packed.readDoubleLE(17),
    fleetSpentTotalMicros: packed.readDoubleLE(25),
    fleetAsks: packed.readDoubleLE(33),
    fleetAskedMicros: packed.readDoubleLE(41),
    fleetAllowedMicros: packed.readDoubleLE(49),
    fleetWins: packed.readDoubleLE(57),
    liveSources: packed.readDoubleLE(65),
    partMicros: packed.readDoubleLE(73),
    budgetMicros: packed.readDoubleLE(81),
    wiped: packed.readDoubleLE(89) === 1,
  };
}
