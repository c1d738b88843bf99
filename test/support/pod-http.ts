/**
 * How tests talk to a pod: JSON over keep-alive connections, one client for each bidder, so that a test
 * decides how many connections there are.
 */
import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';

const ANSWER_DEADLINE_MS = 30_000;
/** The core service closes connections that are idle for ten seconds: one that is about to be is not used again. */
const IDLE_MS = 8_000;

export interface Reply<Body = unknown> {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The JSON of the body; undefined when it is none. */
  readonly body: Body;
}

export interface ErrorReply {
  readonly error: { readonly code: string; readonly message: string; readonly field?: string };
}

export interface Decision {
  readonly allow_bid: boolean;
  readonly max_bid_cents: number;
  readonly throttle_rate: number;
  readonly reason: string;
}

export interface Spend {
  readonly campaign_id: string;
  readonly spend_cents: number;
  readonly impressions?: number;
  readonly clicks?: number;
  readonly event_id?: string;
  readonly bid_id?: string;
}

export interface BudgetStatus {
  readonly campaign_id: string;
  readonly daily_budget_cents: number;
  readonly daily_spent_cents: number;
  readonly hourly_spent_cents: number;
  readonly total_spent_cents: number;
  readonly reserved_cents: number;
  readonly remaining_cents: number;
  readonly throttle_rate: number;
  readonly circuit_breaker_open: boolean;
  readonly circuit_breaker_state: 'CLOSED' | 'OPEN' | 'HALF_OPEN';
  readonly circuit_breaker_reason: string | null;
  readonly pacing_mode: string;
  readonly status: string;
}

/** Headers beside those that every request has. */
export type Headers = Readonly<Record<string, string>>;

export class HttpClient {
  /** 0 when it is a unix domain socket. */
  readonly port: number;
  readonly #address: { readonly host: string; readonly port: number } | { readonly socketPath: string };
  readonly #agent: Agent;
  readonly #headers: Headers;

  /**
   * @param address a port of this machine, or the path of a unix domain socket
   * @param token sent with every request
   */
  constructor(address: number | string, connectionsMax: number, token?: string) {
    this.port = typeof address === 'number' ? address : 0;
    this.#address =
      typeof address === 'number' ? { host: '127.0.0.1', port: address } : { socketPath: address };
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    this.#agent = new Agent({ keepAlive: true, maxSockets: connectionsMax, timeout: IDLE_MS });
  }

  /** @param body an object is sent as JSON, a text or bytes as they are */
  request<Body = unknown>(
    method: string,
    path: string,
    body?: unknown,
    more: Headers = {},
  ): Promise<Reply<Body>> {
    const bytes =
      body === undefined || typeof body === 'string' || body instanceof Uint8Array
        ? body
        : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const length = bytes === undefined ? {} : { 'content-length': Buffer.byteLength(bytes) };
      const headers = { ...this.#headers, ...length, ...more };
      const options = { ...this.#address, method, path, agent: this.#agent, headers };
      const sent = httpRequest({ ...options, timeout: ANSWER_DEADLINE_MS }, (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.once('error', reject);
        answer.once('end', () => {
          const text = Buffer.concat(parts).toString('utf8');
          resolve({
            status: answer.statusCode ?? 0,
            headers: answer.headers,
            text,
            body: jsonOf(text) as Body,
          });
        });
      });
      sent.once('timeout', () => sent.destroy(new Error(`${method} ${path} was not answered in time`)));
      sent.once('error', reject);
      sent.end(bytes);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** A bidder: one connection to the core service unless told otherwise. */
export class Bidder extends HttpClient {
  constructor(address: number | string, connectionsMax = 1, token?: string) {
    super(address, connectionsMax, token);
  }

  async decide(campaignId: string, bidCents: number, bidId?: string): Promise<Decision> {
    const named = bidId === undefined ? {} : { bid_id: bidId };
    const body = { campaign_id: campaignId, bid_cents: bidCents, ...named };
    return answered(await this.request<Decision>('POST', '/pacing/decision', body));
  }

  /** `success` or `duplicate`; anything but a 200 throws. */
  async spend(spend: Spend): Promise<string> {
    return answered(await this.request<{ status: string }>('POST', '/spend/track', spend)).status;
  }

  async spendBatch(events: readonly Spend[]): Promise<string[]> {
    const reply = await this.request<{ results: { status: string }[] }>('POST', '/spend/batch', { events });
    return answered(reply).results.map((result) => result.status);
  }

  async lose(campaignId: string, bidId: string): Promise<string> {
    const body = { campaign_id: campaignId, bid_id: bidId };
    return answered(await this.request<{ status: string }>('POST', '/bid/lost', body)).status;
  }

  async status(campaignId: string): Promise<BudgetStatus> {
    return answered(await this.request<BudgetStatus>('GET', `/budget/status/${campaignId}`));
  }

  /** The samples of `/metrics`: the value of each `name{labels}`. */
  async metrics(): Promise<ReadonlyMap<string, number>> {
    const { status, text } = await this.request('GET', '/metrics');
    if (status !== 200) throw new Error(`/metrics answered ${status}`);
    return parseMetrics(text);
  }
}

function answered<Body>(reply: Reply<Body>): Body {
  if (reply.status !== 200) throw new Error(`answered ${reply.status}: ${reply.text.slice(0, 300)}`);
  return reply.body;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[^}]*\})? (-?[0-9.e+-]+|[Nn]a[Nn]|[+-]Inf)$/;

/** Reads the Prometheus text format. @throws Error naming a line that is not of it */
export function parseMetrics(text: string): ReadonlyMap<string, number> {
  const samples = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('# HELP ') || line.startsWith('# TYPE ')) continue;
    const [, name, labels = '', value] = SAMPLE.exec(line) ?? [];
    if (name === undefined) throw new Error(`not a line of Prometheus text: ${line}`);
    if (samples.has(name + labels)) throw new Error(`a series twice: ${name}${labels}`);
    samples.set(name + labels, value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value));
  }
  return samples;
}

/** The sum of every series of a metric. */
export function sumOf(samples: ReadonlyMap<string, number>, name: string): number {
  let sum = 0;
  for (const [series, value] of samples) if (series === name || series.startsWith(`${name}{`)) sum += value;
  return sum;
}
