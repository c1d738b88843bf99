/**
 * Decisions, one and many: answered from shared memory inside the body callback. What a decision costs beyond HTTP
 * itself: one pass over the body's bytes, one index look-up, two atomics, the writing of its reply, and for one in
 * {@link TIMED_EVERY} two readings of the clock: a quarter of a microsecond in all. Nothing is allocated but what
 * uWebSockets.js asks for: a closure, a view of the body's bytes, and for msgpack the object that answers in it. A body of
 * another form than programs write is parsed, a reservation makes two strings.
 */
import { AppError } from '../domain/app-error.ts';
import { isAllowed } from '../domain/gate.ts';
import type { IdIndex } from '../table/id-index.ts';
import type { Meters } from '../table/meters.ts';
import type { Decision, EdgeTable } from '../table/pacing-table.ts';
import { ENDPOINT_DECISION, ENDPOINT_DECISIONS } from '../table/thread-meters.ts';
import type { Admission } from './admission.ts';
import { decisionJson, JSON_FORM, PACKED_FORM } from './decision-forms.ts';
import { DecisionReply, JsonBatchReply, PackedBatchReply } from './decision-replies.ts';
import { scanDecision, scanDecisions } from './decision-scan.ts';
import { PackedReply, type Reply } from './msgpack.ts';
import { scanPackedDecision, scanPackedDecisions } from './packed-decision-scan.ts';
import { replyBytes, replyJson } from './replies.ts';
import { BATCH_MAX, type DecisionRequest, parseBody, readBatch, readDecision } from './requests.ts';
import { newScannedDecision, type ScannedDecision } from './scanned-decision.ts';
import type { ShardLinks } from './shard-links.ts';
import { steadySeconds } from './steady-clock.ts';

/** One single decision in so many is timed and counts for those that follow it. */
const TIMED_EVERY = 16;
/** Stands for the start of a request that is not timed. */
const UNTIMED = -1;

export interface DecisionsParts {
  readonly table: EdgeTable;
  readonly index: IdIndex;
  readonly meters: Meters;
  readonly links: ShardLinks;
  readonly admission: Admission;
}

export class Decisions {
  private readonly table: EdgeTable;
  private readonly index: IdIndex;
  private readonly meters: Meters;
  private readonly links: ShardLinks;
  private readonly admission: Admission;
  private readonly reply = new DecisionReply(JSON_FORM);
  private readonly packedReply = new DecisionReply(PACKED_FORM);
  private readonly batchReply = new JsonBatchReply(BATCH_MAX);
  private readonly packedBatchReply = new PackedBatchReply(BATCH_MAX);
  private readonly scanned: readonly ScannedDecision[] = Array.from(
    { length: BATCH_MAX },
    newScannedDecision,
  );
  private readonly scannedOne = newScannedDecision();
  private readonly decision: Decision = {
    reason: 0,
    maxBidMicros: 0,
    takenMicros: 0,
    throttleRate: 0,
    degraded: false,
  };
  /** Single decisions that are not in the histogram yet, and how long the timed one of them took. */
  private uncounted = 0;
  private timedSeconds = 0;

  constructor(parts: DecisionsParts) {
    this.table = parts.table;
    this.index = parts.index;
    this.meters = parts.meters;
    this.links = parts.links;
    this.admission = parts.admission;
  }

  /** To be called when a request for a single decision comes. @returns what {@link one} wants to know of it */
  startOfOne(): number {
    return this.uncounted === 0 ? steadySeconds() : UNTIMED;
  }

  /** Brings the histogram up to date: to be called now and then, for when no more decisions come. */
  countAll(): void {
    if (this.uncounted === 0) return;
    this.meters.observe(ENDPOINT_DECISION, this.timedSeconds, this.uncounted);
    this.uncounted = 0;
  }

  /** Answers `POST /pacing/decision` in JSON. */
  one(res: Reply, body: Uint8Array, startedAt: number): void {
    const { admission } = this;
    if (!admission.open(res) || !admission.withinLimit(res, 1)) return;
    if (scanDecision(body, this.scannedOne)) {
      this.decideScanned(body, this.scannedOne);
      replyBytes(res, this.reply.bytes(this.decision));
    } else if (!this.parsedOne(res, body)) return;
    this.answeredOne(startedAt);
  }

  /** The same in msgpack. */
  onePacked(res: PackedReply, body: Uint8Array, startedAt: number): void {
    const { admission } = this;
    if (!admission.open(res) || !admission.withinLimit(res, 1)) return;
    if (scanPackedDecision(body, this.scannedOne)) {
      this.decideScanned(body, this.scannedOne);
      res.endPacked(this.packedReply.bytes(this.decision));
    } else if (!this.parsedOne(res, body)) return;
    this.answeredOne(startedAt);
  }

  /** Answers `POST /pacing/decisions`. Every element is read before the first takes budget. */
  many(res: Reply, body: Uint8Array, startedAt: number): void {
    const { admission, scanned, decision } = this;
    if (!admission.open(res)) return;
    const isPacked = res instanceof PackedReply;
    const count = isPacked ? scanPackedDecisions(body, scanned) : scanDecisions(body, scanned);
    if (count === 0) {
      if (!this.parsedMany(res, body)) return;
    } else {
      if (!admission.withinLimit(res, count)) return;
      const batch = isPacked ? this.packedBatchReply : this.batchReply;
      batch.begin(count);
      for (let at = 0; at < count; at++) {
        this.decideScanned(body, scanned[at] as ScannedDecision);
        batch.add(decision);
      }
      if (isPacked) res.endPacked(batch.finish());
      else replyBytes(res, batch.finish());
    }
    this.meters.observe(ENDPOINT_DECISIONS, steadySeconds() - startedAt);
  }

  /** Answers a body of another form, or refuses it. @returns whether a decision was made */
  private parsedOne(res: Reply, body: Uint8Array): boolean {
    const request: DecisionRequest = { campaignId: '', bidMicros: 0, bidId: '' };
    const value = parseBody(body, res instanceof PackedReply);
    const refusal = value instanceof AppError ? value : readDecision(value, '', request);
    if (refusal !== null) {
      this.admission.refuse(res, refusal);
      return false;
    }
    this.decideRequest(request);
    replyJson(res, decisionJson(this.decision));
    return true;
  }

  private parsedMany(res: Reply, body: Uint8Array): boolean {
    const { admission } = this;
    const value = parseBody(body, res instanceof PackedReply);
    const list = value instanceof AppError ? value : readBatch(value, 'requests');
    if (list instanceof AppError) {
      admission.refuse(res, list);
      return false;
    }
    if (!admission.withinLimit(res, list.length)) return false;
    const requests: DecisionRequest[] = [];
    for (let at = 0; at < list.length; at++) {
      const request: DecisionRequest = { campaignId: '', bidMicros: 0, bidId: '' };
      const refusal = readDecision(list[at], `requests[${at}].`, request);
      if (refusal !== null) {
        admission.refuse(res, refusal);
        return false;
      }
      requests.push(request);
    }
    const decisions = requests.map((request) => {
      this.decideRequest(request);
      return decisionJson(this.decision);
    });
    replyJson(res, `{"decisions":[${decisions.join(',')}]}`);
    return true;
  }

  private decideRequest({ campaignId, bidMicros, bidId }: DecisionRequest): void {
    const { index, links } = this;
    const slot = index.find(campaignId);
    this.decide(slot, bidMicros);
    const { reason, takenMicros } = this.decision;
    if (bidId !== '' && isAllowed(reason)) links.reserve(slot, campaignId, takenMicros, bidId);
  }

  private decideScanned(body: Uint8Array, request: ScannedDecision): void {
    const slot = this.index.findBytes(body, request.idStart, request.idEnd, request.hash);
    this.decide(slot, request.bidMicros);
    if (request.bidIdEnd > 0 && isAllowed(this.decision.reason)) this.reserve(slot, body, request);
  }

  private decide(slot: number, bidMicros: number): void {
    this.table.decide(slot, bidMicros, Math.random, this.decision);
    this.meters.add(this.decision.reason, 1);
  }

  private answeredOne(startedAt: number): void {
    this.uncounted++;
    if (startedAt !== UNTIMED) this.timedSeconds = steadySeconds() - startedAt;
    if (this.uncounted >= TIMED_EVERY) this.countAll();
  }

  private reserve(slot: number, body: Uint8Array, request: ScannedDecision): void {
    const text = Buffer.from(body.buffer, body.byteOffset, body.length);
    const campaignId = text.toString('latin1', request.idStart, request.idEnd);
    const bidId = text.toString('latin1', request.bidIdStart, request.bidIdEnd);
    this.links.reserve(slot, campaignId, this.decision.takenMicros, bidId);
  }
}
