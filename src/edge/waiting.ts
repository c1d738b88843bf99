/**
 * Requests that wait for a shard. Each is answered once: when its last answer is in, or not at all when its
 * client has gone; what the client asked for happens all the same.
 */
import { AppError } from '../domain/app-error.ts';
import {
  OUTCOME_DUPLICATE,
  OUTCOME_LOST,
  OUTCOME_RELEASED,
  OUTCOME_SUCCESS,
  OUTCOME_TOO_LARGE,
  OUTCOME_UNAVAILABLE,
  OUTCOME_UNKNOWN_BID,
  OUTCOME_UNKNOWN_CAMPAIGN,
} from '../messages/edge-shard.ts';
import type { Reply } from './msgpack.ts';
import { replyCorked, replyError } from './replies.ts';
import type { Waiting } from './shard-links.ts';

/** Called when a request has been answered or given up, with its endpoint's number and start. */
export type Finished = (endpoint: number, startedAt: number) => void;

const STATUS_TEXT: Readonly<Record<number, string>> = {
  [OUTCOME_SUCCESS]: 'success',
  [OUTCOME_DUPLICATE]: 'duplicate',
  [OUTCOME_UNKNOWN_CAMPAIGN]: 'campaign_not_found',
  [OUTCOME_RELEASED]: 'released',
  [OUTCOME_UNKNOWN_BID]: 'unknown',
  [OUTCOME_UNAVAILABLE]: 'unavailable',
  [OUTCOME_TOO_LARGE]: 'too_large',
  [OUTCOME_LOST]: 'unavailable',
};

export const UNAVAILABLE = new AppError(
  'unavailable',
  'this campaign cannot be served safely right now; nothing was recorded, try again',
);
const LOST = new AppError(
  'unavailable',
  'the ledger was started anew before it answered; repeat a spend with the same event_id to be sure that it counts once',
);
const UNKNOWN_CAMPAIGN = new AppError('campaign_not_found', 'there is no such campaign', 'campaign_id');
const TOO_LARGE = new AppError(
  'invalid_request',
  'spend_cents would take the campaign past 900719925474.0992 cents, the most that can be counted',
  'spend_cents',
);

/** A POST /spend/track or POST /bid/lost. */
export class WaitingOutcome implements Waiting {
  private readonly res: Reply;
  private readonly endpoint: number;
  private readonly startedAt: number;
  private readonly finished: Finished;
  private gone = false;

  constructor(res: Reply, endpoint: number, startedAt: number, finished: Finished) {
    this.res = res;
    this.endpoint = endpoint;
    this.startedAt = startedAt;
    this.finished = finished;
    res.onAborted(() => {
      this.gone = true;
    });
  }

  answered(_position: number, outcome: number): void {
    this.finished(this.endpoint, this.startedAt);
    if (this.gone) return;
    if (outcome === OUTCOME_UNAVAILABLE) replyError(this.res, UNAVAILABLE);
    else if (outcome === OUTCOME_LOST) replyError(this.res, LOST);
    else if (outcome === OUTCOME_UNKNOWN_CAMPAIGN) replyError(this.res, UNKNOWN_CAMPAIGN);
    else if (outcome === OUTCOME_TOO_LARGE) replyError(this.res, TOO_LARGE);
    else replyCorked(this.res, 200, 'application/json', `{"status":"${STATUS_TEXT[outcome]}"}`);
  }

  statusAnswered(body: string | null): void {
    this.finished(this.endpoint, this.startedAt);
    if (this.gone) return;
    if (body === null) replyError(this.res, UNKNOWN_CAMPAIGN);
    else replyCorked(this.res, 200, 'application/json', body);
  }
}

/** A POST /spend/batch: answered when the last of its events is. */
export class WaitingBatch implements Waiting {
  private readonly res: Reply;
  private readonly endpoint: number;
  private readonly startedAt: number;
  private readonly finished: Finished;
  private readonly outcomes: Uint8Array;
  private missing: number;
  private gone = false;

  constructor(res: Reply, events: number, endpoint: number, startedAt: number, finished: Finished) {
    this.res = res;
    this.endpoint = endpoint;
    this.startedAt = startedAt;
    this.finished = finished;
    this.outcomes = new Uint8Array(events);
    this.missing = events;
    res.onAborted(() => {
      this.gone = true;
    });
  }

  answered(position: number, outcome: number): void {
    this.outcomes[position] = outcome;
    this.missing--;
    if (this.missing > 0) return;
    this.finished(this.endpoint, this.startedAt);
    if (this.gone) return;
    if (this.outcomes.every((each) => each === OUTCOME_UNAVAILABLE || each === OUTCOME_LOST)) {
      replyError(this.res, this.outcomes.includes(OUTCOME_LOST) ? LOST : UNAVAILABLE);
      return;
    }
    const results = Array.from(this.outcomes, (each) => `{"status":"${STATUS_TEXT[each]}"}`);
    replyCorked(this.res, 200, 'application/json', `{"results":[${results.join(',')}]}`);
  }

  statusAnswered(): void {
    throw new Error('a batch of spends was answered with a status');
  }
}
