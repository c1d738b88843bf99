/**
 * Counters and histograms of one thread in shared memory: that thread is the only writer, plain stores, no
 * atomics; the scrape reads all threads' meters and adds them up. A list of names fixes the layout for
 * writer and reader alike. Histogram bounds are in seconds, Prometheus style.
 */

export const LATENCY_BOUNDS: readonly number[] = [
  0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1,
];

export interface MeterLayout {
  readonly counters: readonly string[];
  readonly histograms: readonly string[];
}

const HISTOGRAM_FIELDS = LATENCY_BOUNDS.length + 2; // a bucket a bound, those above all bounds, the sum

export function allocateMeters(layout: MeterLayout): SharedArrayBuffer {
  return new SharedArrayBuffer((layout.counters.length + layout.histograms.length * HISTOGRAM_FIELDS) * 8);
}

export interface HistogramReading {
  /** Observations in each bucket, not cumulative; the last is above all bounds. */
  readonly buckets: readonly number[];
  readonly count: number;
  readonly sum: number;
}

export class Meters {
  private readonly fields: Float64Array;
  private readonly counterCount: number;

  constructor(layout: MeterLayout, memory: SharedArrayBuffer) {
    this.fields = new Float64Array(memory);
    this.counterCount = layout.counters.length;
  }

  add(counter: number, amount: number): void {
    this.fields[counter] = (this.fields[counter] as number) + amount;
  }

  set(counter: number, value: number): void {
    this.fields[counter] = value;
  }

  get(counter: number): number {
    return this.fields[counter] as number;
  }

  /** @param count observations that this one stands for */
  observe(histogram: number, seconds: number, count = 1): void {
    let bucket = 0;
    while (bucket < LATENCY_BOUNDS.length && seconds > (LATENCY_BOUNDS[bucket] as number)) bucket++;
    const at = this.counterCount + histogram * HISTOGRAM_FIELDS;
    this.fields[at + bucket] = (this.fields[at + bucket] as number) + count;
    const sum = at + HISTOGRAM_FIELDS - 1;
    this.fields[sum] = (this.fields[sum] as number) + seconds * count;
  }

  histogram(histogram: number): HistogramReading {
    const at = this.counterCount + histogram * HISTOGRAM_FIELDS;
    const buckets = Array.from(this.fields.subarray(at, at + HISTOGRAM_FIELDS - 1));
    const count = buckets.reduce((sum, bucket) => sum + bucket, 0);
    return { buckets, count, sum: this.fields[at + HISTOGRAM_FIELDS - 1] as number };
  }
}
