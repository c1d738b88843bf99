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
import type { Campaign } from './campaign.ts';
import type { SpendLook } from './spend-velocity.ts';

export interface BreakerSettings {
  readonly breakerRecoveryMs: number;
  readonly breakerProbes: number;
  /** A breaker moved. */
  readonly moved: (campaign: Campaign, transition: BreakerTransition) => void;
}

export class CampaignBreaker {
  readonly state: BreakerState;
  private readonly settings: BreakerSettings;
  private campaign: Campaign;
  private config: BreakerConfig;

  constructor(state: BreakerState, campaign: Campaign, settings: BreakerSettings) {
    this.state = state;
    this.settings = settings;
    this.campaign = campaign;
    this.config = configOf(campaign, settings);
  }

  get halfOpen(): boolean {
    return this.state.position === HALF_OPEN;
  }

  change(campaign: Campaign): void {
    this.campaign = campaign;
    this.config = configOf(campaign, this.settings);
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
    return recovers ? this.state.openedAtMs + this.config.recoveryMs : Number.POSITIVE_INFINITY;
  }

  private report(transition: BreakerTransition | null): boolean {
    if (transition !== null) this.settings.moved(this.campaign, transition);
    return transition !== null;
  }
}

function configOf(campaign: Campaign, settings: BreakerSettings): BreakerConfig {
  return {
    threshold: campaign.breakerThreshold,
    recoveryMs: settings.breakerRecoveryMs,
    probes: settings.breakerProbes,
  };
}
