/** One campaign's circuit breaker: the rules of breaker.ts with the pod's settings, each move reported. */
import {
  type BreakerConfig,
  type BreakerState,
  type BreakerTransition,
  breachBreaker,
  clearFailures,
  failBreaker,
  HALF_OPEN,
  OPEN,
  resetBreaker,
  settleProbe,
  watchBreaker,
  watchVelocity,
} from './breaker.ts';
import type { CampaignTerms } from './campaign.ts';
import type { SpendLook } from './spend-velocity.ts';

export interface BreakerSettings {
  readonly breakerRecoveryMs: number;
  readonly breakerProbes: number;
  /** A breaker moved. */
  readonly moved: (campaign: CampaignTerms, transition: BreakerTransition) => void;
}

/** The state, its campaign and the settings, brought together for the moment: nothing is kept here. */
export class CampaignBreaker {
  readonly state: BreakerState;
  private readonly settings: BreakerSettings;
  private readonly campaign: CampaignTerms;

  constructor(state: BreakerState, campaign: CampaignTerms, settings: BreakerSettings) {
    this.state = state;
    this.settings = settings;
    this.campaign = campaign;
  }

  private get config(): BreakerConfig {
    filled.threshold = this.campaign.breakerThreshold;
    filled.recoveryMs = this.settings.breakerRecoveryMs;
    filled.probes = this.settings.breakerProbes;
    return filled;
  }

  get halfOpen(): boolean {
    return this.state.position === HALF_OPEN;
  }

  /** Brings it up to date with what is spent of the day's budget; returns whether it moved. */
  watch(dayStartMs: number, spentMicros: number, budgetMicros: number, nowMs: number): boolean {
    return this.report(watchBreaker(this.state, this.config, dayStartMs, spentMicros, budgetMicros, nowMs));
  }

  /** A bid was won or lost; `covered` when what it cost was reserved for it. Returns whether it moved. */
  settled(covered: boolean, nowMs: number): boolean {
    if (!covered) return this.report(breachBreaker(this.state, nowMs));
    return this.halfOpen && this.report(settleProbe(this.state, this.config, nowMs));
  }

  /** Nothing is in flight any more: so many probes were taken, and those not reported on are settled too. */
  settleSilent(probesTaken: number, nowMs: number): void {
    while (this.halfOpen && this.state.probesSettled < probesTaken) {
      this.report(settleProbe(this.state, this.config, nowMs));
    }
  }

  /** Once each tick of the controller; returns whether it moved. */
  watchVelocity(look: SpendLook, nowMs: number): boolean {
    return this.report(watchVelocity(this.state, look, nowMs));
  }

  /** A spend could not be recorded. */
  failed(nowMs: number): void {
    this.report(failBreaker(this.state, nowMs));
  }

  /** A spend was recorded. */
  recorded(): void {
    clearFailures(this.state);
  }

  /** The day's counters begin anew: it closes, and forgets the day so far. */
  reset(nowMs: number): void {
    this.report(resetBreaker(this.state, nowMs));
  }

  /** When an open breaker next half-opens, ms since the epoch; Infinity when it waits for something else. */
  recoversAtMs(spentMicros: number, budgetMicros: number): number {
    const recovers = this.state.position === OPEN && spentMicros < budgetMicros;
    return recovers ? this.state.openedAtMs + this.settings.breakerRecoveryMs : Number.POSITIVE_INFINITY;
  }

  private report(transition: BreakerTransition | null): boolean {
    if (transition !== null) this.settings.moved(this.campaign, transition);
    return transition !== null;
  }
}

/** Filled and read within one call: each campaign keeping its own would double what its breaker takes. */
const filled = { threshold: 0, recoveryMs: 0, probes: 0 };
