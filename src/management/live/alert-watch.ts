/**
 * Brings alerts that were raised or resolved, here or by another pod, to the clients of the WebSocket. Looks while
 * there are any; the next look begins after the last one has ended. Without the database it is silent: what it
 * missed comes when the database is back.
 */
import type { Logger } from 'pino';
import { AppError } from '../../domain/app-error.ts';
import type { AlertChanges } from '../../sinks/postgres/alert-changes.ts';
import { wireAlert } from '../alert-routes.ts';
import type { LiveUpdates } from './live-updates.ts';

const LOOK_MS = 500;

export class AlertWatch {
  readonly #changes: AlertChanges;
  readonly #live: LiveUpdates;
  readonly #log: Logger;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #failing = false;

  constructor(changes: AlertChanges, live: LiveUpdates, log: Logger) {
    this.#changes = changes;
    this.#live = live;
    this.#log = log;
  }

  /** Watches until it is closed. @param fail is told of a bug */
  run(fail: (error: unknown) => void): void {
    this.#timer = setTimeout(() => {
      this.#look().then(() => {
        if (!this.#closed) this.run(fail);
      }, fail);
    }, LOOK_MS);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#live.clients === 0) {
      this.#changes.forget();
      return;
    }
    try {
      for (const row of await this.#changes.look()) {
        this.#live.alert({ ...wireAlert(row), campaign_id: row.campaign_id });
      }
      this.#failing = false;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      if (!this.#failing && !this.#closed) this.#log.warn({ err: error }, 'alerts cannot be watched');
      this.#failing = true;
    }
  }
}
