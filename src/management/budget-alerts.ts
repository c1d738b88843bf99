/**
 * Watches how much of its day's budget each campaign has spent, and keeps the alerts of it: raised when a threshold
 * is reached, resolved when the day is over, the budget was raised above the spend, or the campaign is gone.
 *
 * Each second it looks at the gauges on the table; only a campaign whose level differs from what was told is
 * examined, a bounded number at a time: its owner is asked for the exact figures and the day that they are of, and the
 * database for what stands. What cannot be written is examined again. Every pod of a fleet does the same with
 * the same keys: the first one to write raises the alert.
 */
import type { Logger } from 'pino';
import { AppError } from '../domain/app-error.ts';
import { localDayAt } from '../domain/local-day.ts';
import { MICROS_PER_CENT } from '../domain/money.ts';
import type { Shards } from '../messages/shards.ts';
import type { AlertStore, StandingAlert } from '../sinks/postgres/alert-store.ts';
import type { Alert, AlertResolution, BreakerName } from '../sinks/postgres/history-rows.ts';
import type { HistoryStore } from '../sinks/postgres/history-store.ts';
import { alertsAbove, BUDGET_ALERT, type DaySpend, levelOf, stillHolds } from './budget-alert-rules.ts';

/** A campaign on the table, as its gauges show it; micros. */
export interface ShownBudget {
  readonly campaignId: string;
  readonly spentMicros: number;
  readonly budgetMicros: number;
}

export interface BudgetAlertsParts {
  /** The campaigns that are at a threshold, or were at the last look. */
  readonly look: () => Iterable<ShownBudget>;
  /** Whether the table shows the campaign. */
  readonly isShown: (campaignId: string) => boolean;
  readonly shards: Pick<Shards, 'status'>;
  readonly alerts: Pick<AlertStore, 'standing' | 'campaignsWith'>;
  readonly history: Pick<HistoryStore, 'writeAlerts' | 'resolveAlerts'>;
  readonly log: Logger;
  readonly nowMs: () => number;
}

/** Campaigns examined in one turn. */
const EXAMINED_MAX = 200;
/** Standing alerts of campaigns that the table does not show any more are looked for this often, in turns. */
const SWEEP_TURNS = 60;

interface Told {
  readonly day: string;
  readonly dayEndMs: number;
  readonly level: number;
}

/** The part of a budget status that is read here. */
interface StatusBody {
  readonly status: string;
  readonly timezone: string;
  readonly local_day: string;
  readonly daily_budget_cents: number;
  readonly daily_spent_cents: number;
  readonly total_spent_cents: number;
  readonly circuit_breaker_state: BreakerName;
}

export class BudgetAlerts {
  readonly #parts: BudgetAlertsParts;
  /** By campaign that has reached a threshold: at most one entry for each on the table. */
  readonly #told = new Map<string, Told>();
  readonly #toExamine = new Set<string>();
  #turns = 0;
  #failing = false;

  constructor(parts: BudgetAlertsParts) {
    this.#parts = parts;
  }

  /** One turn, for each second; the next one after the last has ended. What cannot be written is tried again. */
  async turn(): Promise<void> {
    const { look, nowMs, log } = this.#parts;
    const atMs = nowMs();
    for (const { campaignId, spentMicros, budgetMicros } of look()) {
      const told = this.#told.get(campaignId);
      const unchanged = levelOf(spentMicros, budgetMicros) === (told?.level ?? 0);
      if (!unchanged || atMs >= (told?.dayEndMs ?? Number.POSITIVE_INFINITY)) this.#toExamine.add(campaignId);
    }
    try {
      if (this.#turns % SWEEP_TURNS === 0) await this.#sweep();
      this.#turns++;
      const ids = [...this.#toExamine].slice(0, EXAMINED_MAX);
      if (ids.length > 0) await this.#examine(ids);
      this.#failing = false;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      if (!this.#failing) log.warn({ err: error }, 'budget alerts wait until they can be written');
      this.#failing = true;
    }
  }

  /** What stands of campaigns that nothing is known of here, after a restart; and what the look does not show any more. */
  async #sweep(): Promise<void> {
    const { alerts, isShown, nowMs } = this.#parts;
    const atMs = nowMs();
    for (const id of await alerts.campaignsWith(BUDGET_ALERT)) {
      if (!this.#told.has(id)) this.#toExamine.add(id);
    }
    for (const [id, { dayEndMs }] of this.#told) {
      if (!isShown(id) || atMs >= dayEndMs) this.#toExamine.add(id);
    }
  }

  async #examine(ids: readonly string[]): Promise<void> {
    const { alerts, history, nowMs } = this.#parts;
    const spends = new Map<string, DaySpend & { readonly dayEndMs: number }>();
    for (const spend of await Promise.all(ids.map((id) => this.#spendOf(id)))) {
      if (spend !== null) spends.set(spend.campaignId, spend);
    }
    const standing = await alerts.standing(BUDGET_ALERT, ids);
    const atMs = nowMs();
    const raised = [...spends.values()].flatMap((spend) => this.#raisedBy(spend, standing, atMs));
    const over = standing.filter((alert) => {
      const spend = spends.get(alert.campaignId);
      return spend === undefined || !stillHolds(alert, spend);
    });
    if (raised.length > 0) await history.writeAlerts(raised);
    if (over.length > 0) await history.resolveAlerts(over.map((alert) => resolutionOf(alert, atMs)));
    for (const id of ids) {
      this.#toExamine.delete(id);
      this.#learn(id, spends.get(id));
    }
  }

  #learn(id: string, spend: (DaySpend & { readonly dayEndMs: number }) | undefined): void {
    const level = spend === undefined ? 0 : levelOf(spend.spentMicros, spend.budgetMicros);
    if (spend === undefined || level === 0) this.#told.delete(id);
    else this.#told.set(id, { day: spend.day, dayEndMs: spend.dayEndMs, level });
  }

  /** Those that were not raised for this day yet, here or, before a restart or a change of budget, by others. */
  #raisedBy(spend: DaySpend, standing: readonly StandingAlert[], atMs: number): Alert[] {
    const told = this.#told.get(spend.campaignId);
    const level = told?.day === spend.day ? told.level : 0;
    return alertsAbove(level, spend, atMs).filter(
      ({ thresholdPercentage }) =>
        !standing.some(
          (alert) =>
            alert.campaignId === spend.campaignId &&
            alert.thresholdPercentage === thresholdPercentage &&
            stillHolds(alert, spend),
        ),
    );
  }

  /** The exact figures of now, from the campaign's owner; null when there is none any more. */
  async #spendOf(campaignId: string): Promise<(DaySpend & { readonly dayEndMs: number }) | null> {
    const { shards, nowMs } = this.#parts;
    const body = await shards.status(campaignId, false);
    if (body === null) return null;
    const status = JSON.parse(body) as StatusBody;
    if (status.status === 'DELETED') return null;
    const spentMicros = microsOf(status.daily_spent_cents);
    return {
      campaignId,
      day: status.local_day,
      dayEndMs: localDayAt(status.timezone, nowMs()).endMs,
      spentMicros,
      budgetMicros: microsOf(status.daily_budget_cents),
      spentBeforeMicros: Math.max(0, microsOf(status.total_spent_cents) - spentMicros),
      breaker: status.circuit_breaker_state,
    };
  }
}

/** A pod whose clock is ahead may have raised it: then it ends as it begins. */
function resolutionOf(alert: StandingAlert, atMs: number): AlertResolution {
  const { campaignId, dedupeKey, createdAtMs } = alert;
  return { campaignId, keyPrefix: dedupeKey, resolvedAtMs: Math.max(atMs, createdAtMs) };
}

function microsOf(cents: number): number {
  return Math.round(cents * MICROS_PER_CENT);
}
