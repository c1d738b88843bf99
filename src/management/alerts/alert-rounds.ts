/**
 * The rounds in which this pod looks for what is worth an alert beside budgets and breakers: each second at the
 * clock, every ten at the campaigns' projections and late wins, each minute at the database's clock. One thing at a
 * time; without the database what is found is found again.
 */
import type { Logger } from 'pino';
import { AppError } from '../../domain/app-error.ts';
import type { AlertStore } from '../../sinks/postgres/alert-store.ts';
import type { Alert } from '../../sinks/postgres/history-rows.ts';
import type { HistoryStore } from '../../sinks/postgres/history-store.ts';
import type { CampaignLook } from './campaign-look.ts';
import { CLOCK_JUMP, type ClockReading, type ClockWatch } from './clock-watch.ts';
import { LATE_WINS, LateWinAlerts } from './late-win-alerts.ts';
import { ProjectionAlerts } from './projection-alerts.ts';

export interface AlertRoundsParts {
  readonly look: CampaignLook;
  readonly clock: ClockWatch;
  readonly alerts: AlertStore;
  readonly history: HistoryStore;
  readonly readClock: () => ClockReading;
  readonly log: Logger;
}

const TURN_MS = 1_000;
const CAMPAIGN_TURNS = 10;
const DATABASE_CLOCK_TURNS = 60;
/** Alerts of what happened at one moment stand for so long. */
const MOMENT_MS = 3_600_000;
const OF_A_MOMENT = [LATE_WINS, CLOCK_JUMP] as const;
/** Alerts that wait for the database at most; more than that many settings of a clock say nothing new. */
const WAITING_MAX = 100;

export class AlertRounds {
  readonly #parts: AlertRoundsParts;
  readonly #projections: ProjectionAlerts;
  readonly #lateWins: LateWinAlerts;
  #waiting: Alert[] = [];
  #timer: NodeJS.Timeout | undefined;
  #turns = 0;
  #closed = false;

  constructor(parts: AlertRoundsParts) {
    this.#parts = parts;
    this.#projections = new ProjectionAlerts(parts);
    this.#lateWins = new LateWinAlerts(parts.look.slotCount);
  }

  /** Goes on until it is closed. @param fail is told of a bug */
  run(fail: (error: unknown) => void): void {
    this.#timer = setTimeout(() => {
      this.#turn().then(() => {
        if (!this.#closed) this.run(fail);
      }, fail);
    }, TURN_MS);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #turn(): Promise<void> {
    const { clock, history, readClock, log } = this.#parts;
    const turn = this.#turns++;
    const reading = readClock();
    const jump = clock.look(reading);
    if (jump !== null) {
      log.warn({ alert: jump.message }, 'the clock was set');
      this.#waiting = [...this.#waiting, jump].slice(-WAITING_MAX);
    }
    try {
      if (this.#waiting.length > 0) await history.writeAlerts(this.#waiting);
      this.#waiting = [];
      if (turn % CAMPAIGN_TURNS === 0) await this.#lookAtCampaigns(reading);
      if (turn % DATABASE_CLOCK_TURNS === 0) await this.#compareClocks(reading.wallMs);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      log.debug({ err: error }, 'alerts wait until the database answers');
    }
  }

  async #lookAtCampaigns({ wallMs, steadyMs }: ClockReading): Promise<void> {
    const campaigns = this.#parts.look.campaigns(wallMs);
    await this.#projections.turn(campaigns, wallMs, steadyMs);
    const late = this.#lateWins.find(campaigns, wallMs);
    if (late.length === 0) return;
    await this.#parts.history.writeAlerts(late);
    this.#lateWins.raised(late);
  }

  async #compareClocks(nowMs: number): Promise<void> {
    const { alerts, clock, history, readClock } = this.#parts;
    await history.resolveOlder(OF_A_MOMENT, nowMs - MOMENT_MS, nowMs);
    const before = readClock();
    const { raised, over } = clock.compare(before, await alerts.databaseClockMs(), readClock());
    if (raised !== null) await history.writeAlerts([raised]);
    if (over !== null) await history.resolveAlerts([over]);
  }
}
