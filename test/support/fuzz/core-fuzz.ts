/**
 * Mutated requests for the core service, and books of what they did: every spend that is answered with success is
 * read by the test as the server must have read it, and summed up, so that the pod's counters can be held against it.
 * Whether a body is right or wrong is known as well: the checks of src/edge/requests.ts say so, on what JSON.parse reads.
 */
import { Packr, unpack } from 'msgpackr';
import { AppError } from '../../../src/domain/app-error.ts';
import {
  type DecisionRequest,
  parseBody,
  readBatch,
  readDecision,
  readLoss,
  readSpend,
  type SpendRequest,
} from '../../../src/edge/requests.ts';
import { Dice } from './dice.ts';
import { FuzzRun, together } from './fuzz-run.ts';
import { type Answer, HttpStream, requestBytes } from './http-stream.ts';
import { mutatedBytes, mutatedTarget, mutatedValue, oddHeaders } from './mutations.ts';

const packr = new Packr({ useRecords: false, variableMapSize: true });

export const CORE_CAMPAIGNS = ['money-0', 'money-1', 'money-2', 'money-3'];
const ALLOWED = new Set([200, 400, 401, 404, 413, 431]);
const PIPELINED = 16;

type Kind = 'decision' | 'decisions' | 'spend' | 'batch' | 'lost' | 'status' | 'other';

const PATHS: Readonly<Record<Kind, string>> = {
  decision: '/pacing/decision',
  decisions: '/pacing/decisions',
  spend: '/spend/track',
  batch: '/spend/batch',
  lost: '/bid/lost',
  status: '/budget/status/money-0',
  other: '/health',
};
const OTHERS = [
  '/health',
  '/health/live',
  '/health/ready',
  '/metrics',
  '/',
  '/favicon.ico',
  '/pacing',
  '/budget/status/',
];
const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH', 'TRACE', 'CONNECT', 'PROPFIND'];

interface CoreRequest {
  readonly kind: Kind;
  readonly isHead: boolean;
  readonly bytes: Buffer;
  readonly body: Buffer;
  readonly isPacked: boolean;
  /** Statuses that it may be answered with. */
  readonly allowed: ReadonlySet<number>;
}

/** Micros of each campaign. */
export class Books {
  /** Answered with success. */
  readonly counted = new Map<string, number>();
  /** Sent, and never answered: counted or not. */
  readonly unknown = new Map<string, number>();

  add(books: Map<string, number>, event: unknown): void {
    const { campaign_id: id, spend_cents: cents } = (event ?? {}) as Record<string, unknown>;
    if (typeof id !== 'string' || typeof cents !== 'number') return;
    books.set(id, (books.get(id) ?? 0) + Math.round(cents * 10_000));
  }
}

export class CoreFuzz {
  readonly books = new Books();
  readonly #port: number;
  readonly #token: string;

  constructor(port: number, token: string) {
    this.#port = port;
    this.#token = token;
  }

  /** Decisions, many at once on each connection. */
  async decide(requests: number, seed: number): Promise<FuzzRun> {
    const run = new FuzzRun('decisions, pipelined', requests);
    await together(8, async (worker) => {
      const dice = new Dice(seed + worker);
      let stream = await HttpStream.open(this.#port);
      while (run.take(PIPELINED)) {
        if (stream.closed) stream = await HttpStream.open(this.#port);
        const group = Array.from({ length: PIPELINED }, () =>
          this.#request(dice, dice.chance(0.9) ? 'decision' : 'decisions'),
        );
        await Promise.all(group.map((request) => this.#ask(run, stream, request)));
      }
      stream.close();
    });
    return run;
  }

  /** Everything, one request after the other on each of many connections. */
  async spend(requests: number, seed: number): Promise<FuzzRun> {
    const run = new FuzzRun('all of :8080', requests);
    const kinds = [
      [10, 'spend'],
      [2, 'batch'],
      [3, 'lost'],
      [2, 'status'],
      [2, 'decision'],
      [1, 'other'],
    ] as const;
    await together(48, async (worker) => {
      const dice = new Dice(seed + 1_000 + worker);
      let stream = await HttpStream.open(this.#port);
      while (run.take()) {
        if (stream.closed) stream = await HttpStream.open(this.#port);
        await this.#ask(run, stream, this.#request(dice, dice.weighted(kinds)));
      }
      stream.close();
    });
    return run;
  }

  async #ask(run: FuzzRun, stream: HttpStream, request: CoreRequest): Promise<void> {
    try {
      const answer = await stream.ask(request.bytes, request.isHead);
      run.note(answer, request.allowed, request.bytes);
      this.#keepBooks(request, answer);
    } catch (error) {
      run.fault(String(error), request.bytes);
    }
  }

  #keepBooks({ kind, body, isPacked }: CoreRequest, answer: Answer | null): void {
    if ((kind !== 'spend' && kind !== 'batch') || (answer !== null && answer.status !== 200)) return;
    const sent = read(body, isPacked) as { events?: unknown[] } | undefined;
    const events = kind === 'spend' ? [sent] : (sent?.events ?? []);
    if (answer === null) {
      for (const event of events) this.books.add(this.books.unknown, event);
      return;
    }
    const said = read(answer.body, isPacked) as { status?: string; results?: { status: string }[] };
    const results = kind === 'spend' ? [said] : (said.results ?? []);
    events.forEach((event, at) => {
      if (results[at]?.status === 'success') this.books.add(this.books.counted, event);
    });
  }

  #request(dice: Dice, kind: Kind): CoreRequest {
    const path = kind === 'other' ? dice.pick(OTHERS) : PATHS[kind];
    const isRead = kind === 'status' || kind === 'other';
    const method = dice.chance(0.01) ? dice.pick(METHODS) : isRead ? 'GET' : 'POST';
    const target = dice.chance(isRead ? 0.5 : 0.01) ? mutatedTarget(dice, `${path}?explain=true`) : path;
    const isPacked = dice.chance(0.2);
    const body = this.#body(dice, kind, isPacked);
    const token = dice.chance(0.98)
      ? this.#token
      : dice.pick(['', 'x', `${this.#token}x`, this.#token.slice(1)]);
    const headers =
      (token === '' ? '' : `authorization: Bearer ${token}\r\n`) +
      (isPacked ? 'content-type: application/msgpack\r\n' : '') +
      (dice.chance(0.2) ? oddHeaders(dice).replaceAll(/content-type:[^\n]*\n/gi, '') : '');
    const chunks = dice.chance(0.05) ? [1 + dice.int(20), 1 + dice.int(20)] : [];
    const bytes = requestBytes(method, target, headers, isRead ? null : body, chunks);
    const isPlain = method === 'POST' && target === path && token === this.#token;
    const allowed = isPlain ? allowedFor(kind, body, isPacked) : ALLOWED;
    return { kind, isHead: method === 'HEAD', bytes, body, isPacked, allowed };
  }

  #body(dice: Dice, kind: Kind, isPacked: boolean): Buffer {
    const valid = validBody(dice, kind);
    const value = dice.chance(0.7) ? mutatedValue(dice, valid) : valid;
    const whole = isPacked ? packr.pack(value) : Buffer.from(JSON.stringify(value) ?? '', 'utf8');
    return dice.chance(0.3) ? mutatedBytes(dice, whole) : whole;
  }
}

const WRONG = new Set([400]);
const RIGHT_DECISION = new Set([200]);
/** 400 when it would take a campaign past what can be counted. */
const RIGHT_SPEND = new Set([200, 400, 404]);

function allowedFor(kind: Kind, body: Buffer, isPacked: boolean): ReadonlySet<number> {
  if (kind === 'status' || kind === 'other') return ALLOWED;
  const value = parseBody(body, isPacked);
  if (value instanceof AppError) return WRONG;
  const decision: DecisionRequest = { campaignId: '', bidMicros: 0, bidId: '' };
  const spend: SpendRequest = {
    campaignId: '',
    spendMicros: 0,
    impressions: 0,
    clicks: 0,
    eventId: '',
    bidId: '',
  };
  if (kind === 'decision') return readDecision(value, '', decision) === null ? RIGHT_DECISION : WRONG;
  if (kind === 'spend') return readSpend(value, '', spend) === null ? RIGHT_SPEND : WRONG;
  if (kind === 'lost') return readLoss(value) instanceof AppError ? WRONG : RIGHT_SPEND;
  const list = readBatch(value, kind === 'batch' ? 'events' : 'requests');
  if (list instanceof AppError) return WRONG;
  const isRight = (element: unknown): boolean =>
    kind === 'batch' ? readSpend(element, '', spend) === null : readDecision(element, '', decision) === null;
  if (!list.every(isRight)) return WRONG;
  return kind === 'batch' ? RIGHT_SPEND : RIGHT_DECISION;
}

function validBody(dice: Dice, kind: Kind): unknown {
  const one = (): Record<string, unknown> => {
    const id = { campaign_id: dice.pick(CORE_CAMPAIGNS) };
    const bid = dice.chance(0.5) ? { bid_id: `bid-${dice.int(5_000)}` } : {};
    if (kind === 'decision' || kind === 'decisions')
      return { ...id, bid_cents: (1 + dice.int(5_000)) / 100, ...bid };
    if (kind === 'lost') return { ...id, bid_id: `bid-${dice.int(5_000)}` };
    const event = dice.chance(0.5) ? { event_id: `event-${dice.int(20_000)}` } : {};
    return { ...id, spend_cents: dice.int(100_000) / 10_000, ...bid, ...event, clicks: dice.int(2) };
  };
  const several = (): unknown[] => Array.from({ length: 1 + dice.int(12) }, one);
  if (kind === 'decisions') return { requests: several() };
  return kind === 'batch' ? { events: several() } : one();
}

function read(body: Buffer, isPacked: boolean): unknown {
  try {
    return isPacked ? unpack(body) : JSON.parse(body.toString('latin1'));
  } catch {
    return undefined;
  }
}
