/**
 * Answers what-if questions: puts together the campaign, its traffic and where it stands, has the job pool run them,
 * and shows what came out. It changes nothing.
 */
import { AppError } from '../domain/app-error.ts';
import type { Campaign } from '../domain/campaign.ts';
import { parseInstantOrDate } from '../domain/flight.ts';
import { firstInstantAtWall, type LocalDay, localDayAt, wallMidnight } from '../domain/local-day.ts';
import { centsFromMicros, micros } from '../domain/money.ts';
import { pacingAccuracy } from '../domain/pacing-accuracy.ts';
import type { EarlierSpend } from '../domain/pacing-settings.ts';
import { FLEET_SHAPE_ID } from '../domain/stored-traffic.ts';
import { daysOf, HISTORY_DAYS, type HistoryDay, learnTraffic, priorsOf } from '../domain/traffic-history.ts';
import type { JobPool } from '../jobs/job-pool.ts';
import { dayBefore } from '../jobs/learn-shapes.ts';
import { asksPerBid, type SimulatedRun, type WhatIf } from '../jobs/what-if.ts';
import type { Shards } from '../messages/shards.ts';
import { type CampaignStore, campaignNotFound } from '../sinks/postgres/campaign-store.ts';
import type { LearnedShapeStore } from '../sinks/postgres/learned-shape-store.ts';
import { campaignToCreate } from './campaign-schema.ts';
import { firstWholeDay } from './learning.ts';
import {
  assumedLevel,
  DEFAULT_PATTERN,
  everyDay,
  FLAT_PATTERN,
  givenLevel,
  levelOf,
  modelOf,
  modelOfDay,
  type Pattern,
  type TrafficLevel,
  type TrafficSource,
} from './simulated-traffic.ts';
import {
  hoursAheadOf,
  type ShownRun,
  type ShownSimulation,
  type SimulationBody,
  type Variant,
} from './simulation-bodies.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const SLOT_MINUTES_DEFAULT = 60;
const SEED_DEFAULT = 1;
const PROPOSED_ID = 'proposed';

export interface PacingTimes {
  readonly reservationTtlMs: number;
  readonly breakerRecoveryMs: number;
  readonly breakerProbes: number;
}

export interface SimulationsOptions {
  readonly pool: JobPool;
  readonly store: CampaignStore;
  readonly shapes: LearnedShapeStore;
  readonly shards: Shards;
  readonly pacing: PacingTimes;
  readonly nowMs: () => number;
}

/** What a simulation is about, before anything is read of its traffic. */
interface Subject {
  readonly campaign: Campaign;
  readonly isProposed: boolean;
}

/** When it runs, and what stands at its beginning. */
interface Frame {
  readonly startMs: number;
  readonly endMs: number;
  readonly slotMs: number;
  readonly earlier: EarlierSpend | null;
  /** The campaign as it is simulated. */
  readonly campaign: Campaign;
}

interface Traffic {
  readonly source: TrafficSource;
  readonly pattern: Pattern;
  readonly level: TrafficLevel;
  readonly model: WhatIf['traffic'];
  /** What the campaign has learned of it. */
  readonly known: WhatIf['known'];
  /** Of a backtest: what was spent in truth, by local hour. */
  readonly actual: readonly number[] | null;
}

export class Simulations {
  readonly #options: SimulationsOptions;

  constructor(options: SimulationsOptions) {
    this.#options = options;
  }

  /** @throws AppError `invalid_request`, `campaign_not_found`, `rate_limited`, `unavailable`. */
  async run(body: SimulationBody): Promise<ShownSimulation> {
    this.#options.pool.checkRoom();
    const subject = await this.#subject(body);
    const { backtest_date } = body;
    const frame =
      backtest_date === undefined
        ? await this.#ahead(subject, body)
        : await this.#past(subject, body, backtest_date);
    const traffic =
      backtest_date === undefined
        ? await this.#expected(subject, body, frame)
        : await this.#replayed(subject, body, backtest_date);
    const whatIf: WhatIf = {
      ...this.#options.pacing,
      campaigns: [body, ...(body.compare ?? [])].map((variant) => changed(frame.campaign, variant)),
      earlier: frame.earlier,
      startMs: frame.startMs,
      endMs: frame.endMs,
      traffic: traffic.model,
      known: traffic.known,
      slotMs: frame.slotMs,
      seed: body.seed ?? SEED_DEFAULT,
    };
    const runs = await this.#options.pool.simulate(whatIf);
    return shown(subject, whatIf, traffic, runs);
  }

  async #subject({ campaign_id, campaign }: SimulationBody): Promise<Subject> {
    if ((campaign_id === undefined) === (campaign === undefined)) {
      const message = 'either campaign_id (one that exists) or campaign (a proposed one) must be given';
      throw new AppError('invalid_request', message, 'campaign_id');
    }
    if (campaign !== undefined) {
      return {
        campaign: campaignToCreate(campaign, () => PROPOSED_ID, this.#options.nowMs()),
        isProposed: true,
      };
    }
    const id = campaign_id ?? '';
    const stored = await this.#options.store.get(id);
    if (stored === null || stored.status === 'DELETED') throw campaignNotFound(id);
    return { campaign: stored, isProposed: false };
  }

  /** The coming hours: from now, where the campaign stands; or from a given time, with a day unspent. */
  async #ahead({ campaign, isProposed }: Subject, body: SimulationBody): Promise<Frame> {
    const startMs = wholeSecond(startOf(body, campaign) ?? this.#options.nowMs());
    const span = {
      startMs,
      endMs: startMs + hoursAheadOf(body) * HOUR_MS,
      slotMs: (body.slot_minutes ?? SLOT_MINUTES_DEFAULT) * MINUTE_MS,
    };
    const active: Campaign = { ...campaign, status: 'ACTIVE' };
    if (isProposed) {
      const createdAt = new Date(startMs).toISOString();
      return { ...span, earlier: null, campaign: { ...active, createdAt } };
    }
    const spent = await this.#spent(campaign);
    if (body.start_at === undefined) return { ...span, earlier: spent, campaign: active };
    return { ...span, earlier: null, campaign: withTotalLeft(active, spent?.totalMicros ?? 0) };
  }

  /** A past day from its beginning to its end. */
  async #past({ campaign, isProposed }: Subject, body: SimulationBody, date: string): Promise<Frame> {
    refuseWithBacktest(body, isProposed);
    const day = dayOf(campaign, date);
    const { nowMs, shapes } = this.#options;
    if (day.endMs > nowMs()) {
      throw new AppError('invalid_request', 'backtest_date must be a day that is over', 'backtest_date');
    }
    const spentBefore = await shapes.spentBefore(campaign.id, date);
    return {
      startMs: day.startMs,
      endMs: day.endMs,
      slotMs: SLOT_MINUTES_DEFAULT * MINUTE_MS,
      earlier: null,
      campaign: withTotalLeft({ ...campaign, status: 'ACTIVE' }, spentBefore),
    };
  }

  async #expected(subject: Subject, body: SimulationBody, { startMs }: Frame): Promise<Traffic> {
    const { campaign } = subject;
    const pattern = await this.#pattern(subject, body);
    const days = subject.isProposed ? [] : await this.#days(campaign, localDayAt(campaign.timezone, startMs));
    const ofHistory = levelOf(days);
    const known = ofHistory ?? assumedLevel(body.daily_budget_cents ?? campaign.dailyBudgetMicros);
    const level = givenLevel(known, body.traffic);
    const source = body.traffic !== undefined ? 'given' : ofHistory === null ? 'assumed' : 'history';
    return { source, pattern, level, model: modelOf(pattern, level), known: pattern.week, actual: null };
  }

  async #replayed({ campaign }: Subject, body: SimulationBody, date: string): Promise<Traffic> {
    const { shapes } = this.#options;
    const hours = await shapes.hours([campaign.id], dayBefore(date, HISTORY_DAYS), date);
    const days = daysOf(hours.get(campaign.id) ?? []);
    const day = days.find((each) => each.date === date);
    const level = day === undefined ? null : levelOf([day]);
    if (day === undefined || level === null) {
      const message = `backtest_date must be a day on which the campaign won something: there is nothing to replay of ${date}`;
      throw new AppError('invalid_request', message, 'backtest_date');
    }
    const fleet = await shapes.get(FLEET_SHAPE_ID);
    const before = days.filter((each) => each.date < date && each.date >= firstWholeDay(campaign));
    const learned = learnTraffic(before, priorsOf(fleet?.asks ?? null), date);
    return {
      source: 'backtest',
      pattern: everyDay(day.asks, 'backtest'),
      level: givenLevel(level, body.traffic),
      model: modelOfDay(day, level),
      known: learned?.asks ?? null,
      actual: day.spentMicros,
    };
  }

  /** What was learned, or what is known of the fleet; else the default. */
  async #pattern({ campaign, isProposed }: Subject, body: SimulationBody): Promise<Pattern> {
    const { traffic_pattern = 'learned' } = body;
    if (typeof traffic_pattern !== 'string') return everyDay(traffic_pattern, 'given');
    if (traffic_pattern === 'flat') return FLAT_PATTERN;
    if (traffic_pattern === 'default') return DEFAULT_PATTERN;
    const { shapes } = this.#options;
    const learned = isProposed ? null : await shapes.get(campaign.id);
    if (learned !== null) return { week: learned.asks, name: 'learned' };
    const fleet = await shapes.get(FLEET_SHAPE_ID);
    return fleet === null ? DEFAULT_PATTERN : { week: fleet.asks, name: 'fleet' };
  }

  async #days(campaign: Campaign, today: LocalDay): Promise<HistoryDay[]> {
    const { shapes, nowMs } = this.#options;
    const now = localDayAt(campaign.timezone, nowMs()).date;
    const date = today.date < now ? today.date : now;
    const hours = await shapes.hours([campaign.id], dayBefore(date, HISTORY_DAYS), dayBefore(date, 1));
    const since = firstWholeDay(campaign);
    return daysOf(hours.get(campaign.id) ?? []).filter((day) => day.date >= since);
  }

  /** What the campaign has spent by now, as its owner says. */
  async #spent(campaign: Campaign): Promise<EarlierSpend | null> {
    const text = await this.#options.shards.status(campaign.id, false);
    if (text === null) return null;
    const status = JSON.parse(text) as Readonly<Record<string, unknown>>;
    const amount = (field: string): number => Math.round(Number(status[field] ?? 0) * 10_000);
    return {
      date: String(status.local_day ?? ''),
      dayMicros: amount('daily_spent_cents'),
      totalMicros: amount('total_spent_cents'),
    };
  }
}

function startOf({ start_at }: SimulationBody, { timezone }: Campaign): number | null {
  const start = start_at === undefined ? null : parseInstantOrDate(start_at);
  if (start === null) return null;
  return start.kind === 'instant' ? start.tMs : firstInstantAtWall(timezone, start.wallMs);
}

function wholeSecond(tMs: number): number {
  return Math.floor(tMs / 1000) * 1000;
}

function dayOf({ timezone }: Campaign, date: string): LocalDay {
  return localDayAt(timezone, firstInstantAtWall(timezone, wallMidnight(date) ?? 0));
}

function refuseWithBacktest(body: SimulationBody, isProposed: boolean): void {
  if (isProposed) {
    const message = 'backtest_date wants a campaign that exists: campaign_id';
    throw new AppError('invalid_request', message, 'backtest_date');
  }
  for (const field of ['hours_ahead', 'start_at', 'traffic_pattern', 'traffic', 'slot_minutes'] as const) {
    if (body[field] === undefined) continue;
    const message = `${field} must not be given with backtest_date: the day is replayed as it was, by the hour`;
    throw new AppError('invalid_request', message, field);
  }
}

/** A total budget of what is left of it: a simulation that begins anew has spent nothing. */
function withTotalLeft(campaign: Campaign, spentMicros: number): Campaign {
  const { totalBudgetMicros } = campaign;
  if (totalBudgetMicros === null) return campaign;
  return { ...campaign, totalBudgetMicros: micros(Math.max(0, totalBudgetMicros - spentMicros)) };
}

function changed(campaign: Campaign, variant: Variant): Campaign {
  const { pacing_mode, pacing_lever, daily_budget_cents, total_budget_cents } = variant;
  return {
    ...campaign,
    pacingMode: pacing_mode ?? campaign.pacingMode,
    pacingLever: pacing_lever ?? campaign.pacingLever,
    dailyBudgetMicros: daily_budget_cents ?? campaign.dailyBudgetMicros,
    totalBudgetMicros: total_budget_cents === undefined ? campaign.totalBudgetMicros : total_budget_cents,
  };
}

function shown(
  { campaign, isProposed }: Subject,
  whatIf: WhatIf,
  traffic: Traffic,
  runs: readonly SimulatedRun[],
): ShownSimulation {
  const { actual, level, source, pattern } = traffic;
  const thinned = asksPerBid(whatIf);
  const [first, ...compared] = runs.map((run, at) => shownRun(run, whatIf.campaigns[at], thinned, actual));
  if (first === undefined) throw new RangeError('a simulation without a run');
  return {
    campaign_id: isProposed && campaign.id === PROPOSED_ID ? null : campaign.id,
    starts_at: time(whatIf.startMs),
    ends_at: time(whatIf.endMs),
    timezone: campaign.timezone,
    seed: whatIf.seed,
    traffic: {
      source,
      pattern: pattern.name,
      asks_per_day: Math.round(level.asksPerDay),
      win_rate: rounded(level.winRate),
      win_cents: rounded(level.winMicros / 10_000),
      potential_cents_per_day: rounded((level.asksPerDay * level.winRate * level.winMicros) / 10_000),
      asks_per_bid: rounded(thinned),
    },
    actual_spend_cents: actual === null ? null : cents(actual.reduce((sum, spent) => sum + spent, 0)),
    ...first,
    compared,
  };
}

function shownRun(
  run: SimulatedRun,
  campaign: Campaign | undefined,
  thinned: number,
  actual: readonly number[] | null,
): ShownRun {
  if (campaign === undefined) throw new RangeError('a run of no campaign');
  const count = (bids: number): number => Math.round(bids * thinned);
  const slots = run.slots.map((slot) => ({
    starts_at: time(slot.startMs),
    date: slot.localDate,
    hour: slot.localHour,
    planned_spend_cents: cents(slot.plannedMicros),
    spend_cents: cents(slot.spentMicros),
    spent_today_cents: cents(slot.daySpentMicros),
    throttle_rate: rounded(slot.throttleRate),
    pacing_accuracy: pacingAccuracy(slot.spentMicros, slot.plannedMicros),
    bids: count(slot.bids),
    allowed: count(slot.allowed),
    wins: count(slot.wins),
    actual_spend_cents: actual === null ? null : cents(actual[slot.localHour] ?? 0),
  }));
  return {
    pacing_mode: campaign.pacingMode,
    pacing_lever: campaign.pacingLever,
    daily_budget_cents: centsFromMicros(campaign.dailyBudgetMicros),
    total_planned_cents: cents(run.plannedMicros),
    total_spend_cents: cents(run.spentMicros),
    overspend_cents: cents(run.overspentMicros),
    pacing_accuracy: meanAccuracy(run),
    throttle_rate: rounded(run.throttleRate),
    bids: count(run.bids),
    allowed: count(run.allowed),
    wins: count(run.wins),
    exhaustion_at: timeOrNull(run.days.find((day) => day.exhaustionMs !== null)?.exhaustionMs ?? null),
    days: run.days.map((day) => ({
      date: day.localDate,
      budget_cents: cents(day.budgetMicros),
      spent_cents: cents(day.spentMicros),
      exhaustion_at: timeOrNull(day.exhaustionMs),
    })),
    slots,
  };
}

/** Of the slots, each weighted by the greater of its plan and its spend. */
function meanAccuracy({ slots }: SimulatedRun): number | null {
  let weighted = 0;
  let weights = 0;
  for (const { plannedMicros, spentMicros } of slots) {
    const weight = Math.max(plannedMicros, spentMicros);
    weighted += weight * (pacingAccuracy(spentMicros, plannedMicros) ?? 0);
    weights += weight;
  }
  return weights > 0 ? rounded(weighted / weights) : null;
}

function cents(amountMicros: number): number {
  return centsFromMicros(Math.round(amountMicros));
}

function time(tMs: number): string {
  return new Date(tMs).toISOString();
}

function timeOrNull(tMs: number | null): string | null {
  return tMs === null ? null : time(tMs);
}

function rounded(value: number): number {
  return Number(value.toPrecision(6));
}
