/** What bidders, operators and scrapers see while a pod has no Redis, and the alerts that stay of it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestFleet } from '../../support/fleet.ts';
import type { TestPod } from '../../support/pod.ts';
import { until } from '../../support/pod-wait.ts';

let fleet: TestFleet;
let pod: TestPod;

beforeAll(async () => {
  fleet = await TestFleet.start(1, { DEGRADED_THROTTLE: 0.7, BREAKER_RECOVERY_MS: 1000 });
  pod = fleet.pod(0);
}, 180_000);

afterAll(async () => {
  await fleet.remove();
});

interface AlertRow {
  readonly alert_type: string;
  readonly severity: string;
  readonly message: string;
  readonly threshold_percentage: number | null;
  readonly circuit_breaker_state: string | null;
  readonly created_at: Date;
  readonly resolved_at: Date | null;
}

function alerts(campaignId: string | null): Promise<AlertRow[]> {
  return fleet.sql<AlertRow[]>`
    SELECT * FROM alerts WHERE campaign_id IS NOT DISTINCT FROM ${campaignId} ORDER BY created_at, id`;
}

describe('a pod without its Redis', () => {
  it('warns in each decision, holds back at least DEGRADED_THROTTLE, says so, and takes it all back', async () => {
    await fleet.createCampaign({ id: 'd', daily_budget_cents: 1_000_000 });
    const gauges = async (): Promise<unknown> => {
      const metrics = await pod.core.metrics();
      return ['pacer_redis_up', 'pacer_degraded'].map((name) => metrics.get(name));
    };
    expect(await gauges()).toEqual([1, 0]);
    expect(await alerts(null)).toEqual([]);
    expect(pod.output).not.toContain('Redis cannot be reached');
    await fleet.redis.stop('SIGKILL');
    const degraded = await until('the pod knows', async () => {
      const health = await fleet.health(pod);
      return health.status === 'degraded' ? health : null;
    });
    expect(degraded).toMatchObject({ redis_healthy: false, postgres_healthy: true });
    expect(Date.parse(String(degraded.degraded_since))).toBeLessThanOrEqual(Date.now());
    expect(await gauges()).toEqual([0, 1]);
    expect(pod.output).toContain('Redis cannot be reached');
    const decision = await until('the throttle holds', async () => {
      const answer = await pod.core.decide('d', 10);
      return answer.throttle_rate >= 0.7 ? answer : null;
    });
    expect(decision).toMatchObject({ warning: 'Operating in degraded mode' });
    await pod.core.spend({ campaign_id: 'd', spend_cents: 3 });
    await until('what Redis lacks is counted', async () => {
      const lag = (await pod.core.metrics()).get('pacer_flush_lag_seconds{sink="redis"}') ?? 0;
      return lag > 0 && Number((await fleet.health(pod)).pending_flush) > 0;
    });
    expect(await pod.core.status('d')).toMatchObject({ degraded: true, daily_spent_cents: 3 });

    await fleet.redis.resume();
    await fleet.healthy(pod);
    expect(await fleet.health(pod)).toMatchObject({ redis_healthy: true, degraded_since: null });
    expect(await gauges()).toEqual([1, 0]);
    await until('nothing waits', async () => {
      const lag = (await pod.core.metrics()).get('pacer_flush_lag_seconds{sink="redis"}');
      return lag === 0 && (await fleet.health(pod)).pending_flush === 0;
    });
    const after = await until('bids are no longer held back', async () => {
      const answer = await pod.core.decide('d', 10);
      return answer.throttle_rate === 0 ? answer : null;
    });
    expect(after).not.toHaveProperty('warning');
    await fleet.agrees('d', 3);
  });

  it('leaves an alert of when it began, resolved when it was over, and one of its end', async () => {
    const raised = await until('both are there', async () => {
      const rows = await alerts(null);
      return rows.length === 2 && rows.every((row) => row.resolved_at !== null) ? rows : null;
    });
    expect(raised).toMatchObject([
      { alert_type: 'redis_lost', severity: 'critical', message: expect.stringContaining('pod-0') },
      { alert_type: 'redis_recovered', severity: 'info' },
    ]);
    expect(raised[0]?.resolved_at).toEqual(raised[1]?.created_at);
  });

  it('raises the alert also when it starts without one, and resolves what it had raised before it was killed', async () => {
    await fleet.redis.stop('SIGKILL');
    await until('it is raised', async () => (await alerts(null)).length === 3);
    await pod.kill();
    await pod.restart();
    await until('it is raised again', async () => (await alerts(null)).length === 4);
    await fleet.redis.resume();
    await until('both are resolved', async () =>
      (await alerts(null)).every((row) => row.resolved_at !== null),
    );
    await fleet.healthy(pod);
  });
});

describe('a breaker that trips', () => {
  /** Beside those of how much of the budget is spent, which management raises in its own time. */
  const breakerAlerts = async (campaignId: string): Promise<AlertRow[]> =>
    (await alerts(campaignId)).filter(({ alert_type }) => alert_type === 'circuit_breaker');

  it('raises one alert, which is resolved when it closes', async () => {
    await fleet.createCampaign({ id: 'b', daily_budget_cents: 1000, breaker_threshold: 0.6 });
    await pod.core.spend({ campaign_id: 'b', spend_cents: 650 });
    const [tripped] = await until('it is raised', async () => {
      const rows = await breakerAlerts('b');
      return rows.length > 0 ? rows : null;
    });
    expect(tripped).toMatchObject({
      severity: 'warning',
      threshold_percentage: 60,
      circuit_breaker_state: 'OPEN',
      resolved_at: null,
    });
    await pod.patchCampaign('b', { daily_budget_cents: 5000 });
    await until('it is resolved', async () =>
      (await breakerAlerts('b')).every((row) => row.resolved_at !== null),
    );
    expect(await breakerAlerts('b')).toHaveLength(1);
  });

  it('raises it also while Postgres is away', async () => {
    await fleet.createCampaign({ id: 'p', daily_budget_cents: 1000, breaker_threshold: 0.5 });
    await fleet.postgres.stop();
    await pod.core.spend({ campaign_id: 'p', spend_cents: 600 });
    await pod.kill();
    await fleet.postgres.resume();
    await pod.restart();
    await until('it is there', async () => (await breakerAlerts('p').catch(() => [])).length === 1);
    await fleet.agrees('p', 600);
  });
});
