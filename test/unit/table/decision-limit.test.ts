import { describe, expect, it } from 'vitest';
import { allocateDecisionLimit, DecisionLimit } from '../../../src/table/decision-limit.ts';

/** Takes one after the other until there is nothing left. */
function drain(limit: DecisionLimit, nowMs: number): number {
  let taken = 0;
  while (taken < 10_000 && limit.take(1, nowMs)) taken++;
  return taken;
}

describe('the limit of decisions a second', () => {
  it('lets a second of decisions pass at once, and then as many as time brings', () => {
    const limit = new DecisionLimit(allocateDecisionLimit(), 10);
    expect(drain(limit, 5_000)).toBe(10);
    expect(drain(limit, 5_099)).toBe(0);
    expect(drain(limit, 5_100)).toBe(1);
    expect(drain(limit, 5_350)).toBe(2);
    expect(drain(limit, 5_400)).toBe(1);
    expect(drain(limit, 60_000)).toBe(10);
  });

  it('lets exactly its rate pass over a long time, whatever the steps', () => {
    const limit = new DecisionLimit(allocateDecisionLimit(), 7);
    let taken = drain(limit, 10_000);
    for (let nowMs = 10_000; nowMs <= 110_000; nowMs += 3) taken += drain(limit, nowMs);
    expect(taken).toBe(7 + 700 - 1);
  });

  it('is one for all edges', () => {
    const memory = allocateDecisionLimit();
    const edges = [new DecisionLimit(memory, 10), new DecisionLimit(memory, 10)];
    expect(edges.map((edge) => drain(edge, 5_000))).toEqual([10, 0]);
    expect(edges.reverse().map((edge) => drain(edge, 5_200))).toEqual([2, 0]);
  });

  it('takes a batch whole or not at all, and one above a second of decisions from a full bucket', () => {
    const limit = new DecisionLimit(allocateDecisionLimit(), 10);
    expect(limit.take(8, 5_000)).toBe(true);
    expect(limit.take(3, 5_000)).toBe(false);
    expect(limit.take(2, 5_000)).toBe(true);
    expect(limit.take(1_000, 5_900)).toBe(false);
    expect(limit.take(1_000, 6_900)).toBe(true);
    expect(limit.take(1, 6_900)).toBe(false);
  });

  it('gains nothing from an edge that read its clock a little earlier', () => {
    const limit = new DecisionLimit(allocateDecisionLimit(), 1_000);
    drain(limit, 5_000);
    expect(limit.take(1, 4_500)).toBe(false);
    expect(drain(limit, 5_001)).toBe(1);
  });

  it('goes on when the clock passes 2^31 and 2^32 ms, also after a long pause', () => {
    const limit = new DecisionLimit(allocateDecisionLimit(), 1_000);
    for (const turn of [2 ** 31, 2 ** 32, 2 ** 33 + 2 ** 31]) {
      expect(drain(limit, turn - 5)).toBe(1_000);
      expect(drain(limit, turn + 5)).toBe(10);
    }
    expect(drain(limit, 2 ** 34 + 2 ** 31 + 5_000)).toBe(1_000);
  });

  it('holds at the largest rate', () => {
    const limit = new DecisionLimit(allocateDecisionLimit(), 2_000_000);
    expect(limit.take(2_000_000, 5_000)).toBe(true);
    expect(limit.take(1, 5_000)).toBe(false);
    expect(limit.take(2_000, 5_001)).toBe(true);
    expect(limit.take(1, 5_001)).toBe(false);
  });
});
