/**
 * Live updates for all clients of this pod: owns the clients, the interval in which rows are looked at, and the last
 * alerts. Nobody connected costs nothing. The work of a turn grows with the campaigns that changed, not with the
 * clients: those that saw the same share a frame. A client that did not take its last frame is passed over, and gets
 * all that it missed at once when it has.
 *
 * Memory is bounded: clients, alerts, and for each client the one frame that its socket may hold.
 */
import type { Logger } from 'pino';
import type { WebSocket } from 'ws';
import { AppError } from '../../domain/app-error.ts';
import type { Shards } from '../../messages/shards.ts';
import type { JsonObject } from '../request-body.ts';
import { CLOSE_GOING_AWAY, LiveClient, type LiveClientOptions } from './live-client.ts';
import { alertFrame, snapshotFrame, updateFrame } from './live-frames.ts';
import type { LiveRow, LiveRows } from './live-rows.ts';

export const CLIENTS_MAX = 256;
/** An update comes at least so often, so that a client can tell a quiet pod from a dead connection. */
const QUIET_MS = 5_000;
const BEAT_MS = 15_000;
/** Alerts that a client that does not read may be behind with; older ones it finds in GET /alerts. */
const ALERTS_KEPT = 256;
/** Owners are asked for so many unknown campaigns at once, and not more often than this. */
const DESCRIBED_MAX = 1_000;
const DESCRIBE_PAUSE_MS = 1_000;
const CLOSE_MS = 1_000;

export interface LiveAlert {
  readonly campaign_id: string | null;
  readonly [field: string]: unknown;
}

/** What a turn has in common for all clients. */
interface Moment {
  readonly steadyMs: number;
  readonly at: string;
  readonly totals: JsonObject;
  readonly totalsText: string;
  /** Made so far, for the clients that want the same. */
  readonly frames: Map<string, Buffer>;
}

export interface LiveUpdatesParts {
  readonly rows: LiveRows;
  readonly shards: Pick<Shards, 'describe'>;
  /** The pod's figures, as `totals` shows them. */
  readonly totals: () => JsonObject;
  readonly intervalMs: number;
  /** Between two pings; 15,000 when absent. */
  readonly beatMs?: number;
  readonly log: Logger;
}

export class LiveUpdates {
  readonly #parts: LiveUpdatesParts;
  readonly #clients = new Set<LiveClient>();
  readonly #alerts: { readonly number: number; readonly alert: LiveAlert }[] = [];
  #alertNumber = 0;
  #turns: NodeJS.Timeout | undefined;
  #beats: NodeJS.Timeout | undefined;
  #describing = false;
  #describeAtMs = Number.NEGATIVE_INFINITY;
  #closed = false;
  #onEmpty = (): void => {};

  constructor(parts: LiveUpdatesParts) {
    this.#parts = parts;
  }

  get clients(): number {
    return this.#clients.size;
  }

  /** To be asked before a client is let in. @throws AppError `unavailable`, `campaign_not_found`. */
  refuseUnserved(campaignIds: ReadonlySet<string> | null): void {
    if (this.#closed || this.#clients.size >= CLIENTS_MAX) {
      throw new AppError('unavailable', `at most ${CLIENTS_MAX} clients are served at once; try again`);
    }
    for (const id of campaignIds ?? []) {
      if (!this.#parts.rows.has(id)) {
        throw new AppError('campaign_not_found', `there is no campaign with the id ${id}`, 'campaign_id');
      }
    }
  }

  /** Serves a client until it goes. */
  add(socket: WebSocket, options: LiveClientOptions): void {
    if (this.#closed) {
      socket.close(CLOSE_GOING_AWAY, GOING_AWAY);
      return;
    }
    const client = new LiveClient(socket, options, this.#alertNumber);
    this.#clients.add(client);
    socket.on('close', () => this.#remove(client));
    if (this.#clients.size === 1) this.#begin();
    this.#serve(client, this.#moment(performance.now()));
  }

  /** Tells every client of an alert, at once or, who is behind, when it has caught up. */
  alert(alert: LiveAlert): void {
    this.#alertNumber++;
    this.#alerts.push({ number: this.#alertNumber, alert });
    if (this.#alerts.length > ALERTS_KEPT) this.#alerts.shift();
    for (const client of this.#clients) if (client.hasDrained) this.#sendAlerts(client);
  }

  /** Says goodbye to every client, and cuts those that do not answer. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#end();
    if (this.#clients.size === 0) return;
    const gone = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    for (const client of this.#clients) client.close(CLOSE_GOING_AWAY, GOING_AWAY);
    const cut = setTimeout(() => {
      for (const client of this.#clients) client.terminate();
    }, CLOSE_MS);
    await gone;
    clearTimeout(cut);
  }

  #begin(): void {
    this.#parts.rows.refresh(performance.now());
    this.#turns = setInterval(() => this.#turn(), this.#parts.intervalMs);
    this.#beats = setInterval(() => {
      for (const client of this.#clients) client.beat();
    }, this.#parts.beatMs ?? BEAT_MS);
  }

  #end(): void {
    clearInterval(this.#turns);
    clearInterval(this.#beats);
    this.#parts.rows.clear();
  }

  #remove(client: LiveClient): void {
    this.#clients.delete(client);
    if (this.#clients.size > 0) return;
    this.#end();
    this.#onEmpty();
  }

  #turn(): void {
    const { rows } = this.#parts;
    const steadyMs = performance.now();
    rows.refresh(steadyMs);
    if (rows.unknown.length > 0) this.#describe(rows.unknown, steadyMs);
    const moment = this.#moment(steadyMs);
    for (const client of this.#clients) if (client.hasDrained) this.#serve(client, moment);
  }

  #moment(steadyMs: number): Moment {
    const totals = this.#parts.totals();
    const at = new Date().toISOString();
    return { steadyMs, at, totals, totalsText: JSON.stringify(totals), frames: new Map() };
  }

  /** Sends what a client that has drained has missed. */
  #serve(client: LiveClient, moment: Moment): void {
    this.#sendAlerts(client);
    const { rows } = this.#parts;
    const { sent } = client;
    const { steadyMs, totalsText } = moment;
    if (sent.look < rows.forgottenAt) {
      client.send(this.#snapshot(client, moment));
    } else {
      const changed = client.campaignIds === null ? sent.look < rows.look : this.#changedFor(client) > 0;
      if (!changed && sent.totals === totalsText && steadyMs - sent.atMs < QUIET_MS) return;
      client.send(this.#update(client, moment));
    }
    sent.look = rows.look;
    sent.totals = totalsText;
    sent.atMs = steadyMs;
  }

  #snapshot(client: LiveClient, { at, totals, frames }: Moment): Buffer {
    const { rows } = this.#parts;
    const { encoding, campaignIds } = client;
    if (campaignIds !== null) {
      const own = rowsOf(rows, campaignIds).filter(({ goneMs }) => goneMs === 0);
      return snapshotFrame(encoding, at, own, totals);
    }
    return shared(frames, `${encoding} snapshot`, () => snapshotFrame(encoding, at, [...rows.all()], totals));
  }

  #update(client: LiveClient, { at, totals, frames }: Moment): Buffer {
    const { rows } = this.#parts;
    const { encoding, campaignIds, sent } = client;
    if (campaignIds !== null) {
      const own = rowsOf(rows, campaignIds).filter(({ changedAt }) => changedAt > sent.look);
      return updateFrame(encoding, at, own, totals);
    }
    return shared(frames, `${encoding} ${sent.look}`, () =>
      updateFrame(encoding, at, [...rows.changedAfter(sent.look)], totals),
    );
  }

  #changedFor({ campaignIds, sent }: LiveClient): number {
    return rowsOf(this.#parts.rows, campaignIds ?? []).filter(({ changedAt }) => changedAt > sent.look)
      .length;
  }

  #sendAlerts(client: LiveClient): void {
    const { sent, encoding } = client;
    for (const { number, alert } of this.#alerts) {
      if (number > sent.alert && client.wants(alert.campaign_id)) client.send(alertFrame(encoding, alert));
    }
    sent.alert = this.#alertNumber;
  }

  /** Asks the owners for campaigns that nobody told of; one question at a time. */
  #describe(campaignIds: readonly string[], steadyMs: number): void {
    if (this.#describing || steadyMs < this.#describeAtMs) return;
    this.#describing = true;
    this.#describeAtMs = steadyMs + DESCRIBE_PAUSE_MS;
    this.#parts.shards.describe(campaignIds.slice(0, DESCRIBED_MAX)).then(
      () => {
        this.#describing = false;
      },
      (error: unknown) => {
        this.#describing = false;
        this.#parts.log.debug({ err: error }, 'campaigns on the table cannot be described yet');
      },
    );
  }
}

const GOING_AWAY = 'the pod is stopping';

function rowsOf(rows: LiveRows, campaignIds: Iterable<string>): LiveRow[] {
  const own: LiveRow[] = [];
  for (const id of campaignIds) {
    const row = rows.get(id);
    if (row !== undefined) own.push(row);
  }
  return own;
}

function shared(frames: Map<string, Buffer>, key: string, make: () => Buffer): Buffer {
  const known = frames.get(key);
  if (known !== undefined) return known;
  const made = make();
  frames.set(key, made);
  return made;
}
