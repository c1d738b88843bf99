import { expect, it } from 'vitest';
import { Latencies } from '../../../src/cli/load-test/latencies.ts';

it('shows no percentile above the greatest latency', () => {
  const latencies = new Latencies();
  for (const milliseconds of [1, 166.891, 320.9]) latencies.record(0, 0, milliseconds);
  const { p99_9_ms: p999, max_ms: max } = latencies.corrected;
  expect(p999).toBe(max);
  expect(max).toBeCloseTo(320.9, 0);
});

it('counts from when a request was due, and beside it from when it was sent', () => {
  const latencies = new Latencies();
  latencies.record(0, 90, 100);
  expect(latencies.corrected.max_ms).toBeCloseTo(100, 0);
  expect(latencies.uncorrected.max_ms).toBeCloseTo(10, 0);
});
