/**
 * The ledger: one LMDB environment for each pod, shared by its shards, each of which writes only its own
 * campaigns. It holds the counters themselves, so a killed process has nothing to replay.
 *
 *   accounts    campaign id                 → the account's record (account-record.ts)
 *   campaigns   campaign id                 → the campaign as last told by management (campaign-row.ts); kept for a
 *                                             while after deletion, so that late spend finds its account
 *   events      campaign id / event id      → when it is forgotten, ms (float64)
 *   expiries    minute / shard / number     → the event keys of one commit that are forgotten after that minute
 *   outbox      shard / time / campaign / … → history that Postgres does not have yet (history-flush.ts, outbox-row.ts)
 *   meta        id                          → names this ledger: what it tells others is told in its name
 *   traffic     shape / campaign id         → what its past days' traffic taught (domain/remembered-traffic.ts)
 *               today / campaign id         → today's traffic so far, as of the last full hour
 *
 * A commit is one transaction and resolves when it is on stable storage (LEDGER_SYNC=commit), or when it is
 * visible and its flush has begun (interval: a killed process loses nothing, a power failure the last moments).
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, statfsSync } from 'node:fs';
import { type Database, open, type RootDatabase } from 'lmdb';
import type { BreakerTransition } from '../domain/breaker.ts';
import type { Campaign } from '../domain/campaign.ts';
import type { HourRecord } from '../domain/pacing-settings.ts';
import type { Alert, AlertResolution } from '../sinks/postgres/history-rows.ts';
import { fromRow, isRow, type StoredCampaign, toRow } from './campaign-row.ts';
import { fromStored, type StoredEntry, toStored } from './outbox-row.ts';

/** How long an event id is remembered, at least. */
export const EVENT_MEMORY_MS = 24 * 3_600_000;
const MINUTE_MS = 60_000;
/** Address space reserved for the file, so that it seldom has to be mapped anew as it grows; not a limit. */
const MAP_BYTES = 16 * 2 ** 30;
/**
 * Nothing is written when less room than this is left, or than a twentieth of a small disk. A write that fails must
 * not be risked: LMDB's binding then overruns a buffer of its own (lmdb 3.5, mdb_page_flush) and may abort the process.
 */
const ROOM_BYTES = 64 * 2 ** 20;
const ROOM_PARTS = 20;

/** A piece of history that Postgres is to have. */
export type OutboxEntry =
  | { readonly kind: 'hour'; readonly hour: HourRecord }
  | { readonly kind: 'breaker'; readonly campaignId: string; readonly transition: BreakerTransition }
  | { readonly kind: 'alert'; readonly alert: Alert }
  | { readonly kind: 'resolved'; readonly resolutions: readonly AlertResolution[] };

/** What one commit changes. */
export interface LedgerChange {
  readonly accounts: Iterable<readonly [campaignId: string, record: Buffer]>;
  readonly campaigns: Iterable<Campaign>;
  /** Keys made by {@link eventKey}. */
  readonly events: ReadonlySet<string>;
  /** History for Postgres, by key. */
  readonly outbox: ReadonlyMap<string, OutboxEntry>;
}

/** Ids hold no slash, so the key is unambiguous. */
export function eventKey(campaignId: string, eventId: string): string {
  return `${campaignId}/${eventId}`;
}

/** What a pod has learned by itself, its running day, and what was learned from the history of all pods. */
const TRAFFIC_KINDS = ['shape', 'today', 'stored'] as const;
export type TrafficKind = (typeof TRAFFIC_KINDS)[number];

/** A campaign of the ledger. */
export interface KnownCampaign {
  readonly campaign: Campaign;
  /** Whether it stands there in a form of before, which an older release would read. */
  readonly isOlderForm: boolean;
}

export class Ledger {
  /** Eight hexadecimal digits, drawn when the ledger was made. */
  readonly id: string;
  private readonly shard: number;
  private readonly folder: string;
  private readonly root: RootDatabase;
  private readonly accounts: Database<Buffer, string>;
  private readonly campaigns: Database<StoredCampaign, string>;
  private readonly events: Database<Buffer, string>;
  private readonly expiries: Database<string[], string>;
  private readonly trafficBytes: Database<Buffer, string>;
  private readonly outboxEntries: Database<StoredEntry, string>;
  /** Campaigns that are being forgotten: for everybody they are gone. */
  private readonly leaving = new Set<string>();
  /** Makes the expiry keys of this run differ from those of earlier ones. */
  private readonly openedAtMs = Date.now();
  private commits = 0;
  /** Whether there is room for what is written in this turn of the event loop; null before it is looked for. */
  private room: boolean | null = null;

  constructor(folder: string, shard: number, sync: 'commit' | 'interval') {
    mkdirSync(folder, { recursive: true });
    this.shard = shard;
    this.folder = folder;
    this.root = open({
      path: folder,
      mapSize: MAP_BYTES,
      maxDbs: 12,
      maxReaders: 256,
      cache: false,
      overlappingSync: sync === 'interval',
      separateFlushed: sync === 'interval',
    });
    this.accounts = this.root.openDB<Buffer, string>({ name: 'accounts', encoding: 'binary' });
    this.campaigns = this.root.openDB<StoredCampaign, string>({ name: 'campaigns' });
    this.events = this.root.openDB<Buffer, string>({ name: 'events', encoding: 'binary' });
    this.expiries = this.root.openDB<string[], string>({ name: 'expiries' });
    this.outboxEntries = this.root.openDB<StoredEntry, string>({ name: 'outbox' });
    const meta = this.root.openDB<string, string>({ name: 'meta' });
    this.id = this.root.transactionSync(() => idOf(meta));
    this.trafficBytes = this.root.openDB<Buffer, string>({ name: 'traffic', encoding: 'binary' });
  }

  /** The account's record, or undefined when the campaign has none. */
  account(campaignId: string): Buffer | undefined {
    return this.accounts.get(campaignId);
  }

  /** The campaign as last told, deleted ones included. */
  campaign(campaignId: string): Campaign | undefined {
    const stored = this.leaving.has(campaignId) ? undefined : this.campaigns.get(campaignId);
    return stored === undefined ? undefined : fromRow(campaignId, stored);
  }

  /** Every campaign of the pod; a shard picks its own. */
  *allCampaigns(): Generator<KnownCampaign> {
    for (const { key, value } of this.campaigns.getRange()) {
      yield { campaign: fromRow(key, value), isOlderForm: !isRow(value) };
    }
  }

  /** So many of the pod's campaigns, in the order of their ids, that come after one. @param id empty: from the first on */
  campaignsAfter(id: string, countMax: number): Campaign[] {
    const range = this.campaigns.getRange({ start: id, exclusiveStart: true, limit: countMax });
    return Array.from(range, ({ key, value }) => fromRow(key, value));
  }

  /** Removes all there is of campaigns; from the call on they are not known any more. */
  async forget(campaignIds: readonly string[]): Promise<void> {
    if (!this.hasRoom) return;
    for (const id of campaignIds) this.leaving.add(id);
    try {
      const removals = campaignIds.flatMap((id) => [
        this.campaigns.remove(id),
        this.accounts.remove(id),
        ...TRAFFIC_KINDS.map((kind) => this.trafficBytes.remove(trafficKey(kind, id))),
      ]);
      await Promise.all(removals);
    } finally {
      for (const id of campaignIds) this.leaving.delete(id);
    }
  }

  /** Whether an event is remembered. */
  remembers(key: string, nowMs: number): boolean {
    const until = this.events.get(key);
    return until !== undefined && until.readDoubleLE(0) > nowMs;
  }

  /** Events that were counted within a time, a minute more or less: those of every `shards`th shard from this one on. */
  recentEvents(shard: number, shards: number, withinMs: number, nowMs: number): string[] {
    const sinceMs = nowMs - withinMs - MINUTE_MS;
    const range = this.expiries.getRange({ start: minuteKey(sinceMs + EVENT_MEMORY_MS + MINUTE_MS) });
    return Array.from(range).flatMap(({ key, value }) => {
      const writer = Number(key.split('/')[1]);
      return writer % shards === shard ? value : [];
    });
  }

  /**
   * The oldest entries of a shard's outbox, at most so many.
   * @param shard this one, or one that there was when the pod had more of them
   */
  outbox(shard: number, entriesMax: number): { readonly key: string; readonly value: OutboxEntry }[] {
    const prefix = `${shard}/`;
    const range = this.outboxEntries.getRange({ start: prefix, end: `${prefix}\uffff`, limit: entriesMax });
    return Array.from(range, ({ key, value }) => ({ key, value: fromStored(value) }));
  }

  async removeFromOutbox(keys: readonly string[]): Promise<void> {
    if (keys.length > 0) this.checkRoom();
    await Promise.all(keys.map((key) => this.outboxEntries.remove(key)));
  }

  /** What is kept of a campaign's traffic, or null. */
  traffic(kind: TrafficKind, campaignId: string): Uint8Array | null {
    return this.trafficBytes.get(trafficKey(kind, campaignId)) ?? null;
  }

  /**
   * Copies the bytes and writes them.
   * @returns resolves when they are on storage: one promise for all that is put in a turn of the event loop
   * @throws Error when the disk is full
   */
  putTraffic(kind: TrafficKind, campaignId: string, bytes: Uint8Array): Promise<unknown> {
    this.checkRoom();
    return this.trafficBytes.put(trafficKey(kind, campaignId), Buffer.from(bytes));
  }

  /** Writes all of a change or nothing of it. Rejects when it is not on storage: nothing of it then holds. */
  async commit(change: LedgerChange, nowMs: number): Promise<void> {
    this.checkRoom();
    let last: Promise<unknown> | undefined;
    // All puts of one event-loop turn are one transaction; the promise of the last is the promise of all.
    for (const [campaignId, record] of change.accounts) last = this.accounts.put(campaignId, record);
    for (const campaign of change.campaigns) last = this.campaigns.put(campaign.id, toRow(campaign));
    for (const [key, entry] of change.outbox) last = this.outboxEntries.put(key, toStored(entry));
    if (change.events.size > 0) last = this.putEvents(change.events, nowMs);
    await last;
  }

  /**
   * Forgets events whose time is over, those of a bounded number of commits; one shard does it for all.
   */
  async sweep(nowMs: number, commitsMax: number): Promise<void> {
    if (!this.hasRoom) return;
    const due = Array.from(
      this.expiries.getRange({ start: '', end: minuteKey(nowMs), limit: commitsMax }),
      ({ key, value }) => ({ key, value }),
    );
    let last: Promise<unknown> | undefined;
    for (const { key, value } of due) {
      for (const event of value) if (!this.remembers(event, nowMs)) last = this.events.remove(event);
      last = this.expiries.remove(key);
    }
    await last;
  }

  async close(): Promise<void> {
    await this.root.close();
  }

  /** Looked for once in a turn of the event loop: when an hour ends, each campaign writes something of its own. */
  private get hasRoom(): boolean {
    if (this.room === null) {
      const { bavail, blocks, bsize } = statfsSync(this.folder);
      this.room = bavail * bsize >= Math.min(ROOM_BYTES, (blocks * bsize) / ROOM_PARTS);
      setImmediate(() => {
        this.room = null;
      });
    }
    return this.room;
  }

  private checkRoom(): void {
    if (!this.hasRoom) throw new Error('the disk is full');
  }

  private putEvents(events: ReadonlySet<string>, nowMs: number): Promise<unknown> {
    const untilMs = nowMs + EVENT_MEMORY_MS;
    const until = Buffer.alloc(8);
    until.writeDoubleLE(untilMs);
    for (const key of events) void this.events.put(key, until);
    const order = String(this.commits++).padStart(12, '0');
    return this.expiries.put(`${minuteKey(untilMs + MINUTE_MS)}/${this.shard}/${this.openedAtMs}-${order}`, [
      ...events,
    ]);
  }
}

/** The ledger's name; of several shards that open a new one, the first draws it. */
function idOf(meta: Database<string, string>): string {
  const known = meta.get('id');
  if (known !== undefined) return known;
  const id = randomBytes(4).toString('hex');
  meta.putSync('id', id);
  return id;
}

function trafficKey(kind: TrafficKind, campaignId: string): string {
  return `${kind}/${campaignId}`;
}

/** Sorts as its minute does. */
function minuteKey(tMs: number): string {
  return String(Math.floor(tMs / MINUTE_MS)).padStart(10, '0');
}
