/**
 * Latencies of one kind of request, in microseconds, twice: from when it was due, which is what a bidder that asks at its
 * own pace waits (corrected for coordinated omission), and from when it was sent.
 */
import { build, type Histogram } from 'hdr-histogram-js';

const MICROSECONDS_MAX = 120_000_000;
const PERCENTILES = [50, 90, 99, 99.9] as const;

export interface LatencyFigures {
  readonly count: number;
  readonly p50_ms: number;
  readonly p90_ms: number;
  readonly p99_ms: number;
  readonly p99_9_ms: number;
  readonly max_ms: number;
}

function histogram(): Histogram {
  return build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: MICROSECONDS_MAX,
    numberOfSignificantValueDigits: 3,
  });
}

export class Latencies {
  private readonly fromDueTimes = histogram();
  private readonly fromSending = histogram();

  /** @param dueAtMs, sentAtMs, answeredAtMs of one clock */
  record(dueAtMs: number, sentAtMs: number, answeredAtMs: number): void {
    this.fromDueTimes.recordValue(microseconds(answeredAtMs - Math.min(dueAtMs, sentAtMs)));
    this.fromSending.recordValue(microseconds(answeredAtMs - sentAtMs));
  }

  /** Takes in what another one has recorded. */
  add(other: Latencies): void {
    this.fromDueTimes.add(other.fromDueTimes);
    this.fromSending.add(other.fromSending);
  }

  get corrected(): LatencyFigures {
    return figures(this.fromDueTimes);
  }

  get uncorrected(): LatencyFigures {
    return figures(this.fromSending);
  }
}

function microseconds(milliseconds: number): number {
  return Math.min(MICROSECONDS_MAX, Math.max(1, Math.round(milliseconds * 1000)));
}

function figures(from: Histogram): LatencyFigures {
  // A percentile is the upper end of its bucket, which may lie above the greatest value in it.
  const [p50, p90, p99, p999] = PERCENTILES.map(
    (percentile) => Math.min(from.getValueAtPercentile(percentile), from.maxValue) / 1000,
  );
  return {
    count: from.totalCount,
    p50_ms: p50 ?? 0,
    p90_ms: p90 ?? 0,
    p99_ms: p99 ?? 0,
    p99_9_ms: p999 ?? 0,
    max_ms: from.maxValue / 1000,
  };
}
