/**
 * Keeps the alerts of what will become of a campaign's day: raised when a rule has held for a while, resolved when it
 * clearly does not hold any more, when the day is over, or when the campaign is gone. What could not be written is
 * found again at the next turn. Every pod of a fleet does the same with the same keys: the first to write raises.
 */
import type { Logger } from 'pino';
import { AppError } from '../../domain/app-error.ts';
import type { AlertStore } from '../../sinks/postgres/alert-store.ts';
import type { Alert, AlertResolution } from '../../sinks/postgres/history-rows.ts';
import type { HistoryStore } from '../../sinks/postgres/history-store.ts';
import {
  type CampaignFigures,
  dayKey,
  PROJECTION_RULES,
  projectionAlert,
  type Verdict,
} from './projection-alert-rules.ts';

export interface ProjectionAlertsParts {
  readonly alerts: Pick<AlertStore, 'standing' | 'campaignsWith'>;
  readonly history: Pick<HistoryStore, 'writeAlerts' | 'resolveAlerts'>;
  readonly log: Logger;
}

/** A projection is made every two minutes: one alone raises nothing. */
const HOLD_MS = 180_000;
const SLOW_HOLD_MS = 3_600_000;
/** What stands and was not raised here, such as before a restart, is looked for this often, in turns. */
const SWEEP_TURNS = 6;
const RAISED_MAX = 1_000;

interface Found {
  readonly raised: { readonly key: string; readonly alert: Alert }[];
  readonly over: Map<string, AlertResolution>;
}

export class ProjectionAlerts {
  readonly #parts: ProjectionAlertsParts;
  /** By rule and campaign: since when it holds, and has not been raised. */
  readonly #since = new Map<string, number>();
  /** By rule and campaign: the key of the alert that stands. */
  readonly #told = new Map<string, string>();
  #turns = 0;
  #failing = false;

  constructor(parts: ProjectionAlertsParts) {
    this.#parts = parts;
  }

  /** @param campaigns all that are on the table, walked more than once @param steadyMs of a clock that never goes back */
  async turn(campaigns: Iterable<CampaignFigures>, nowMs: number, steadyMs: number): Promise<void> {
    try {
      let found = this.#find(campaigns, nowMs, steadyMs);
      if (this.#turns % SWEEP_TURNS === 0) {
        await this.#recall();
        found = this.#find(campaigns, nowMs, steadyMs);
      }
      this.#turns++;
      await this.#write(found);
      this.#failing = false;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      if (!this.#failing)
        this.#parts.log.warn({ err: error }, 'alerts of projections wait until they can be written');
      this.#failing = true;
    }
  }

  /** What stands, whoever raised it. */
  async #recall(): Promise<void> {
    const { alerts } = this.#parts;
    for (const { alertType } of PROJECTION_RULES) {
      const ids = await alerts.campaignsWith(alertType);
      if (ids.length === 0) continue;
      for (const { campaignId, dedupeKey } of await alerts.standing(alertType, ids)) {
        this.#told.set(`${alertType} ${campaignId}`, dedupeKey);
      }
    }
  }

  #find(campaigns: Iterable<CampaignFigures>, nowMs: number, steadyMs: number): Found {
    const found: Found = { raised: [], over: new Map() };
    // Of what was told or is held against a campaign, all that is still there.
    const shown = new Set<string>();
    for (const figures of campaigns) {
      for (const rule of PROJECTION_RULES) {
        const verdict = rule.judge(figures, nowMs);
        const says = verdict === 'yes' || verdict === 'slow';
        if (!says && this.#told.size === 0 && this.#since.size === 0) continue;
        const key = `${rule.alertType} ${figures.campaignId}`;
        const told = this.#told.get(key);
        if (says || told !== undefined || this.#since.has(key)) shown.add(key);
        const isPast = told !== undefined && !told.startsWith(dayKey(rule.alertType, figures));
        if (told !== undefined && (verdict === 'no' || isPast)) {
          found.over.set(key, { campaignId: figures.campaignId, keyPrefix: told, resolvedAtMs: nowMs });
        }
        if (this.#hasHeld(key, verdict, steadyMs) && (told === undefined || isPast)) {
          found.raised.push({ key, alert: projectionAlert(rule, figures, nowMs) });
        }
      }
    }
    for (const [key, keyPrefix] of this.#told) {
      const campaignId = key.slice(key.indexOf(' ') + 1);
      if (!shown.has(key)) found.over.set(key, { campaignId, keyPrefix, resolvedAtMs: nowMs });
    }
    for (const key of this.#since.keys()) if (!shown.has(key)) this.#since.delete(key);
    return found;
  }

  #hasHeld(key: string, verdict: Verdict, steadyMs: number): boolean {
    if (verdict === 'no') this.#since.delete(key);
    if (verdict !== 'yes' && verdict !== 'slow') return false;
    const since = this.#since.get(key) ?? steadyMs;
    this.#since.set(key, since);
    return steadyMs - since >= (verdict === 'slow' ? SLOW_HOLD_MS : HOLD_MS);
  }

  async #write({ raised, over }: Found): Promise<void> {
    const { history } = this.#parts;
    if (over.size > 0) await history.resolveAlerts([...over.values()]);
    for (const key of over.keys()) this.#told.delete(key);
    const now = raised.slice(0, RAISED_MAX);
    if (now.length > 0) await history.writeAlerts(now.map(({ alert }) => alert));
    for (const { key, alert } of now) this.#told.set(key, alert.dedupeKey);
  }
}
