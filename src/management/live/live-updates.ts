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
import { CLOSE_GOING_AWAY, CLOSE_TRY_AGAIN, LiveClient, type LiveClientOptions } from './live-client.ts';
import { alertFrame, type LiveFrame, snapshotFrame, updateFrame } from './live-frames.ts';
import type { LiveRow, LiveRows } from './live-rows.ts';

export const CLIENTS_MAX = 256;
/** Of one token. */
export const CLIENTS_PER_TOKEN_MAX = 64;
/** An update comes at least so often, so that a client can tell a quiet pod from a dead connection. */
const QUIET_MS = 5_000;
/**
 * After a turn that took long the next one waits for as much longer, so that turns take some 1.2% of a core; but
 * never for so long that a client would see a spend a second late.
 */
const REST_FACTOR = 80;
const REST_MS_MAX = 700;
/** A turn works for about so long, ms, and then rests for a millisecond: bids that are waiting go first. */
const SLICE_MS = 0.5;
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
  readonly frames: Map<string, LiveFrame>;
}

export interface LiveUpdatesParts {
  readonly rows: LiveRows;
  readonly shards: Pick<Shards, 'describe'>;
  /** The pod's figures, as `totals` shows them. */
  readonly totals: () => JsonObject;
  readonly intervalMs: number;
  /** {@link CLIENTS_MAX} when absent. */
  readonly clientsMax?: number;
  /** {@link CLIENTS_PER_TOKEN_MAX} when absent. */
  readonly clientsPerTokenMax?: number;
  /** Between two pings; 15,000 when absent. */
  readonly beatMs?: number;
  /** After a turn that took long, at most; 700 when absent. */
  readonly restMsMax?: number;
  readonly log: Logger;
}

export class LiveUpdates {
  readonly #parts: LiveUpdatesParts;
  readonly #clients = new Set<LiveClient>();
  readonly #alerts: { readonly number: number; readonly alert: LiveAlert }[] = [];
  #alertNumber = 0;
  /** Of the turn that was last, until the next one. */
  #latest: Moment | null = null;
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

  /**
   * To be asked before a client is let in. @param caller the name of its token, if it has one
   * @throws AppError `unavailable`, `rate_limited`, `campaign_not_found`.
   */
  refuseUnserved(campaignIds: ReadonlySet<string> | null, caller: string | null): void {
    const refusal = this.#refusal(caller);
    if (refusal !== null) throw refusal;
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
    // Those that came at the same moment were all told that there was room.
    if (this.#refusal(options.caller) !== null) {
      socket.close(CLOSE_TRY_AGAIN, 'too many clients');
      return;
    }
    const client = new LiveClient(socket, options, this.#alertNumber);
    this.#clients.add(client);
    socket.on('close', () => this.#remove(client));
    if (this.#clients.size === 1) this.#begin();
    // Who comes between two turns is told the same: after a restart all clients come at once.
    this.#latest ??= this.#moment(performance.now());
    this.#serve(client, this.#latest);
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

  #refusal(caller: string | null): AppError | null {
    const { clientsMax = CLIENTS_MAX, clientsPerTokenMax = CLIENTS_PER_TOKEN_MAX } = this.#parts;
    if (this.#closed || this.#clients.size >= clientsMax) {
      return new AppError('unavailable', `at most ${clientsMax} clients are served at once; try again`);
    }
    if (caller === null || this.#clientsOf(caller) < clientsPerTokenMax) return null;
    return new AppError(
      'rate_limited',
      `at most ${clientsPerTokenMax} clients of a token are served at once`,
    );
  }

  #clientsOf(caller: string): number {
    let count = 0;
    for (const client of this.#clients) if (client.caller === caller) count++;
    return count;
  }

  #begin(): void {
    this.#parts.rows.refresh(performance.now());
    this.#scheduleTurn(0);
    this.#beats = setInterval(() => {
      for (const client of this.#clients) client.beat();
    }, this.#parts.beatMs ?? BEAT_MS);
  }

  #end(): void {
    clearTimeout(this.#turns);
    clearInterval(this.#beats);
    this.#latest = null;
    this.#parts.rows.clear();
  }

  #remove(client: LiveClient): void {
    this.#clients.delete(client);
    if (this.#clients.size > 0) return;
    this.#end();
    this.#onEmpty();
  }

  /** @param tookMs how long the turn that has just ended took */
  #scheduleTurn(tookMs: number): void {
    const { intervalMs, restMsMax = REST_MS_MAX } = this.#parts;
    const restMs = Math.max(intervalMs - tookMs, Math.min(REST_FACTOR * tookMs, restMsMax));
    this.#turns = setTimeout(() => this.#turn(), restMs);
  }

  #turn(): void {
    const { rows } = this.#parts;
    const steadyMs = performance.now();
    rows.refresh(steadyMs);
    if (rows.unknown.length > 0) this.#describe(rows.unknown, steadyMs);
    const moment = this.#moment(steadyMs);
    this.#latest = moment;
    const tookMs = performance.now() - steadyMs;
    this.#turns = setTimeout(() => this.#serveMore(this.#clients.values(), moment, tookMs), 1);
  }

  /** Serves clients one after the other, with a rest after each slice. */
  #serveMore(clients: Iterator<LiveClient, undefined>, moment: Moment, tookMs: number): void {
    const startedMs = performance.now();
    for (let next = clients.next(); ; next = clients.next()) {
      const sliceMs = performance.now() - startedMs;
      if (next.done === true) {
        if (this.#clients.size > 0 && !this.#closed) this.#scheduleTurn(tookMs + sliceMs);
        return;
      }
      if (next.value.hasDrained) this.#serve(next.value, moment);
      if (sliceMs < SLICE_MS) continue;
      this.#turns = setTimeout(() => this.#serveMore(clients, moment, tookMs + sliceMs), 1);
      return;
    }
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

  #snapshot(client: LiveClient, { at, totals, frames }: Moment): LiveFrame {
    const { rows } = this.#parts;
    const { encoding, campaignIds } = client;
    if (campaignIds !== null) {
      const own = rowsOf(rows, campaignIds).filter(({ goneMs }) => goneMs === 0);
      return snapshotFrame(encoding, at, own, totals);
    }
    return shared(frames, `${encoding} snapshot`, () => snapshotFrame(encoding, at, [...rows.all()], totals));
  }

  #update(client: LiveClient, { at, totals, frames }: Moment): LiveFrame {
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

function shared(frames: Map<string, LiveFrame>, key: string, make: () => LiveFrame): LiveFrame {
  const known = frames.get(key);
  if (known !== undefined) return known;
  const made = make();
  frames.set(key, made);
  return made;
}
