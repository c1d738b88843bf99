/**
 * The core service: what bidders call on :8080. Runs in an edge thread; decisions are answered from shared
 * memory inside the body callback, everything that changes state goes to its owner shard and is answered
 * when the owner answers. A decision costs, beyond HTTP and JSON.parse, one index look-up, two atomics, two
 * clock readings, one closure and the reply's string.
 */
import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import { type Config, isInFleet } from '../config/config.ts';
import { AppError } from '../domain/app-error.ts';
import { isId } from '../domain/campaign.ts';
import { isAllowed } from '../domain/gate.ts';
import { OUTCOME_UNAVAILABLE } from '../messages/edge-shard.ts';
import type { DecisionLimit } from '../table/decision-limit.ts';
import { readHealth } from '../table/health.ts';
import type { IdIndex } from '../table/id-index.ts';
import type { Meters } from '../table/meters.ts';
import type { Decision, EdgeTable } from '../table/pacing-table.ts';
import type { PodState } from '../table/pod-state.ts';
import {
  EDGE_LIMITED,
  EDGE_REFUSED,
  EDGE_UNAUTHORIZED,
  ENDPOINT_DECISION,
  ENDPOINT_DECISIONS,
  ENDPOINT_LOSS,
  ENDPOINT_SPEND,
  ENDPOINT_SPEND_BATCH,
  ENDPOINT_STATUS,
} from '../table/thread-meters.ts';
import { type BodyReceiver, readBody } from './body.ts';
import type { EdgeToken } from './edge-token.ts';
import type { MetricsRelay } from './metrics-relay.ts';
import { isMsgpack, PackedReply, type Reply } from './msgpack.ts';
import { ReplyCache, replyCorked, replyError, replyJson } from './replies.ts';
import {
  type DecisionRequest,
  parseBody,
  readBatch,
  readDecision,
  readLoss,
  readSpend,
  type SpendRequest,
} from './requests.ts';
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

const NOT_READY = new AppError('unavailable', 'the campaigns are not loaded yet; try again');
const BUSY = new AppError('unavailable', `more than ${TICKETS_MAX} requests wait for the ledger; try again`);
const LIMITED = new AppError('rate_limited', 'more decisions than MAX_QPS allows; try again in a second');
const UNAUTHORIZED = new AppError(
  'unauthorized',
  'this port wants Authorization: Bearer with the token of EDGE_TOKEN',
);
const NO_SUCH_ROUTE = new AppError('not_found', 'there is no such method and path on this port');

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
  private readonly replies = new ReplyCache();
  private loaded = false;
  private readonly request: DecisionRequest = { campaignId: '', bidMicros: 0, bidId: '' };
  private readonly spendRequest: SpendRequest = newSpend();
  private readonly decision: Decision = {
    reason: 0,
    maxBidMicros: 0,
    takenMicros: 0,
    throttleRate: 0,
    degraded: false,
  };
  private readonly finished = (endpoint: number, startedAt: number): void => {
    this.parts.meters.observe(endpoint, steadySeconds() - startedAt);
  };

  constructor(parts: CoreServiceParts) {
    this.parts = parts;
  }

  /** Registers every route. */
  mount(app: TemplatedApp): void {
    app.post('/pacing/decision', this.guarded(this.receiver(this.decideOne)));
    app.post('/pacing/decisions', this.guarded(this.receiver(this.decideMany)));
    app.post('/spend/track', this.guarded(this.receiver(this.spendOne)));
    app.post('/spend/batch', this.guarded(this.receiver(this.spendMany)));
    app.post('/bid/lost', this.guarded(this.receiver(this.lose)));
    app.get(
      '/budget/status/:id',
      this.guarded((res, req) => this.status(res, req)),
    );
    app.get('/health', (res) => this.health(res));
    app.get('/health/live', (res) => replyJson(res, '{"status":"live"}'));
    app.get('/health/ready', (res) => this.ready(res));
    app.get('/metrics', (res) => this.parts.metrics.relay(res));
    app.any(
      '/*',
      this.guarded((res) => replyError(res, NO_SUCH_ROUTE)),
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
      replyError(res, UNAUTHORIZED);
    };
  }

  private receiver(receive: BodyReceiver): RouteHandler {
    const { bodyBytesMax } = this.parts.config;
    const bound = receive.bind(this);
    return (res, req) => {
      res.onAborted(ignoreAbort);
      const reply = isMsgpack(req.getHeader('content-type')) ? new PackedReply(res) : res;
      readBody(res, reply, bodyBytesMax, bound);
    };
  }

  /** Whether the campaigns are on the table; refuses the request when they are not. */
  private open(res: Reply): boolean {
    if (!this.loaded) {
      this.loaded = this.parts.state.campaignsLoaded;
      if (!this.loaded) replyError(res, NOT_READY);
    }
    return this.loaded;
  }

  /** Whether the pod's limit has room for so many decisions; refuses the request when it has not. */
  private withinLimit(res: Reply, decisions: number): boolean {
    const { limit, meters } = this.parts;
    if (limit === null || limit.take(decisions, steadySeconds() * 1_000)) return true;
    meters.add(EDGE_LIMITED, 1);
    replyError(res, LIMITED);
    return false;
  }

  private refuse(res: Reply, error: AppError): void {
    this.parts.meters.add(EDGE_REFUSED, 1);
    replyError(res, error);
  }

  private decideOne(res: Reply, body: Buffer, startedAt: number): void {
    if (!this.open(res) || !this.withinLimit(res, 1)) return;
    const value = parseBody(body, res instanceof PackedReply);
    const refusal = value instanceof AppError ? value : readDecision(value, '', this.request);
    if (refusal !== null) {
      this.refuse(res, refusal);
      return;
    }
    this.decide(this.request, this.decision);
    replyJson(res, this.replies.json(this.decision));
    this.finished(ENDPOINT_DECISION, startedAt);
  }

  private decideMany(res: Reply, body: Buffer, startedAt: number): void {
    if (!this.open(res)) return;
    const value = parseBody(body, res instanceof PackedReply);
    const list = value instanceof AppError ? value : readBatch(value, 'requests');
    if (list instanceof AppError) {
      this.refuse(res, list);
      return;
    }
    if (!this.withinLimit(res, list.length)) return;
    // Every element is checked before the first takes budget: a refused batch leaves nothing behind.
    const requests: DecisionRequest[] = [];
    for (let at = 0; at < list.length; at++) {
      const request: DecisionRequest = { campaignId: '', bidMicros: 0, bidId: '' };
      const refusal = readDecision(list[at], `requests[${at}].`, request);
      if (refusal !== null) {
        this.refuse(res, refusal);
        return;
      }
      requests.push(request);
    }
    let json = '';
    for (const request of requests) {
      this.decide(request, this.decision);
      json += json === '' ? this.replies.json(this.decision) : `,${this.replies.json(this.decision)}`;
    }
    replyJson(res, `{"decisions":[${json}]}`);
    this.finished(ENDPOINT_DECISIONS, startedAt);
  }

  private decide(request: DecisionRequest, decision: Decision): void {
    const { table, index, meters, links } = this.parts;
    const slot = index.find(request.campaignId);
    table.decide(slot, request.bidMicros, Math.random(), decision);
    meters.add(decision.reason, 1);
    if (request.bidId !== '' && isAllowed(decision.reason)) {
      links.reserve(slot, request.campaignId, decision.takenMicros, request.bidId);
    }
  }

  private spendOne(res: Reply, body: Buffer, startedAt: number): void {
    if (!this.open(res)) return;
    const value = parseBody(body, res instanceof PackedReply);
    const refusal = value instanceof AppError ? value : readSpend(value, '', this.spendRequest);
    if (refusal !== null) {
      this.refuse(res, refusal);
      return;
    }
    const { links, index } = this.parts;
    if (!links.hasRoom(1)) {
      this.refuse(res, BUSY);
      return;
    }
    const waiting = new WaitingOutcome(res, ENDPOINT_SPEND, startedAt, this.finished);
    const slot = index.find(this.spendRequest.campaignId);
    if (!links.spend(slot, this.spendRequest, waiting, 0)) this.refuse(res, UNAVAILABLE);
  }

  private spendMany(res: Reply, body: Buffer, startedAt: number): void {
    if (!this.open(res)) return;
    const value = parseBody(body, res instanceof PackedReply);
    const list = value instanceof AppError ? value : readBatch(value, 'events');
    if (list instanceof AppError) {
      this.refuse(res, list);
      return;
    }
    const spends: SpendRequest[] = [];
    for (let at = 0; at < list.length; at++) {
      const spend = newSpend();
      const refusal = readSpend(list[at], `events[${at}].`, spend);
      if (refusal !== null) {
        this.refuse(res, refusal);
        return;
      }
      spends.push(spend);
    }
    const { links, index } = this.parts;
    if (!links.hasRoom(spends.length)) {
      this.refuse(res, BUSY);
      return;
    }
    const waiting = new WaitingBatch(res, spends.length, ENDPOINT_SPEND_BATCH, startedAt, this.finished);
    spends.forEach((spend, position) => {
      const added = links.spend(index.find(spend.campaignId), spend, waiting, position);
      if (!added) waiting.answered(position, OUTCOME_UNAVAILABLE);
    });
  }

  private lose(res: Reply, body: Buffer, startedAt: number): void {
    if (!this.open(res)) return;
    const value = parseBody(body, res instanceof PackedReply);
    const loss = value instanceof AppError ? value : readLoss(value);
    if (loss instanceof AppError) {
      this.refuse(res, loss);
      return;
    }
    const { links, index } = this.parts;
    if (!links.hasRoom(1)) {
      this.refuse(res, BUSY);
      return;
    }
    const waiting = new WaitingOutcome(res, ENDPOINT_LOSS, startedAt, this.finished);
    const slot = index.find(loss.campaignId);
    if (!links.loss(slot, loss.campaignId, loss.bidId, waiting)) this.refuse(res, UNAVAILABLE);
  }

  private status(res: HttpResponse, req: HttpRequest): void {
    const startedAt = steadySeconds();
    const id = decodedPath(req.getParameter(0) ?? '');
    const explained = req.getQuery('explain') === 'true';
    if (!this.open(res)) return;
    if (!isId(id)) {
      this.refuse(res, new AppError('campaign_not_found', 'there is no such campaign', 'campaign_id'));
      return;
    }
    const { links, index } = this.parts;
    if (!links.hasRoom(1)) {
      this.refuse(res, BUSY);
      return;
    }
    const waiting = new WaitingOutcome(res, ENDPOINT_STATUS, startedAt, this.finished);
    if (!links.status(index.find(id), id, explained, waiting)) this.refuse(res, UNAVAILABLE);
  }

  private health(res: HttpResponse): void {
    const { state, index, shardMeters } = this.parts;
    const report = readHealth(state, index, shardMeters, isInFleet(this.parts.config), Date.now());
    replyCorked(res, report.statusCode, 'application/json', report.body);
  }

  private ready(res: HttpResponse): void {
    const { ready } = this.parts.state;
    replyCorked(
      res,
      ready ? 200 : 503,
      'application/json',
      ready ? '{"status":"ready"}' : '{"status":"not_ready"}',
    );
  }
}
