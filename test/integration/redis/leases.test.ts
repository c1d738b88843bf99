import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { FleetRedis } from '../../../src/sinks/redis/fleet-redis.ts';
import { GRACE_MS } from '../../../src/sinks/redis/lease-script.ts';
import { TestRedis } from '../../support/redis.ts';
import {
  HOLD_MS,
  newCampaign,
  newCampaignId,
  newCampaigns,
  replyOf,
  someRequest,
  syncOne,
  TestFleet,
} from '../../support/redis-fleet.ts';

let server: TestRedis;
let fleet: TestFleet;
let campaignId: string;
let a: FleetRedis;
let b: FleetRedis;

beforeAll(async () => {
  server = await TestRedis.start();
  await server.aged();
});
afterAll(() => server.remove());
beforeEach(async () => {
  fleet = new TestFleet(server.target);
  a = await fleet.source('a');
  campaignId = await newCampaign(a);
  b = await fleet.source('b');
});
afterEach(() => fleet.close());

describe('a lease', () => {
  it('is what a source wants above its floor while the budget has enough for all', async () => {
    expect(await syncOne(a, { campaignId, spentDayMicros: 100, floorMicros: 150, wantMicros: 200 })).toEqual({
      leaseMicros: 350,
      fleetSpentDayMicros: 100,
      fleetSpentHourMicros: 100,
      fleetSpentTotalMicros: 100,
      fleetAsks: 0,
      fleetAskedMicros: 0,
      fleetAllowedMicros: 0,
      fleetWins: 0,
      liveSources: 1,
      partMicros: -1,
      budgetMicros: 1_000,
      wiped: false,
    });
  });

  it('is dealt in equal parts when the budget is scarce, and leases never pass it together', async () => {
    expect(await syncOne(a, { campaignId, wantMicros: 700 })).toMatchObject({
      leaseMicros: 700,
      partMicros: -1,
    });
    expect(await syncOne(b, { campaignId, wantMicros: 700 })).toMatchObject({
      leaseMicros: 300,
      partMicros: 500,
    });
    const lowered = { campaignId, heldMicros: 700, capMicros: 500, wantMicros: 700 };
    expect(await syncOne(a, lowered)).toMatchObject({ leaseMicros: 500, partMicros: 500 });
    expect(await syncOne(b, { campaignId, heldMicros: 300, wantMicros: 700 })).toMatchObject({
      leaseMicros: 500,
    });
  });

  it('goes round in whole bids, a second each, when a part would not hold two of the largest bid', async () => {
    const wants = { campaignId, wantMicros: 900, largestBidMicros: 600 };
    fleet.nowMs = Math.ceil(fleet.nowMs / 2_000) * 2_000;
    expect(await syncOne(a, wants)).toMatchObject({ leaseMicros: 900, partMicros: -1 });
    expect(await syncOne(b, wants)).toMatchObject({ leaseMicros: 0, partMicros: 0 });
    expect(await syncOne(a, { ...wants, heldMicros: 900 })).toMatchObject({ partMicros: 1_000 });
    fleet.nowMs += 1_000;
    expect(await syncOne(a, { ...wants, heldMicros: 900, capMicros: 0 })).toMatchObject({
      leaseMicros: 0,
      partMicros: 0,
    });
    expect(await syncOne(b, wants)).toMatchObject({ leaseMicros: 900, partMicros: 1_000 });
  });

  it('is never taken from a source that may be using it, whatever others want or the budget becomes', async () => {
    await syncOne(a, { campaignId, wantMicros: 800 });
    await syncOne(b, { campaignId, wantMicros: 1_000 });
    const cut = { campaignId, version: 2, dailyBudgetMicros: 500, heldMicros: 800, wantMicros: 800 };
    expect(await syncOne(a, cut)).toMatchObject({ leaseMicros: 800, budgetMicros: 500 });
    expect(await syncOne(b, { campaignId, heldMicros: 200, wantMicros: 300 })).toMatchObject({
      leaseMicros: 200,
    });
  });

  it('falls to what is spent or in flight when its pod lowers its cap below that', async () => {
    await syncOne(a, { campaignId, wantMicros: 800 });
    const lowered = { campaignId, spentDayMicros: 100, floorMicros: 300, heldMicros: 800, capMicros: 0 };
    expect((await syncOne(a, lowered)).leaseMicros).toBe(300);
  });

  it('of a silent source is kept from the others until its hold ends, then only what it spent', async () => {
    await syncOne(a, { campaignId, wantMicros: 800, spentDayMicros: 50 });
    fleet.nowMs += HOLD_MS - 1;
    expect(await syncOne(b, { campaignId, wantMicros: 1_000 })).toMatchObject({
      leaseMicros: 150,
      liveSources: 2,
    });
    fleet.nowMs += 1;
    expect(await syncOne(b, { campaignId, heldMicros: 150, wantMicros: 1_000 })).toMatchObject({
      leaseMicros: 950,
      liveSources: 1,
      fleetSpentDayMicros: 50,
    });
  });

  it('is not honoured any more after its hold, only what is in flight of it', async () => {
    await syncOne(a, { campaignId, wantMicros: 800, spentDayMicros: 50 });
    fleet.nowMs += HOLD_MS;
    expect((await syncOne(b, { campaignId, wantMicros: 500 })).leaseMicros).toBe(500);
    const back = { campaignId, spentDayMicros: 50, floorMicros: 70, heldMicros: 850, wantMicros: 800 };
    expect(await syncOne(a, back)).toMatchObject({ wiped: false, leaseMicros: 500 });
  });

  it('is given back at an orderly end, except for what is in flight', async () => {
    await syncOne(a, { campaignId, wantMicros: 900 });
    const [released] = await a.release([
      someRequest({ campaignId, spentDayMicros: 100, floorMicros: 300, heldMicros: 900, wantMicros: 900 }),
    ]);
    expect(replyOf(released).leaseMicros).toBe(300);
    expect(await syncOne(b, { campaignId, wantMicros: 1_000 })).toMatchObject({
      leaseMicros: 700,
      liveSources: 1,
    });
    fleet.nowMs += HOLD_MS - 1;
    expect((await syncOne(b, { campaignId, heldMicros: 700, wantMicros: 1_000 })).leaseMicros).toBe(700);
    fleet.nowMs += 1;
    expect((await syncOne(b, { campaignId, heldMicros: 700, wantMicros: 1_000 })).leaseMicros).toBe(900);
  });
});

describe('a lost or late message', () => {
  it('does no harm: the reply that was lost is granted again', async () => {
    await syncOne(a, { campaignId, wantMicros: 600 });
    expect((await syncOne(a, { campaignId, wantMicros: 600 })).leaseMicros).toBe(600);
  });

  it('is refused when a newer one of the same source was heard, and the next one is newer again', async () => {
    const restarted = await fleet.source('a');
    await syncOne(restarted, { campaignId, wantMicros: 600 });
    await expect(syncOne(a, { campaignId, wantMicros: 100 })).rejects.toThrow('STALE');
    expect(await syncOne(a, { campaignId, heldMicros: 600, wantMicros: 600 })).toMatchObject({
      leaseMicros: 600,
    });
  });

  it('never lowers a total', async () => {
    await syncOne(a, { campaignId, spentDayMicros: 300, spentTotalMicros: 900, asks: 7, wins: 3 });
    const older = {
      campaignId,
      spentDayMicros: 200,
      spentTotalMicros: 800,
      spentHourMicros: 1,
      asks: 5,
      wins: 2,
    };
    expect(await syncOne(a, older)).toMatchObject({
      fleetSpentDayMicros: 300,
      fleetSpentTotalMicros: 900,
      fleetAsks: 7,
      fleetWins: 3,
    });
    expect(await server.admin.hgetall(`budget:hour:{${campaignId}}:2026-11-22-14`)).toEqual({ a: '300' });
  });
});

describe('the budget in force', () => {
  it('is that of the highest version that any source knows', async () => {
    await syncOne(a, { campaignId, version: 2, dailyBudgetMicros: 2_000 });
    expect((await syncOne(b, { campaignId, version: 1 })).budgetMicros).toBe(2_000);
    expect((await syncOne(b, { campaignId, version: 3, dailyBudgetMicros: 700 })).budgetMicros).toBe(700);
    expect((await syncOne(a, { campaignId, version: 2, dailyBudgetMicros: 2_000 })).budgetMicros).toBe(700);
  });

  it('is no more than the days before leave of the total budget', async () => {
    const total = { campaignId, dailyBudgetMicros: 1_000, totalBudgetMicros: 5_000 };
    await syncOne(a, { ...total, spentDayMicros: 100, spentTotalMicros: 3_000 });
    const both = await syncOne(b, {
      ...total,
      spentDayMicros: 200,
      spentTotalMicros: 1_700,
      wantMicros: 900,
    });
    expect(both).toMatchObject({ budgetMicros: 600, leaseMicros: 350, fleetSpentTotalMicros: 4_700 });
    const spent = await syncOne(b, { ...total, spentDayMicros: 200, spentTotalMicros: 9_000 });
    expect(spent).toMatchObject({ budgetMicros: 0, leaseMicros: 200 });
  });

  it('is exact for amounts up to 2^53', async () => {
    const largest = 2 ** 53;
    const spent = { spentDayMicros: largest - 1, spentHourMicros: largest - 1, spentTotalMicros: largest };
    expect(
      await syncOne(a, {
        campaignId,
        dailyBudgetMicros: largest,
        ...spent,
        wantMicros: 1,
        askedMicros: largest,
      }),
    ).toMatchObject({
      leaseMicros: largest,
      fleetSpentDayMicros: largest - 1,
      fleetSpentTotalMicros: largest,
      fleetAskedMicros: largest,
      budgetMicros: largest,
    });
    expect((await syncOne(a, { campaignId, heldMicros: largest })).fleetSpentDayMicros).toBe(largest - 1);
  });
});

describe('what is kept in Redis', () => {
  it('is a hash per day, hour and campaign, source by source, that ends by itself except for the total', async () => {
    await syncOne(a, { campaignId, spentDayMicros: 30, spentHourMicros: 20, spentTotalMicros: 100, hour: 9 });
    await syncOne(b, { campaignId, spentDayMicros: 7, hour: 9 });
    const { admin } = server;
    expect(await admin.hgetall(`budget:day:{${campaignId}}:2026-11-22`)).toEqual({ a: '30', b: '7' });
    expect(await admin.hgetall(`budget:hour:{${campaignId}}:2026-11-22-09`)).toEqual({ a: '20', b: '7' });
    expect(await admin.hgetall(`budget:total:{${campaignId}}`)).toEqual({ a: '100', b: '7' });
    const seconds = async (key: string) => (await admin.ttl(key)) / 3_600;
    expect(await seconds(`budget:day:{${campaignId}}:2026-11-22`)).toBeCloseTo(48, 1);
    expect(await seconds(`budget:lease:{${campaignId}}:2026-11-22`)).toBeCloseTo(48, 1);
    expect(await seconds(`budget:hour:{${campaignId}}:2026-11-22-09`)).toBeCloseTo(3, 1);
    expect(await admin.ttl(`budget:total:{${campaignId}}`)).toBe(-1);
    expect(await seconds(`budget:lease:{${campaignId}}`)).toBeCloseTo(96, 1);
    expect(await admin.keys(`*${campaignId}*`)).toHaveLength(5);
  });

  it('sums the flow of all sources, also of those that are gone', async () => {
    await syncOne(a, { campaignId, asks: 10, askedMicros: 1_000, allowedMicros: 100, wins: 1 });
    fleet.nowMs += HOLD_MS;
    expect(
      await syncOne(b, { campaignId, asks: 5, askedMicros: 500, allowedMicros: 50, wins: 2 }),
    ).toMatchObject({ fleetAsks: 15, fleetAskedMicros: 1_500, fleetAllowedMicros: 150, fleetWins: 3 });
  });
});

describe('a Redis that forgot', () => {
  it('lets no lease grow until all sources had time to claim theirs', async () => {
    await syncOne(a, { campaignId, wantMicros: 600 });
    await syncOne(b, { campaignId, wantMicros: 400 });
    await server.admin.flushall();
    const first = await syncOne(b, { campaignId, heldMicros: 400, wantMicros: 1_000 });
    expect(first).toMatchObject({ leaseMicros: 400, wiped: true });
    fleet.nowMs += GRACE_MS - 1;
    expect((await syncOne(b, { campaignId, heldMicros: 400, wantMicros: 1_000 })).leaseMicros).toBe(400);
    expect(await syncOne(a, { campaignId, heldMicros: 600, wantMicros: 600 })).toMatchObject({
      leaseMicros: 600,
      wiped: true,
    });
    fleet.nowMs += GRACE_MS;
    expect(await syncOne(b, { campaignId, heldMicros: 400, wantMicros: 1_000 })).toMatchObject({
      leaseMicros: 400,
      wiped: false,
    });
  });

  it('is noticed also by a source that holds nothing, but not for a campaign that was announced', async () => {
    await server.admin.flushall();
    expect(await syncOne(a, { campaignId, wantMicros: 100 })).toMatchObject({
      leaseMicros: 0,
      wiped: true,
    });
    const other = await newCampaign(a);
    expect(await syncOne(a, { campaignId: other, wantMicros: 100 })).toMatchObject({
      leaseMicros: 100,
      wiped: false,
    });
  });
});

describe('a new day', () => {
  const today = '2026-11-22';
  const tomorrow = '2026-11-23';

  it('begins with what every source may still have in flight from the old one', async () => {
    await syncOne(a, { campaignId, day: today, wantMicros: 600, spentDayMicros: 100 });
    await syncOne(b, { campaignId, day: today, wantMicros: 200 });
    const first = { campaignId, day: tomorrow, spentTotalMicros: 0, wantMicros: 1_000 };
    expect(await syncOne(b, { ...first, heldMicros: 200, floorMicros: 200 })).toMatchObject({
      leaseMicros: 300,
      wiped: false,
      liveSources: 2,
    });
    expect(
      await syncOne(a, { ...first, heldMicros: 600, floorMicros: 50, spentTotalMicros: 100 }),
    ).toMatchObject({
      leaseMicros: 600,
      wiped: false,
    });
  });

  it('begins with what is in flight also when days between were never told, and before an older one that was not', async () => {
    await syncOne(a, { campaignId, day: today, wantMicros: 600, spentDayMicros: 100 });
    const later = { day: `${tomorrow}.0002`, spentTotalMicros: 0, wantMicros: 1_000 };
    expect(await syncOne(b, { campaignId, ...later })).toMatchObject({ leaseMicros: 200, wiped: false });
    const between = await syncOne(a, { campaignId, day: tomorrow, heldMicros: 600, wantMicros: 900 });
    expect(between).toMatchObject({ leaseMicros: 600 });
    fleet.nowMs += GRACE_MS;
    const later2 = { campaignId, day: tomorrow, heldMicros: 600, wantMicros: 900 };
    expect(await syncOne(a, later2)).toMatchObject({ leaseMicros: 600 });
  });

  it('ends the growth of the old one', async () => {
    await syncOne(a, { campaignId, day: today, wantMicros: 100 });
    await syncOne(b, { campaignId, day: tomorrow, wantMicros: 100 });
    expect((await syncOne(a, { campaignId, day: today, heldMicros: 100, wantMicros: 500 })).leaseMicros).toBe(
      100,
    );
  });

  it('keeps the budget of the highest version', async () => {
    await syncOne(a, { campaignId, day: today, version: 5, dailyBudgetMicros: 300 });
    expect((await syncOne(b, { campaignId, day: tomorrow, version: 4 })).budgetMicros).toBe(300);
    expect((await syncOne(b, { campaignId, day: tomorrow, version: 4 })).budgetMicros).toBe(300);
  });
});

describe('one campaign', () => {
  it('that cannot be dealt does not spoil the others of its flush', async () => {
    const broken = newCampaignId();
    await server.admin.set(`budget:day:{${broken}}:2026-11-22`, 'not a hash');
    const fraction = newCampaignId();
    const answers = await a.sync([
      someRequest({ campaignId: broken }),
      someRequest({ campaignId: fraction, spentDayMicros: 0.5 }),
      someRequest({ campaignId, wantMicros: 10 }),
    ]);
    expect(answers[0]).toMatchObject({ message: expect.stringContaining('WRONGTYPE') });
    expect(answers[1]).toMatchObject({ message: expect.stringContaining('MALFORMED') });
    expect(replyOf(answers[2]).leaseMicros).toBe(10);
  });

  it('gets its own answer among thousands', async () => {
    const ids = await newCampaigns(a, 2_500);
    const requests = ids.map((id, at) =>
      someRequest({ campaignId: id, dailyBudgetMicros: 5_000, wantMicros: at }),
    );
    const answers = await a.sync(requests);
    expect(answers.map((answer) => replyOf(answer).leaseMicros)).toEqual(
      requests.map(({ wantMicros }) => wantMicros),
    );
  });
});
