import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { observeGcPauses } from '../../../src/threads/gc-pauses.ts';
import { until } from '../../support/pod-wait.ts';

describe('garbage collections of a thread', () => {
  it('are told with their length once they are over', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const pauses: number[] = [];
    observeGcPauses((seconds) => pauses.push(seconds));
    const startedAtMs = performance.now();
    collect();
    const seconds = (performance.now() - startedAtMs) / 1000;
    await until('the collection is told', () => pauses.length > 0);
    expect(Math.max(...pauses)).toBeGreaterThan(0);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(seconds);
  });
});
