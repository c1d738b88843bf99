/** Sources of a fleet for tests: requests with little in them, clients under a clock of the test's own. */
import { FleetRedis, type FleetRedisOptions } from '../../src/sinks/redis/fleet-redis.ts';
import type { LeaseAnswer } from '../../src/sinks/redis/lease-pipeline.ts';
import type { LeaseReply, LeaseRequest } from '../../src/sinks/redis/lease-request.ts';
import type { RedisTarget } from '../../src/sinks/redis/redis-target.ts';
import { until } from './pod-wait.ts';

export const LEASE_MS = 3_000;
export const RESERVATION_TTL_MS = 20_000;
/** How long Redis keeps the lease of a source that is silent: lease, reservations, and the margin. */
export const HOLD_MS = LEASE_MS + RESERVATION_TTL_MS + 5_000;

let campaigns = 0;

const CAMPAIGNS_AT_ONCE = 100;
/** The day of a request that names none. */
const TODAY = '2026-11-22';

/** An id that no other test uses. */
export function newCampaignId(): string {
  campaigns += 1;
  return `camp-${process.pid}-${campaigns}`;
}

/** A campaign that was announced: its leases are dealt at once. */
export async function newCampaign(client: FleetRedis): Promise<string> {
  const campaignId = newCampaignId();
  await client.announce(campaignId, TODAY);
  return campaignId;
}

/** Many of them, a few at a time: Redis is to answer each within its time on a busy machine too. */
export async function newCampaigns(client: FleetRedis, count: number): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < count) {
    const some = Math.min(CAMPAIGNS_AT_ONCE, count - ids.length);
    ids.push(...(await Promise.all(Array.from({ length: some }, () => newCampaign(client)))));
  }
  return ids;
}

/** A request of a source that has nothing and wants nothing, of a campaign with a budget of 1,000. */
export function someRequest(part: Partial<LeaseRequest> & Pick<LeaseRequest, 'campaignId'>): LeaseRequest {
  const { spentDayMicros = 0, wantMicros = 0 } = part;
  const floorMicros = part.floorMicros ?? spentDayMicros;
  return {
    day: TODAY,
    hour: 14,
    version: 1,
    dailyBudgetMicros: 1_000,
    totalBudgetMicros: null,
    spentHourMicros: spentDayMicros,
    spentTotalMicros: spentDayMicros,
    heldMicros: 0,
    capMicros: floorMicros + wantMicros,
    largestBidMicros: 0,
    asks: 0,
    askedMicros: 0,
    allowedMicros: 0,
    wins: 0,
    ...part,
    spentDayMicros,
    floorMicros,
    wantMicros,
  };
}

/** The time that Redis is told, and the clients made with it. */
export class TestFleet {
  nowMs = 1_795_000_000_000;
  readonly #target: RedisTarget;
  readonly #clients: FleetRedis[] = [];

  constructor(target: RedisTarget) {
    this.#target = target;
  }

  /** A source that is connected and goes by the test's clock. */
  source(source: string): Promise<FleetRedis> {
    return this.connected({ source, nowMs: () => this.nowMs });
  }

  async connected(
    options: Partial<FleetRedisOptions> & Pick<FleetRedisOptions, 'source'>,
  ): Promise<FleetRedis> {
    const client = this.open(options);
    await until(`${options.source} is connected`, () => answers(client));
    return client;
  }

  open(options: Partial<FleetRedisOptions> & Pick<FleetRedisOptions, 'source'>): FleetRedis {
    const client = new FleetRedis(this.#target, {
      leaseMs: LEASE_MS,
      reservationTtlMs: RESERVATION_TTL_MS,
      onUp: () => {},
      onDown: () => {},
      ...options,
    });
    this.#clients.push(client);
    client.connect();
    return client;
  }

  close(): void {
    for (const client of this.#clients.splice(0)) client.close();
  }
}

/** Whether it answers a ping. */
export function answers(client: FleetRedis): Promise<boolean> {
  return client.ping().then(
    () => true,
    () => false,
  );
}

/** One campaign's flush. @throws what stood in the reply's place */
export async function syncOne(
  client: FleetRedis,
  part: Partial<LeaseRequest> & Pick<LeaseRequest, 'campaignId'>,
): Promise<LeaseReply> {
  return replyOf((await client.sync([someRequest(part)]))[0]);
}

/** @throws what stood in the reply's place */
export function replyOf(answer: LeaseAnswer | undefined): LeaseReply {
  if (answer === undefined) throw new Error('no answer');
  if (answer instanceof Error) throw answer;
  return answer;
}
