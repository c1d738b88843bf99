import { afterEach, describe, expect, test } from 'vitest';
import { isAllowed, REASONS } from '../../../src/domain/gate.ts';
import {
  OUTCOME_DUPLICATE,
  OUTCOME_RELEASED,
  OUTCOME_SUCCESS,
  OUTCOME_TOO_LARGE,
  OUTCOME_UNAVAILABLE,
  OUTCOME_UNKNOWN_BID,
  OUTCOME_UNKNOWN_CAMPAIGN,
} from '../../../src/messages/edge-shard.ts';
import { CYCLE_MS } from '../../../src/shard/duty-cycle.ts';
import { campaignOf, type HarnessOptions, ShardHarness } from '../../support/shard-harness.ts';

const CENT = 10_000;
let harness: ShardHarness;

function start(options: HarnessOptions = {}): ShardHarness {
  harness = new ShardHarness(options);
  return harness;
}

/** Sends what was reported and waits for its answer. */
async function answered(outcome: Promise<number>): Promise<number> {
  harness.send();
  await harness.committed();
  return outcome;
}

function reason(campaignId: string, bidMicros: number, bidId = ''): string {
  return REASONS[harness.decide(campaignId, bidMicros, bidId).reason] ?? '';
}

afterEach(async () => {
  await harness.close();
});

describe('a campaign', () => {
  test('decides from the moment its creation is answered', async () => {
    start();
    const created = harness.upsert(campaignOf('c', 100 * CENT));
    expect(reason('c', CENT)).toBe('campaign_not_found');
    await harness.committed();
    expect(await created).toBe('done');
    expect(reason('c', CENT)).toBe('within_budget');
  });

  test('is described by its newest version that the ledger has, with its name, and only while it is here', async () => {
    start();
    const version = async (version: number, name: string): Promise<void> => {
      const told = harness.upsert(campaignOf('c', 100 * CENT, { version, name }));
      await harness.committed();
      await told;
    };
    await version(1, 'Spring');
    await version(2, 'Summer');
    const described = { id: 'c', name: 'Summer', version: 2, dailyBudgetMicros: 100 * CENT };
    expect(harness.shard.describe(['c', 'unknown'])).toMatchObject([described]);
    await harness.restart();
    expect(harness.shard.describe(['c'])).toMatchObject([described]);
  });

  test('is refused when the table is full, and fits again when another has been gone for a while', async () => {
    start({ campaignsMax: 32 });
    const created = Array.from({ length: 33 }, (_, at) => harness.upsert(campaignOf(`c${at}`, CENT)));
    await harness.committed();
    expect((await Promise.all(created)).filter((result) => result === 'no_room')).toHaveLength(1);
    await Promise.all([
      harness.upsert(campaignOf('c0', CENT, { status: 'DELETED', version: 2 })),
      harness.committed(),
    ]);
    expect(reason('c0', 1)).toBe('campaign_not_found');
    await harness.pass(130_000);
    const late = harness.upsert(campaignOf('late', CENT));
    await harness.committed();
    expect(await late).toBe('done');
    expect(reason('late', 1)).toBe('within_budget');
  });

  test('that is paused, ended, deleted or outside its flight or daypart says so, and bids again after', async () => {
    start();
    await Promise.all([harness.upsert(campaignOf('c', 100 * CENT)), harness.committed()]);
    let version = 1;
    const changed = async (more: Parameters<typeof campaignOf>[2]): Promise<string> => {
      version++;
      await Promise.all([
        harness.upsert(campaignOf('c', 100 * CENT, { ...more, version })),
        harness.committed(),
      ]);
      return reason('c', 1);
    };
    expect(await changed({ status: 'PAUSED' })).toBe('campaign_paused');
    expect(await changed({ status: 'ENDED' })).toBe('outside_flight');
    expect(await changed({ startDate: '2026-03-03' })).toBe('outside_flight');
    expect(await changed({ endDate: '2026-03-01' })).toBe('outside_flight');
    expect(await changed({ dayparts: [{ startHour: 13, endHour: 14 }] })).toBe('outside_daypart');
    expect(await changed({})).toBe('within_budget');
    // An older version that arrives late changes nothing.
    await Promise.all([
      harness.upsert(campaignOf('c', CENT, { status: 'PAUSED', version: 2 })),
      harness.committed(),
    ]);
    expect(reason('c', 1)).toBe('within_budget');
  });

  test('opens and closes with its dayparts as time passes', async () => {
    start({ startMs: Date.parse('2026-03-02T12:59:58Z') });
    const dayparts = [{ startHour: 13, endHour: 14 }];
    await Promise.all([harness.upsert(campaignOf('c', 100 * CENT, { dayparts })), harness.committed()]);
    expect(reason('c', 1)).toBe('outside_daypart');
    await harness.pass(3000);
    expect(reason('c', 1)).toBe('within_budget');
    await harness.leap(3_600_000);
    expect(reason('c', 1)).toBe('outside_daypart');
  });
});

describe('spend', () => {
  test('is counted once for an event id, in one batch, across commits and across a crash', async () => {
    start();
    await Promise.all([harness.upsert(campaignOf('c', 100 * CENT)), harness.committed()]);
    const first = harness.spend('c', CENT, '', 'e');
    const second = harness.spend('c', CENT, '', 'e');
    await harness.committed();
    expect([await first, await second]).toEqual([OUTCOME_SUCCESS, OUTCOME_DUPLICATE]);
    expect(await answered(harness.spend('c', CENT, '', 'e'))).toBe(OUTCOME_DUPLICATE);
    await harness.crash();
    expect(await answered(harness.spend('c', CENT, '', 'e'))).toBe(OUTCOME_DUPLICATE);
    await harness.leap(23 * 3_600_000);
    expect(await answered(harness.spend('c', CENT, '', 'e'))).toBe(OUTCOME_DUPLICATE);
    await harness.leap(2 * 3_600_000);
    expect(await answered(harness.spend('c', CENT, '', 'e'))).toBe(OUTCOME_SUCCESS);
    expect(harness.status('c').total_spent_cents).toBe(2);
  });

  test('of a campaign that never existed is refused, of a deleted one recorded, even long after', async () => {
    start();
    expect(await answered(harness.spend('never', CENT))).toBe(OUTCOME_UNKNOWN_CAMPAIGN);
    await Promise.all([harness.upsert(campaignOf('c', 100 * CENT)), harness.committed()]);
    await Promise.all([
      harness.upsert(campaignOf('c', CENT, { status: 'DELETED', version: 2 })),
      harness.committed(),
    ]);
    await harness.pass(130_000);
    expect(await answered(harness.spend('c', CENT))).toBe(OUTCOME_SUCCESS);
    expect(harness.status('c').total_spent_cents).toBe(1);
  });

  test('of a deleted campaign that was closed while the report was on its way is recorded', async () => {
    start();
    await Promise.all([harness.upsert(campaignOf('c', 100 * CENT)), harness.committed()]);
    await Promise.all([
      harness.upsert(campaignOf('c', CENT, { status: 'DELETED', version: 2 })),
      harness.committed(),
    ]);
    const outcomes = [harness.spend('c', CENT), harness.spend('c', CENT)];
    for (let passed = 0; passed < 130_000; passed += 50) {
      harness.steadyMs += 50;
      harness.wallMs += 50;
      harness.shard.cycle();
    }
    await harness.committed();
    expect(await Promise.all(outcomes)).toEqual([OUTCOME_SUCCESS, OUTCOME_SUCCESS]);
    expect(harness.status('c').total_spent_cents).toBe(2);
  });

  test('that would pass what can be counted is refused and nothing changes', async () => {
    start();
    await Promise.all([harness.upsert(campaignOf('c', 100 * CENT)), harness.committed()]);
    expect(await answered(harness.spend('c', 2 ** 53))).toBe(OUTCOME_SUCCESS);
    expect(await answered(harness.spend('c', 1))).toBe(OUTCOME_TOO_LARGE);
  });

  test('that the ledger cannot keep is refused, taken back, and counted when it is reported again', async () => {
    start();
    await Promise.all([harness.upsert(campaignOf('c', 100 * CENT)), harness.committed()]);
    harness.decide('c', 10 * CENT);
    harness.failure = new Error('the disk is full');
    const first = harness.spend('c', 10 * CENT, '', 'e');
    harness.send();
    const repeated = harness.spend('c', 10 * CENT, '', 'e');
    await harness.committed();
    expect([await first, await repeated]).toEqual([OUTCOME_UNAVAILABLE, OUTCOME_UNAVAILABLE]);
    expect(harness.status('c')).toMatchObject({ daily_spent_cents: 0, reserved_cents: 10 });
    harness.failure = null;
    expect(await answered(harness.spend('c', 10 * CENT, '', 'e'))).toBe(OUTCOME_SUCCESS);
    expect(harness.status('c')).toMatchObject({ daily_spent_cents: 10, reserved_cents: 0 });
  });

  test('whose duplicate came while it was being written is not lost when the write fails', async () => {
    start();
    await Promise.all([harness.upsert(campaignOf('c', 100 * CENT)), harness.committed()]);
    let release = (): void => undefined;
    harness.disk = new Promise((resolve) => {
      release = resolve;
    });
    const first = harness.spend('c', 10 * CENT, '', 'e');
    harness.send();
    await new Promise((resolve) => setImmediate(resolve));
    const repeated = harness.spend('c', 10 * CENT, '', 'e');
    harness.send();
    harness.failure = new Error('the disk is full');
    harness.disk = null;
    release();
    expect([await first, await repeated]).toEqual([OUTCOME_UNAVAILABLE, OUTCOME_UNAVAILABLE]);
    harness.failure = null;
    expect(await answered(harness.spend('c', 10 * CENT, '', 'e'))).toBe(OUTCOME_SUCCESS);
    expect(harness.status('c').daily_spent_cents).toBe(10);
  });

  test('of a new campaign whose creation could not be written leaves no campaign behind', async () => {
    start();
    harness.failure = new Error('the disk is full');
    const created = harness.upsert(campaignOf('c', 100 * CENT));
    await harness.committed();
    expect(await created).toBe('not_written');
    expect(reason('c', 1)).toBe('campaign_not_found');
    harness.failure = null;
    await Promise.all([harness.upsert(campaignOf('c', 100 * CENT)), harness.committed()]);
    expect(reason('c', 1)).toBe('within_budget');
  });
});

describe('reservations', () => {
  test('hold a bid until its win, its loss or their time is over', async () => {
    start({ reservationTtlMs: 10_000 });
    await Promise.all([harness.upsert(campaignOf('c', 100 * CENT)), harness.committed()]);
    for (const bidId of ['won', 'lost', 'silent']) harness.decide('c', 20 * CENT, bidId);
    harness.decide('c', 20 * CENT);
    await harness.committed();
    expect(harness.status('c').reserved_cents).toBe(80);
    expect(await answered(harness.spend('c', 15 * CENT, 'won'))).toBe(OUTCOME_SUCCESS);
    expect(await answered(harness.lose('c', 'lost'))).toBe(OUTCOME_RELEASED);
    expect(await answered(harness.lose('c', 'lost'))).toBe(OUTCOME_UNKNOWN_BID);
    expect(harness.status('c')).toMatchObject({
      daily_spent_cents: 15,
      reserved_cents: 40,
      remaining_cents: 45,
    });
    await harness.pass(12_000);
    expect(harness.status('c')).toMatchObject({ reserved_cents: 0, remaining_cents: 85 });
  });

  test('are found by a win or a loss that comes out of another edge before them', async () => {
    start();
    await Promise.all([harness.upsert(campaignOf('c', 100 * CENT)), harness.committed()]);
    harness.decide('c', 60 * CENT, 'won');
    harness.decide('c', 40 * CENT, 'lost');
    const reserved = harness.posted();
    const answers = [harness.spend('c', 60 * CENT, 'won'), harness.lose('c', 'lost')];
    harness.shard.reports.receive([harness.posted(), reserved]);
    expect(harness.status('c')).toMatchObject({ daily_spent_cents: 60, reserved_cents: 0 });
    await harness.committed();
    expect(await Promise.all(answers)).toEqual([OUTCOME_SUCCESS, OUTCOME_RELEASED]);
  });

  test('are waited for by a win or a loss that comes before its edge has posted them', async () => {
    start();
    await Promise.all([harness.upsert(campaignOf('c', 100 * CENT)), harness.committed()]);
    harness.turn.begin();
    harness.decide('c', 60 * CENT, 'won');
    harness.decide('c', 40 * CENT, 'lost');
    harness.inPorts.push(harness.posted());
    const answers = [harness.spend('c', 60 * CENT, 'won'), harness.lose('c', 'lost')];
    const posted = harness.inPorts.splice(0);
    harness.send();
    expect(harness.status('c')).toMatchObject({ daily_spent_cents: 0, reserved_cents: 100 });
    harness.inPorts.push(...posted);
    harness.turn.end();
    expect(await Promise.all(answers)).toEqual([OUTCOME_SUCCESS, OUTCOME_RELEASED]);
    expect(harness.status('c')).toMatchObject({ daily_spent_cents: 60, reserved_cents: 0 });
  });

  test('are waited for also when their edge posts them after the ports were emptied and before the win is looked at', async () => {
    start();
    await Promise.all([harness.upsert(campaignOf('c', 100 * CENT)), harness.committed()]);
    harness.turn.begin();
    harness.decide('c', 60 * CENT, 'won');
    const reserved = harness.posted();
    const answer = harness.spend('c', 60 * CENT, 'won');
    const outstanding = harness.shard.reports.outstandingTurns();
    harness.inPorts.push(reserved);
    harness.turn.end();
    harness.shard.reports.receive([harness.posted()], outstanding);
    expect(harness.status('c').daily_spent_cents).toBe(0);
    expect(await answer).toBe(OUTCOME_SUCCESS);
    expect(harness.status('c')).toMatchObject({ daily_spent_cents: 60, reserved_cents: 0 });
  });

  test('are not waited for without end when their edge has died', async () => {
    start();
    await Promise.all([harness.upsert(campaignOf('c', 100 * CENT)), harness.committed()]);
    harness.turn.begin();
    const win = harness.spend('c', CENT, 'of-a-dead-edge');
    harness.send();
    harness.steadyMs += 1001;
    expect(await win).toBe(OUTCOME_SUCCESS);
    expect(harness.status('c').daily_spent_cents).toBe(1);
  });

  test('make a bid take what is left of the budget, and then none', async () => {
    start();
    await Promise.all([harness.upsert(campaignOf('c', 100 * CENT)), harness.committed()]);
    await harness.pass(100);
    expect(harness.decide('c', 70 * CENT).maxBidMicros).toBe(70 * CENT);
    await harness.pass(100);
    expect(harness.decide('c', 70 * CENT).maxBidMicros).toBe(30 * CENT);
    await harness.pass(100);
    expect(reason('c', CENT)).toBe('budget_reserved');
    expect(await answered(harness.spend('c', 100 * CENT))).toBe(OUTCOME_SUCCESS);
    expect(reason('c', CENT)).toBe('budget_exhausted');
  });

  test('that come back are for the next bid at once', async () => {
    start();
    await Promise.all([harness.upsert(campaignOf('c', 100 * CENT)), harness.committed()]);
    harness.decide('c', 100 * CENT, 'b');
    await harness.pass(100);
    expect(reason('c', CENT)).toBe('budget_reserved');
    expect(await answered(harness.lose('c', 'b'))).toBe(OUTCOME_RELEASED);
    expect(harness.decide('c', 200 * CENT).maxBidMicros).toBe(100 * CENT);
  });

  test('are all that is held after an end in order, also one in the middle of a commit', async () => {
    start({ reservationTtlMs: 10_000 });
    await Promise.all([harness.upsert(campaignOf('c', 100 * CENT)), harness.committed()]);
    harness.decide('c', 40 * CENT, 'in flight');
    harness.decide('c', 10 * CENT, 'won');
    let written = (): void => undefined;
    harness.disk = new Promise((resolve) => {
      written = resolve;
    });
    const spent = harness.spend('c', 10 * CENT, 'won');
    harness.send();
    await new Promise((resolve) => setImmediate(resolve)); // the commit has begun
    const restarted = harness.restart();
    written();
    expect(await spent).toBe(OUTCOME_SUCCESS);
    await restarted;
    expect(harness.status('c')).toMatchObject({ reserved_cents: 40, remaining_cents: 50 });
  });

  test('are all that is held after an end in order, whatever its fleet still has written of the account', async () => {
    start({ reservationTtlMs: 10_000 });
    await Promise.all([harness.upsert(campaignOf('c', 100 * CENT)), harness.committed()]);
    harness.decide('c', 40 * CENT, 'in flight');
    harness.send();
    const { shard } = harness;
    await shard.end();
    for (const account of shard.allAccounts()) shard.committer.open.dirty.add(account);
    await shard.committer.flush(false);
    expect(harness.onTable('c')).toBe(0);
    await harness.crash();
    expect(harness.status('c').reserved_cents).toBe(40);
  });

  test('survive a restart in order, and after a crash all that may be in flight is held until its time is over', async () => {
    start({ reservationTtlMs: 10_000 });
    await Promise.all([harness.upsert(campaignOf('c', 100 * CENT)), harness.committed()]);
    harness.decide('c', 40 * CENT, 'b');
    await harness.restart();
    expect(harness.status('c').reserved_cents).toBe(40);
    await harness.pass(100);
    expect(harness.decide('c', 100 * CENT).maxBidMicros).toBe(60 * CENT);
    await harness.crash();
    expect(harness.status('c')).toMatchObject({ reserved_cents: 100, remaining_cents: 0 });
    expect(reason('c', CENT)).toBe('budget_reserved');
    await harness.pass(15_500);
    expect(reason('c', CENT)).toBe('within_budget');
  });

  test('that expire are to be had by the next bid but one, however seldom the campaign is paced', async () => {
    start({ reservationTtlMs: 10_000 });
    await Promise.all([harness.upsert(campaignOf('c', 100 * CENT)), harness.committed()]);
    await harness.pass(2 * CYCLE_MS);
    harness.decide('c', 100 * CENT, 'b');
    await harness.pass(10_000 - 3 * CYCLE_MS);
    expect(reason('c', CENT)).toBe('budget_reserved');
    await harness.pass(4 * CYCLE_MS);
    expect(reason('c', CENT)).toBe('budget_reserved');
    await harness.pass(CYCLE_MS);
    expect(reason('c', CENT)).toBe('within_budget');
  });
});

describe('the table', () => {
  /** Bids as fast as the table lets them; returns what was allowed. */
  function flood(bids: number): number {
    let allowed = 0;
    for (let bid = 0; bid < bids; bid++) allowed += harness.decide('c', 500 * CENT).maxBidMicros;
    return allowed;
  }

  test('never holds more than the ledger knows of: a crash at any moment finds all of it recorded', async () => {
    start();
    await Promise.all([harness.upsert(campaignOf('c', 10_000_000 * CENT)), harness.committed()]);
    let allowed = 0;
    for (let round = 0; round < 8; round++) {
      allowed += flood(200);
      harness.steadyMs += 50;
      harness.shard.cycle();
    }
    allowed += flood(200);
    await harness.crash();
    expect(harness.status('c').reserved_cents * CENT).toBeGreaterThanOrEqual(allowed);
  });

  test('leaves whole micros reserved after a crash, whatever the flow was: Redis takes no parts of them', async () => {
    start();
    await Promise.all([harness.upsert(campaignOf('c', 10_000_000 * CENT)), harness.committed()]);
    flood(20);
    for (let round = 0; round < 10; round++) {
      flood(1);
      await harness.pass(50);
      await answered(harness.spend('c', CENT));
    }
    await harness.crash();
    const reserved = [...harness.shard.allAccounts()].map(({ paced }) => paced.reservations.totalMicros);
    expect(reserved).toEqual([expect.toSatisfy((micros) => Number.isInteger(micros) && micros > 0)]);
  });

  test('gets no more while a larger record is still being written', async () => {
    start();
    await Promise.all([harness.upsert(campaignOf('c', 10_000_000 * CENT)), harness.committed()]);
    let release = (): void => undefined;
    harness.disk = new Promise((resolve) => {
      release = resolve;
    });
    let allowed = 0;
    for (let round = 0; round < 20; round++) {
      allowed += flood(200);
      harness.steadyMs += 50;
      harness.shard.cycle();
      await new Promise((resolve) => setImmediate(resolve));
    }
    // 20 dollars were on the table, and as much again was on record.
    expect(allowed).toBeLessThanOrEqual(60 * 100 * CENT);
    release();
    harness.disk = null;
    await harness.pass(200);
    expect(flood(200)).toBeGreaterThan(0);
  });

  test('follows the flow: a flood is no longer starved after a few cycles', async () => {
    start();
    await Promise.all([harness.upsert(campaignOf('c', 10_000_000 * CENT)), harness.committed()]);
    for (let round = 0; round < 10; round++) {
      flood(100);
      await harness.pass(50);
    }
    expect(flood(100)).toBe(100 * 500 * CENT);
  });
});

describe('the breaker', () => {
  test('trips at its threshold within the spend that reaches it, and recovers through probes, guarded', async () => {
    start({ breakerRecoveryMs: 5000, reservationTtlMs: 1000 });
    await Promise.all([
      harness.upsert(campaignOf('c', 1000 * CENT, { breakerThreshold: 0.95 })),
      harness.committed(),
    ]);
    await answered(harness.spend('c', 950 * CENT));
    expect(reason('c', CENT)).toBe('circuit_breaker_open');
    await harness.pass(5100);
    expect([reason('c', CENT, 'p1'), reason('c', CENT, 'p2'), reason('c', CENT)]).toEqual([
      'probe',
      'probe',
      'circuit_breaker_open',
    ]);
    await answered(harness.lose('c', 'p1'));
    expect(harness.status('c').circuit_breaker_state).toBe('HALF_OPEN');
    await answered(harness.spend('c', CENT, 'p2'));
    expect(harness.status('c').circuit_breaker_state).toBe('CLOSED');
    await harness.pass(1000);
    expect(harness.status('c').throttle_rate).toBeCloseTo(0.9);
    await harness.crash();
    await harness.pass(2000);
    expect(harness.status('c').throttle_rate).toBeCloseTo(0.9);
    // A raised budget closes it and lifts the guard.
    await Promise.all([harness.upsert(campaignOf('c', 5000 * CENT, { version: 2 })), harness.committed()]);
    await harness.pass(1000);
    expect(harness.status('c').throttle_rate).toBe(0);
  });
});

describe('a day', () => {
  test('turns at the local midnight of the campaign: its counters begin anew, what is in flight stays', async () => {
    // 04:59:58 UTC is 23:59:58 of the day before in New York.
    start({ startMs: Date.parse('2026-03-02T04:59:58Z'), reservationTtlMs: 60_000 });
    const timezone = 'America/New_York';
    await Promise.all([harness.upsert(campaignOf('c', 100 * CENT, { timezone })), harness.committed()]);
    harness.decide('c', 30 * CENT, 'b');
    await answered(harness.spend('c', 70 * CENT));
    await harness.pass(100);
    expect(reason('c', CENT)).toBe('budget_reserved');
    expect(harness.status('c').local_day).toBe('2026-03-01');
    await harness.pass(3000);
    expect(harness.status('c')).toMatchObject({
      local_day: '2026-03-02',
      daily_spent_cents: 0,
      hourly_spent_cents: 0,
      total_spent_cents: 70,
      reserved_cents: 30,
    });
    expect(reason('c', CENT)).toBe('within_budget');
    await answered(harness.spend('c', 30 * CENT, 'b'));
    expect(harness.status('c')).toMatchObject({ daily_spent_cents: 30, total_spent_cents: 100 });
  });

  test('teaches the next one when bids are asked for, also when the process was killed during it', async () => {
    const dayMs = Date.parse('2026-03-02T00:00:00Z');
    start({ startMs: dayMs });
    const adaptive = campaignOf('c', 1000 * CENT, { pacingMode: 'ADAPTIVE' });
    await Promise.all([harness.upsert(adaptive), harness.committed()]);
    const targetAt = async (hour: number): Promise<number> => {
      await harness.leap(dayMs + hour * 3_600_000 - harness.wallMs);
      return harness.status('c').target_spent_cents;
    };
    for (let hour = 0; hour < 24; hour++) {
      for (let ask = 0; ask < (hour === 10 ? 300 : 10); ask++) harness.decide('c', 1);
      await harness.pass(1000);
      await targetAt(hour + 1);
      if (hour === 15) await harness.crash();
    }
    const atTen = await targetAt(24 + 10);
    const atEleven = await targetAt(24 + 11);
    // The default shape plans 7% of a day for this hour.
    expect((atEleven - atTen) / 1000).toBeGreaterThan(0.2);
  });

  test('that turned while the pod was down begins with its whole budget', async () => {
    start();
    await Promise.all([harness.upsert(campaignOf('c', 100 * CENT)), harness.committed()]);
    await answered(harness.spend('c', 100 * CENT));
    harness.wallMs += 86_400_000;
    await harness.crash();
    await harness.pass(60_000);
    expect(harness.status('c')).toMatchObject({ daily_spent_cents: 0, total_spent_cents: 100 });
    expect(reason('c', CENT)).toBe('within_budget');
  });

  test('is not had twice by a clock that is set back, nor by a change of zone', async () => {
    start({ startMs: Date.parse('2026-03-02T00:00:30Z') });
    await Promise.all([harness.upsert(campaignOf('c', 100 * CENT)), harness.committed()]);
    await answered(harness.spend('c', 100 * CENT));
    harness.wallMs -= 60_000;
    await harness.pass(2000);
    expect(reason('c', CENT)).toBe('budget_exhausted');
    await harness.pass(90_000);
    expect(harness.status('c').daily_spent_cents).toBe(100);
    harness.wallMs -= 120_000;
    await harness.crash();
    expect(harness.status('c').daily_spent_cents).toBe(100);
    harness.wallMs += 120_000;
    await harness.pass(2000);
    expect(harness.status('c').daily_spent_cents).toBe(100);
    const timezone = 'Pacific/Auckland';
    await Promise.all([
      harness.upsert(campaignOf('c', 100 * CENT, { timezone, version: 2 })),
      harness.committed(),
    ]);
    expect(harness.status('c').daily_spent_cents).toBe(100);
    expect(reason('c', CENT)).toBe('budget_exhausted');
  });

  test('has no more than what the total budget leaves of it', async () => {
    start();
    const totalBudgetMicros = campaignOf('x', 150 * CENT).dailyBudgetMicros;
    await Promise.all([
      harness.upsert(campaignOf('c', 100 * CENT, { totalBudgetMicros })),
      harness.committed(),
    ]);
    await answered(harness.spend('c', 100 * CENT));
    await harness.leap(86_400_000);
    expect(harness.status('c')).toMatchObject({ daily_spent_cents: 0, remaining_cents: 50 });
    await harness.pass(100);
    expect(harness.decide('c', 100 * CENT).maxBidMicros).toBe(50 * CENT);
    await answered(harness.spend('c', 50 * CENT));
    expect(reason('c', CENT)).toBe('total_budget_exhausted');
  });
});

describe('pacing', () => {
  test('holds an evenly paced campaign near its target under a flood of bids', async () => {
    start({ startMs: Date.parse('2026-03-02T00:00:00Z'), reservationTtlMs: 5000 });
    await Promise.all([
      harness.upsert(campaignOf('c', 86_400 * CENT, { pacingMode: 'EVEN' })),
      harness.committed(),
    ]);
    let draw = 0.123;
    for (let second = 0; second < 1200; second++) {
      for (let bid = 0; bid < 20; bid++) {
        draw = (draw * 997.13) % 1;
        const { reason: code, maxBidMicros } = harness.decide('c', CENT, '', draw);
        if (isAllowed(code)) void harness.spend('c', maxBidMicros);
      }
      await harness.pass(1000);
    }
    const status = harness.status('c');
    expect(status.target_spent_cents).toBeCloseTo(1200, -1);
    expect(status.daily_spent_cents).toBeGreaterThan(1000);
    expect(status.daily_spent_cents).toBeLessThan(1400);
    expect(status.throttle_rate).toBeGreaterThan(0.8);
  });

  test('saves up for the next bid of a campaign that is asked for one in a while', async () => {
    start({ startMs: Date.parse('2026-03-02T00:00:00Z') });
    const even = campaignOf('c', 14_400 * CENT, { pacingMode: 'EVEN' });
    await Promise.all([harness.upsert(even), harness.committed()]);
    const reasons: string[] = [];
    for (let bid = 0; bid < 6; bid++) {
      reasons.push(reason('c', 500 * CENT, `b${bid}`));
      await harness.pass(600_000);
    }
    expect(reasons).toEqual(Array(6).fill('within_budget'));
  });

  test('says why its decisions are what they are when asked to', async () => {
    start({ startMs: Date.parse('2026-03-02T12:00:00Z') });
    const even = campaignOf('c', 100_000 * CENT, { pacingMode: 'EVEN' });
    await Promise.all([harness.upsert(even), harness.committed()]);
    for (let second = 0; second < 20; second++) {
      for (let ask = 0; ask < 50; ask++) harness.decide('c', 100 * CENT, '', 0.5);
      await harness.pass(1000);
    }
    const { explain, throttle_rate } = harness.explained('c');
    if (explain === undefined) throw new Error('it was not explained');
    expect(explain).toMatchObject({ gate: 'within_budget', budget_cents: 100_000, mean_bid_cents: 100 });
    expect(explain.asked_cents_per_second).toBeCloseTo(5000, -3);
    expect(explain.throttle_rate).toBeCloseTo(throttle_rate, 1);
    const { allow_cents_per_second = 0, spend_per_allowed = 0, wanted_spend_cents_per_second = 0 } = explain;
    expect(allow_cents_per_second * spend_per_allowed).toBeCloseTo(wanted_spend_cents_per_second, 2);
    expect(explain.because).toContain('of the bids are held back');
    expect(harness.status('c').explain).toBeUndefined();
  });

  test('opens the breaker when spend runs away from the plan', async () => {
    start();
    const even = campaignOf('c', 10_000 * CENT, { pacingMode: 'EVEN' });
    await Promise.all([harness.upsert(even), harness.committed()]);
    // A bidder that reports far more than it was allowed.
    for (let win = 0; win < 30; win++) {
      await answered(harness.spend('c', 100 * CENT));
      await harness.pass(1000);
    }
    expect(harness.status('c')).toMatchObject({
      circuit_breaker_state: 'OPEN',
      circuit_breaker_reason: 'velocity',
    });
  });

  test('opens the breaker when five spends in a row could not be recorded, and closes it after', async () => {
    start({ breakerRecoveryMs: 2000 });
    await Promise.all([harness.upsert(campaignOf('c', 10_000 * CENT)), harness.committed()]);
    harness.failure = new Error('the disk is full');
    for (let win = 0; win < 5; win++) await answered(harness.spend('c', CENT));
    harness.failure = null;
    expect(harness.status('c')).toMatchObject({ circuit_breaker_reason: 'failures', daily_spent_cents: 0 });
    expect(reason('c', CENT)).toBe('circuit_breaker_open');
    await harness.pass(4000);
    expect(harness.decide('c', CENT, 'p1').reason).toBe(REASONS.indexOf('probe'));
    expect(harness.decide('c', CENT, 'p2').reason).toBe(REASONS.indexOf('probe'));
    await Promise.all([harness.lose('c', 'p1'), harness.lose('c', 'p2'), harness.committed()]);
    await harness.pass(1000);
    expect(harness.status('c').circuit_breaker_state).toBe('CLOSED');
  });

  test('steps an ASAP campaign down within the spend that crosses a step', async () => {
    start();
    await Promise.all([harness.upsert(campaignOf('c', 100 * CENT)), harness.committed()]);
    for (const [spend, throttle] of [
      [79, 0],
      [1, 0.2],
      [10, 0.5],
      [5, 0.9],
    ] as const) {
      await answered(harness.spend('c', spend * CENT));
      expect(harness.status('c').throttle_rate).toBeCloseTo(throttle);
    }
  });
});
