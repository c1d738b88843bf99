/** Garbage collections of a thread: each stops it for a while, and that is told once it is over. */
import { PerformanceObserver } from 'node:perf_hooks';

/** Observes until the thread ends; keeps no thread alive. */
export function observeGcPauses(report: (seconds: number) => void): void {
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) report(duration / 1000);
  });
  observer.observe({ entryTypes: ['gc'] });
}
