/**
 * The core service: what bidders call on :8080. Runs in an edge thread; decisions (decisions.ts) are answered from
 * shared memory, everything that changes state goes to its owner shard and is answered when the owner answers.
 */
import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import { type Config, isInFleet } from '../config/config.ts';
import { AppError } from '../domain/app-error.ts';
import { isId } from '../domain/campaign.ts';
import { OUTCOME_UNAVAILABLE } from '../messages/edge-shard.ts';
import type { DecisionLimit } from '../table/decision-limit.ts';
import { readHealth } from '../table/health.ts';
import type { IdIndex } from '../table/id-index.ts';
import type { Meters } from '../table/meters.ts';
import type { EdgeTable } from '../table/pacing-table.ts';
import type { PodState } from '../table/pod-state.ts';
import {
  EDGE_UNAUTHORIZED,
  ENDPOINT_LOSS,
  ENDPOINT_SPEND,
  ENDPOINT_SPEND_BATCH,
  ENDPOINT_STATUS,
} from '../table/thread-meters.ts';
import { Admission } from './admission.ts';
import { BodyParts, type BodyReceiver, readBody } from './body.ts';
import { BodylessReply } from './bodyless-reply.ts';
import { Decisions } from './decisions.ts';
import type { EdgeToken } from './edge-token.ts';
import type { MetricsRelay } from './metrics-relay.ts';
import { isMsgpack, PackedReply, type Reply } from './msgpack.ts';
import { replyCorked, replyError, replyJson } from './replies.ts';
import { parseBody, readBatch, readLoss, readSpend, type SpendRequest } from './requests.ts';
import { type ShardLinks, TICKETS_MAX } from './shard-links.ts';
import { steadySeconds } from './steady-clock.ts';
import { UNAVAILABLE, WaitingBatch, WaitingOutcome } from './waiting.ts';

export interface CoreServiceParts {
  readonly config: Config;
  readonly table: EdgeTable;
  readonly index: IdIndex;
  readonly state: PodState;
  readonly meters: Meters;
  readonly shardMeters: readonly Meters[];
  readonly links: ShardLinks;
  readonly metrics: MetricsRelay;
  /** What callers must send; null when nobody is asked. */
  readonly token: EdgeToken | null;
  /** Of the whole pod; null when there is none. */
  readonly limit: DecisionLimit | null;
}

type RouteHandler = (res: HttpResponse, req: HttpRequest) => void;

const BUSY = new AppError('unavailable', `more than ${TICKETS_MAX} requests wait for the ledger; try again`);
const UNAUTHORIZED = new AppError(
  'unauthorized',
  'this port wants Authorization: Bearer with the token of EDGE_TOKEN',
);
const NO_SUCH_ROUTE = new AppError('not_found', 'there is no such method and path on this port');

/** Decisions are in the histogram within this time. */
const COUNT_ALL_MS = 1_000;

/** As bytes, which uWebSockets.js takes as they are; of a string it would make a copy for each request. */
const CONTENT_TYPE = new TextEncoder().encode('content-type').slice().buffer;

function ignoreAbort(): void {
  // A decision is answered in one go inside the body callback, which is not called once the client is gone.
}

/** A path segment without its percent-encoding; as it is when that is malformed. */
function decodedPath(segment: string): string {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function newSpend(): SpendRequest {
  return { campaignId: '', spendMicros: 0, impressions: 0, clicks: 0, eventId: '', bidId: '' };
}

export class CoreService {
  private readonly parts: CoreServiceParts;
  private readonly admission: Admission;
  private readonly decisions: Decisions;
  private readonly spendRequest: SpendRequest = newSpend();
  private readonly finished = (endpoint: number, startedAt: number): void => {
    this.parts.meters.observe(endpoint, steadySeconds() - startedAt);
  };

  constructor(parts: CoreServiceParts) {
    this.parts = parts;
    const { table, index, meters, links, state, limit } = parts;
    this.admission = new Admission(state, meters, limit);
    this.decisions = new Decisions({ table, index, meters, links, admission: this.admission });
  }

  /** Registers every route; its timer keeps no thread alive. */
  mount(app: TemplatedApp): void {
    const { decisions } = this;
    setInterval(() => decisions.countAll(), COUNT_ALL_MS).unref();
    app.post('/pacing/decision', this.guarded(this.oneReceiver()));
    app.post(
      '/pacing/decisions',
      this.guarded(this.receiver((res, body, startedAt) => decisions.many(res, body, startedAt))),
    );
    app.post('/spend/track', this.guarded(this.receiver(this.spendOne.bind(this))));
    app.post('/spend/batch', this.guarded(this.receiver(this.spendMany.bind(this))));
    app.post('/bid/lost', this.guarded(this.receiver(this.lose.bind(this))));
    app.get(
      '/budget/status/:id',
      this.guarded((res, req) => this.status(res, req)),
    );
    app.get('/health', (res) => this.health(res));
    app.get('/health/live', (res) => replyJson(res, '{"status":"live"}'));
    app.get('/health/ready', (res) => this.ready(res));
    app.get('/metrics', (res) => this.parts.metrics.relay(res));
    this.mountHeads(app);
    app.any(
      '/*',
      this.guarded((res) => replyError(res, NO_SUCH_ROUTE)),
    );
  }

  /** HEAD is answered as GET, without the body: uWebSockets.js would send it, and the client take it for the next answer. */
  private mountHeads(app: TemplatedApp): void {
    app.head(
      '/budget/status/:id',
      this.guarded((res, req) => this.status(new BodylessReply(res), req)),
    );
    app.head('/health', (res) => this.health(new BodylessReply(res)));
    app.head('/health/live', (res) => replyJson(new BodylessReply(res), '{"status":"live"}'));
    app.head('/health/ready', (res) => this.ready(new BodylessReply(res)));
    app.head('/metrics', (res) => this.parts.metrics.relay(new BodylessReply(res)));
    app.head(
      '/*',
      this.guarded((res) => replyError(new BodylessReply(res), NO_SUCH_ROUTE)),
    );
  }

  /** The handler behind the token; the handler itself when nobody is asked for one. */
  private guarded(handler: RouteHandler): RouteHandler {
    const { token, meters } = this.parts;
    if (token === null) return handler;
    return (res, req) => {
      if (token.admits(req.getHeader('authorization'))) {
        handler(res, req);
        return;
      }
      meters.add(EDGE_UNAUTHORIZED, 1);
      replyError(req.getMethod() === 'head' ? new BodylessReply(res) : res, UNAUTHORIZED);
    };
  }

  private receiver(receive: BodyReceiver): RouteHandler {
    const { bodyBytesMax } = this.parts.config;
    return (res, req) => {
      res.onAborted(ignoreAbort);
      const reply = isMsgpack(req.getHeader(CONTENT_TYPE)) ? new PackedReply(res) : res;
      readBody(res, reply, bodyBytesMax, steadySeconds(), receive);
    };
  }

  /**
   * The same for single decisions, with readBody's path of a body in one piece written out for JSON: V8 then compiles it
   * and the decision into one, which saves a quarter of a microsecond.
   */
  private oneReceiver(): RouteHandler {
    const { decisions } = this;
    const { bodyBytesMax } = this.parts.config;
    return (res, req) => {
      res.onAborted(ignoreAbort);
      const startedAt = decisions.startOfOne();
      if (isMsgpack(req.getHeader(CONTENT_TYPE))) {
        const reply = new PackedReply(res);
        readBody(res, reply, bodyBytesMax, startedAt, (_, body) =>
          decisions.onePacked(reply, body, startedAt),
        );
        return;
      }
      let parts: BodyParts | null = null;
      res.onData((chunk, isLast) => {
        if (isLast && parts === null && chunk.byteLength <= bodyBytesMax) {
          decisions.one(res, new Uint8Array(chunk), startedAt);
          return;
        }
        parts ??= new BodyParts(bodyBytesMax);
        const body = parts.add(chunk, isLast, res);
        if (body !== null) decisions.one(res, body, startedAt);
      });
    };
  }

  private spendOne(res: Reply, body: Uint8Array, startedAt: number): void {
    if (!this.admission.open(res)) return;
    const value = parseBody(body, res instanceof PackedReply);
    const refusal = value instanceof AppError ? value : readSpend(value, '', this.spendRequest);
    if (refusal !== null) {
      this.admission.refuse(res, refusal);
      return;
    }
    const { links, index } = this.parts;
    if (!links.hasRoom(1)) {
      this.admission.refuse(res, BUSY);
      return;
    }
    const waiting = new WaitingOutcome(res, ENDPOINT_SPEND, startedAt, this.finished);
    const slot = index.find(this.spendRequest.campaignId);
    if (!links.spend(slot, this.spendRequest, waiting, 0)) this.admission.refuse(res, UNAVAILABLE);
  }

  private spendMany(res: Reply, body: Uint8Array, startedAt: number): void {
    if (!this.admission.open(res)) return;
    const value = parseBody(body, res instanceof PackedReply);
    const list = value instanceof AppError ? value : readBatch(value, 'events');
    if (list instanceof AppError) {
      this.admission.refuse(res, list);
      return;
    }
    const spends: SpendRequest[] = [];
    for (let at = 0; at < list.length; at++) {
      const spend = newSpend();
      const refusal = readSpend(list[at], `events[${at}].`, spend);
      if (refusal !== null) {
        this.admission.refuse(res, refusal);
        return;
      }
      spends.push(spend);
    }
    const { links, index } = this.parts;
    if (!links.hasRoom(spends.length)) {
      this.admission.refuse(res, BUSY);
      return;
    }
    const waiting = new WaitingBatch(res, spends.length, ENDPOINT_SPEND_BATCH, startedAt, this.finished);
    spends.forEach((spend, position) => {
      const added = links.spend(index.find(spend.campaignId), spend, waiting, position);
      if (!added) waiting.answered(position, OUTCOME_UNAVAILABLE);
    });
  }

  private lose(res: Reply, body: Uint8Array, startedAt: number): void {
    if (!this.admission.open(res)) return;
    const value = parseBody(body, res instanceof PackedReply);
    const loss = value instanceof AppError ? value : readLoss(value);
    if (loss instanceof AppError) {
      this.admission.refuse(res, loss);
      return;
    }
    const { links, index } = this.parts;
    if (!links.hasRoom(1)) {
      this.admission.refuse(res, BUSY);
      return;
    }
    const waiting = new WaitingOutcome(res, ENDPOINT_LOSS, startedAt, this.finished);
    const slot = index.find(loss.campaignId);
    if (!links.loss(slot, loss.campaignId, loss.bidId, waiting)) this.admission.refuse(res, UNAVAILABLE);
  }

  private status(res: Reply, req: HttpRequest): void {
    const startedAt = steadySeconds();
    const id = decodedPath(req.getParameter(0) ?? '');
    const explained = req.getQuery('explain') === 'true';
    if (!this.admission.open(res)) return;
    if (!isId(id)) {
      this.admission.refuse(
        res,
        new AppError('campaign_not_found', 'there is no such campaign', 'campaign_id'),
      );
      return;
    }
    const { links, index } = this.parts;
    if (!links.hasRoom(1)) {
      this.admission.refuse(res, BUSY);
      return;
    }
    const waiting = new WaitingOutcome(res, ENDPOINT_STATUS, startedAt, this.finished);
    if (!links.status(index.find(id), id, explained, waiting)) this.admission.refuse(res, UNAVAILABLE);
  }

  private health(res: Reply): void {
    const { state, index, shardMeters } = this.parts;
    const report = readHealth(state, index, shardMeters, isInFleet(this.parts.config), Date.now());
    replyCorked(res, report.statusCode, 'application/json', report.body);
  }

  private ready(res: Reply): void {
    const { ready } = this.parts.state;
    replyCorked(
      res,
      ready ? 200 : 503,
      'application/json',
      ready ? '{"status":"ready"}' : '{"status":"not_ready"}',
    );
  }
}
