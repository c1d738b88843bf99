/**
 * A shard as a member of the fleet: its connection to Redis, the flushes over it, what other pods say, and, for
 * the first shard, the claim that this pod alone has its NODE_ID.
 */
import type { Config } from '../config/config.ts';
import { budgetDay } from '../domain/budget-day.ts';
import type { Campaign, CampaignTerms } from '../domain/campaign.ts';
import type { Clock } from '../domain/clock.ts';
import { localDayAt } from '../domain/local-day.ts';
import type { FleetConditions } from '../domain/pacing-settings.ts';
import { CLAIM_MS as EVENT_CLAIM_MS } from '../sinks/redis/event-claims.ts';
import { FleetRedis } from '../sinks/redis/fleet-redis.ts';
import type { RedisTarget } from '../sinks/redis/redis-target.ts';
import type { KnownSpend } from '../sinks/redis/restore-spend.ts';
import type { Meters } from '../table/meters.ts';
import type { OwnerTable } from '../table/pacing-table.ts';
import type { Log } from '../threads/log.ts';
import type { Tracing } from '../threads/tracing.ts';
import type { Account } from './account.ts';
import { redisFound, redisLost, redisRecovered } from './alerts.ts';
import type { FleetEvents } from './event-claims.ts';
import { FleetSync, type FleetSyncParts } from './fleet-sync.ts';
import { LEASE_MS } from './lease-asks.ts';
import type { Ledger } from './ledger.ts';
import type { Shard } from './shard.ts';

const NODE_CLAIM_MS = 30_000;
const NODE_CLAIM_RENEWAL_MS = 5_000;

export interface FleetMemberParts {
  readonly config: Config;
  readonly shard: number;
  readonly ledger: Ledger;
  readonly table: OwnerTable;
  readonly meters: Meters;
  readonly log: Log;
  readonly tracing: Tracing | null;
  readonly readClock: () => Clock;
  /** What the history has of the campaigns' spend, by source. */
  readonly spends: (campaigns: readonly CampaignTerms[]) => Promise<KnownSpend[]>;
  /** Another pod has this one's NODE_ID: the pod cannot run. */
  readonly refused: (message: string) => void;
}

export class FleetMember implements FleetEvents {
  readonly conditions: FleetConditions & { connected: boolean; throttleFloor: number };
  private readonly parts: FleetMemberParts;
  private readonly redis: FleetRedis;
  private sync: FleetSync | null = null;
  private claim: NodeJS.Timeout | undefined;

  constructor(target: RedisTarget, parts: FleetMemberParts) {
    this.parts = parts;
    const { config, ledger } = parts;
    this.conditions = {
      connected: false,
      throttleFloor: config.degradedThrottle,
      wonElsewhere: (campaignId, bidId) => this.sync?.won(campaignId, bidId),
    };
    this.redis = new FleetRedis(target, {
      source: `${config.nodeId}-${ledger.id}`,
      leaseMs: LEASE_MS,
      reservationTtlMs: config.reservationTtlMs,
      onUp: () => undefined,
      onDown: () => this.sync?.lost(),
    });
  }

  /** Joins the fleet with the shard's campaigns. */
  join(owner: Shard): void {
    const { config, table, meters, log, readClock } = this.parts;
    this.redis.connect();
    this.redis.subscribeReleased((released) => {
      for (const { campaignId, bidId } of released) owner.wonElsewhere(campaignId, bidId);
    });
    this.sync = new FleetSync({
      redis: this.redis,
      conditions: this.conditions,
      flushMs: config.redisFlushMs,
      degradedThrottle: config.degradedThrottle,
      meters,
      log,
      tracing: this.parts.tracing,
      readClock,
      commit: () => owner.committer.flush(false),
      record: (account) => owner.committer.open.dirty.add(account),
      accountAt: (place) => owner.accountAt(place),
      places: () => owner.places,
      showDegraded: (degraded) => table.setDegraded(degraded),
      restore: async (accounts) =>
        this.redis.restoreSpends(await this.parts.spends(accounts.map(({ campaign }) => campaign))),
      ...(this.parts.shard === 0 ? this.announcements(owner) : {}),
    });
    // A process that died may not have told what it counted last.
    const { shards } = config;
    this.sync.eventsEnded(
      this.parts.ledger.recentEvents(this.parts.shard, shards, EVENT_CLAIM_MS, readClock().wallMs),
      true,
    );
    this.sync.begin();
    if (this.parts.shard !== 0) return;
    this.claimNode();
    this.claim = setInterval(() => this.claimNode(), NODE_CLAIM_RENEWAL_MS);
  }

  /** Tells Redis of a campaign that no pod knows yet. It can do without: then the campaign begins with a pause. */
  async announce(campaign: Campaign): Promise<void> {
    const { log, readClock } = this.parts;
    const { date } = localDayAt(campaign.timezone, readClock().wallMs);
    await this.redis.announce(campaign.id, budgetDay(campaign, date)).catch((error: unknown) => {
      log.debug({ err: error, campaign_id: campaign.id }, 'a new campaign could not be announced');
    });
  }

  get reachable(): boolean {
    return this.sync?.reachable ?? false;
  }

  claimEvents(events: readonly string[]): Promise<readonly number[]> {
    return (
      this.sync?.claimEvents(events) ?? Promise.reject(new Error('the shard has not joined the fleet yet'))
    );
  }

  eventsEnded(events: Iterable<string>, committed: boolean): void {
    this.sync?.eventsEnded(events, committed);
  }

  changed(account: Account, nowMs: number): void {
    this.sync?.mark(account, nowMs);
  }

  refresh(account: Account, known: () => void): void {
    if (this.sync === null) known();
    else this.sync.refresh(account, known);
  }

  /** Leaves the fleet in order; nothing may be on the table any more. */
  async leave(accounts: Iterable<Account>): Promise<void> {
    clearInterval(this.claim);
    const { config, ledger, shard } = this.parts;
    if (shard === 0) await this.redis.giveBackNode(config.nodeId, ledger.id).catch(() => undefined);
    await this.sync?.end(accounts);
  }

  /** The first shard speaks for its pod. */
  private announcements(owner: Shard): Required<Pick<FleetSyncParts, 'missed' | 'found'>> {
    const { config, ledger } = this.parts;
    return {
      missed: (sinceMs) => owner.history.raise(redisLost(config.nodeId, ledger.id, sinceMs)),
      found: (sinceMs, atMs) => {
        owner.history.resolve([redisFound(ledger.id, atMs)], ledger.id, atMs);
        if (sinceMs > 0) owner.history.raise(redisRecovered(config.nodeId, ledger.id, sinceMs, atMs));
      },
    };
  }

  private claimNode(): void {
    const { config, ledger, log, refused } = this.parts;
    this.redis.claimNode(config.nodeId, ledger.id, NODE_CLAIM_MS).then(
      (claim) => {
        if (claim.claimed) return;
        clearInterval(this.claim);
        refused(
          `NODE_ID=${JSON.stringify(config.nodeId)} is not accepted: another pod has it, with the ledger ${claim.ledgerId}; each pod needs its own`,
        );
      },
      (error: unknown) => log.debug({ err: error }, 'the node id could not be claimed yet'),
    );
  }
}
