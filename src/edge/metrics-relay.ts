/** Relays GET /metrics to the management thread, which renders it: rendering a thousand campaigns takes too long for an edge. */
import type { MessagePort } from 'node:worker_threads';
import { AppError } from '../domain/app-error.ts';
import type { EdgeToManagement, ManagementToEdge } from '../messages/edge-management.ts';
import type { Reply } from './msgpack.ts';
import { replyCorked, replyError } from './replies.ts';

const SCRAPES_MAX = 16;
const TOO_MANY = new AppError('unavailable', `more than ${SCRAPES_MAX} scrapes at once; try again`);
const RESTARTING = new AppError('unavailable', 'the management thread is starting; try again');

export class MetricsRelay {
  private port: MessagePort | null = null;
  private nextTicket = 0;
  private readonly scrapes = new Map<number, Reply>();

  /** Connects, or after its restart reconnects, the management thread. */
  connect(port: MessagePort): void {
    // Its last thread may be seen to have ended only after this: by then its line is none of ours.
    this.giveUp();
    this.port?.close();
    this.port = port;
    port.on('message', (message: ManagementToEdge) => {
      const res = this.scrapes.get(message.ticket);
      if (res === undefined) return;
      this.scrapes.delete(message.ticket);
      replyCorked(res, 200, message.contentType, message.body);
    });
    port.on('close', () => {
      if (this.port !== port) return;
      this.port = null;
      this.giveUp();
    });
  }

  relay(res: Reply): void {
    if (this.port === null || this.scrapes.size >= SCRAPES_MAX) {
      replyError(res, this.port === null ? RESTARTING : TOO_MANY);
      return;
    }
    const ticket = this.nextTicket++;
    this.scrapes.set(ticket, res);
    res.onAborted(() => this.scrapes.delete(ticket));
    const request: EdgeToManagement = { type: 'metrics', ticket };
    this.port.postMessage(request);
  }

  close(): void {
    this.port?.close();
  }

  /** Answers the scrapes that wait for a thread that has ended. */
  private giveUp(): void {
    for (const res of this.scrapes.values()) replyError(res, RESTARTING);
    this.scrapes.clear();
  }
}
