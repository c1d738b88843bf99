import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { moveBidCap, newBidLever } from '../../../src/domain/bid-lever.ts';
import { PACING_LEVERS, PACING_MODES } from '../../../src/domain/campaign.ts';
import { asapThrottle, beginControllerDay, newController, tick } from '../../../src/domain/controller.ts';
import { controllerMemory, restoreController } from '../../../src/domain/controller-memory.ts';
import { newTickInput, newTickOutput } from '../../../src/domain/controller-tick.ts';
import { buildCurve, type CurveSource } from '../../../src/domain/curve.ts';
import { newFlowEstimate, observeFlow } from '../../../src/domain/flow-estimate.ts';
import { localDayAt } from '../../../src/domain/local-day.ts';
import { replan, startPlan } from '../../../src/domain/plan.ts';
import { guardSupply, guardWeight, newSupplyGuard, trafficShape } from '../../../src/domain/supply-guard.ts';

const day = localDayAt('UTC', Date.UTC(2026, 2, 2));
const at = (hour: number): number => day.startMs + hour * 3_600_000;
const UNKNOWN = { lastRho: Number.NaN, potentialMicros: Number.NaN };
/** $864 a day: 10,000 micros per second. */
const BUDGET = 864_000_000;

function curveOf(changes: Partial<CurveSource> = {}) {
  const bounds = { flightStartMs: -Infinity, flightEndMs: Infinity };
  return buildCurve({
    mode: 'EVEN',
    day,
    multipliers: null,
    dayparts: null,
    ...bounds,
    shape: null,
    ...changes,
  });
}

/** A controller at `hour` with everything at hand, before its first tick. */
function setUp(hour = 0, changes: Partial<CurveSource> = {}, budget = BUDGET) {
  const input = newTickInput(startPlan(curveOf(changes), budget, at(0)));
  input.nowMs = at(hour);
  return { state: newController(UNKNOWN), input, output: newTickOutput() };
}

describe('the estimates', () => {
  test('before any history expect 0.15 of allowed value to be spent, or what yesterday taught', () => {
    expect(newFlowEstimate(Number.NaN).rho).toBe(0.15);
    expect(newFlowEstimate(0.3).rho).toBe(0.3);
  });

  test('value matures with the notice delay and only then counts as lost', () => {
    const flow = newFlowEstimate(0.5);
    const none = {
      asks: 0,
      askedMicros: 0,
      allowedMicros: 0,
      wins: 0,
      spendMicros: 0,
      noticeDelaySeconds: NaN,
    };
    observeFlow(flow, { ...none, elapsedSeconds: 1, asks: 4, askedMicros: 4000, allowedMicros: 4000 });
    expect([flow.pendingMicros, flow.rho, flow.meanBidMicros, flow.askRate]).toEqual([4000, 0.5, 1000, 4000]);
    observeFlow(flow, { ...none, elapsedSeconds: 10 });
    const matured = 4000 * (1 - Math.exp(-1));
    expect(flow.pendingMicros).toBeCloseTo(4000 - matured, 9);
    // The prior weighs one win of 1000 at 0.5: 2000 micros of allowed value.
    expect(flow.rho).toBeCloseTo(1000 / (matured + 2000), 9);
    observeFlow(flow, { ...none, elapsedSeconds: 0, wins: 2, spendMicros: 1400, noticeDelaySeconds: 3 });
    expect([flow.meanWinMicros, flow.noticeDelaySeconds]).toEqual([700, 3]);
  });

  test('see within seconds that a market sells far more often than it did', () => {
    const flow = newFlowEstimate(0.02);
    const tick = { elapsedSeconds: 1, asks: 20, askedMicros: 20_000, allowedMicros: 10_000 };
    for (let second = 0; second < 3600; second++) {
      const wins = second % 5 === 0 ? 1 : 0;
      observeFlow(flow, { ...tick, wins, spendMicros: 1000 * wins, noticeDelaySeconds: 2 });
    }
    expect(flow.rho).toBeCloseTo(0.02, 2);
    for (let second = 0; second < 15; second++) {
      observeFlow(flow, { ...tick, wins: 5, spendMicros: 5000, noticeDelaySeconds: 2 });
    }
    expect(flow.rho).toBeGreaterThan(0.2);
  });

  test('take a few wins close together for chance', () => {
    const flow = newFlowEstimate(0.2);
    const none = { elapsedSeconds: 1, asks: 0, askedMicros: 0, allowedMicros: 0, noticeDelaySeconds: 2 };
    for (let second = 0; second < 3600; second++) {
      const asked = second % 60 === 0 ? { asks: 1, askedMicros: 1000, allowedMicros: 1000 } : {};
      const wins = second % 300 < 2 ? 1 : 0;
      observeFlow(flow, { ...none, ...asked, wins, spendMicros: 1000 * wins });
    }
    expect(flow.rhoPrior).toBe(0.2);
  });

  test('converge to the rates of a steady flow', () => {
    const flow = newFlowEstimate(Number.NaN);
    for (let second = 0; second < 1800; second++) {
      const tick = { elapsedSeconds: 1, asks: 20, askedMicros: 30_000, allowedMicros: 6000 };
      observeFlow(flow, { ...tick, wins: 1, spendMicros: 1500, noticeDelaySeconds: 4 });
    }
    expect(flow.rho).toBeCloseTo(0.25, 2);
    expect(flow.askRate).toBeCloseTo(30_000, 6);
    expect(flow.pendingMicros).toBeCloseTo(6000 * 4.5, -3);
  });
});

test('the spend per allowed micro forgets the old rate within some hundred wins', () => {
  const flow = newFlowEstimate(Number.NaN);
  const steady = { elapsedSeconds: 1, asks: 20, askedMicros: 30_000, wins: 1, spendMicros: 1500 };
  const follow = (allowedMicros: number): void => {
    for (let second = 0; second < 600; second++)
      observeFlow(flow, { ...steady, allowedMicros, noticeDelaySeconds: 4 });
  };
  follow(6000);
  follow(3000);
  expect(flow.rho).toBeGreaterThan(0.46); // the prior of three wins at 0.15 never quite goes
});

describe('a tick', () => {
  test('of a fresh campaign lets bids through at once, from a full bucket', () => {
    const { state, input, output } = setUp();
    tick(state, input, output);
    expect(output).toMatchObject({
      passProbability: 1,
      throttleRate: 0,
      sparse: false,
      bidCapMicros: Infinity,
    });
    expect(output.spendRate).toBeCloseTo(10_000, 6);
    expect(output.allowRate).toBeCloseTo(10_000 / 0.15, 3);
    expect(output.tokenFillMicros).toBe(output.tokenCapMicros);
    expect(output.tokenCapMicros).toBeCloseTo((20 * 10_000) / 0.15, 3);
    input.elapsedSeconds = 1;
    tick(state, input, output);
    expect(output.tokenFillMicros).toBeCloseTo(1.25 * output.allowRate, 6);
  });

  test('on its plan passes the share of the asked value that the plan needs', () => {
    const { state, input, output } = setUp(6);
    input.elapsedSeconds = 1;
    input.asks = 100;
    input.askedMicros = 200_000;
    input.spentMicros = BUDGET / 4;
    tick(state, input, output);
    expect(output.passProbability).toBeCloseTo(10_000 / 0.15 / 200_000, 6);
    expect(output.throttleRate).toBeCloseTo(1 - output.passProbability, 12);
    expect([output.targetMicros, output.targetRate]).toEqual([BUDGET / 4, expect.closeTo(10_000, 6)]);
  });

  test.each([
    ['ahead of plan slows down', 9_000_000 * 0.25, 10_000 - 2500],
    ['behind plan speeds up', -9_000_000 * 0.25, 10_000 + 2500],
    ['far behind plan goes at most at twice its rate', -900_000_000 * 0.2, 20_000],
    ['far ahead of plan stops', 900_000_000 * 0.2, 0],
  ])('%s', (_, ahead, rate) => {
    const { state, input, output } = setUp(6);
    input.elapsedSeconds = 1;
    input.spentMicros = BUDGET / 4 + ahead;
    tick(state, input, output);
    expect(output.horizonSeconds).toBe(900);
    expect(output.spendRate).toBeCloseTo(rate, 6);
  });

  test('after hours without one corrects as soon as any other', () => {
    const { state, input, output } = setUp(6);
    Object.assign(input, { elapsedSeconds: 6 * 3600, spentMicros: BUDGET / 4 - 2_250_000 });
    tick(state, input, output);
    expect(output.horizonSeconds).toBe(900);
    expect(output.spendRate).toBeCloseTo(12_500, 6);
  });

  test('counts value in flight as spent by the share that usually wins', () => {
    const { state, input, output } = setUp(6);
    Object.assign(input, {
      elapsedSeconds: 1,
      asks: 10,
      askedMicros: 1e6,
      allowedMicros: 1e6,
      spentMicros: 5e6,
    });
    tick(state, input, output);
    expect(output.effectiveSpentMicros).toBeCloseTo(5e6 + 0.15e6, 0);
  });

  test('with fewer flow than a bid in 20 s paces by tokens alone, one bid at most', () => {
    const { state, input, output } = setUp(6);
    Object.assign(input, { elapsedSeconds: 1, asks: 1, askedMicros: 5e6, spentMicros: BUDGET / 4 });
    tick(state, input, output);
    expect(output).toMatchObject({ sparse: true, passProbability: 1, tokenCapMicros: 5e6 });
    tick(state, input, output);
    expect(output.tokenFillMicros).toBeCloseTo(output.allowRate, 6);
  });

  test('whose correction stops a dense flow for a moment throttles it, and does not leave it to the tokens', () => {
    const { state, input, output } = setUp(6);
    Object.assign(input, { elapsedSeconds: 1, asks: 100, askedMicros: 1e6 });
    input.spentMicros = BUDGET / 4 + 8_999_000;
    tick(state, input, output);
    expect(output.spendRate).toBeLessThan(10);
    expect(output.sparse).toBe(false);
    expect(output.passProbability).toBeLessThan(0.001);
  });

  test('outside its dayparts passes nothing and refills nothing, and goes on when one begins', () => {
    const { state, input, output } = setUp(6, { dayparts: [{ startHour: 8, endHour: 20 }] });
    tick(state, input, output);
    input.elapsedSeconds = 1;
    tick(state, input, output);
    expect(output).toMatchObject({ passProbability: 0, throttleRate: 1, tokenFillMicros: 0, spendRate: 0 });
    input.nowMs = at(8);
    tick(state, input, output);
    expect(output.passProbability).toBe(1);
    expect(output.tokenFillMicros).toBeGreaterThan(0);
  });

  test('spreads what a budget cut below the target leaves over the rest of the day', () => {
    const { state, input, output } = setUp(12);
    input.plan = replan(input.plan, { budgetMicros: BUDGET / 4 }, at(12));
    Object.assign(input, { elapsedSeconds: 1, budgetMicros: BUDGET / 4, spentMicros: BUDGET / 8 });
    tick(state, input, output);
    expect(output.targetRate).toBe(0);
    expect(output.spendRate).toBeCloseTo(BUDGET / 8 / 43_200, 6);
  });

  test('begins to drain before the day’s end while lost bids hold the budget, later when losses are reported', () => {
    const { state, input, output } = setUp(23.5);
    input.elapsedSeconds = 1;
    input.spentMicros = (BUDGET * 23.5) / 24;
    input.lossesReported = true;
    tick(state, input, output);
    expect(output.spendRate).toBeCloseTo(10_000, 3);
    input.lossesReported = false;
    tick(state, input, output);
    expect(output.spendRate).toBeCloseTo(18_000_000 / (1800 - (0.4 * 120) / 0.15), 3);
  });

  test('holds the throttle at its floor', () => {
    const { state, input, output } = setUp(6);
    input.throttleFloor = 0.9;
    tick(state, input, output);
    expect(output.throttleRate).toBeCloseTo(0.9, 12);
    input.mode = 'ASAP';
    tick(state, input, output);
    expect(output.throttleRate).toBeCloseTo(0.9, 12);
  });

  test('of ASAP passes everything, with steps of 20, 50 and 90% as the budget ends', () => {
    expect([0, 0.79, 0.8, 0.89, 0.9, 0.949, 0.95, 2].map(asapThrottle)).toEqual([
      0, 0, 0.2, 0.2, 0.5, 0.5, 0.9, 0.9,
    ]);
    const { state, input, output } = setUp(1);
    input.mode = 'ASAP';
    tick(state, input, output);
    expect(output).toMatchObject({ passProbability: 1, tokenCapMicros: 2 ** 53, tokenFillMicros: 2 ** 53 });
    input.spentMicros = 0.92 * BUDGET;
    tick(state, input, output);
    expect(output.passProbability).toBe(0.5);
  });

  test('of an empty budget lets nothing flow', () => {
    const { state, input, output } = setUp(6, {}, 0);
    Object.assign(input, { elapsedSeconds: 1, asks: 5, askedMicros: 5000 });
    tick(state, input, output);
    expect([output.spendRate, output.allowRate]).toEqual([0, 0]);
  });

  test('writes finite numbers whatever it is given, hours without a tick and odd traffic included', () => {
    const amounts = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 10_000 }), fc.constant(2 ** 53));
    const steps = fc.record({
      elapsedSeconds: fc.oneof(
        fc.constantFrom(0, 1e-3, 1, 3600, 86_400, 1e9),
        fc.double({ min: 0, max: 60, noNaN: true }),
      ),
      asks: fc.nat(100),
      askedMicros: amounts,
      allowedMicros: amounts,
      wins: fc.nat(50),
      spendMicros: amounts,
      noticeDelaySeconds: fc.constantFrom(Number.NaN, 0, 2, 1e6),
      spentMicros: amounts,
      budgetMicros: amounts,
      hour: fc.double({ min: -1, max: 25, noNaN: true }),
      mode: fc.constantFrom(...PACING_MODES),
      lever: fc.constantFrom(...PACING_LEVERS),
      largestBidMicros: amounts,
    });
    const shapes = [null, trafficShape(curveOf(), [1, ...new Array<number>(23).fill(0)])];
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 12 }), fc.constantFrom(...shapes), (history, shape) => {
        const { state, input, output } = setUp(0, { dayparts: [{ startHour: 4, endHour: 22 }] });
        for (const { hour, ...step } of history) {
          Object.assign(input, step, { nowMs: Math.floor(at(hour)), shape });
          input.plan = startPlan(input.plan.curve, step.budgetMicros, at(0));
          tick(state, input, output);
          const { bidCapMicros, sparse, ...numbers } = output;
          expect(Object.entries(numbers).filter(([, value]) => !Number.isFinite(value))).toEqual([]);
          expect(bidCapMicros).toBeGreaterThan(0);
          expect(typeof sparse).toBe('boolean');
          expect(output.passProbability >= 0 && output.passProbability <= 1).toBe(true);
          expect(output.tokenFillMicros >= 0 && output.tokenFillMicros <= 2 ** 53).toBe(true);
          expect(Object.values(controllerMemory(state)).every(Number.isFinite)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('what a controller remembers', () => {
  test('lets a restarted one go on where it was', () => {
    const { state, input, output } = setUp(6);
    Object.assign(input, { elapsedSeconds: 1, asks: 100, askedMicros: 200_000, allowedMicros: 60_000 });
    Object.assign(input, { wins: 20, spendMicros: 30_000, noticeDelaySeconds: 5, spentMicros: BUDGET / 4 });
    for (let second = 0; second < 300; second++) tick(state, input, output);
    const restored = restoreController(JSON.parse(JSON.stringify(controllerMemory(state))));
    const again = newTickOutput();
    Object.assign(input, {
      elapsedSeconds: 0,
      asks: 0,
      askedMicros: 0,
      allowedMicros: 0,
      wins: 0,
      spendMicros: 0,
    });
    tick(restored, input, again);
    expect(again.winRate).toBeCloseTo(output.winRate, 12);
    expect(again.askRate).toBeCloseTo(output.askRate, 6);
    expect(again.meanBidMicros).toBeCloseTo(2000, 6);
  });

  test('a new day takes yesterday’s spend per bid as its prior and yesterday’s supply as its forecast', () => {
    const { state, input, output } = setUp(0);
    input.shape = trafficShape(input.plan.curve, new Array<number>(24).fill(1));
    Object.assign(input, { elapsedSeconds: 60, asks: 600, askedMicros: 600_000, allowedMicros: 300_000 });
    Object.assign(input, { wins: 30, spendMicros: 90_000 });
    for (let minute = 0; minute < 300; minute++) {
      input.nowMs = at(minute / 60);
      tick(state, input, output);
    }
    beginControllerDay(state);
    expect(Math.abs(state.flow.rhoPrior - 0.3)).toBeLessThan(0.01);
    expect(state.lastPotentialMicros / (86_400 * 10_000 * 0.3)).toBeCloseTo(1, 1);
  });
});

describe('the supply guard', () => {
  const flat = curveOf();
  const halfDay = trafficShape(flat, [...new Array<number>(12).fill(1), ...new Array<number>(12).fill(0)]);

  test('asks for the whole budget in the half of the day that has traffic', () => {
    if (halfDay === null) throw new Error('no shape');
    const guard = newSupplyGuard(4 * BUDGET);
    const rate = guardSupply(guard, flat, halfDay, at(0), 1, (8 * BUDGET) / 86_400, BUDGET, 0);
    expect(rate).toBeCloseTo((2 * BUDGET) / 86_400, 3);
  });

  test('without yesterday says nothing for 15 minutes', () => {
    if (halfDay === null) throw new Error('no shape');
    const guard = newSupplyGuard(0);
    const ask = (second: number) =>
      guardSupply(guard, flat, halfDay, at(second / 3600), 1, 10_000, BUDGET, 1000);
    for (let second = 0; second < 899; second++) expect(ask(second)).toBe(0);
    expect(ask(899)).toBeGreaterThan(0);
  });

  test('has its way by degrees, the shorter the rest of the day is of traffic', () => {
    const weights = [3, 1.3, 1.2, 1.1, 1.05, 0.9].map((supply) => {
      const guard = newSupplyGuard(supply * BUDGET);
      const even = trafficShape(flat, new Array<number>(24).fill(1));
      if (even === null) throw new Error('an even shape is one');
      const rate = guardSupply(guard, flat, even, at(0), 1, (supply * BUDGET) / 86_400, BUDGET, 0);
      return guardWeight(guard, rate, BUDGET / 86_400);
    });
    // 0.9 of each supply is trusted: wanted over that is 0.37, 0.85, 0.93, 1.01 and more.
    const [plenty, , half, ...short] = weights;
    expect(plenty).toBe(0);
    expect(weights[1]).toBeCloseTo((1 / (0.9 * 1.3) - 0.8) / 0.2, 2);
    expect(half).toBeCloseTo((1 / (0.9 * 1.2) - 0.8) / 0.2, 2);
    expect(short).toEqual([1, 1, 1]);
  });

  test('learns nothing outside the plan, where nobody asks', () => {
    const curve = curveOf({ dayparts: [{ startHour: 8, endHour: 20 }] });
    const shape = trafficShape(curve, new Array<number>(24).fill(1));
    if (shape === null) throw new Error('no shape');
    const guard = newSupplyGuard(BUDGET);
    const before = JSON.stringify(guard);
    expect(guardSupply(guard, curve, shape, at(3), 60, 0, BUDGET, 0)).toBe(0);
    expect(JSON.stringify(guard)).toBe(before);
  });

  test('a shape that says nothing is none', () => {
    expect(trafficShape(flat, [])).toBeNull();
    expect(trafficShape(flat, new Array<number>(24).fill(0))).toBeNull();
    expect(trafficShape(flat, new Array<number>(24).fill(-1))).toBeNull();
  });
});

describe('the BID lever', () => {
  test('lowers the cap while more is asked than wanted and raises it again, once a minute, never above the top', () => {
    const lever = newBidLever(0, 0);
    const move = (wanted: number, steering = true) => moveBidCap(lever, 1, steering, wanted, 100, 20, 800);
    expect(move(10)).toBe(1000); // 50 mean bids
    for (let second = 0; second < 58; second++) expect(move(10)).toBe(1000);
    expect(move(10)).toBeCloseTo(1000 * 0.1 ** 0.05, 9);
    for (let second = 0; second < 3600; second++) move(10, false);
    expect(move(10, false)).toBeCloseTo(1000 * 0.1 ** 0.05, 9);
    for (let second = 0; second < 3600; second++) move(1000);
    expect(move(1000)).toBe(1000);
  });

  test('caps nothing before a bid is known', () => {
    expect(moveBidCap(newBidLever(0, 0), 1, true, 10, 0, 0, 0)).toBe(Infinity);
  });
});
