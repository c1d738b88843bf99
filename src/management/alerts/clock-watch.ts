/**
 * Notices when this pod's clock is set: days, hours and flights go by it. The wall clock is compared with one that
 * cannot be set; they drift apart by microseconds a second, and at once by as much as the clock was set. Against the
 * database's clock it tells when the pod's is simply wrong.
 */
import type { Alert, AlertResolution } from '../../sinks/postgres/history-rows.ts';

export const CLOCK_JUMP = 'clock_jump';
export const CLOCK_SKEW = 'clock_skew';
const JUMP_MS = 2_000;
const SKEW_MS = 5_000;
const SKEW_OVER_MS = 3_000;
/** An answer that took longer says too little of the other clock. */
const ANSWER_MS_MAX = 1_000;

export interface ClockReading {
  readonly wallMs: number;
  readonly steadyMs: number;
}

export class ClockWatch {
  readonly #nodeId: string;
  #offsetMs: number | null = null;
  #skewed: 'unknown' | 'no' | 'yes' = 'unknown';

  constructor(nodeId: string) {
    this.#nodeId = nodeId;
  }

  /** To be asked about every second. @returns the alert when the clock was set since the last time */
  look({ wallMs, steadyMs }: ClockReading): Alert | null {
    const offsetMs = wallMs - steadyMs;
    const jumpMs = offsetMs - (this.#offsetMs ?? offsetMs);
    this.#offsetMs = offsetMs;
    if (Math.abs(jumpMs) < JUMP_MS) return null;
    const how = `${jumpMs > 0 ? 'forward' : 'back'} by ${seconds(jumpMs)} s`;
    return this.#alert(CLOCK_JUMP, `the clock of pod ${this.#nodeId} was set ${how}`, wallMs);
  }

  /**
   * @param databaseMs what the database's clock said between two readings of ours
   * @returns what is to be written: an alert when the clocks begin to differ, a resolution when they agree
   */
  compare(
    before: ClockReading,
    databaseMs: number,
    after: ClockReading,
  ): { readonly raised: Alert | null; readonly over: AlertResolution | null } {
    const tookMs = after.steadyMs - before.steadyMs;
    if (tookMs > ANSWER_MS_MAX) return NOTHING;
    const skewMs = before.wallMs + tookMs / 2 - databaseMs;
    if (Math.abs(skewMs) > SKEW_MS && this.#skewed !== 'yes') {
      this.#skewed = 'yes';
      const how = `${seconds(skewMs)} s ${skewMs > 0 ? 'ahead of' : 'behind'} the database's`;
      const message = `the clock of pod ${this.#nodeId} is ${how}: campaigns' days begin and end wrongly on one of them`;
      return { raised: this.#alert(CLOCK_SKEW, message, after.wallMs), over: null };
    }
    if (Math.abs(skewMs) > SKEW_OVER_MS || this.#skewed === 'no') return NOTHING;
    this.#skewed = 'no'; // also after a restart: what was said before it is over
    const keyPrefix = `${CLOCK_SKEW}:${this.#nodeId}:`;
    return { raised: null, over: { campaignId: null, keyPrefix, resolvedAtMs: after.wallMs } };
  }

  #alert(alertType: string, message: string, atMs: number): Alert {
    return {
      dedupeKey: `${alertType}:${this.#nodeId}:${Math.round(atMs)}`,
      campaignId: null,
      alertType,
      severity: 'warning',
      thresholdPercentage: null,
      message,
      circuitBreakerState: null,
      createdAtMs: atMs,
      resolvedAtMs: null,
    };
  }
}

const NOTHING = { raised: null, over: null } as const;

function seconds(ms: number): string {
  return (Math.abs(ms) / 1_000).toFixed(1);
}
