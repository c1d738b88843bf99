import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type BreakerState,
  breachBreaker,
  CLOSED,
  HALF_OPEN,
  newBreaker,
  OPEN,
  resetBreaker,
  restoreBreaker,
  settleProbe,
  TRIP_REASONS,
  throttleFloorOf,
  watchBreaker,
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

  test('while guarded holds ASAP and FRONT_LOADED at 0.9, and leaves the others to the controller', () => {
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
    const restored = restoreBreaker(JSON.parse(JSON.stringify(state)));
    expect(restored).toEqual({ ...state, probesSettled: 0 });
  });

  const events = fc.oneof(
    fc.record({ kind: fc.constant('spend' as const), micros: fc.nat(200), waitMs: fc.nat(400_000) }),
    fc.record({ kind: fc.constantFrom('probe' as const, 'breach' as const, 'reset' as const) }),
    fc.record({ kind: fc.constant('budget' as const), budget: fc.integer({ min: 0, max: 2000 }) }),
    fc.record({ kind: fc.constant('midnight' as const) }),
  );

  test('whatever happens: its events chain, spent budgets are open, and it trips once per day and budget', () => {
    fc.assert(
      fc.property(fc.array(events, { maxLength: 60 }), (history) => {
        const state = newBreaker(DAY, BUDGET);
        let nowMs = DAY;
        let dayStartMs = DAY;
        let spent = 0;
        let budget = BUDGET;
        let position: number = CLOSED;
        let tripped = false;
        const follow = (transition: ReturnType<typeof settleProbe>) => {
          if (transition !== null) {
            expect(transition.from).toBe(position);
            position = transition.to;
            if (transition.reason === 'threshold') {
              expect(tripped).toBe(false);
              tripped = true;
            }
          }
          expect(state.position).toBe(position);
        };
        for (const event of history) {
          if (event.kind === 'spend') {
            spent += event.micros;
            nowMs += event.waitMs;
          } else if (event.kind === 'probe') follow(settleProbe(state, config, nowMs));
          else if (event.kind === 'breach') follow(breachBreaker(state, nowMs));
          else {
            tripped = false;
            if (event.kind === 'budget') budget = event.budget;
            else spent = 0;
            if (event.kind === 'reset') follow(resetBreaker(state, nowMs));
            if (event.kind === 'midnight') dayStartMs += 86_400_000;
          }
          follow(watch(state, spent, nowMs, budget, dayStartMs));
          if (spent > 0 && spent >= budget) expect(state.position).toBe(OPEN);
          if (spent === 0)
            expect(state.position === OPEN && state.latched === 1 && budget > 2000).toBe(false);
          expect(Object.values(state).every(Number.isFinite)).toBe(true);
          expect(watch(state, spent, nowMs, budget, dayStartMs)).toBeNull();
        }
      }),
      { numRuns: 500 },
    );
  });
});
