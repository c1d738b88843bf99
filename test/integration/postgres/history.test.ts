import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AlertChanges } from '../../../src/sinks/postgres/alert-changes.ts';
import type { Sql } from '../../../src/sinks/postgres/client.ts';
import type { Alert, HourTotals } from '../../../src/sinks/postgres/history-rows.ts';
import { HISTORY_BATCH_MAX, HistoryStore } from '../../../src/sinks/postgres/history-store.ts';
import { migrate } from '../../../src/sinks/postgres/migrate.ts';
import { TrafficStore } from '../../../src/sinks/postgres/traffic-store.ts';
import { databaseKinds, startDatabase, type TestDatabase } from '../../support/databases.ts';
import { HOUR_START_MS, someAlert, someBreakerEvent, someHour, somePlan } from '../../support/history.ts';

const HOUR_MS = 3_600_000;
const COUNTERS = ['spendMicros', 'impressions', 'clicks', 'wins', 'asks', 'allowed'] as const;

describe.each(databaseKinds)('history in the %s database', (kind) => {
  let database: TestDatabase;
  let sql: Sql;
  let history: HistoryStore;

  beforeAll(async () => {
    database = await startDatabase(kind);
    sql = database.sql;
    await migrate(sql);
    history = new HistoryStore(database.address);
  });
  afterAll(async () => {
    await history.close();
    await database.remove();
  });
  beforeEach(() => sql`TRUNCATE spend_hourly, pacing_history, breaker_events, alerts`);

  const storedHours = () => sql<HourTotals[]>`
    SELECT campaign_id AS "campaignId", (extract(epoch FROM hour_start) * 1000)::bigint AS "hourStartMs", source,
      local_date::text AS "localDate", extract(hour FROM local_start)::int AS "localHour",
      spend_micros AS "spendMicros", impressions, clicks, wins, asks, allowed
    FROM spend_hourly ORDER BY campaign_id, hour_start, source`;

  it('gives an hour back exactly as it was written', async () => {
    const hours = [
      someHour({ spendMicros: 2 ** 53, asks: 2 ** 53 - 1, clicks: 0 }),
      someHour({ campaignId: 'x:y.z-_1', hourStartMs: HOUR_START_MS - HOUR_MS / 2, localHour: 0 }),
    ];
    await history.writeHours(hours);
    expect(await storedHours()).toEqual(hours);
  });

  it('ends up with the greatest of each counter, however writes are repeated, split and reordered', async () => {
    const hour = fc.record({
      campaignId: fc.constantFrom('a', 'b'),
      hourStartMs: fc.constantFrom(HOUR_START_MS, HOUR_START_MS + HOUR_MS),
      source: fc.constantFrom('pod-a', 'pod-b'),
      ...Object.fromEntries(COUNTERS.map((name) => [name, fc.nat({ max: 2 ** 40 })])),
    });
    const writes = fc
      .array(hour, { minLength: 1, maxLength: 12 })
      .chain((hours) =>
        fc.tuple(fc.constant(hours), fc.shuffledSubarray([...hours, ...hours], { minLength: hours.length })),
      );
    await fc.assert(
      fc.asyncProperty(writes, fc.integer({ min: 1, max: 5 }), async ([hours, again], size) => {
        await sql`TRUNCATE spend_hourly`;
        const rows = [...again, ...hours].map((row) => someHour(row));
        for (let at = 0; at < rows.length; at += size) await history.writeHours(rows.slice(at, at + size));
        expect(await storedHours()).toEqual(greatestOf(rows));
      }),
      { numRuns: 40 },
    );
  });

  it('has the traffic of each five minutes, of all pods, and forgets it after two days', async () => {
    const traffic = new TrafficStore(database.address);
    const at = (minutes: number) => HOUR_START_MS + minutes * 60_000;
    const slot = { campaignId: 'a', asks: 100, allowed: 60, throttle: 0.4, spentMicros: 5_000_000 };
    await traffic.write('pod-a', at(10), [slot, { ...slot, campaignId: 'b' }]);
    await traffic.write('pod-b', at(10), [{ ...slot, asks: 300, throttle: 0.8, spentMicros: 6_000_000 }]);
    await traffic.write('pod-a', at(5), [{ ...slot, asks: 50 }]);
    await traffic.write('pod-a', at(5), [{ ...slot, asks: 40, allowed: 10 }]);
    await traffic.write('pod-a', at(60), [slot]);
    const points = [
      { startMs: at(5), asks: 50, allowed: 60, throttle: expect.closeTo(0.4, 6), spentMicros: 5_000_000 },
      { startMs: at(10), asks: 400, allowed: 120, throttle: expect.closeTo(0.7, 6), spentMicros: 6_000_000 },
    ];
    expect(await traffic.read('a', at(0), at(60))).toEqual(points);
    expect(await traffic.read('a', at(10), at(120))).toEqual([
      points[1],
      { ...points[0], startMs: at(60), asks: 100 },
    ]);
    await traffic.forgetOld(at(60) + 50 * HOUR_MS);
    expect(await traffic.read('a', at(0), at(120))).toHaveLength(1);
    await traffic.close();
  });

  it('leaves a row alone that has nothing new', async () => {
    await history.writeHours([someHour()]);
    const rowOf = async () => (await sql`SELECT ctid::text, xmin::text FROM spend_hourly`)[0]?.ctid;
    const before = await rowOf();
    await history.writeHours([someHour(), someHour({ spendMicros: 1 })]);
    expect(await rowOf()).toBe(before);
  });

  it('takes more rows than one statement does', async () => {
    const hours = Array.from({ length: 2 * HISTORY_BATCH_MAX + 1 }, (_none, at) =>
      someHour({ campaignId: `c${at}`, spendMicros: at }),
    );
    await history.writeHours(hours);
    const [row] = await sql<{ rows: number; spend: number }[]>`
      SELECT count(*) AS rows, sum(spend_micros)::bigint AS spend FROM spend_hourly`;
    expect(row).toEqual({ rows: hours.length, spend: (hours.length * (hours.length - 1)) / 2 });
    await history.writeHours([]);
  });

  it('tells what each source has spent, in all, in the day and in the hour', async () => {
    const yesterday = { hourStartMs: HOUR_START_MS - 24 * HOUR_MS, localDate: '2026-02-28' };
    await history.writeHours([
      someHour({ spendMicros: 1 }),
      someHour({ spendMicros: 20, hourStartMs: HOUR_START_MS - HOUR_MS, localHour: 8 }),
      someHour({ spendMicros: 300, ...yesterday }),
      someHour({ spendMicros: 4_000, ...yesterday, source: 'pod-b' }),
      someHour({ spendMicros: 50_000, campaignId: 'camp-002', hourStartMs: HOUR_START_MS + HOUR_MS }),
      someHour({ spendMicros: 7, campaignId: 'not-asked-for' }),
    ]);
    const now = { countedFromMs: HOUR_START_MS - HOUR_MS, hourStartMs: HOUR_START_MS };
    const asked = ['camp-002', 'camp-001', 'never-spent'].map((campaignId) => ({ campaignId, ...now }));
    expect(await history.spentBySource(asked)).toEqual([
      { campaignId: 'camp-001', source: 'pod-a', totalMicros: 321, dayMicros: 21, hourMicros: 1 },
      { campaignId: 'camp-001', source: 'pod-b', totalMicros: 4_000, dayMicros: 0, hourMicros: 0 },
      { campaignId: 'camp-002', source: 'pod-a', totalMicros: 50_000, dayMicros: 50_000, hourMicros: 0 },
    ]);
    const sinceReset = { ...now, campaignId: 'camp-001', countedFromMs: HOUR_START_MS };
    expect((await history.spentBySource([sinceReset])).map(({ dayMicros }) => dayMicros)).toEqual([1, 0]);
    expect(await history.spentBySource([])).toEqual([]);
  });

  it('sums up local days over hours and sources', async () => {
    await history.writeHours([
      someHour({ spendMicros: 2 ** 52 }),
      someHour({ spendMicros: 2 ** 52 - 1, source: 'pod-b' }),
      someHour({ hourStartMs: HOUR_START_MS + HOUR_MS, spendMicros: 1, localHour: 10 }),
      someHour({ hourStartMs: HOUR_START_MS + 15 * HOUR_MS, spendMicros: 5, localDate: '2026-03-02' }),
    ]);
    const days = await sql`
      SELECT local_date::text AS day, spend_micros, impressions, asks FROM spend_daily ORDER BY local_date`;
    expect(days).toEqual([
      { day: '2026-03-01', spend_micros: 2 ** 53, impressions: 30, asks: 1_200 },
      { day: '2026-03-02', spend_micros: 5, impressions: 10, asks: 400 },
    ]);
  });

  it('keeps the newest plan of an hour, whatever arrives last', async () => {
    const plans = [
      somePlan({ campaignVersion: 2, plannedAtMs: HOUR_START_MS + 1, plannedMicros: 1 }),
      somePlan({ campaignVersion: 2, plannedAtMs: HOUR_START_MS, plannedMicros: 9 }),
      somePlan({ campaignVersion: 1, plannedAtMs: HOUR_START_MS + 9, plannedMicros: 8 }),
    ];
    for (const order of [plans, plans.toReversed(), [plans[1], plans[0], plans[2]]]) {
      await sql`TRUNCATE pacing_history`;
      for (const plan of order) if (plan !== undefined) await history.writePlans([plan]);
      await history.writePlans(plans);
      expect(await sql`SELECT planned_micros, campaign_version FROM pacing_history`).toEqual([
        { planned_micros: 1, campaign_version: 2 },
      ]);
    }
  });

  it('counts a breaker event once that is written again', async () => {
    const trips = [
      someBreakerEvent(),
      someBreakerEvent({ to: 'HALF_OPEN', from: 'OPEN', reason: 'recovery' }),
      someBreakerEvent({ source: 'pod-b' }),
      someBreakerEvent({ atMs: HOUR_START_MS + 2 }),
    ];
    await history.writeBreakerEvents([...trips, ...trips]);
    await history.writeBreakerEvents(trips);
    const stored = await sql`SELECT from_state, to_state, reason, at FROM breaker_events ORDER BY id`;
    expect(stored).toHaveLength(trips.length);
    const { atMs, from, to, reason } = someBreakerEvent();
    expect(stored).toContainEqual({ from_state: from, to_state: to, reason, at: new Date(atMs) });
  });

  it('keeps one alert of each key, and resolves it once', async () => {
    const pod = someAlert({
      dedupeKey: 'degraded:pod-a:7',
      campaignId: null,
      thresholdPercentage: null,
      circuitBreakerState: null,
      alertType: 'degraded',
      severity: 'warning',
    });
    await history.writeAlerts([someAlert(), pod, someAlert()]);
    await history.writeAlerts([{ ...pod, resolvedAtMs: HOUR_START_MS + 5_000 }]);
    await history.writeAlerts([pod, { ...pod, resolvedAtMs: HOUR_START_MS + 9_000 }]);
    const stored = await sql`SELECT dedupe_key, campaign_id, resolved_at FROM alerts ORDER BY dedupe_key`;
    expect(stored).toEqual([
      { dedupe_key: 'breaker:camp-001:2026-03-01', campaign_id: 'camp-001', resolved_at: null },
      { dedupe_key: 'degraded:pod-a:7', campaign_id: null, resolved_at: new Date(HOUR_START_MS + 5_000) },
    ]);
  });

  it('tells a reader of each change of an alert since its mark, once', async () => {
    const changes = new AlertChanges(sql);
    const keysOf = async () =>
      (await changes.look()).map((row) => [row.campaign_id, row.resolved_at !== null]);
    const [before, first, second] = ['before', 'first', 'second'].map((campaignId) =>
      someAlert({ campaignId, dedupeKey: `breaker:${campaignId}` }),
    ) as [Alert, Alert, Alert];
    await history.writeAlerts([before]);
    await changes.mark();
    await history.writeAlerts([first]);
    expect(await keysOf()).toEqual([['first', false]]);
    await history.writeAlerts([second]);
    await history.writeAlerts([{ ...first, resolvedAtMs: HOUR_START_MS + 1_000 }]);
    expect(await keysOf()).toEqual([
      ['first', true],
      ['second', false],
    ]);
    expect(await keysOf()).toEqual([]);
    await changes.mark();
    expect(await keysOf()).toEqual([]);
  });

  it('resolves what a key begins with and was raised by then, once, and nothing else', async () => {
    const raised = [
      someAlert({ dedupeKey: 'breaker:a::1' }),
      someAlert({ dedupeKey: 'breaker:a:pod-a:2' }),
      someAlert({ dedupeKey: 'breaker:a::3', createdAtMs: HOUR_START_MS + 10_000 }),
      someAlert({ dedupeKey: 'breaker:a::4', campaignId: 'camp-002' }),
      someAlert({ dedupeKey: 'redis:pod-a:5', campaignId: null }),
      someAlert({ dedupeKey: 'redis:pod-b:6', campaignId: null }),
    ];
    const over = (campaignId: string | null, keyPrefix: string, afterMs: number) => ({
      campaignId,
      keyPrefix,
      resolvedAtMs: HOUR_START_MS + afterMs,
    });
    const resolutions = [
      over('camp-001', 'breaker:a::', 7_000),
      over('camp-001', 'breaker:a::', 5_000),
      over(null, 'redis:pod-a:', 9_000),
    ];
    await history.writeAlerts(raised);
    await history.resolveAlerts(resolutions);
    await history.resolveAlerts(
      resolutions.map((each) => ({ ...each, resolvedAtMs: each.resolvedAtMs + 100 })),
    );
    const stored = await sql`
      SELECT dedupe_key, extract(epoch FROM resolved_at) * 1000 - ${HOUR_START_MS} AS after FROM alerts
      WHERE resolved_at IS NOT NULL ORDER BY dedupe_key`;
    expect(stored.map(({ dedupe_key, after }) => [dedupe_key, Number(after)])).toEqual([
      ['breaker:a::1', 5_000],
      ['redis:pod-a:5', 9_000],
    ]);
  });
});

/** One row per key, each counter the greatest; in the order of the keys. */
function greatestOf(rows: readonly HourTotals[]): HourTotals[] {
  const byKey = new Map<string, HourTotals>();
  for (const row of rows) {
    const key = `${row.campaignId} ${row.hourStartMs} ${row.source}`;
    const known = byKey.get(key) ?? row;
    const counters = COUNTERS.map((name) => [name, Math.max(known[name], row[name])] as const);
    byKey.set(key, { ...row, ...Object.fromEntries(counters) });
  }
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}
