/**
 * Brings alerts that were raised or resolved, here or by another pod, to the clients of the WebSocket. Looks while
 * there are any; the next look begins after the last one has ended. While there are none it marks its place now and
 * then: the first client hears of everything since, so that nothing falls between the list that it reads when it
 * comes and the first look. Without the database it is silent: what it missed comes when the database is back.
 */
import type { Logger } from 'pino';
import { AppError } from '../../domain/app-error.ts';
import type { AlertChanges } from '../../sinks/postgres/alert-changes.ts';
import { wireAlert } from '../alert-routes.ts';
import type { LiveUpdates } from './live-updates.ts';

const LOOK_MS = 500;
/** Looks without clients from one mark to the next. */
const MARK_LOOKS = 10;

export class AlertWatch {
  readonly #changes: Pick<AlertChanges, 'look' | 'mark'>;
  readonly #live: Pick<LiveUpdates, 'alert' | 'clients'>;
  readonly #log: Logger;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #failing = false;
  #looksSinceMark = MARK_LOOKS;

  constructor(
    changes: Pick<AlertChanges, 'look' | 'mark'>,
    live: Pick<LiveUpdates, 'alert' | 'clients'>,
    log: Logger,
  ) {
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
    try {
      if (this.#live.clients === 0) {
        await this.#mark();
        return;
      }
      this.#looksSinceMark = MARK_LOOKS;
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

  async #mark(): Promise<void> {
    this.#looksSinceMark++;
    if (this.#looksSinceMark <= MARK_LOOKS) return;
    await this.#changes.mark();
    this.#looksSinceMark = 0;
  }
}
