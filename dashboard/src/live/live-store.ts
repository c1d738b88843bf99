/**
 * What the page knows of all campaigns, kept true by the socket: one map that is changed in place, and listeners that
 * are told at most once a frame. Components read it while they render and never hold on to a copy.
 */
import { useEffect, useReducer } from 'preact/hooks';
import type { BreakerState, CampaignStatus, PacingMode } from '../api/types.ts';

/** A row of the socket: a campaign's budget status, and its name. */
export interface LiveCampaign {
  readonly campaign_id: string;
  readonly name: string;
  readonly status: CampaignStatus;
  readonly pacing_mode: PacingMode;
  readonly timezone: string;
  readonly local_day: string;
  /** Why nothing may bid, or null. */
  readonly denied_reason: string | null;
  readonly daily_budget_cents: number;
  readonly daily_spent_cents: number;
  readonly reserved_cents: number;
  readonly remaining_cents: number;
  readonly target_spent_cents: number;
  readonly throttle_rate: number;
  readonly circuit_breaker_state: BreakerState;
  readonly circuit_breaker_reason: string | null;
  readonly projected_spend_cents: number | null;
  readonly projected_spend_low_cents: number | null;
  readonly projected_spend_high_cents: number | null;
  readonly projected_exhaustion_at: string | null;
  readonly version: number;
}

/** This pod in figures; rates are of the last seconds. */
export interface Totals {
  readonly qps: number;
  readonly throttled_per_second: number;
  /** Decisions that let a bid through. */
  readonly allowed_per_second: number;
  /** Today, all campaigns, cents. */
  readonly spend: number;
  /** How long decisions took, ms; null without any. */
  readonly decision_p50_ms: number | null;
  readonly decision_p99_ms: number | null;
  readonly degraded: boolean;
}

export type Connection = 'connecting' | 'live' | 'stale';

class LiveStore {
  readonly campaigns = new Map<string, LiveCampaign>();
  /** Grows with each alert that comes. */
  alertsSeen = 0;
  totals: Totals | null = null;
  connection: Connection = 'connecting';
  /** Whether a snapshot has ever arrived. */
  loaded = false;
  /** When the last message came, ms of the browser's clock; 0 before the first. */
  heardAtMs = 0;
  /** Grows with each campaign that comes or goes. */
  membership = 0;
  readonly #listeners = new Set<() => void>();
  #frame = 0;

  put(campaign: LiveCampaign): void {
    if (!this.campaigns.has(campaign.campaign_id)) this.membership++;
    this.campaigns.set(campaign.campaign_id, campaign);
  }

  drop(id: string): void {
    if (this.campaigns.delete(id)) this.membership++;
  }

  /** Tells the listeners, in the next frame. */
  changed(): void {
    if (this.#frame !== 0) return;
    // A hidden page gets no frames; what it missed it shows when it is seen again.
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      for (const listener of this.#listeners) listener();
    });
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

export const live = new LiveStore();

/** Renders the component anew whenever the store has changed. */
export function useLive(): LiveStore {
  const [, again] = useReducer((turn: number) => turn + 1, 0);
  useEffect(() => live.subscribe(() => again(undefined)), []);
  return live;
}

/** Within a hundredth of the budget of its target a campaign is on plan. */
const ON_PLAN_SHARE = 0.01;

export interface Pace {
  readonly kind: 'ahead' | 'behind' | 'level';
  /** Spent less wanted. */
  readonly gapCents: number;
  /** The gap as a share of what is wanted by now, or null when nothing is. */
  readonly share: number | null;
}

export function paceOf(campaign: {
  readonly daily_spent_cents: number;
  readonly target_spent_cents: number;
  readonly daily_budget_cents: number;
}): Pace {
  const { daily_spent_cents: spent, target_spent_cents: target, daily_budget_cents: budget } = campaign;
  const gapCents = spent - target;
  const share = target > 0 ? gapCents / target : null;
  const isLevel = Math.abs(gapCents) <= ON_PLAN_SHARE * budget;
  return { kind: isLevel ? 'level' : gapCents > 0 ? 'ahead' : 'behind', gapCents, share };
}
