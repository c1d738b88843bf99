/** What every request on the core port passes first: the campaigns are loaded, and the pod's limit has room. */
import { AppError } from '../domain/app-error.ts';
import type { DecisionLimit } from '../table/decision-limit.ts';
import type { Meters } from '../table/meters.ts';
import type { PodState } from '../table/pod-state.ts';
import { EDGE_LIMITED, EDGE_REFUSED } from '../table/thread-meters.ts';
import type { Reply } from './msgpack.ts';
import { replyError } from './replies.ts';
import { steadySeconds } from './steady-clock.ts';

const NOT_READY = new AppError('unavailable', 'the campaigns are not loaded yet; try again');
const LIMITED = new AppError('rate_limited', 'more decisions than MAX_QPS allows; try again in a second');

export class Admission {
  private readonly state: PodState;
  private readonly meters: Meters;
  private readonly limit: DecisionLimit | null;
  private loaded = false;

  /** @param limit of the whole pod; null when there is none */
  constructor(state: PodState, meters: Meters, limit: DecisionLimit | null) {
    this.state = state;
    this.meters = meters;
    this.limit = limit;
  }

  /** Whether the campaigns are on the table; refuses the request when they are not. */
  open(res: Reply): boolean {
    if (!this.loaded) {
      this.loaded = this.state.campaignsLoaded;
      if (!this.loaded) replyError(res, NOT_READY);
    }
    return this.loaded;
  }

  /** Whether the pod's limit has room for so many decisions; refuses the request when it has not. */
  withinLimit(res: Reply, decisions: number): boolean {
    const { limit } = this;
    if (limit === null || limit.take(decisions, steadySeconds() * 1_000)) return true;
    this.meters.add(EDGE_LIMITED, 1);
    replyError(res, LIMITED);
    return false;
  }

  refuse(res: Reply, error: AppError): void {
    this.meters.add(EDGE_REFUSED, 1);
    replyError(res, error);
  }
}
