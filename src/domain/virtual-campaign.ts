/**
 * A paced campaign under virtual time, which decides its own bids one at a time: for replay, simulations and
 * forecasts. It makes the decision that an edge makes on the shared table, with the same rules behind it, but
 * takes each bid straight from the free budget: one owner needs no allowance ahead of the bids.
 *
 * Time is milliseconds that never go back; wall and steady clock are the same. The controller ticks as in a shard
 * (tick-rhythm.ts), and once a minute after an hour without a bid.
 */
import type { CampaignTerms } from './campaign.ts';
import type { Clock } from './clock.ts';
import { newTickOutput, type TickOutput } from './controller-tick.ts';
import {
  GATE_HALF_OPEN,
  GATE_OPEN,
  GATE_VACANT,
  REASON_BREAKER_OPEN,
  REASON_BUDGET_EXHAUSTED,
  REASON_BUDGET_RESERVED,
  REASON_NOT_FOUND,
  REASON_PROBE,
  REASON_THROTTLED,
  REASON_WITHIN_BUDGET,
} from './gate.ts';
import { isOpen } from './gate-rules.ts';
import { PacedCampaign } from './paced-campaign.ts';
import type { AskCounts, PacingSettings, Prior } from './pacing-settings.ts';
import { isAskedSeldom, SELDOM_TICK_MS, TICK_MS } from './tick-rhythm.ts';

const IDLE_TICK_MS = 60_000;
const IDLE_AFTER_MS = 3_600_000;

/** What a decision came to; reused from bid to bid. */
export interface VirtualDecision {
  /** A REASON code. */
  reason: number;
  /** The most the bid may cost; 0 when denied. */
  maxBidMicros: number;
  /** Share of the campaign's bids that is held back, 0–1. */
  throttleRate: number;
}

export class VirtualCampaign {
  readonly paced: PacedCampaign;
  readonly output: TickOutput = newTickOutput();
  private readonly breakerProbes: number;
  private readonly clock = { wallMs: 0, steadyMs: 0 };
  private readonly counts: AskCounts = { asks: 0, askedMicros: 0, allowed: 0, largestMicros: 0 };
  private gate = GATE_VACANT;
  private tokensMicros = 0;
  private probes = 0;
  private nextTickMs: number;
  /** Nobody asked since the last tick. */
  private listens = true;
  private dueAtMs = 0;
  private askedAtMs: number;

  constructor(campaign: CampaignTerms, settings: PacingSettings, nowMs: number, prior?: Prior) {
    this.breakerProbes = settings.breakerProbes;
    this.at(nowMs);
    this.paced = new PacedCampaign(campaign, null, settings, this.clock, prior);
    this.nextTickMs = nowMs;
    this.askedAtMs = nowMs;
    this.tick();
  }

  /** Lets time pass up to `nowMs`: ticks, expiries, flight, dayparts, midnight. */
  advance(nowMs: number): void {
    while (this.nextTickMs <= nowMs) {
      this.at(this.nextTickMs);
      this.tick();
    }
    this.at(nowMs);
    if (nowMs >= this.dueAtMs) this.turn();
  }

  /** Replaces the campaign by a newer version of it. */
  change(campaign: CampaignTerms, nowMs: number): void {
    this.advance(nowMs);
    this.paced.change(campaign, this.clock);
    this.tick();
  }

  /** Takes in the weights of the hours 0–23 in which bids are asked for. */
  expect(hours: readonly number[], nowMs: number): void {
    this.advance(nowMs);
    this.paced.expect({ asks: hours, supply: hours }, this.clock);
    this.tick();
  }

  /**
   * Decides a bid.
   * @param bidId names its reservation; empty for none
   * @param draw uniform in [0, 1)
   */
  decide(bidMicros: number, bidId: string, draw: number, nowMs: number, decision: VirtualDecision): void {
    this.advance(nowMs);
    this.askedAtMs = nowMs;
    if (this.listens) this.tickSoon();
    const { output, counts, paced, gate } = this;
    const wantedMicros = Math.min(bidMicros, Math.max(1, Math.floor(output.bidCapMicros)));
    counts.asks++;
    counts.askedMicros += wantedMicros;
    if (bidMicros > counts.largestMicros) counts.largestMicros = bidMicros;
    decision.maxBidMicros = 0;
    decision.throttleRate = gate === GATE_OPEN ? paced.pace.throttleRate : 1;
    if (!isOpen(gate)) decision.reason = gate === GATE_VACANT ? REASON_NOT_FOUND : gate;
    else if (gate === GATE_HALF_OPEN && this.probes <= 0) decision.reason = REASON_BREAKER_OPEN;
    else if (gate === GATE_OPEN && (draw >= paced.pace.passProbability || this.tokensMicros <= 0)) {
      decision.reason = REASON_THROTTLED;
    } else this.take(wantedMicros, bidId, decision);
  }

  /** Counts a spend; nothing is refused: money that was spent was spent. */
  spend(spendMicros: number, bidId: string, nowMs: number): void {
    this.advance(nowMs);
    this.tickSoon();
    const { covered } = this.paced.spend(spendMicros, 1, 0, bidId, this.clock);
    this.settled(covered);
  }

  /** @returns whether the bid was in flight */
  lose(bidId: string, nowMs: number): boolean {
    this.advance(nowMs);
    const found = this.paced.lose(bidId, this.clock);
    if (found) this.settled(true);
    return found;
  }

  /** The time it stands at. */
  get now(): Clock {
    return this.clock;
  }

  private take(wantedMicros: number, bidId: string, decision: VirtualDecision): void {
    const { paced } = this;
    const maxBidMicros = Math.min(wantedMicros, Math.floor(paced.freeMicros));
    if (maxBidMicros < 1) {
      const inFlight = paced.reservations.totalMicros > 0;
      decision.reason = inFlight ? REASON_BUDGET_RESERVED : REASON_BUDGET_EXHAUSTED;
      return;
    }
    decision.maxBidMicros = maxBidMicros;
    this.counts.allowed++;
    if (this.gate === GATE_HALF_OPEN) {
      decision.reason = REASON_PROBE;
      this.probes--;
    } else {
      decision.reason = REASON_WITHIN_BUDGET;
      this.tokensMicros -= maxBidMicros;
    }
    paced.take(maxBidMicros, this.clock);
    if (bidId !== '') paced.reservations.name(bidId, maxBidMicros, this.clock.steadyMs);
  }

  private settled(covered: boolean): void {
    if (this.paced.settled(covered, this.clock)) this.turn();
    this.paced.stepDown();
  }

  private at(nowMs: number): void {
    this.clock.wallMs = this.clock.steadyMs = nowMs;
  }

  /** Brings everything that time moves up to date. */
  private turn(): void {
    const { paced, clock } = this;
    paced.advance(clock);
    if (this.gate === GATE_HALF_OPEN) paced.settleSilentProbes(this.breakerProbes - this.probes, clock);
    paced.watch(clock);
    const gate = paced.gateAt(clock.wallMs);
    if (gate === GATE_HALF_OPEN && this.gate !== GATE_HALF_OPEN) this.probes = this.breakerProbes;
    this.gate = gate;
    this.dueAtMs = paced.nextDueMs(clock.wallMs);
  }

  /** Something happened that the controller is to know within a second. */
  private tickSoon(): void {
    this.listens = false;
    this.nextTickMs = Math.min(this.nextTickMs, this.clock.steadyMs + TICK_MS);
  }

  private tick(): void {
    const { paced, counts, output } = this;
    this.turn();
    const { steadyMs } = this.clock;
    const seldom = isAskedSeldom(counts.asks, (steadyMs - paced.tally.tickedMs) / 1000);
    const idle = steadyMs - this.askedAtMs > IDLE_AFTER_MS;
    this.nextTickMs = steadyMs + (idle ? IDLE_TICK_MS : seldom ? SELDOM_TICK_MS : TICK_MS);
    this.listens = counts.asks === 0;
    if (paced.tick(counts, this.clock, output)) this.turn();
    counts.asks = counts.askedMicros = counts.allowed = 0;
    this.tokensMicros = Math.min(this.tokensMicros + output.tokenFillMicros, output.tokenCapMicros);
  }
}
