/** What may become of a fleet's Postgres under load: bidders notice nothing, operators are told to come back. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestFleet } from '../../support/fleet.ts';
import { FleetLoad } from '../../support/fleet-load.ts';
import { until } from '../../support/pod-wait.ts';

const BUDGET = 1_000_000;
let fleet: TestFleet;

beforeAll(async () => {
  fleet = await TestFleet.start(2);
}, 180_000);

afterAll(async () => {
  await fleet.remove();
});

/** Starts bidding on a new campaign and waits until it is under way. */
async function bidding(id: string): Promise<FleetLoad> {
  await fleet.createCampaign({ id, daily_budget_cents: BUDGET, breaker_threshold: 1 });
  const load = new FleetLoad(id, 5);
  load.start(fleet.pods);
  await load.wonMore(30);
  return load;
}

async function changesAreRefused(id: string): Promise<void> {
  const reply = await fleet.pod(0).api.request('PATCH', `/campaigns/${id}`, { name: 'other' });
  expect(reply.status).toBe(503);
  expect(reply.headers['retry-after']).toBeDefined();
}

async function changesAreTaken(id: string): Promise<void> {
  await until('a change is taken', async () => {
    return (await fleet.pod(0).api.request('PATCH', `/campaigns/${id}`, { name: 'other' })).status === 200;
  });
}

describe('under load, a Postgres', () => {
  it('that crashes and comes back gets all of the history, and changes of campaigns are refused meanwhile', async () => {
    const load = await bidding('crashed');
    await fleet.postgres.stop('SIGKILL');
    for (const pod of fleet.pods) {
      await until('the pod knows', async () => (await fleet.health(pod)).postgres_healthy === false);
    }
    await changesAreRefused('crashed');
    await load.wonMore(100);
    const lag = (await fleet.pod(0).core.metrics()).get('pacer_flush_lag_seconds{sink="postgres"}');
    expect(lag).toBeGreaterThan(0);
    expect(load.refused).toBe(0);
    await fleet.postgres.resume();
    await load.wonMore(30);
    await load.stop();
    expect(load.wrong).toEqual([]);
    await changesAreTaken('crashed');
    await fleet.agrees('crashed', load.answeredCents);
    for (const pod of fleet.pods) await fleet.healthy(pod);
  });

  it('that is read-only for a while does so too, also when a pod is killed before it can be written again', async () => {
    const load = await bidding('read-only');
    await fleet.sql`ALTER SYSTEM SET default_transaction_read_only = on`;
    await fleet.sql`SELECT pg_reload_conf()`;
    await until('changes are refused', async () => {
      const reply = await fleet.pod(0).api.request('PATCH', '/campaigns/read-only', { name: 'other' });
      return reply.status === 503;
    });
    await changesAreRefused('read-only');
    await load.wonMore(100);
    await load.stop();
    await fleet.pod(1).kill();
    await fleet.pod(1).restart();
    await fleet.sql.begin(async (sql) => {
      await sql`SET TRANSACTION READ WRITE`;
    });
    await fleet.sql`ALTER SYSTEM RESET default_transaction_read_only`;
    await fleet.sql`SELECT pg_reload_conf()`;
    expect(load.wrong).toEqual([]);
    expect(load.refused).toBe(0);
    await changesAreTaken('read-only');
    // Nobody spends any more: what the killed pod had not told is told by itself.
    await fleet.agrees('read-only', load.answeredCents);
  });
});
