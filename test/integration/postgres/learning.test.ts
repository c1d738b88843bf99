import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Campaign } from '../../../src/domain/campaign.ts';
import { DAY_MS, localDayAt, wallMidnight } from '../../../src/domain/local-day.ts';
import { micros } from '../../../src/domain/money.ts';
import { FLEET_SHAPE_ID } from '../../../src/domain/stored-traffic.ts';
import { largestError } from '../../../src/domain/traffic-history.ts';
import { JobPool } from '../../../src/jobs/job-pool.ts';
import { Learning } from '../../../src/management/learning.ts';
import { buildManagementServer } from '../../../src/management/server.ts';
import { Simulations } from '../../../src/management/simulations.ts';
import { AlertStore } from '../../../src/sinks/postgres/alert-store.ts';
import { AuditStore } from '../../../src/sinks/postgres/audit-store.ts';
import { CampaignStore } from '../../../src/sinks/postgres/campaign-store.ts';
import { answered } from '../../../src/sinks/postgres/client.ts';
import { HistoryStore } from '../../../src/sinks/postgres/history-store.ts';
import { LearnedShapeStore } from '../../../src/sinks/postgres/learned-shape-store.ts';
import { migrate } from '../../../src/sinks/postgres/migrate.ts';
import { PerformanceStore } from '../../../src/sinks/postgres/performance-store.ts';
import { someCampaign } from '../../support/campaigns.ts';
import { databaseKinds, startDatabase, type TestDatabase } from '../../support/databases.ts';
import { someHour } from '../../support/history.ts';
import { BUILT_WORKER } from '../../support/job-worker.ts';
import { RecordingShards } from '../../support/recording-shards.ts';

const HOUR_MS = 3_600_000;
const NOON_MS = Date.UTC(2026, 2, 30, 12);
const CREATED_AT = '2026-02-01T09:00:00.000Z';
const evening = (hour: number): number => 1 + 0.9 * Math.cos(((hour - 21) / 12) * Math.PI);
const SHARES = Array.from({ length: 24 }, (_, hour) => evening(hour) / 24);

interface Pod {
  readonly shards: RecordingShards;
  readonly learning: Learning;
  readonly app: FastifyInstance;
}

describe.each(databaseKinds)('what is learned, in the %s database', (kind) => {
  let database: TestDatabase;
  let store: CampaignStore;
  let shapes: LearnedShapeStore;
  let history: HistoryStore;
  let pool: JobPool;
  let nowMs = NOON_MS;

  beforeAll(async () => {
    database = await startDatabase(kind);
    await migrate(database.sql);
    store = new CampaignStore(database.sql);
    shapes = new LearnedShapeStore({ run: (statement) => answered(statement(database.sql)) });
    history = new HistoryStore(database.address);
    pool = new JobPool({ worker: BUILT_WORKER });
  });
  afterAll(async () => {
    await pool.close();
    await history.close();
    await database.remove();
  });
  beforeEach(async () => {
    nowMs = NOON_MS;
    await database.sql`TRUNCATE campaigns, spend_hourly, pacing_history, learned_shapes, learning_runs`;
  });

  function pod(name: string): Pod {
    const { sql, address } = database;
    const shards = new RecordingShards();
    const log = pino({ level: 'silent' });
    const clock = (): number => nowMs;
    const learning = new Learning({ pool, store: shapes, shards, address, pod: name, log, nowMs: clock });
    const pacing = { reservationTtlMs: 120_000, breakerRecoveryMs: 300_000, breakerProbes: 2 };
    const simulations = new Simulations({ pool, store, shapes, shards, pacing, nowMs: clock });
    const app = buildManagementServer({
      store,
      audit: new AuditStore(sql),
      performance: new PerformanceStore(sql),
      alerts: new AlertStore(sql),
      shards,
      inFleet: false,
      apiTokens: [],
      corsOrigins: [],
      health: () => ({ statusCode: 200, body: '{}' }),
      summary: () => {
        throw new Error('not asked for here');
      },
      knowledge: { shapes, learning, simulations },
      log,
      bodyBytesMax: 100_000,
    });
    return { shards, learning, app };
  }

  async function add(changes: Partial<Campaign>): Promise<Campaign> {
    const campaign = someCampaign({
      createdAt: CREATED_AT,
      dailyBudgetMicros: micros(10_000_000),
      ...changes,
    });
    await store.insert(campaign);
    return campaign;
  }

  /** Whole days of two sources before today: every tenth ask allowed, every fifth of those won at a cent. */
  async function spend(campaign: Campaign, days: number): Promise<void> {
    const today = localDayAt(campaign.timezone, nowMs);
    const rows = [];
    for (let back = 1; back <= days; back++) {
      const date = new Date((wallMidnight(today.date) ?? 0) - back * DAY_MS).toISOString().slice(0, 10);
      for (let hour = 0; hour < 24; hour++) {
        for (const source of ['pod-a', 'pod-b']) {
          const asks = Math.round(500 * evening(hour));
          rows.push(
            someHour({
              campaignId: campaign.id,
              source,
              hourStartMs: today.startMs - back * DAY_MS + hour * HOUR_MS,
              localDate: date,
              localHour: hour,
              asks,
              allowed: Math.round(asks / 10),
              wins: Math.round(asks / 50),
              spendMicros: Math.round(asks / 50) * 10_000,
            }),
          );
        }
      }
    }
    await history.writeHours(rows);
  }

  async function call(app: FastifyInstance, method: 'GET' | 'POST', url: string, body?: object) {
    const payload = body === undefined ? {} : { payload: JSON.stringify(body) };
    const reply = await app.inject({ method, url, ...payload });
    return { status: reply.statusCode, headers: reply.headers, body: reply.json() };
  }

  it('is looked for of campaigns that had a whole local day, and of no others', async () => {
    const timezone = 'America/New_York';
    // In New York, the first is of the evening of the 27th, the second of the 28th.
    await add({ id: 'whole', timezone, createdAt: '2026-03-28T03:30:00.000Z' });
    await add({ id: 'young', timezone, createdAt: '2026-03-28T04:30:00.000Z' });
    await add({ id: 'elsewhere', timezone: 'UTC' });
    expect(await shapes.campaigns(timezone, '2026-03-29', '')).toEqual([
      { id: 'whole', since: '2026-03-28' },
    ]);
    expect((await shapes.campaigns(timezone, '2026-03-30', '')).map(({ id }) => id)).toEqual([
      'whole',
      'young',
    ]);
  });

  it('is the shape of the last four weeks over all pods, and reaches the shards', async () => {
    await spend(await add({ id: 'camp-001' }), 20);
    const { learning, shards } = pod('pod-a');
    await learning.turn();
    const stored = await shapes.get('camp-001');
    expect(stored).toMatchObject({ wholeDays: 20, throughDate: '2026-03-29' });
    for (const hours of stored?.asks ?? []) expect(largestError(hours, SHARES)).toBeLessThan(0.03);
    expect(stored?.backtest).toMatchObject({ date: '2026-03-29', days: 7 });
    expect(stored?.backtest?.error).toBeLessThan(0.05);
    expect(shards.learned.get('camp-001')?.asks).toHaveLength(7);
    expect(shards.learned.has(FLEET_SHAPE_ID)).toBe(true);
  });

  it('is learned by one pod a day and zone, and heard of by the others', async () => {
    await spend(await add({ id: 'camp-001' }), 3);
    await spend(await add({ id: 'camp-002', timezone: 'Asia/Tokyo' }), 3);
    const [first, second] = [pod('pod-a'), pod('pod-b')];
    await first.learning.turn();
    const runs = await database.sql`SELECT timezone, claimed_by, campaigns, finished_at FROM learning_runs`;
    expect(runs.map((run) => [run.timezone, run.claimed_by, run.campaigns]).sort()).toEqual([
      ['Asia/Tokyo', 'pod-a', 1],
      ['UTC', 'pod-a', 1],
    ]);
    const learnedAtMs = (await shapes.get('camp-001'))?.learnedAtMs;
    nowMs += 3_600_000;
    await second.learning.turn();
    expect([...second.shards.learned.keys()].sort()).toEqual([FLEET_SHAPE_ID, 'camp-001', 'camp-002']);
    expect((await shapes.get('camp-001'))?.learnedAtMs).toBe(learnedAtMs);
  });

  it('is learned anew when the zone’s next day has begun, and not within its first minutes', async () => {
    await spend(await add({ id: 'camp-001' }), 3);
    const { learning } = pod('pod-a');
    await learning.turn();
    nowMs = Date.UTC(2026, 2, 31, 0, 9);
    await learning.turn();
    expect((await shapes.get('camp-001'))?.learnedAtMs).toBe(NOON_MS);
    nowMs = Date.UTC(2026, 2, 31, 0, 20);
    await learning.turn();
    expect((await shapes.get('camp-001'))?.learnedAtMs).toBe(nowMs);
  });

  it('is taken over by another pod when the one that claimed it went away', async () => {
    await spend(await add({ id: 'camp-001' }), 3);
    expect(await shapes.claim('UTC', '2026-03-30', 'pod-gone')).toBe(true);
    const { learning } = pod('pod-b');
    await learning.turn();
    expect(await shapes.get('camp-001')).toBeNull();
    await database.sql`UPDATE learning_runs SET claimed_at = claimed_at - interval '1 hour'`;
    nowMs += 600_000;
    await learning.turn();
    expect(await shapes.get('camp-001')).not.toBeNull();
  });

  it('leaves out the day a campaign was created in and the day that runs', async () => {
    const campaign = await add({ id: 'camp-001', createdAt: '2026-03-28T15:00:00.000Z' });
    await spend(campaign, 10);
    await pod('pod-a').learning.turn();
    expect(await shapes.get('camp-001')).toMatchObject({ wholeDays: 1, throughDate: '2026-03-29' });
  });

  it('is learned on demand, shown with its quality, and told with the performance', async () => {
    await spend(await add({ id: 'camp-001' }), 10);
    const { app, shards } = pod('pod-a');
    const before = await call(app, 'GET', '/pacing/shape/camp-001');
    expect(before.body).toMatchObject({ source: 'default', whole_days: 0, backtest: null });
    const learned = await call(app, 'POST', '/pacing/learn/camp-001');
    expect(learned.status, JSON.stringify(learned.body)).toBe(200);
    expect(learned.body).toMatchObject({ source: 'learned', whole_days: 10, through_date: '2026-03-29' });
    expect(shards.learned.has('camp-001')).toBe(true);
    expect((await call(app, 'GET', '/pacing/shape/camp-001')).body).toEqual(learned.body);
    const { headers } = await call(app, 'GET', '/performance/camp-001');
    expect(Number(headers['x-forecast-error'])).toBeLessThan(0.05);
  });

  it('refuses to learn what there is no day of, and of unknown campaigns', async () => {
    await add({ id: 'camp-001' });
    const { app } = pod('pod-a');
    expect(await call(app, 'POST', '/pacing/learn/camp-001')).toMatchObject({
      status: 409,
      body: { error: { code: 'nothing_learned' } },
    });
    expect((await call(app, 'POST', '/pacing/learn/nobody')).status).toBe(404);
    expect((await call(app, 'GET', '/pacing/shape/nobody')).status).toBe(404);
  });

  it('is what a simulation runs on: the level and the pattern of the last days', async () => {
    const campaign = await add({ id: 'camp-001', pacingMode: 'ADAPTIVE' });
    await spend(campaign, 10);
    const { app, shards, learning } = pod('pod-a');
    await shards.upsert(campaign);
    await learning.turn();
    const { status, body } = await call(app, 'POST', '/pacing/simulate', {
      campaign_id: 'camp-001',
      start_at: '2026-03-31',
      hours_ahead: 24,
      compare: [{ pacing_mode: 'EVEN' }],
    });
    expect(status, JSON.stringify(body)).toBe(200);
    expect(body.traffic).toMatchObject({ source: 'history', pattern: 'learned', asks_per_day: 24_000 });
    expect(body.slots).toHaveLength(24);
    const planned = body.slots.map((slot: { planned_spend_cents: number }) => slot.planned_spend_cents);
    expect(largestError(planned, SHARES)).toBeLessThan(0.03);
    expect(body.compared[0]).toMatchObject({ pacing_mode: 'EVEN' });
  });

  it('replays a past day, beside what was spent on it', async () => {
    const campaign = await add({ id: 'camp-001', dailyBudgetMicros: micros(2_000_000) });
    await spend(campaign, 10);
    const { app } = pod('pod-a');
    const { status, body } = await call(app, 'POST', '/pacing/simulate', {
      campaign_id: 'camp-001',
      backtest_date: '2026-03-28',
      compare: [{ pacing_mode: 'ASAP' }],
    });
    expect(status, JSON.stringify(body)).toBe(200);
    expect(body.starts_at).toBe('2026-03-28T00:00:00.000Z');
    expect(body.actual_spend_cents).toBeCloseTo(480, -1);
    expect(body.slots[21].actual_spend_cents).toBeGreaterThan(30);
    expect(body.total_spend_cents).toBeLessThanOrEqual(200);
    expect(body.total_spend_cents).toBeGreaterThan(180);
    expect(body.compared[0].exhaustion_at).not.toBeNull();
  });

  it.each([
    [{}, 'campaign_id'],
    [{ campaign_id: 'camp-001', campaign: { name: 'x', daily_budget_cents: 1 } }, 'campaign_id'],
    [{ campaign_id: 'camp-001', hours_ahead: 0 }, 'hours_ahead'],
    [{ campaign_id: 'camp-001', hours_ahead: 169 }, 'hours_ahead'],
    [{ campaign_id: 'camp-001', traffic_pattern: [1, 2] }, 'traffic_pattern'],
    [{ campaign_id: 'camp-001', traffic_pattern: 'weekly' }, 'traffic_pattern'],
    [{ campaign_id: 'camp-001', traffic_pattern: new Array(24).fill(0) }, 'traffic_pattern'],
    [{ campaign_id: 'camp-001', traffic_pattern: new Array(24).fill('1') }, 'traffic_pattern'],
    [{ campaign_id: 'camp-001', pacing_mode: 'FAST' }, 'pacing_mode'],
    [{ campaign_id: 'camp-001', compare: [{ budget: 1 }] }, 'compare[0].budget'],
    [{ campaign_id: 'camp-001', compare: new Array(4).fill({}) }, 'compare'],
    [{ campaign_id: 'camp-001', traffic: { win_rate: 2 } }, 'traffic.win_rate'],
    [{ campaign_id: 'camp-001', start_at: 'tomorrow' }, 'start_at'],
    [{ campaign_id: 'camp-001', slot_minutes: 7 }, 'slot_minutes'],
    [{ campaign_id: 'camp-001', seed: -1 }, 'seed'],
    [{ campaign_id: 'camp-001', backtest_date: '2026-03-30' }, 'backtest_date'],
    [{ campaign_id: 'camp-001', backtest_date: '2026-02-10' }, 'backtest_date'],
    [{ campaign_id: 'camp-001', backtest_date: '2026-03-28', hours_ahead: 5 }, 'hours_ahead'],
    [{ campaign: { name: 'x', daily_budget_cents: -1 } }, 'campaign.daily_budget_cents'],
    [{ campaign: { name: 'x', daily_budget_cents: 1 }, backtest_date: '2026-03-28' }, 'backtest_date'],
  ])('refuses the simulation %j', async (body, field) => {
    await add({ id: 'camp-001' });
    const reply = await call(pod('pod-a').app, 'POST', '/pacing/simulate', body);
    expect(reply.status, JSON.stringify(reply.body)).toBe(400);
    expect(reply.body.error).toMatchObject({ code: 'invalid_request', field });
    expect(reply.body.error.message).toContain(field.split('.')[0]?.split('[')[0]);
  });
});
