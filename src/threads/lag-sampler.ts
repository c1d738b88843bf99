/** Event-loop lag: how much later than due a timer fires, the worst of the last period, in seconds. */

const SAMPLE_MS = 100;
const PERIOD_SAMPLES = 50;

/** Samples until the thread ends; the timer keeps no thread alive. */
export function sampleLag(report: (seconds: number) => void): void {
  let due = performance.now() + SAMPLE_MS;
  let worstMs = 0;
  let previousMs = 0;
  let samples = 0;
  setInterval(() => {
    const now = performance.now();
    worstMs = Math.max(worstMs, now - due);
    due = now + SAMPLE_MS;
    samples++;
    report(Math.max(worstMs, previousMs) / 1000);
    if (samples < PERIOD_SAMPLES) return;
    samples = 0;
    previousMs = worstMs;
    worstMs = 0;
  }, SAMPLE_MS).unref();
}
