/**
 * Replays a day or many: bids and spends as lines in time order, decided by the production controllers under
 * virtual time. The same lines and seed give the same answers. Campaigns are independent of each other: each
 * has its own random numbers and its own clock, which stands at its last line.
 */
import { AppError } from '../../domain/app-error.ts';
import { budgetStatus } from '../../domain/budget-status.ts';
import type { Campaign } from '../../domain/campaign.ts';
import { CurveCache } from '../../domain/curve-cache.ts';
import { explain } from '../../domain/explanation.ts';
import { isAllowed, REASONS } from '../../domain/gate.ts';
import { seededRandom } from '../../domain/seeded-random.ts';
import { VirtualCampaign, type VirtualDecision } from '../../domain/virtual-campaign.ts';
import { createBody, patchBody } from '../../management/campaign-bodies.ts';
import { campaignToCreate, campaignToPatch } from '../../management/campaign-schema.ts';
import { checked } from '../../management/field-rules.ts';
import { hashId } from '../../table/hash.ts';
import { LineError, newReplayLine, type ReplayLine, readReplayLine } from './replay-line.ts';

export interface ReplaySettings {
  readonly seed: number;
  readonly reservationTtlMs: number;
  readonly breakerRecoveryMs: number;
  readonly breakerProbes: number;
}

/** Settled bids are remembered for one to two of these, so that a repeated report is known as one. */
const SETTLED_MEMORY_MS = 86_400_000;

interface Replayed {
  /** In its newest version. */
  campaign: Campaign;
  readonly virtual: VirtualCampaign;
  readonly random: () => number;
  readonly reasons: number[];
  bids: number;
  settled: Set<string>;
  settledBefore: Set<string>;
  settledSinceMs: number;
}

export class Replay {
  /** True after the `end` line. */
  ended = false;
  private readonly settings: ReplaySettings;
  private readonly campaigns = new Map<string, Replayed>();
  private readonly curves = new CurveCache();
  private readonly line: ReplayLine = newReplayLine();
  private readonly decision: VirtualDecision = { reason: 0, maxBidMicros: 0, throttleRate: 0 };
  private lastMs = 0;

  constructor(settings: ReplaySettings) {
    this.settings = settings;
  }

  /**
   * Takes in one line and returns what it answers, each answer ended by a line break; empty for none.
   * @throws LineError
   */
  take(text: string): string {
    if (this.ended) throw new LineError('there is nothing after the end line');
    const { line } = this;
    readReplayLine(text, line);
    if (line.timeMs < this.lastMs)
      throw new LineError(`t_ms goes back: the line before was at ${this.lastMs}`);
    this.lastMs = line.timeMs;
    if (line.type === 'bid') return this.bid(line);
    if (line.type === 'spend') this.spend(line);
    else if (line.type === 'campaign') this.campaign(line);
    else return this.end(line.timeMs);
    return '';
  }

  private bid(line: ReplayLine): string {
    const { decision } = this;
    const replayed = this.campaigns.get(line.campaignId);
    if (replayed === undefined) {
      return `{"id":"${line.bidId}","allow":false,"max_bid_micros":0,"throttle_rate":0,"reason":"campaign_not_found"}\n`;
    }
    replayed.virtual.decide(line.micros, line.bidId, replayed.random(), line.timeMs, decision);
    replayed.bids++;
    replayed.reasons[decision.reason] = (replayed.reasons[decision.reason] ?? 0) + 1;
    const why = line.explain ? `,"explain":${this.explained(replayed)}` : '';
    return `{"id":"${line.bidId}","allow":${isAllowed(decision.reason)},"max_bid_micros":${decision.maxBidMicros},"throttle_rate":${decision.throttleRate},"reason":"${REASONS[decision.reason]}"${why}}\n`;
  }

  private explained({ virtual }: Replayed): string {
    return JSON.stringify(explain(virtual.paced, virtual.now));
  }

  private spend(line: ReplayLine): void {
    const replayed = this.known(line.campaignId);
    if (this.isRepeated(replayed, line)) return;
    if (line.micros === 0) replayed.virtual.lose(line.bidId, line.timeMs);
    else replayed.virtual.spend(line.micros, line.bidId, line.timeMs);
  }

  private known(campaignId: string): Replayed {
    const replayed = this.campaigns.get(campaignId);
    if (replayed === undefined) throw new LineError(`there was no campaign line for ${campaignId}`);
    return replayed;
  }

  private isRepeated(replayed: Replayed, line: ReplayLine): boolean {
    if (line.timeMs - replayed.settledSinceMs >= SETTLED_MEMORY_MS) {
      replayed.settledBefore = replayed.settled;
      replayed.settled = new Set();
      replayed.settledSinceMs = line.timeMs;
    }
    if (replayed.settled.has(line.bidId) || replayed.settledBefore.has(line.bidId)) return true;
    replayed.settled.add(line.bidId);
    return false;
  }

  private campaign(line: ReplayLine): void {
    const replayed = this.campaigns.get(line.campaignId);
    if (replayed === undefined) {
      this.campaigns.set(line.campaignId, this.open(line));
      return;
    }
    const { virtual, campaign } = replayed;
    replayed.campaign = checkedCampaign(() =>
      campaignToPatch(checked(patchBody, line.campaign), campaign, line.timeMs),
    );
    virtual.change(replayed.campaign, line.timeMs);
    if (line.learnedShape !== null) virtual.expect(line.learnedShape, line.timeMs);
  }

  private open(line: ReplayLine): Replayed {
    const { seed, reservationTtlMs, breakerRecoveryMs, breakerProbes } = this.settings;
    const campaign = checkedCampaign(() =>
      campaignToCreate(checked(createBody, line.campaign), () => line.campaignId, line.timeMs),
    );
    const pacing = {
      reservationTtlMs: line.reservationTtlMs ?? reservationTtlMs,
      breakerRecoveryMs,
      breakerProbes,
      curves: this.curves,
      history: null,
      fleet: null,
      hourEnded: () => undefined,
      moved: () => undefined,
    };
    const virtual = new VirtualCampaign(campaign, pacing, line.timeMs, line.prior);
    if (line.learnedShape !== null) virtual.expect(line.learnedShape, line.timeMs);
    return {
      campaign,
      virtual,
      random: seededRandom(hashId(campaign.id) ^ seed),
      reasons: [],
      bids: 0,
      settled: new Set(),
      settledBefore: new Set(),
      settledSinceMs: line.timeMs,
    };
  }

  private end(nowMs: number): string {
    this.ended = true;
    return Array.from(this.campaigns.values(), (replayed) => this.summary(replayed, nowMs)).join('');
  }

  private summary({ virtual, bids, reasons }: Replayed, nowMs: number): string {
    virtual.advance(nowMs);
    const { paced } = virtual;
    const { counters } = paced;
    const summary = {
      type: 'summary',
      campaign_id: paced.campaign.id,
      t_ms: nowMs,
      bids,
      bids_by_reason: Object.fromEntries(REASONS.map((reason, code) => [reason, reasons[code] ?? 0])),
      wins_today: counters.winsDay,
      budget_micros: paced.budgetMicros,
      spent_today_micros: counters.spentDayMicros,
      spent_total_micros: counters.spentTotalMicros,
      reserved_micros: paced.reservations.totalMicros,
      overspent_micros: counters.overspentTotalMicros,
      late_win_micros: counters.lateWinTotalMicros,
      status: budgetStatus(paced, virtual.now),
      explain: explain(paced, virtual.now),
    };
    return `${JSON.stringify(summary)}\n`;
  }
}

/** @throws LineError with what the API would answer */
function checkedCampaign<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof AppError) throw new LineError(`campaign: ${error.message}`);
    throw error;
  }
}
