/**
 * Why a campaign's decisions are what they are right now: every term of the controller (docs/pacing.md has the
 * equations, each under the symbol given here) and one sentence that puts them together. For people: it is
 * computed when asked for, from a copy of the controller, and moves nothing.
 */
import { BREAKER_POSITIONS, HALF_OPEN, TRIP_REASONS } from './breaker.ts';
import type { Clock } from './clock.ts';
import { newTickOutput, type TickOutput } from './controller-tick.ts';
import { GATE_HALF_OPEN, GATE_OPEN, REASON_PROBE, REASON_WITHIN_BUDGET, REASONS } from './gate.ts';
import { centsFromMicros } from './money.ts';
import type { PacedCampaign } from './paced-campaign.ts';
import { PROJECTION_CONFIDENCE, type Projection, projectDay } from './projection.ts';

/** Digits of a rate or share that mean anything. */
const PRECISION = 6;

export function explain(paced: PacedCampaign, clock: Clock): Record<string, unknown> {
  const output = newTickOutput();
  paced.previewTick(clock, output);
  const { flow } = paced.controller;
  const gate = paced.gateAt(clock.wallMs);
  return {
    gate: REASONS[gate === GATE_OPEN ? REASON_WITHIN_BUDGET : gate === GATE_HALF_OPEN ? REASON_PROBE : gate],
    because: sentence(paced, gate, output),
    budget_cents: cents(paced.budgetMicros), // B
    spent_cents: cents(paced.spentDayMicros), // S
    reserved_cents: cents(paced.reservations.totalMicros), // R
    held_cents: cents(paced.heldMicros),
    free_cents: cents(paced.freeMicros),
    pending_cents: cents(flow.pendingMicros), // V
    effective_spent_cents: cents(output.effectiveSpentMicros), // S_e
    target_cents: cents(output.targetMicros), // G
    target_cents_per_second: cents(output.targetRate), // G'
    horizon_seconds: round(output.horizonSeconds), // H
    wanted_spend_cents_per_second: cents(output.spendRate), // r
    spend_per_allowed: round(output.winRate), // ρ
    allow_cents_per_second: cents(output.allowRate), // u
    asked_cents_per_second: cents(output.askRate), // λ, the asks predicted
    mean_bid_cents: cents(output.meanBidMicros), // b
    mean_win_cents: cents(flow.meanWinMicros), // q
    notice_delay_seconds: round(flow.noticeDelaySeconds), // d
    pass_probability: round(output.passProbability), // p
    throttle_rate: round(output.throttleRate),
    throttle_floor: paced.throttleFloor,
    sparse: output.sparse,
    bid_cap_cents: Number.isFinite(output.bidCapMicros) ? cents(output.bidCapMicros) : null,
    breaker: BREAKER_POSITIONS[paced.breaker.position],
    breaker_guarded: paced.breaker.guarded === 1,
    projection: wireProjection(projectDay(paced, clock)),
  };
}

/** Where the day ends, with its range; null while there is too little data. */
function wireProjection(projection: Projection | null): Record<string, unknown> | null {
  if (projection === null) return null;
  return {
    spend_cents: cents(projection.spendMicros),
    low_cents: cents(projection.lowMicros),
    high_cents: cents(projection.highMicros),
    confidence: PROJECTION_CONFIDENCE,
    exhaustion_at: time(projection.exhaustionMs),
    exhaustion_earliest_at: time(projection.exhaustionEarliestMs),
    exhaustion_latest_at: time(projection.exhaustionLatestMs),
  };
}

function time(timeMs: number | null): string | null {
  return timeMs === null ? null : new Date(timeMs).toISOString();
}

function sentence(paced: PacedCampaign, gate: number, output: TickOutput): string {
  if (gate !== GATE_OPEN) return closed(paced, gate);
  const { pacingMode } = paced.campaign;
  if (pacingMode === 'ASAP') {
    const throttle = percent(output.throttleRate);
    return `ASAP spends as fast as bids come; ${throttle} are held back because ${spentShare(paced)} of the budget is spent.`;
  }
  const { effectiveSpentMicros: spent, targetMicros: target } = output;
  const gap = `${dollars(Math.abs(spent - target))} ${spent > target ? 'ahead of' : 'behind'} the ${pacingMode} plan`;
  if (output.spendRate === 0) return `Nothing is to be spent right now: the campaign is ${gap}.`;
  const wanted = `${dollars(output.spendRate * 60)} a minute is wanted`;
  if (output.sparse) {
    return `${wanted}, less than one bid in 20 s: a bid passes when enough has been saved up for it (${gap}).`;
  }
  const asked = `bids worth ${dollars(output.askRate * 60)} a minute are asked for and ${round(output.winRate)} of an allowed dollar is spent`;
  return `${wanted}, ${asked}: ${percent(output.throttleRate)} of the bids are held back (${gap}).`;
}

function closed(paced: PacedCampaign, gate: number): string {
  const { breaker } = paced;
  if (breaker.position === HALF_OPEN)
    return 'The breaker is half-open: only test bids pass until they are settled.';
  const reason = REASONS[gate];
  if (reason !== 'circuit_breaker_open') return `Nothing may bid: ${reason}.`;
  return `The breaker is open (${TRIP_REASONS[breaker.reason]}): nothing may bid until it recovers.`;
}

function spentShare(paced: PacedCampaign): string {
  return percent(paced.budgetMicros > 0 ? paced.spentDayMicros / paced.budgetMicros : 1);
}

function cents(amountMicros: number): number {
  return round(centsFromMicros(amountMicros));
}

function round(value: number): number {
  return Number(value.toPrecision(PRECISION));
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}

function dollars(amountMicros: number): string {
  return `$${(amountMicros / 1_000_000).toFixed(2)}`;
}
