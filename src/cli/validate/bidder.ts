/** Calls of the core service that a check makes; anything but a 200 is a failure with the answer's text. */
import { fieldOf } from '../service-client.ts';
import { eventually } from '../test-campaigns.ts';
import { demand, type System } from './check.ts';

export interface Decided {
  readonly allowed: boolean;
  readonly reason: string;
  /** What the answer warns of, such as degraded mode; null when of nothing. */
  readonly warning: string | null;
}

async function post(system: System, path: string, body: object): Promise<unknown> {
  const answer = await system.core.request('POST', path, body);
  demand(answer.status === 200, `POST ${path} was answered ${answer.status} ${answer.text.slice(0, 200)}`);
  return answer.body;
}

export async function decide(
  system: System,
  campaignId: string,
  bidCents: number,
  bidId: string,
): Promise<Decided> {
  const body = { campaign_id: campaignId, bid_cents: bidCents, bid_id: bidId };
  const answer = await post(system, '/pacing/decision', body);
  const warning = fieldOf(answer, 'warning');
  return {
    allowed: fieldOf(answer, 'allow_bid') === true,
    reason: String(fieldOf(answer, 'reason')),
    warning: typeof warning === 'string' ? warning : null,
  };
}

/** @returns `success` or `duplicate` */
export async function spend(
  system: System,
  campaignId: string,
  cents: number,
  ids: { readonly event_id?: string; readonly bid_id?: string } = {},
): Promise<string> {
  const body = { campaign_id: campaignId, spend_cents: cents, ...ids };
  return String(fieldOf(await post(system, '/spend/track', body), 'status'));
}

export async function lose(system: System, campaignId: string, bidId: string): Promise<void> {
  await post(system, '/bid/lost', { campaign_id: campaignId, bid_id: bidId });
}

/** Waits until a field of the budget status has a value; in a fleet the other pods hear of spend a moment later. */
export async function settlesAt(
  system: System,
  campaignId: string,
  field: string,
  value: unknown,
): Promise<void> {
  let last: unknown;
  try {
    await eventually(field, async () => {
      last = (await system.campaigns.status(campaignId))[field];
      return last === value;
    });
  } catch {
    throw new Error(`${field} of ${campaignId} is ${String(last)} where it must be ${String(value)}`);
  }
}

/** Asks until a bid is allowed. @throws Error with the last reason */
export async function allowedBid(
  system: System,
  campaignId: string,
  bidCents: number,
  bidId: string,
): Promise<string> {
  let [attempt, reason] = [0, ''];
  const find = async (): Promise<string | false> => {
    const id = `${bidId}-${attempt++}`;
    const decided = await decide(system, campaignId, bidCents, id);
    reason = decided.warning === null ? decided.reason : `${decided.reason} (${decided.warning})`;
    return decided.allowed && id;
  };
  return eventually('an allowed bid', find).catch(() => {
    throw new Error(`no bid of ${campaignId} is allowed: ${reason}`);
  });
}
