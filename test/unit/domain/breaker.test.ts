import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type BreakerState,
  breachBreaker,
  CLOSED,
  clearFailures,
  failBreaker,
  HALF_OPEN,
  newBreaker,
  OPEN,
  resetBreaker,
  restoreBreaker,
  settleProbe,
  TRIP_REASONS,
  throttleFloorOf,
  watchBreaker,
  watchVelocity,
} from '../../../src/domain/breaker.ts';

const config = { threshold: 0.95, recoveryMs: 300_000, probes: 2 };
const DAY = 1_000_000;
const BUDGET = 1000;

function watch(
  state: BreakerState,
  spent: number,
  nowMs: number,
  budget = BUDGET,
  day = DAY,
  using = config,
) {
  return watchBreaker(state, using, day, spent, budget, nowMs);
}

/** A look at spend and target, with a mean win of 10: the lead may rise by 130 within five minutes. */
function look(state: BreakerState, spentMicros: number, targetMicros: number, nowMs: number, planned = true) {
  const amounts = { spentMicros, targetMicros, budgetMicros: BUDGET, meanWinMicros: 10 };
  return watchVelocity(state, { ...amounts, planned }, nowMs);
}

/** Looks once a second at a lead that rises steadily; returns how many seconds it took to trip, or null. */
function leadUntilTrip(perMinute: number, seconds: number): number | null {
  const state = newBreaker(DAY, BUDGET);
  for (let second = 0; second <= seconds; second++) {
    const lead = (perMinute * second) / 60;
    if (look(state, 2 * lead, lead, DAY + second * 1000) !== null) return second;
  }
  return null;
}

function failTimes(state: BreakerState, times: number, nowMs: number) {
  const transitions = Array.from({ length: times }, () => failBreaker(state, nowMs));
  return transitions.map((transition) => transition?.reason ?? null);
}

/** A breaker that tripped at 95% at 100, has recovered and let its probes through. */
function guardedBreaker(): BreakerState {
  const state = newBreaker(DAY, BUDGET);
  watch(state, 950, 100);
  watch(state, 950, 300_100);
  settleProbe(state, config, 300_200);
  settleProbe(state, config, 300_300);
  return state;
}

describe('the breaker', () => {
  test('trips at the threshold, at once, and not before', () => {
    const state = newBreaker(DAY, BUDGET);
    expect(watch(state, 949, 100)).toBeNull();
    expect(watch(state, 950, 101)).toEqual({ from: CLOSED, to: OPEN, reason: 'threshold', atMs: 101 });
    expect(watch(state, 960, 102)).toBeNull();
    expect(TRIP_REASONS[state.reason]).toBe('threshold');
  });

  test('is half-open after the recovery time, and closes guarded once its probes are settled', () => {
    const state = newBreaker(DAY, BUDGET);
    watch(state, 950, 100);
    expect(watch(state, 950, 300_099)).toBeNull();
    expect(watch(state, 950, 300_100)).toMatchObject({ from: OPEN, to: HALF_OPEN, reason: 'recovery' });
    expect(settleProbe(state, config, 300_200)).toBeNull();
    const closing = { from: HALF_OPEN, to: CLOSED, reason: 'probes_settled', atMs: 300_300 };
    expect(settleProbe(state, config, 300_300)).toEqual(closing);
    expect(state.guarded).toBe(1);
    expect(settleProbe(state, config, 300_400)).toBeNull();
  });

  test('trips by the threshold once per day and budget', () => {
    const state = guardedBreaker();
    expect(watch(state, 990, 400_000)).toBeNull();
    expect(watch(state, 990, 9_000_000)).toBeNull();
    expect(state.position).toBe(CLOSED);
  });

  test('guarded after the threshold holds ASAP and FRONT_LOADED at 0.9, and leaves the others to the controller', () => {
    const state = guardedBreaker();
    const floors = (['ASAP', 'FRONT_LOADED', 'EVEN', 'ADAPTIVE'] as const).map((mode) =>
      throttleFloorOf(state, mode),
    );
    expect(floors).toEqual([0.9, 0.9, 0, 0]);
    expect(throttleFloorOf(newBreaker(DAY, BUDGET), 'ASAP')).toBe(0);
  });

  test('a breach opens it again when half-open or guarded, and not before it has ever tripped', () => {
    expect(breachBreaker(newBreaker(DAY, BUDGET), 5)).toBeNull();
    const halfOpen = newBreaker(DAY, BUDGET);
    watch(halfOpen, 950, 100);
    expect(breachBreaker(halfOpen, 200)).toBeNull();
    watch(halfOpen, 950, 300_100);
    settleProbe(halfOpen, config, 300_150);
    expect(breachBreaker(halfOpen, 300_200)).toMatchObject({ from: HALF_OPEN, to: OPEN, reason: 'breach' });
    expect(watch(halfOpen, 950, 600_199)).toBeNull();
    expect(watch(halfOpen, 950, 600_200)).toMatchObject({ to: HALF_OPEN });
    expect(settleProbe(halfOpen, config, 600_300)).toBeNull();

    const guarded = guardedBreaker();
    expect(breachBreaker(guarded, 400_000)).toMatchObject({ from: CLOSED, to: OPEN, reason: 'breach' });
    expect(watch(guarded, 960, 700_000)).toMatchObject({ to: HALF_OPEN });
  });

  test('with all of the budget spent stays open, however long', () => {
    const state = guardedBreaker();
    expect(watch(state, 1000, 400_000)).toMatchObject({ from: CLOSED, to: OPEN, reason: 'budget_spent' });
    expect(watch(state, 1000, 90_000_000)).toBeNull();
    expect(watch(state, 990, 90_000_001)).toBeNull(); // a total read late says nothing new
    expect(state.position).toBe(OPEN);
    const open = newBreaker(DAY, BUDGET);
    watch(open, 950, 100);
    expect(watch(open, 1001, 200)).toMatchObject({ from: OPEN, to: OPEN, reason: 'budget_spent' });
    expect(watch(open, 1001, 9_000_000)).toBeNull();
  });

  test('a raised budget closes it, lifts latch and guard, and may trip it again at once', () => {
    const state = guardedBreaker();
    watch(state, 1000, 400_000);
    expect(watch(state, 1000, 400_100, 2000)).toMatchObject({
      from: OPEN,
      to: CLOSED,
      reason: 'budget_raised',
    });
    expect(state).toMatchObject({ latched: 0, guarded: 0, reason: 0 });
    expect(watch(state, 1900, 500_000, 2000)).toMatchObject({ to: OPEN, reason: 'threshold' });
    expect(watch(state, 1900, 500_001, 2000)).toBeNull();
    const again = watch(state, 1909, 600_000, 2001);
    expect(again).toEqual({ from: OPEN, to: OPEN, reason: 'threshold', atMs: 600_000 });
    expect(state.openedAtMs).toBe(600_000);
  });

  test('a new day closes it and lifts latch and guard', () => {
    const state = guardedBreaker();
    watch(state, 1000, 400_000);
    const transition = watch(state, 0, 86_400_000, BUDGET, DAY + 86_400_000);
    expect(transition).toMatchObject({ from: OPEN, to: CLOSED, reason: 'new_day' });
    expect(state).toMatchObject({ latched: 0, guarded: 0 });
    expect(watch(state, 950, 86_500_000, BUDGET, DAY + 86_400_000)).toMatchObject({ reason: 'threshold' });
  });

  test('a lowered budget trips a closed breaker by the new threshold, and an open one still recovers', () => {
    const state = guardedBreaker();
    expect(watch(state, 950, 400_000, 980)).toMatchObject({ to: OPEN, reason: 'threshold' });
    expect(watch(state, 950, 400_100, 970)).toBeNull();
    expect(watch(state, 950, 700_000, 970)).toMatchObject({ to: HALF_OPEN });
    expect(watch(state, 950, 700_100, 970)).toBeNull();
    expect(watch(state, 950, 700_200, 960)).toBeNull();
  });

  test('that a breach opened recovers, though the threshold is passed meanwhile', () => {
    const early = { ...config, threshold: 0.5 };
    const state = newBreaker(DAY, BUDGET);
    watch(state, 500, 100, BUDGET, DAY, early);
    watch(state, 500, 300_100, BUDGET, DAY, early);
    for (let probe = 0; probe < 2; probe++) settleProbe(state, early, 300_200);
    watch(state, 500, 300_300, 900);
    expect(breachBreaker(state, 300_400)).toMatchObject({ reason: 'breach' });
    expect(watch(state, 860, 400_000, 900)).toBeNull();
    expect(watch(state, 860, 600_400, 900)).toMatchObject({ to: HALF_OPEN });
    expect(watch(state, 860, 600_500, 900)).toBeNull();
  });

  test('a threshold of 0 trips at the first spend; of 1 only when all is spent', () => {
    const zero = newBreaker(DAY, BUDGET);
    expect(watch(zero, 0, 100, BUDGET, DAY, { ...config, threshold: 0 })).toBeNull();
    expect(watch(zero, 1, 101, BUDGET, DAY, { ...config, threshold: 0 })).toMatchObject({
      reason: 'threshold',
    });
    const one = newBreaker(DAY, BUDGET);
    expect(watch(one, 999, 100, BUDGET, DAY, { ...config, threshold: 1 })).toBeNull();
    expect(watch(one, 1000, 101, BUDGET, DAY, { ...config, threshold: 1 })).toMatchObject({
      reason: 'budget_spent',
    });
  });

  test('a budget of 0 trips nothing by itself, and is spent with the first spend', () => {
    const state = newBreaker(DAY, 0);
    expect(watch(state, 0, 100, 0)).toBeNull();
    expect(watch(state, 1, 101, 0)).toMatchObject({ reason: 'budget_spent' });
  });

  test('a reset of the day’s counters closes it', () => {
    const state = guardedBreaker();
    watch(state, 1000, 400_000);
    expect(resetBreaker(state, 400_100)).toMatchObject({ from: OPEN, to: CLOSED, reason: 'reset' });
    expect(resetBreaker(state, 400_200)).toBeNull();
    expect(watch(state, 950, 500_000)).toMatchObject({ reason: 'threshold' });
  });

  test('after a restart asks for its probes anew', () => {
    const state = newBreaker(DAY, BUDGET);
    watch(state, 950, 100);
    watch(state, 950, 300_100);
    settleProbe(state, config, 300_200);
    const stored = JSON.parse(JSON.stringify(state));
    const restored = restoreBreaker(stored);
    expect(JSON.parse(JSON.stringify(restored))).toEqual({ ...stored, probesSettled: 0 });
  });

  test('that a set-back clock finds open recovers within the recovery time all the same', () => {
    const state = newBreaker(DAY, BUDGET);
    watch(state, 950, 9_000_000);
    expect(watch(state, 950, 1_000_000)).toBeNull();
    expect(watch(state, 950, 1_300_000)).toMatchObject({ to: HALF_OPEN });
  });

  test('keeps the numbers of its reasons, which are stored', () => {
    const stored = ['none', 'threshold', 'budget_spent', 'breach', 'velocity', 'failures'];
    expect(TRIP_REASONS).toEqual(stored);
  });
});

describe('spend that runs away from the plan', () => {
  test('trips the breaker at a tenth of the budget and three mean wins within five minutes', () => {
    const state = newBreaker(DAY, BUDGET);
    expect(look(state, 300, 300, 1000)).toBeNull();
    expect(look(state, 440, 310, 200_000)).toBeNull();
    const transition = look(state, 441, 310, 201_000);
    expect(transition).toEqual({ from: CLOSED, to: OPEN, reason: 'velocity', atMs: 201_000 });
    expect(state).toMatchObject({ openedAtMs: 201_000, latched: 0 });
    expect(TRIP_REASONS[state.reason]).toBe('velocity');
  });

  test('is told from a lead that builds up slowly by its last five minutes', () => {
    expect(leadUntilTrip(130 / 5, 3600)).toBeNull();
    expect(leadUntilTrip(131 / 5, 3600)).toBe(298);
    expect(leadUntilTrip(140, 3600)).toBe(56);
  });

  test('reaches back no more than five minutes, however seldom one looks', () => {
    const state = newBreaker(DAY, BUDGET);
    look(state, 0, 0, 1000);
    expect(look(state, 100, 0, 291_000)).toBeNull();
    expect(look(state, 140, 0, 431_000)).toBeNull();
    expect(look(state, 231, 0, 432_000)).toMatchObject({ reason: 'velocity' });
  });

  test('is seen within two and a half minutes, however it lies in time', () => {
    for (let quietSeconds = 1; quietSeconds < 600; quietSeconds += 7) {
      const state = newBreaker(DAY, BUDGET);
      for (let second = 0; second < quietSeconds; second++) look(state, 10, 10, DAY + second * 1000);
      const tripped = Array.from({ length: 150 }, (_, second) =>
        look(state, 10 + second, 10, DAY + (quietSeconds + second) * 1000),
      ).some((transition) => transition !== null);
      expect(tripped).toBe(true);
    }
  });

  test('is not what makes up for being behind the plan, but what goes beyond it', () => {
    const state = newBreaker(DAY, BUDGET);
    look(state, 100, 500, 1000);
    expect(look(state, 630, 500, 2000)).toBeNull();
    expect(look(state, 631, 500, 3000)).toMatchObject({ reason: 'velocity' });
  });

  test('is not known without a plan, and a plan that begins does not count what was before it', () => {
    const state = newBreaker(DAY, BUDGET);
    look(state, 0, 0, 1000);
    expect(look(state, 600, 0, 2000, false)).toBeNull();
    expect(look(state, 600, 0, 3000)).toBeNull();
    expect(look(state, 730, 0, 4000)).toBeNull();
    expect(look(state, 731, 0, 5000)).toMatchObject({ reason: 'velocity' });
  });

  test('is not a target that falls', () => {
    const state = newBreaker(DAY, BUDGET);
    look(state, 300, 300, 1000);
    expect(look(state, 300, 100, 2000)).toBeNull();
    expect(look(state, 430, 100, 3000)).toBeNull();
    expect(look(state, 431, 100, 4000)).toMatchObject({ reason: 'velocity' });
  });

  test('is not a budget that is lowered', () => {
    const state = newBreaker(DAY, BUDGET);
    const seen = { targetMicros: 100, meanWinMicros: 0, planned: true };
    watchVelocity(state, { ...seen, spentMicros: 100, budgetMicros: BUDGET }, 1000);
    watchVelocity(state, { ...seen, spentMicros: 190, budgetMicros: BUDGET }, 2000);
    watch(state, 190, 3000, 500);
    expect(watchVelocity(state, { ...seen, spentMicros: 190, budgetMicros: 500 }, 3000)).toBeNull();
  });

  test('is measured anew on a new day, after a reset and when less is spent than before', () => {
    const midnight = newBreaker(DAY, BUDGET);
    look(midnight, 0, 0, 1000);
    watch(midnight, 150, 2000, BUDGET, DAY + 86_400_000);
    expect(look(midnight, 150, 0, 2000)).toBeNull();
    const reset = newBreaker(DAY, BUDGET);
    look(reset, 0, 0, 1000);
    resetBreaker(reset, 1500);
    expect(look(reset, 150, 0, 2000)).toBeNull();
    const lower = newBreaker(DAY, BUDGET);
    look(lower, 400, 600, 1000);
    look(lower, 400, 600, 2000);
    expect(look(lower, 399, 200, 3000)).toBeNull();
    expect(look(lower, 400, 200, 4000)).toBeNull();
    const corrected = newBreaker(DAY, BUDGET);
    look(corrected, 0, 0, 1000);
    look(corrected, 120, 0, 2000);
    look(corrected, 110, 0, 3000);
    expect(look(corrected, 140, 0, 4000)).toBeNull();
  });

  test('is measured anew after five minutes without a look and after a set-back clock', () => {
    for (const nextMs of [301_000, 500]) {
      const state = newBreaker(DAY, BUDGET);
      look(state, 0, 0, 1000);
      expect(look(state, 500, 0, nextMs)).toBeNull();
      expect(look(state, 631, 0, nextMs + 1000)).toMatchObject({ reason: 'velocity' });
    }
  });

  test('trips half-open and guarded breakers too, and leaves the threshold its own trip', () => {
    const state = newBreaker(DAY, BUDGET);
    look(state, 0, 0, 1000);
    look(state, 200, 0, 2000);
    expect(watch(state, 200, 302_000)).toMatchObject({ to: HALF_OPEN, reason: 'recovery' });
    look(state, 200, 100, 302_000);
    const halfOpen = look(state, 350, 100, 303_000);
    expect(halfOpen).toEqual({ from: HALF_OPEN, to: OPEN, reason: 'velocity', atMs: 303_000 });
    watch(state, 350, 603_000);
    for (let probe = 0; probe < 2; probe++) settleProbe(state, config, 603_500);
    expect(state).toMatchObject({ position: CLOSED, guarded: 1, latched: 0 });
    expect(throttleFloorOf(state, 'FRONT_LOADED')).toBe(0);
    look(state, 350, 200, 604_000);
    expect(look(state, 500, 200, 605_000)).toMatchObject({ from: CLOSED, reason: 'velocity' });
    watch(state, 500, 905_000);
    expect(watch(state, 950, 906_000)).toMatchObject({ from: HALF_OPEN, reason: 'threshold' });
  });

  test('does not count what comes in while the breaker is open', () => {
    const quick = { ...config, recoveryMs: 1000 };
    const state = newBreaker(DAY, BUDGET);
    look(state, 0, 0, 1000);
    look(state, 200, 0, 2000);
    expect(look(state, 300, 0, 2500)).toBeNull();
    expect(look(state, 420, 0, 2900)).toBeNull();
    watch(state, 420, 3000, BUDGET, DAY, quick);
    expect(look(state, 500, 0, 3000)).toBeNull();
    expect(state.position).toBe(HALF_OPEN);
    expect(look(state, 700, 0, 3100)).toMatchObject({ reason: 'velocity' });
    watch(state, 700, 4100, BUDGET, DAY, quick);
    expect(look(state, 700, 0, 4200)).toBeNull();
  });

  test('is noticed across a restart, and from a record without a window', () => {
    const state = newBreaker(DAY, BUDGET);
    look(state, 0, 0, 1000);
    expect(look(restoreBreaker(state), 200, 0, 2000)).toMatchObject({ reason: 'velocity' });
    const older = restoreBreaker(newBreaker(DAY, BUDGET));
    expect(look(older, 200, 0, 2000)).toBeNull();
    expect(look(older, 331, 0, 3000)).toMatchObject({ reason: 'velocity' });
  });
});

describe('spends that could not be recorded', () => {
  test('trip the breaker with the fifth in a row', () => {
    const state = newBreaker(DAY, BUDGET);
    expect(failTimes(state, 4, 100)).toEqual([null, null, null, null]);
    expect(failBreaker(state, 101)).toEqual({ from: CLOSED, to: OPEN, reason: 'failures', atMs: 101 });
    expect(TRIP_REASONS[state.reason]).toBe('failures');
    expect(state).toMatchObject({ openedAtMs: 101, latched: 0 });
  });

  test('are counted anew after one that was recorded, a reset and a restart', () => {
    const recorded = newBreaker(DAY, BUDGET);
    failTimes(recorded, 4, 100);
    clearFailures(recorded);
    const reset = newBreaker(DAY, BUDGET);
    failTimes(reset, 4, 100);
    resetBreaker(reset, 100);
    const failing = newBreaker(DAY, BUDGET);
    failTimes(failing, 4, 100);
    for (const state of [recorded, reset, restoreBreaker(failing)]) {
      expect(failTimes(state, 5, 200)).toEqual([null, null, null, null, 'failures']);
    }
  });

  test('let it recover; as long as none is recorded, one more trips it again', () => {
    const state = newBreaker(DAY, BUDGET);
    failTimes(state, 9, 100);
    expect(watch(state, 10, 300_100)).toMatchObject({ from: OPEN, to: HALF_OPEN, reason: 'recovery' });
    expect(failBreaker(state, 300_200)).toMatchObject({ from: HALF_OPEN, to: OPEN, reason: 'failures' });
    watch(state, 10, 600_200);
    clearFailures(state);
    for (let probe = 0; probe < 2; probe++) settleProbe(state, config, 600_300);
    expect(state).toMatchObject({ position: CLOSED, guarded: 1 });
    expect(throttleFloorOf(state, 'ASAP')).toBe(0);
    expect(failTimes(state, 5, 600_400)).toEqual([null, null, null, null, 'failures']);
  });

  test('leave an open breaker as it is', () => {
    const state = newBreaker(DAY, BUDGET);
    watch(state, 950, 100);
    expect(failTimes(state, 5, 200)).toEqual([null, null, null, null, null]);
    expect(TRIP_REASONS[state.reason]).toBe('threshold');
    expect(watch(state, 950, 300_100)).toMatchObject({ to: HALF_OPEN });
  });
});

describe('the breaker, whatever happens', () => {
  const early = { ...config, threshold: 0.5 };
  const waits = fc.constantFrom(0, 1000, 100_000, 300_000);
  const usual = fc.oneof(
    fc.record({ kind: fc.constant('spend' as const), micros: fc.nat(160), waitMs: waits }),
    fc.record({ kind: fc.constant('look' as const), target: fc.constantFrom(0, 50), planned: fc.nat(4) }),
    fc.record({ kind: fc.constant('probe' as const) }),
  );
  const rare = fc.oneof(
    fc.record({ kind: fc.constant('fail' as const), times: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ kind: fc.constant('budget' as const), budget: fc.integer({ min: 0, max: 2000 }) }),
    fc.record({ kind: fc.constant('setBack' as const), byMs: fc.nat(1_000_000) }),
    fc.record({ kind: fc.constantFrom('recorded' as const, 'breach' as const) }),
    fc.record({ kind: fc.constantFrom('reset' as const, 'midnight' as const) }),
  );
  const events = fc.oneof({ arbitrary: usual, weight: 9 }, { arbitrary: rare, weight: 1 });
  type Event = typeof events extends fc.Arbitrary<infer Value> ? Value : never;
  const RELIEVING: readonly string[] = ['new_day', 'budget_raised', 'reset'];

  /** Plays a history and checks after each call what must always hold; returns the reasons of the moves. */
  function play(history: readonly Event[]): string[] {
    const state = newBreaker(DAY, BUDGET);
    let nowMs = 10 * DAY;
    let dayStartMs = DAY;
    let spent = 0;
    let budget = BUDGET;
    let position: number = CLOSED;
    let tripped = false;
    let allSpent = false;
    const reasons: string[] = [];
    const follow = (transition: ReturnType<typeof settleProbe>) => {
      if (transition !== null) {
        const { from, to, reason, atMs } = transition;
        expect([from, atMs]).toEqual([position, nowMs]);
        position = to;
        reasons.push(reason);
        if (to === OPEN) expect(reason).toBe(TRIP_REASONS[state.reason]);
        else if (to === HALF_OPEN) expect(reason).toBe('recovery');
        else expect([...RELIEVING, 'probes_settled']).toContain(reason);
        if (reason === 'threshold') {
          expect(tripped).toBe(false);
          tripped = true;
        }
        if (reason === 'budget_spent') allSpent = true;
      }
      expect(state.position).toBe(position);
      if (allSpent) expect(position).toBe(OPEN);
      expect(Object.values(JSON.parse(JSON.stringify(state))).every(Number.isFinite)).toBe(true);
    };
    const relieve = () => {
      tripped = false;
      allSpent = false;
    };
    for (const event of history) {
      if (event.kind === 'spend') {
        spent += event.micros;
        nowMs += event.waitMs;
      } else if (event.kind === 'probe') follow(settleProbe(state, early, nowMs));
      else if (event.kind === 'look') follow(look(state, spent, event.target, nowMs, event.planned > 0));
      else if (event.kind === 'fail')
        for (let time = 0; time < event.times; time++) follow(failBreaker(state, nowMs));
      else if (event.kind === 'breach') follow(breachBreaker(state, nowMs));
      else if (event.kind === 'recorded') clearFailures(state);
      else if (event.kind === 'setBack') nowMs = Math.max(nowMs - event.byMs, DAY);
      else if (event.kind === 'budget') {
        if (event.budget > budget) relieve();
        tripped = false; // a lowered budget has a threshold of its own
        budget = event.budget;
      } else {
        relieve();
        spent = 0;
        if (event.kind === 'reset') follow(resetBreaker(state, nowMs));
        else dayStartMs += 86_400_000;
      }
      follow(watch(state, spent, nowMs, budget, dayStartMs, early));
      if (spent > 0 && spent >= budget) expect(state.position).toBe(OPEN);
      expect(state.openedAtMs).toBeLessThanOrEqual(nowMs);
      expect(watch(state, spent, nowMs, budget, dayStartMs, early)).toBeNull();
    }
    return reasons;
  }

  test('chains its moves with their reasons, trips once by the threshold, is open once all is spent', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.array(events, { minLength: 20, maxLength: 100, size: 'max' }), (history) => {
        for (const reason of play(history)) seen.add(reason);
      }),
      { numRuns: 500 },
    );
    const reliefs = ['recovery', 'probes_settled', ...RELIEVING];
    expect([...seen].sort()).toEqual([...TRIP_REASONS.slice(1), ...reliefs].sort());
  });
});
