import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pacingAccuracy } from '../../../src/domain/pacing-accuracy.ts';

describe('pacing accuracy', () => {
  test('is 1 on the plan, falls alike below and above it, and is null where there was nothing', () => {
    expect(pacingAccuracy(100, 100)).toBe(1);
    expect(pacingAccuracy(50, 100)).toBe(0.5);
    expect(pacingAccuracy(200, 100)).toBe(0.5);
    expect(pacingAccuracy(2, 3)).toBe(0.6667);
    expect(pacingAccuracy(0, 100)).toBe(0);
    expect(pacingAccuracy(100, 0)).toBe(0);
    expect(pacingAccuracy(0, 0)).toBeNull();
  });

  test('is 1 − |spent − planned| / max(spent, planned), within 0 and 1', () => {
    const amount = fc.nat({ max: 2 ** 31 - 1 });
    fc.assert(
      fc.property(amount, amount, (spent, planned) => {
        fc.pre(spent + planned > 0);
        const accuracy = pacingAccuracy(spent, planned) ?? Number.NaN;
        expect(accuracy).toBeCloseTo(1 - Math.abs(spent - planned) / Math.max(spent, planned), 3);
        expect(accuracy).toBeGreaterThanOrEqual(0);
        expect(accuracy).toBeLessThanOrEqual(1);
      }),
    );
  });
});
