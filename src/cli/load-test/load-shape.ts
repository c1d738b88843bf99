/**
 * When each request of an open-loop test is due: a rate for each phase, whatever the server does. Requests are numbered
 * from 0; within a phase they are evenly spread.
 */

export const PATTERNS = ['normal', 'surge', 'circuit_breaker_test'] as const;
export type Pattern = (typeof PATTERNS)[number];

/** The middle third of a surge. */
export const SURGE_FACTOR = 3;

interface Phase {
  readonly startSeconds: number;
  readonly firstRequest: number;
  /** Requests a second. */
  readonly rate: number;
}

export class LoadShape {
  /** Requests in all. */
  readonly requests: number;
  readonly seconds: number;
  private readonly phases: readonly Phase[];

  constructor(pattern: Pattern, rate: number, seconds: number) {
    const rates = pattern === 'surge' ? [rate, rate * SURGE_FACTOR, rate] : [rate];
    const phases: Phase[] = [];
    let firstRequest = 0;
    for (const [at, phaseRate] of rates.entries()) {
      phases.push({ startSeconds: (at * seconds) / rates.length, firstRequest, rate: phaseRate });
      firstRequest += (phaseRate * seconds) / rates.length;
    }
    this.phases = phases;
    this.seconds = seconds;
    this.requests = Math.round(firstRequest);
  }

  /** Seconds after the start at which a request is due. */
  dueAt(request: number): number {
    const phase = this.phases.findLast(({ firstRequest }) => request >= firstRequest);
    if (phase === undefined) return 0;
    return phase.startSeconds + (request - phase.firstRequest) / phase.rate;
  }
}
