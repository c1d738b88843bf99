import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  GATE_HALF_OPEN,
  GATE_OPEN,
  REASON_BREAKER_OPEN,
  REASON_BUDGET_EXHAUSTED,
  REASON_BUDGET_RESERVED,
  REASON_NOT_FOUND,
  REASON_PAUSED,
  REASON_PROBE,
  REASON_THROTTLED,
  REASON_WITHIN_BUDGET,
} from '../../../src/domain/gate.ts';
import {
  allocateTable,
  FLAG_LAST,
  FLAG_LISTENS,
  FLAG_NO_TOKENS,
  FLAG_RESERVED,
} from '../../../src/table/layout.ts';
import { type Decision, EdgeTable, OwnerTable } from '../../../src/table/pacing-table.ts';

const SLOT = 3;

function open(unitShift = 0) {
  const memory = allocateTable(32, 1, 2);
  const owner = new OwnerTable(memory, 0);
  const edges = [new EdgeTable(memory, 0), new EdgeTable(memory, 1)] as const;
  const decision: Decision = { reason: 0, maxBidMicros: 0, takenMicros: 0, throttleRate: 0, degraded: false };
  owner.prepare(SLOT, unitShift);
  owner.setPass(SLOT, 1, 1 - 1);
  owner.setFlags(SLOT, FLAG_NO_TOKENS);
  owner.setGate(SLOT, GATE_OPEN);
  const decide = (bidMicros: number, draw = 0, edge: 0 | 1 = 0, slot = SLOT): Decision => {
    edges[edge].decide(slot, bidMicros, () => draw, decision);
    return decision;
  };
  return { owner, decide };
}

describe('a decision', () => {
  test('takes the bid from the allowance, rounded up to whole units', () => {
    const { owner, decide } = open(6);
    owner.addAllowance(SLOT, 100);
    expect(decide(1500)).toMatchObject({
      reason: REASON_WITHIN_BUDGET,
      maxBidMicros: 1500,
      takenMicros: 1536,
    });
    expect(owner.allowance(SLOT)).toBe(76);
  });

  test('is denied with the gate word as its reason', () => {
    const { owner, decide } = open();
    owner.addAllowance(SLOT, 100);
    owner.setGate(SLOT, REASON_PAUSED);
    expect(decide(10)).toMatchObject({ reason: REASON_PAUSED, maxBidMicros: 0, takenMicros: 0 });
    expect(decide(10, 0, 0, -1).reason).toBe(REASON_NOT_FOUND);
    expect(owner.allowance(SLOT)).toBe(100);
  });

  test('is throttled when the draw is not under the pass probability', () => {
    const { owner, decide } = open();
    owner.addAllowance(SLOT, 100);
    owner.setPass(SLOT, 0.25, 1 - 0.25);
    expect(decide(1, 0.2499).reason).toBe(REASON_WITHIN_BUDGET);
    expect(decide(1, 0.25)).toMatchObject({ reason: REASON_THROTTLED, throttleRate: 0.75 });
    owner.setPass(SLOT, 0, 1 - 0);
    expect(decide(1, 0).reason).toBe(REASON_THROTTLED);
  });

  test('needs a token, and may leave the bucket below zero', () => {
    const { owner, decide } = open();
    owner.addAllowance(SLOT, 100);
    owner.setFlags(SLOT, 0);
    expect(decide(10).reason).toBe(REASON_THROTTLED);
    owner.fillTokens(SLOT, 5, 20);
    expect(decide(10).reason).toBe(REASON_WITHIN_BUDGET);
    expect(decide(10).reason).toBe(REASON_THROTTLED);
    owner.fillTokens(SLOT, 5, 20);
    expect(decide(10).reason).toBe(REASON_THROTTLED);
    owner.fillTokens(SLOT, 1000, 20);
    for (let taken = 0; taken < 2; taken++) expect(decide(10).reason).toBe(REASON_WITHIN_BUDGET);
    expect(decide(10).reason).toBe(REASON_THROTTLED);
  });

  test('may take less than it asked for only of the last of the budget', () => {
    const { owner, decide } = open();
    owner.addAllowance(SLOT, 30);
    expect(decide(50)).toMatchObject({ reason: REASON_THROTTLED, maxBidMicros: 0 });
    expect(owner.takeShortfall(SLOT)).toBe(50);
    expect(owner.takeShortfall(SLOT)).toBe(0);
    owner.setFlags(SLOT, FLAG_NO_TOKENS | FLAG_LAST | FLAG_RESERVED);
    expect(decide(50)).toMatchObject({ reason: REASON_WITHIN_BUDGET, maxBidMicros: 30, takenMicros: 30 });
    expect(decide(50).reason).toBe(REASON_BUDGET_RESERVED);
    owner.setFlags(SLOT, FLAG_NO_TOKENS | FLAG_LAST);
    expect(decide(50).reason).toBe(REASON_BUDGET_EXHAUSTED);
  });

  test('is cut to the bid cap', () => {
    const { owner, decide } = open();
    owner.addAllowance(SLOT, 1000);
    owner.setBidCap(SLOT, 40);
    expect(decide(50).maxBidMicros).toBe(40);
    owner.setBidCap(SLOT, Number.POSITIVE_INFINITY);
    expect(decide(50).maxBidMicros).toBe(50);
  });

  test('passes a half-open gate as often as there are probes, whatever the throttle', () => {
    const { owner, decide } = open();
    owner.addAllowance(SLOT, 100);
    owner.setPass(SLOT, 0, 1 - 0);
    owner.setProbes(SLOT, 2);
    owner.setGate(SLOT, GATE_HALF_OPEN);
    expect([decide(1).reason, decide(1, 0, 1).reason]).toEqual([REASON_PROBE, REASON_PROBE]);
    for (let again = 0; again < 5; again++) expect(decide(1).reason).toBe(REASON_BREAKER_OPEN);
    expect(owner.allowance(SLOT)).toBe(98);
  });

  test('leaves a probe for another bid when the allowance does not cover it', () => {
    const { owner, decide } = open();
    owner.setProbes(SLOT, 1);
    owner.setGate(SLOT, GATE_HALF_OPEN);
    expect(decide(10).maxBidMicros).toBe(0);
    owner.addAllowance(SLOT, 10);
    expect(decide(10).reason).toBe(REASON_PROBE);
  });
});

test('edges and owner, in whatever order, neither create nor lose a unit', () => {
  const commands = fc.array(
    fc.record({
      kind: fc.constantFrom('bid', 'add', 'withdraw'),
      units: fc.integer({ min: 1, max: 1000 }),
      edge: fc.constantFrom(0 as const, 1 as const),
      last: fc.boolean(),
    }),
    { maxLength: 200 },
  );
  fc.assert(
    fc.property(commands, fc.integer({ min: 0, max: 6 }), (steps, shift) => {
      const { owner, decide } = open(shift);
      const unit = 2 ** shift;
      let put = 0;
      let taken = 0;
      let withdrawn = 0;
      for (const { kind, units, edge, last } of steps) {
        owner.setFlags(SLOT, FLAG_NO_TOKENS | (last ? FLAG_LAST : 0));
        if (kind === 'add') {
          owner.addAllowance(SLOT, units);
          put += units;
        } else if (kind === 'withdraw') withdrawn += owner.withdrawAllowance(SLOT);
        else {
          const decision = decide(units * unit - (units % unit), 0, edge);
          expect(decision.maxBidMicros).toBeLessThanOrEqual(decision.takenMicros);
          expect(decision.takenMicros - decision.maxBidMicros).toBeLessThan(unit);
          taken += decision.takenMicros / unit;
        }
        expect(owner.allowance(SLOT)).toBe(put - taken - withdrawn);
        expect(owner.allowance(SLOT)).toBeGreaterThanOrEqual(0);
      }
    }),
  );
});

describe('edges call the owner, once until it looks,', () => {
  const called = (owner: OwnerTable): boolean[] =>
    [owner.takeActivity(0), owner.takeActivity(0)].map((bits) => bits === 1 << SLOT);

  test('when the allowance falls below its refill mark', () => {
    const { owner, decide } = open();
    owner.addAllowance(SLOT, 100);
    owner.setRefillMark(SLOT, 60);
    decide(40);
    expect(called(owner)).toEqual([false, false]);
    decide(1);
    decide(1, 0, 1);
    expect(called(owner)).toEqual([true, false]);
  });

  test('when a bid wants more than there is, however much that is', () => {
    const { owner, decide } = open();
    owner.addAllowance(SLOT, 100);
    expect(decide(101).reason).toBe(REASON_THROTTLED);
    expect(called(owner)).toEqual([true, false]);
  });

  test('at each ask while it listens, also when the gate is closed', () => {
    const { owner, decide } = open();
    owner.addAllowance(SLOT, 100);
    decide(1);
    expect(called(owner)).toEqual([false, false]);
    owner.setFlags(SLOT, FLAG_LISTENS);
    owner.setGate(SLOT, REASON_PAUSED);
    decide(1);
    expect(called(owner)).toEqual([true, false]);
  });
});

test('the owner is told what each edge saw', () => {
  const { owner, decide } = open();
  owner.addAllowance(SLOT, 100);
  decide(10);
  decide(30, 0, 1);
  const sums = { asks: 0, askedMicros: 0, allowed: 0, largestMicros: 0 };
  owner.sumLanes(SLOT, sums);
  expect(sums).toEqual({ asks: 2, askedMicros: 40, allowed: 2, largestMicros: 30 });
});
