/**
 * Sends decisions at the times that a load shape says, over some connections, whether or not earlier ones were answered;
 * each allowed bid is then won or lost, and reported. When all connections are busy a request waits, and its latency
 * counts from when it was due: a slow server is not asked more gently.
 *
 * The benches have an open loop of their own (bench/drivers/open-loop-process.ts). This one plays a bidder: what it sends next
 * depends on what it is answered, it reads every answer, follows a shape, sends credentials, takes TLS, and goes on when
 * connections break. And it leaves the processor to the pacer beside it: it wakes each millisecond, so requests are sent up to
 * a millisecond late, which "from sending" in the table leaves out. That one sends requests that stand ready as bytes, within
 * microseconds of when they are due, and takes most of a core to do so.
 */
import { fieldOf, type ServiceAddress } from '../service-client.ts';
import { HttpConnection } from './http-connection.ts';
import { Latencies } from './latencies.ts';
import type { LoadShape } from './load-shape.ts';

export const KINDS = ['decision', 'spend', 'loss'] as const;
export type Kind = (typeof KINDS)[number];

export interface LoadOptions {
  readonly address: ServiceAddress;
  readonly shape: LoadShape;
  readonly campaignIds: readonly string[];
  readonly connections: number;
  readonly bidCents: number;
  /** Share of the allowed bids that win, at their max_bid_cents. */
  readonly winShare: number;
  /** Ids of bids begin with it; new for each run. */
  readonly run: string;
}

interface Notice {
  readonly dueAtMs: number;
  readonly kind: 'spend' | 'loss';
  readonly body: string;
  readonly cents: number;
}

const PATHS: Readonly<Record<Kind, string>> = {
  decision: '/pacing/decision',
  spend: '/spend/track',
  loss: '/bid/lost',
};
/** A win or a loss is known so much later. */
const NOTICE_DELAY_MS = 50;
const TICK_MS = 1;
const CONNECT_DEADLINE_MS = 3_000;
/** What is not answered so long after the last request was due is given up. */
const GRACE_MS = 15_000;
/** Notices that were sent are dropped by so many. */
const NOTICES_KEPT = 8192;
const ERRORS_SHOWN_MAX = 10;

export class OpenLoop {
  readonly latencies: Readonly<Record<Kind, Latencies>> = {
    decision: new Latencies(),
    spend: new Latencies(),
    loss: new Latencies(),
  };
  /** Decisions by reason. */
  readonly reasons = new Map<string, number>();
  /** Answers other than 200, and requests without an answer, by what they said. */
  readonly errors = new Map<string, number>();
  /** Cents of the spends that were answered with success. */
  spentCents = 0;
  decisionsAnswered = 0;
  errorCount = 0;
  private readonly options: LoadOptions;
  private readonly connections: HttpConnection[];
  private readonly free: HttpConnection[] = [];
  private readonly notices: Notice[] = [];
  private noticesSent = 0;
  private nextRequest = 0;
  private inFlight = 0;
  private startedAtMs = 0;
  private stopped = false;

  constructor(options: LoadOptions) {
    this.options = options;
    this.connections = Array.from(
      { length: options.connections },
      () =>
        new HttpConnection(options.address, (connection) => {
          this.free.push(connection);
          if (this.startedAtMs > 0) this.send();
        }),
    );
  }

  /** Decisions that were due and never sent. */
  get unsent(): number {
    return this.options.shape.requests - this.nextRequest;
  }

  /** Requests that wait for a connection now. */
  get waiting(): number {
    const { shape } = this.options;
    const elapsed = (performance.now() - this.startedAtMs) / 1000;
    let request = this.nextRequest;
    while (request < shape.requests && shape.dueAt(request) <= elapsed) request++;
    return request - this.nextRequest;
  }

  /** Opens the connections, then sends; resolves when all was answered or given up. */
  async run(): Promise<void> {
    await this.connected();
    this.startedAtMs = performance.now();
    const giveUpAtMs = this.startedAtMs + this.options.shape.seconds * 1000 + GRACE_MS;
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        const nowMs = performance.now();
        for (const connection of this.connections) connection.expire(nowMs);
        this.send();
        if (!this.finished && nowMs < giveUpAtMs && !this.stopped) return;
        clearInterval(timer);
        resolve();
      }, TICK_MS);
    });
    for (const connection of this.connections) connection.close();
  }

  /** Waits until all connections are open; those that cannot be will show as errors. */
  private async connected(): Promise<void> {
    const deadline = performance.now() + CONNECT_DEADLINE_MS;
    while (this.free.length < this.connections.length && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    }
  }

  /** Ends the run as soon as possible. */
  stop(): void {
    this.stopped = true;
  }

  private get finished(): boolean {
    const { inFlight, noticesSent, notices } = this;
    return this.unsent === 0 && inFlight === 0 && noticesSent === notices.length;
  }

  /** Sends what is due, the oldest first, while connections are free. */
  private send(): void {
    const nowMs = performance.now();
    while (this.free.length > 0) {
      const notice = this.notices[this.noticesSent];
      const decisionAtMs =
        this.unsent > 0
          ? this.startedAtMs + this.options.shape.dueAt(this.nextRequest) * 1000
          : Number.POSITIVE_INFINITY;
      if (Math.min(decisionAtMs, notice?.dueAtMs ?? Number.POSITIVE_INFINITY) > nowMs) return;
      if (notice !== undefined && notice.dueAtMs <= decisionAtMs) {
        this.noticesSent++;
        this.notify(notice);
        if (this.noticesSent === NOTICES_KEPT) {
          this.notices.splice(0, NOTICES_KEPT);
          this.noticesSent = 0;
        }
      } else {
        this.decide(this.nextRequest++, decisionAtMs);
      }
    }
  }

  private decide(request: number, dueAtMs: number): void {
    const { campaignIds, bidCents, run } = this.options;
    const campaignId = campaignIds[request % campaignIds.length] ?? '';
    const bidId = `${run}-${request}`;
    const body = JSON.stringify({ campaign_id: campaignId, bid_cents: bidCents, bid_id: bidId });
    this.post('decision', body, dueAtMs, (answer) => {
      this.decisionsAnswered++;
      const reason = String(fieldOf(answer, 'reason'));
      this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + 1);
      if (fieldOf(answer, 'allow_bid') === true) {
        this.settleLater(request, campaignId, bidId, Number(fieldOf(answer, 'max_bid_cents')));
      }
    });
  }

  /** Wins are spread evenly, so that a run is the same each time. */
  private settleLater(request: number, campaignId: string, bidId: string, cents: number): void {
    const { winShare } = this.options;
    const kind = Math.floor((request + 1) * winShare) > Math.floor(request * winShare) ? 'spend' : 'loss';
    const ids = { campaign_id: campaignId, bid_id: bidId };
    const body = JSON.stringify(kind === 'spend' ? { ...ids, spend_cents: cents, event_id: bidId } : ids);
    this.notices.push({ dueAtMs: performance.now() + NOTICE_DELAY_MS, kind, body, cents });
  }

  private notify({ kind, body, dueAtMs, cents }: Notice): void {
    this.post(kind, body, dueAtMs, (answer) => {
      if (kind === 'spend' && fieldOf(answer, 'status') === 'success') this.spentCents += cents;
    });
  }

  private post(kind: Kind, body: string, dueAtMs: number, succeeded: (answer: unknown) => void): void {
    const connection = this.free.pop();
    if (connection === undefined) throw new Error('only called while a connection is free');
    const sentAtMs = performance.now();
    this.inFlight++;
    connection.post(PATHS[kind], body, (status, text) => {
      this.inFlight--;
      if (status === 200) {
        this.latencies[kind].record(dueAtMs, sentAtMs, performance.now());
        succeeded(JSON.parse(text));
      } else {
        this.failed(`${kind}: ${status === 0 ? text : `${status} ${text.slice(0, 160)}`}`);
      }
    });
  }

  private failed(what: string): void {
    this.errorCount++;
    const known = this.errors.has(what) || this.errors.size < ERRORS_SHOWN_MAX;
    const shown = known ? what : 'others';
    this.errors.set(shown, (this.errors.get(shown) ?? 0) + 1);
  }
}
