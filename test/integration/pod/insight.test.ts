import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestPod } from '../../support/pod.ts';
import { until } from '../../support/pod-wait.ts';
import { TestPostgres } from '../../support/postgres.ts';

interface AlertBody {
  readonly id: number;
  readonly threshold_percentage: number | null;
  readonly alert_type: string;
  readonly resolved_at: string | null;
}

describe('what a pod knows of its campaigns', () => {
  let postgres: TestPostgres;
  let pod: TestPod;

  beforeAll(async () => {
    postgres = await TestPostgres.start();
    pod = await TestPod.start({
      env: { DATABASE_URL: postgres.url, POSTGRES_FLUSH_MS: 200, EDGE_THREADS: 2, SHARDS: 2 },
    });
  });
  afterAll(async () => {
    await pod.remove();
    await postgres.remove();
  });

  /** The thresholds of the budget alerts that stand. */
  async function standing(id: string): Promise<(number | null)[]> {
    const { body } = await pod.api.request<AlertBody[]>('GET', `/alerts/${id}?unresolved_only=true`);
    const budget = body.filter(({ alert_type }) => alert_type === 'budget_threshold');
    return budget.map((alert) => alert.threshold_percentage).sort((a, b) => Number(a) - Number(b));
  }
  const standingAre = (id: string, thresholds: number[]) =>
    until(`the budget alerts ${thresholds} of ${id} stand`, async () => {
      return JSON.stringify(await standing(id)) === JSON.stringify(thresholds);
    });

  it('tells what an hour was planned to spend and did spend', async () => {
    await pod.createCampaign({ id: 'hour', daily_budget_cents: 100_000, pacing_mode: 'EVEN' });
    await pod.core.spend({ campaign_id: 'hour', spend_cents: 12.5, impressions: 3, clicks: 2 });
    const row = await until('the hour is on record', async () => {
      const { body } = await pod.api.request<Record<string, number>[]>('GET', '/performance/hour');
      return body.find((hour) => hour.actual_spend_cents === 12.5 && Number(hour.planned_spend_cents) > 0);
    });
    expect(row).toMatchObject({ impressions: 3, clicks: 2 });
    expect(row.planned_spend_cents).toBeGreaterThan(12.5);
    expect(row.pacing_accuracy).toBeCloseTo(12.5 / Number(row.planned_spend_cents), 3);
  });

  it('alerts as a budget is used up, and takes back what a higher budget makes untrue, also over a restart', async () => {
    await pod.createCampaign({ id: 'used', daily_budget_cents: 100, breaker_threshold: 1 });
    await pod.core.decide('used', 1);
    await pod.core.spend({ campaign_id: 'used', spend_cents: 85 });
    await standingAre('used', [50, 80]);
    await pod.core.spend({ campaign_id: 'used', spend_cents: 15 });
    await standingAre('used', [50, 80, 90, 95, 100]);
    await pod.stop();
    await pod.restart();
    await pod.patchCampaign('used', { daily_budget_cents: 120 });
    await standingAre('used', [50, 80]);
    const { body } = await pod.api.request<AlertBody[]>('GET', '/alerts/used');
    const alert = body.find(({ threshold_percentage, resolved_at }) => {
      return threshold_percentage === 80 && resolved_at === null;
    });
    expect((await pod.api.request('POST', `/alerts/${alert?.id}/resolve`)).status).toBe(200);
    expect(await standing('used')).toEqual([50]);
  });

  it('remembers the traffic of before its restart', async () => {
    const { body } = await pod.api.request<Record<string, unknown>[]>('GET', '/pacing/traffic/used');
    expect(body).toMatchObject([{ seconds: 300, asks: 1, allowed: 1, spent_cents: 100 }]);
  });

  it('says that a budget below what is spent stops the spending', async () => {
    await pod.createCampaign({ id: 'cut', daily_budget_cents: 100, breaker_threshold: 1 });
    await pod.core.spend({ campaign_id: 'cut', spend_cents: 60 });
    const adjust = async (daily: number, total: number | null = null) => {
      const body = { campaign_id: 'cut', new_daily_budget_cents: daily, new_total_budget_cents: total };
      return (await pod.api.request<{ warning?: string }>('POST', '/budget/adjust', body)).body.warning;
    };
    expect(await adjust(50)).toBe(
      '60 cents of the daily budget are spent already: spending stops until tomorrow',
    );
    expect((await pod.core.decide('cut', 1)).allow_bid).toBe(false);
    expect(await adjust(200, 30)).toBe('60 cents of the total budget are spent already: spending stops');
    expect(await adjust(200)).toBeUndefined();
    expect((await pod.core.decide('cut', 1)).allow_bid).toBe(true);
    expect(await adjust(0)).toBe('the daily budget is 0: nothing is spent');
    expect(await adjust(200, 0)).toBe('the total budget is 0: nothing is spent');
  });

  it('says so of a PATCH and a PUT that set the budgets, and not of other changes', async () => {
    await pod.createCampaign({ id: 'trimmed', daily_budget_cents: 100, breaker_threshold: 1 });
    await pod.core.spend({ campaign_id: 'trimmed', spend_cents: 60 });
    const change = async (method: 'PATCH' | 'PUT', body: object) =>
      (await pod.api.request<{ warning?: string }>(method, '/campaigns/trimmed', body)).body.warning;
    const stopped = '60 cents of the daily budget are spent already: spending stops until tomorrow';
    expect(await change('PATCH', { daily_budget_cents: 50 })).toBe(stopped);
    expect(await change('PATCH', { name: 'Trimmed' })).toBeUndefined();
    expect(await change('PUT', { name: 'Trimmed', daily_budget_cents: 60 })).toBe(stopped);
    expect(await change('PUT', { name: 'Trimmed', daily_budget_cents: 61 })).toBeUndefined();
    expect(await change('PATCH', { total_budget_cents: 60 })).toBe(
      '60 cents of the total budget are spent already: spending stops',
    );
  });

  it('starts a day anew: the budget may be spent again, the history stays', async () => {
    await pod.createCampaign({ id: 'again', daily_budget_cents: 100 });
    await pod.core.spend({ campaign_id: 'again', spend_cents: 100 });
    expect((await pod.core.decide('again', 1)).reason).toBe('budget_exhausted');
    await standingAre('again', [50, 80, 90, 95, 100]);
    const reset = await pod.api.request('POST', '/budget/reset/again');
    expect(reset).toMatchObject({
      status: 200,
      body: { daily_spent_cents: 0, total_spent_cents: 100, circuit_breaker_state: 'CLOSED' },
    });
    await standingAre('again', []);
    expect((await pod.core.decide('again', 40)).allow_bid).toBe(true);
    await pod.core.spend({ campaign_id: 'again', spend_cents: 40 });
    await pod.core.spend({ campaign_id: 'again', spend_cents: 20 });
    await standingAre('again', [50]);
    await pod.kill();
    await pod.restart();
    expect(await pod.core.status('again')).toMatchObject({ daily_spent_cents: 60, total_spent_cents: 160 });
    await until('the history has both counts', async () => {
      const { body } = await pod.api.request<Record<string, number>[]>('GET', '/performance/again');
      return body.reduce((sum, row) => sum + Number(row.actual_spend_cents), 0) === 160;
    });
  });

  it('sums up its traffic', async () => {
    await pod.createCampaign({ id: 'busy', daily_budget_cents: 1_000_000 });
    const summary = await until('decisions have a rate', async () => {
      for (let bid = 0; bid < 50; bid++) await pod.core.decide('busy', 1);
      const { body } = await pod.api.request<Record<string, number>>('GET', '/metrics/summary');
      return Number(body.decisions_per_second) > 0 && body;
    });
    expect(summary).toMatchObject({ degraded: false, total_circuit_trips: expect.any(Number) });
    expect(summary.active_campaigns).toBeGreaterThanOrEqual(1);
    await pod.core.spend({ campaign_id: 'busy', spend_cents: 500_000 });
    await until('the spend is in the sum', async () => {
      const { body } = await pod.api.request<Record<string, number>>('GET', '/metrics/summary');
      return Number(body.total_spend_today_cents) >= 500_000;
    });
  });
});
